"""One family of columns a folder, one way to fill it a file: `annotators/<family>/<way>.py`.

The registry lists files; a module is imported only when its way is asked for, so that a way whose
packages are not installed costs nobody anything.
"""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from pipeline.annotator import Annotator
from pipeline.errors import OptionError, unknown

_HERE = Path(__file__).parent


@cache
def ways() -> dict[str, tuple[str, ...]]:
    """Every family with its ways, without importing any of them."""
    found: dict[str, list[str]] = {}
    for file in sorted(_HERE.glob("[!_]*/*.py")):
        if not file.stem.startswith("_"):
            found.setdefault(file.parent.name, []).append(file.stem)
    return {family: tuple(names) for family, names in found.items()}


def load(family: str, way: str) -> type[Annotator[Any]]:
    """The class in `annotators/<family>/<way>.py`, or in a module of your own named `package.module`.

    Raises OptionError if there is none (listing those that exist), or if a package it needs is not
    installed (naming the extra that brings it).
    """
    if "." in way:
        return _annotator_in(way, family)
    if family not in ways():
        raise unknown("annotator", family, ways())
    if way not in ways()[family]:
        raise unknown(f"way to fill {family}", way, ways()[family])
    return _annotator_in(f"annotators.{family}.{way}", family)


def _annotator_in(name: str, family: str) -> type[Annotator[Any]]:
    try:
        with redirect_stdout(io.StringIO()):  # packages print notices there, such as that ffmpeg is missing
            module = import_module(name)
    except ModuleNotFoundError as error:
        if error.name and f"{name}.".startswith(f"{error.name}."):
            raise OptionError(f"There is no module {name!r} to fill {family} with.") from error
        raise OptionError(
            f"{name} needs the package {error.name!r}: pip install 'speechcraft[models]'."
        ) from error
    except (ImportError, OSError) as error:  # OSError: a shared library that is not there
        raise OptionError(f"{name} cannot be imported: {error}.") from error
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, Annotator) and value.__module__ == name:
            if value.row.family != family:
                raise OptionError(f"{name} fills {value.row.family!r}, not {family!r}.")
            return value
    raise OptionError(f"The module {name} holds no annotator.")
