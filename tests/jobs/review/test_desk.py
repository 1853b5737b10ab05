"""What one person says does not depend on what another said, and can be taken back."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.evaluate.agreement import agreement
from jobs.export.dataset import Dataset
from jobs.review.apply import apply
from jobs.review.desk import Desk
from jobs.review.sample import Sampled, sample
from jobs.review.view import Views
from jobs.runs import Run
from pipeline.review.judgements import read, standing
from pipeline.storage import Store


@pytest.fixture
def clips(folder: Path) -> list[Sampled]:
    return sample(Dataset.open(str(folder / "run")), 100, "random", 0)


def desk(folder: Path, reviewer: str, clips: list[Sampled]) -> tuple[Desk, Views]:
    made = Desk(Store(str(folder / "run")), reviewer, clips)
    return made, Views(Run.open(str(folder / "run")), made)


def test_a_second_reviewer_judges_what_the_run_found(folder: Path, clips: list[Sampled]) -> None:
    first, views = desk(folder, "Ada", clips)
    clip = next(c for c in clips if c.id == "station")
    found = views.value(clip, "emotion")
    first.judge(clip, "emotion", "correct", found, "sad", None)
    assert apply(str(folder / "run"), lambda text: None)
    again = sample(Dataset.open(str(folder / "run")), 100, "random", 0)
    clip = next(c for c in again if c.id == "station")
    assert clip.row["emotion"] == "sad"
    second, views = desk(folder, "Bob", again)
    assert views.value(clip, "emotion") == found
    assert second.said(clip, "emotion").state == ""
    second.judge(clip, "emotion", "accept", views.value(clip, "emotion"), None, None)
    told = agreement(standing(read(Store(str(folder / "run")))), {"station": {"emotion": found}})
    assert [(a.first, a.second, a.agreed_percent) for a in told] == [
        ("run", "reviewer 1", 0.0),
        ("run", "reviewer 2", 100.0),
        ("reviewer 1", "reviewer 2", 0.0),
    ]


def test_what_was_said_before_stands_again_once_the_last_is_taken_back(
    folder: Path, clips: list[Sampled]
) -> None:
    made, _ = desk(folder, "Ada", clips)
    clip = clips[0]
    made.judge(clip, "gender", "accept", clip.row["gender"], None, None)
    made.judge(clip, "gender", "reject", clip.row["gender"], None, None)
    assert made.undo() == (clip.key, "gender")
    assert made.said(clip, "gender").state == "accepted"
    assert made.undo() == (clip.key, "gender")
    assert made.said(clip, "gender").state == ""
    assert made.undo() is None
    assert standing(read(Store(str(folder / "run")))) == {}
    assert made.judged() == 0


def test_to_correct_a_value_to_itself_is_to_accept_it(folder: Path, clips: list[Sampled]) -> None:
    made, _ = desk(folder, "Ada", clips)
    value = clips[0].row["gender"]
    assert made.judge(clips[0], "gender", "correct", value, value, None).state == "accepted"
