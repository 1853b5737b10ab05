"""The model of gender learns from a sliver, ships what it measured, and does it again; labels that pitch
contradicts teach nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from annotators._small import model
from jobs.train._augment import Throat
from jobs.train._corpora import Utterance
from jobs.train._features import Example
from jobs.train._gender_fit import contradicted, hear, teach
from jobs.train._lesson import Lesson
from jobs.train._tables import Line
from jobs.train.gender import Request, run
from tests.command import speechcraft


@pytest.fixture(scope="module")
def once(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Line], str, Path]:
    said: list[str] = []
    work, out = tmp_path_factory.mktemp("work"), tmp_path_factory.mktemp("once")
    lines = run(Request(data, out, work, folds=2, left_out=()), said.append)
    return lines, "\n".join(said), work


def value(lines: list[Line], figure: str) -> float:
    [found] = [one.value for one in lines if one.part == "cross-validated" and one.figure == figure]
    assert found is not None
    return found


def test_it_learns_on_speakers_it_never_heard(once: tuple[list[Line], str, Path]) -> None:
    lines, said, _ = once
    assert value(lines, "from 13 years or age unknown: right, of all") > 0.9
    assert value(lines, "children: covered") < 0.2
    assert "ONNX differs by" in said


def test_the_command_gives_the_same_bytes_again(
    data: Path, once: tuple[list[Line], str, Path], tmp_path: Path
) -> None:
    ended = speechcraft(
        "train", "gender", str(data), str(tmp_path / "out"), "--work", str(once[2]),
        "--folds", "2", "--no-leave-out", "--json",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert {line["part"] for line in json.loads(ended.out)} >= {"cross-validated"}
    assert model(tmp_path / "out" / "gender.onnx").identity in once[1]


def example(speaker: str, gender: str, age: float | None, hz: float, corpus: str = "c") -> Example:
    who = Utterance(corpus, speaker, Path(), speaker, gender, age, None)
    f0_hz = np.array([0, hz, hz, 3 * hz], np.float32)
    return Example(who, 0, Throat(), np.zeros((4, 64), np.float32), f0_hz)


def test_labels_that_pitch_contradicts_teach_no_gender_and_children_are_never_among_them() -> None:
    told = [
        example("a", "female", 30, 120),
        example("b", "male", None, 250),
        example("c", "male", 9, 250),
        example("d", "female", 30, 200),
        example("e", "male", 30, 110),
    ]
    lesson = Lesson(told, np.eye(5, dtype=np.float32).repeat(60, axis=1))
    assert contradicted(lesson) == {"a", "b"}
    kept = teach(Lesson(told, lesson.functionals, contradicted(lesson)))
    said = hear(kept, lesson)
    assert said[3, 0] > 0.5 > said[4, 0]
    assert said[2, 1] > 0.5 > said[3, 1]


def test_a_voice_is_alike_where_it_sounds_as_adults_of_the_corpora_with_children_do() -> None:
    told = [
        example("a", "female", 30, 200),
        example("b", "male", 30, 110),
        example("child", "male", 9, 250),
        example("elsewhere", "female", 30, 200, "other"),
    ]
    vectors = np.eye(4, dtype=np.float32).repeat(60, axis=1)
    vectors[2] = vectors[0]  # a child like nobody but the first adult
    said = hear(teach(Lesson(told, vectors)), Lesson(told, vectors))
    assert min(said[:3, 2]) > 0 > said[3, 2]
