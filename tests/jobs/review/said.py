"""Judgements as the page keeps them, and the dataset they are of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.review.judgements import Judgement, Session, Verdict, now
from pipeline.storage import Store
from tests.command import dataset


def rows(folder: Path) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in dataset(folder / "run")}


def say(
    folder: Path,
    clip: str,
    attribute: str,
    verdict: Verdict,
    correction: str | None = None,
    *,
    reviewer: str = "Ada",
    value: str | None = None,
    place: int | None = None,
) -> None:
    """What the page keeps when a person judges what the dataset says."""
    row = rows(folder)[clip]
    Session(Store(str(folder / "run")), reviewer).keep(
        Judgement(
            clip,
            attribute,
            verdict,
            value or row[attribute],
            correction,
            place,
            reviewer,
            now(),
            "",
            row["sound_hash"],
        )
    )
