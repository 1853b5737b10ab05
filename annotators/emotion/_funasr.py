"""Modules of FunASR without the rest of FunASR."""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

_PACKAGE = "funasr"


def funasr_module(name: str) -> Any:
    """The module `funasr.<name>`.

    FunASR's `__init__` imports all its models: 8 s, 400 MB and a handler on the root logger, of which
    emotion2vec needs 0.2 s and 16 MB. So an empty package stands in for it while the module is
    imported. A real `import funasr`, before or after, works as ever.
    """
    stands_in = _PACKAGE not in sys.modules
    if stands_in:
        sys.modules[_PACKAGE] = _empty_package()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it compares versions with distutils
            return import_module(f"{_PACKAGE}.{name}")
    finally:
        if stands_in:
            del sys.modules[_PACKAGE]


def _empty_package() -> ModuleType:
    spec = find_spec(_PACKAGE)
    if spec is None:
        raise ModuleNotFoundError(f"No module named {_PACKAGE!r}", name=_PACKAGE)
    package = ModuleType(_PACKAGE)
    package.__path__ = list(spec.submodule_search_locations or ())
    return package
