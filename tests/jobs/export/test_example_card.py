"""The example card of docs is one that an export makes today: the same ways, the same columns."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jobs.example_card import CALIBRATED, page, uncalibrated
from jobs.export.meanings import meanings
from jobs.export.request import Request
from jobs.jobfile import build_job, read_profile
from pipeline.side_by_side import dataset_schema

CARD = Path(__file__).parents[3] / "docs" / "example-card.md"
STALE = "docs/example-card.md is not of this code: run `make docs`"


@cache
def table(title: str) -> list[list[str]]:
    """The rows of a section's table, without its head."""
    section = CARD.read_text("utf-8").split(f"\n## {title}\n")[1].split("\n## ")[0].replace("\\", "")
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.split(" | ")] for line in (x.strip("| ") for x in lines[2:])]


def test_its_ways_are_those_of_the_embedded_profile() -> None:
    job = build_job(read_profile("embedded"))
    ways = [*([job.cut] if job.cut else []), *job.ways]
    told = {row[0]: row[1:4] for row in table("How it was made")}
    assert list(told) == [way.family for way in ways], STALE
    for way in ways:
        assert told[way.family][:2] == [way.name, str(way.cls.version)], STALE
        assert way.family in CALIBRATED or told[way.family][2] == way.fingerprint, STALE
    first = CARD.read_text("utf-8").splitlines()[0]
    assert all(f"{family} {fingerprint}" in first for family, fingerprint in uncalibrated().items()), STALE
    assert set(uncalibrated()) == set(CALIBRATED)


def test_its_columns_are_those_of_the_embedded_profile() -> None:
    whole = dataset_schema(build_job(read_profile("embedded")))
    schema = whole.remove(whole.get_field_index("audio"))
    told = {row[0]: row[-1] for row in table("Columns")}
    wanted = {name: doc for name, *_, doc in meanings(schema, Request(to="hf"), ())}
    assert list(told) == list(wanted), STALE
    assert [name for name, doc in wanted.items() if not told[name].startswith(doc)] == [], STALE


def test_a_card_becomes_a_page_whose_front_matter_is_shown() -> None:
    shown = page("---\nlanguage:\n- en\n---\n\n# Speech\n\n---\nrest\n")
    assert shown.endswith("\n\n```yaml\nlanguage:\n- en\n```\n\n# Speech\n\n---\nrest\n")
