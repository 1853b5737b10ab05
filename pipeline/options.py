"""The constructor is the config: options are read, checked and documented from its signature."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from pipeline.errors import OptionError, unknown

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Option:
    """What a person needs to know of an option. `low` and `high` are inclusive bounds.

    `identity=False`: it says where or how fast, never what: it is no part of the fingerprint.
    """

    doc: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    identity: bool = True


@dataclass(frozen=True, slots=True)
class OptionInfo:
    """An option as the signature declares it."""

    name: str
    type: Any
    default: object
    option: Option

    def check(self, owner: str, value: object) -> object:
        """The value in its declared type, or an OptionError that says what was expected."""
        for kind in _alternatives(self.type):
            try:
                cast = _cast(kind, value)
            except (TypeError, ValueError):
                continue
            self._check_range(owner, cast)
            return cast
        raise OptionError(f"{owner}.{self.name} takes {describe_type(self.type)}, not {value!r}.")

    def _check_range(self, owner: str, value: object) -> None:
        if isinstance(value, tuple):
            for v in value:
                self._check_range(owner, v)
        if not isinstance(value, int | float) or isinstance(value, bool):
            return
        low, high = self.option.low, self.option.high
        if (low is not None and value < low) or (high is not None and value > high):
            span = f"{'-inf' if low is None else low}..{'inf' if high is None else high}"
            raise OptionError(
                f"{owner}.{self.name} must lie in {span} {self.option.unit}".rstrip() + f", not {value!r}."
            )


def options_of(cls: type) -> dict[str, OptionInfo]:
    """The options of an annotator class, by name, in the order of its constructor."""
    init = inspect.getattr_static(cls, "__init__")
    if init is object.__init__:
        return {}
    hints = get_type_hints(init, include_extras=True)
    found: dict[str, OptionInfo] = {}
    for name, parameter in inspect.signature(init).parameters.items():
        if name == "self" or parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        hint, option = hints[name], Option("")
        if get_origin(hint) is Annotated:
            hint, *extras = get_args(hint)
            option = next((e for e in extras if isinstance(e, Option)), option)
        found[name] = OptionInfo(name, hint, parameter.default, option)
    return found


def defaults_of(cls: type) -> dict[str, object]:
    """The options that have a default, with it."""
    infos = options_of(cls)
    return {name: i.default for name, i in infos.items() if i.default is not inspect.Parameter.empty}


def resolve(cls: type, owner: str, given: Mapping[str, object]) -> dict[str, object]:
    """Every option of `cls` with its value: given, else the default. Nothing is constructed.

    Raises OptionError for a name that does not exist (listing those that do), a value of another
    type, or one out of range.
    """
    infos = options_of(cls)
    for name in given:
        if name not in infos:
            raise unknown(f"option of {owner}", name, infos)
    resolved: dict[str, object] = {}
    for name, info in infos.items():
        if name in given:
            resolved[name] = info.check(owner, given[name])
        elif info.default is inspect.Parameter.empty:
            raise OptionError(f"{owner} needs the option {name!r}: {info.option.doc}")
        else:
            resolved[name] = info.check(owner, info.default)
    return resolved


def identifying(cls: type, options: Mapping[str, object]) -> dict[str, object]:
    """Of resolved options those that the values depend on."""
    infos = options_of(cls)
    return {name: value for name, value in options.items() if infos[name].option.identity}


def checked(owner: str, record: T) -> T:
    """A dataclass with its `Annotated[..., Option(...)]` fields in their declared types and ranges.

    Raises OptionError for the first that is not.
    """
    values = {}
    for name, hint in get_type_hints(type(record), include_extras=True).items():
        option = next((e for e in getattr(hint, "__metadata__", ()) if isinstance(e, Option)), None)
        if option is not None:
            info = OptionInfo(name, get_args(hint)[0], None, option)
            values[name] = info.check(owner, getattr(record, name))
    found: T = replace(cast("Any", record), **values)
    return found


def describe_type(kind: Any) -> str:
    """A type as a person reads it: `number`, `one of low, high`, `text or none`."""
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return " or ".join(describe_type(k) for k in get_args(kind))
    if origin is Literal:
        return "one of " + ", ".join(map(str, get_args(kind)))
    if origin in (tuple, list):
        return f"a list of {describe_type(get_args(kind)[0])}"
    if origin is not None and issubclass(origin, Mapping):
        return "a mapping"
    names = {bool: "true or false", int: "a whole number", float: "a number", str: "text", NoneType: "none"}
    return names.get(kind, str(kind))


def _alternatives(kind: Any) -> tuple[Any, ...]:
    """The types of a union, none first: the text `none` is no file name."""
    if get_origin(kind) not in (Union, UnionType):
        return (kind,)
    return tuple(sorted(get_args(kind), key=lambda k: k is not NoneType))


def _cast(kind: Any, value: object) -> object:
    """The value as `kind`; raises TypeError or ValueError where it is not one."""
    origin = get_origin(kind)
    if origin is Literal:
        if any(type(v) is type(value) and v == value for v in get_args(kind)):
            return value
        raise ValueError
    if origin in (tuple, list):
        if isinstance(value, str) or not isinstance(value, list | tuple):
            raise TypeError
        kinds = get_args(kind)
        if origin is list or kinds[1:] == (...,):
            kinds = kinds[:1] * len(value)
        return tuple(_cast(k, v) for k, v in zip(kinds, value, strict=True))
    if kind is NoneType:
        if value is None or value in ("none", "null"):
            return None
        raise ValueError
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise ValueError
        return float(value)
    if origin is not None and issubclass(origin, Mapping) and isinstance(value, Mapping):
        return dict(value)
    if isinstance(kind, type) and type(value) is kind:
        return value
    raise TypeError
