"""The constructor is the config: what it does not declare is refused, with what it does."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import OptionError
from pipeline.job import Limits, make_job
from pipeline.options import Option, checked, resolve
from pipeline.pool import Pool
from pipeline.way import Way, WaySpec
from tests.fakes import FakePeak, FakeSound


class Example:
    """One option of every kind."""

    def __init__(
        self,
        *,
        rate: Annotated[float, Option("a number", "Hz", 0.0, 10.0)] = 1,
        count: Annotated[int, Option("a whole number")] = 3,
        quick: Annotated[bool, Option("a switch")] = False,
        mode: Annotated[Literal["a", "b"], Option("a choice")] = "a",
        step: Annotated[Literal[1, 2], Option("a choice of numbers")] = 1,
        path: Annotated[str | None, Option("text or none")] = None,
        names: Annotated[tuple[str, ...], Option("texts")] = (),
        span: Annotated[tuple[float, float], Option("two numbers", "Hz", 0.0, 10.0)] = (1.0, 2.0),
        table: Annotated[Mapping[str, object] | None, Option("a mapping")] = None,
    ) -> None: ...


def value(name: str, given: object) -> object:
    return resolve(Example, "example", {name: given})[name]


@pytest.mark.parametrize(
    ("name", "given", "taken"),
    [
        ("rate", 2, 2.0),
        ("count", 5, 5),
        ("quick", True, True),
        ("mode", "b", "b"),
        ("step", 2, 2),
        ("path", "none", None),
        ("path", "x", "x"),
        ("names", ["a", "b"], ("a", "b")),
        ("span", [3, 4.5], (3.0, 4.5)),
        ("table", {"a": 1}, {"a": 1}),
    ],
)
def test_a_value_comes_in_its_declared_type(name: str, given: object, taken: object) -> None:
    found = value(name, given)
    assert found == taken
    assert type(found) is type(taken)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("rate", "1"),
        ("rate", True),
        ("rate", math.nan),
        ("rate", math.inf),
        ("rate", 10.5),
        ("count", 5.0),
        ("count", True),
        ("quick", 1),
        ("mode", "c"),
        ("step", True),
        ("step", 1.0),
        ("path", 3),
        ("names", "ab"),
        ("names", [1]),
        ("span", [1.0]),
        ("span", [1.0, 2.0, 3.0]),
        ("span", [1.0, 20.0]),
        ("table", [1]),
    ],
)
def test_a_value_of_another_type_or_out_of_range_is_refused(name: str, given: object) -> None:
    with pytest.raises(OptionError, match=rf"example\.{name} "):
        value(name, given)


@given(st.text())
def test_an_option_that_does_not_exist_is_refused_and_those_that_do_are_listed(name: str) -> None:
    if name not in resolve(Example, "example", {}):
        with pytest.raises(OptionError, match="There is: count, mode, names"):
            resolve(Example, "example", {name: 1})


def test_a_default_and_the_same_value_given_are_one() -> None:
    assert resolve(Example, "example", {"rate": 1}) == resolve(Example, "example", {})
    assert type(resolve(Example, "example", {})["rate"]) is float


def test_every_annotator_that_ships_has_defaults_of_its_own_declared_types() -> None:
    from annotators import load, ways

    for family, names in ways().items():
        for name in names:
            cls = load(family, name)
            assert resolve(cls, f"{family}={name}", {}) is not None


def test_an_option_without_stable_bytes_is_refused() -> None:
    for odd in (math.nan, {1}, datetime.date(2020, 1, 1)):
        with pytest.raises(OptionError, match="peak=fake hold what has no stable bytes"):
            make_job([WaySpec("peak", "fake", Tabled, {"table": {"a": odd}})])


class Tabled(FakePeak):
    """Takes a mapping."""

    hears = None

    def __init__(self, *, table: Annotated[Mapping[str, object], Option("a mapping")]) -> None: ...


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (Limits(max_attempts=0), r"max_attempts must lie in 1\.\.inf"),
        (Limits(max_attempts="3"), "max_attempts takes a whole number"),  # type: ignore[arg-type]
        (Limits(batch_s=-1.0), "batch_s must lie in"),
        (Pool(actors=0), "actors must lie in"),
        (Pool(cpus=-1.0), "cpus must lie in"),
    ],
)
def test_settings_of_a_job_are_checked_like_options(record: Any, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        checked("settings", record)


class Placed(FakePeak):
    """Knows where as well as what."""

    def __init__(
        self,
        *,
        what: Annotated[int, Option("what")] = 1,
        where: Annotated[str, Option("where", identity=False)] = "here",
    ) -> None: ...


def test_where_is_no_part_of_the_fingerprint_nor_of_the_provenance() -> None:
    def way(**options: object) -> Way:
        sound = WaySpec("sound", "fake", FakeSound)
        return make_job([sound, WaySpec("peak", "fake", Placed, options)]).of("peak")[0]

    assert way(where="there").fingerprint == way().fingerprint != way(what=2).fingerprint
    assert way(where="there").options == {"what": 1, "where": "there"}
    assert way(where="there").provenance()["options"] == {"what": 1}
