"""Training on a sliver learns, ships what it measured, and does it again from the seed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from annotators._small import card_of, model
from jobs.train._corpora import TRAINED_ON, per_speaker, read
from jobs.train._parts import fold_of, is_test
from jobs.train._tables import Line
from jobs.train.speaker import Request, run
from pipeline.errors import SourceError
from tests.command import speechcraft


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("work")


def value(lines: list[Line], part: str, figure: str) -> float:
    [found] = [one.value for one in lines if one.part == part and one.figure == figure]
    assert found is not None
    return found


def trained(data: Path, work: Path, out: Path) -> tuple[list[Line], str]:
    said: list[str] = []
    request = Request(data, out, work, steps=40, readers=1, listeners=1, folds=2, left_out=())
    return run(request, said.append), "\n".join(said)


@pytest.fixture(scope="module")
def once(data: Path, work: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Line], str, Path]:
    out = tmp_path_factory.mktemp("once")
    return *trained(data, work, out), out


def test_it_learns_on_speakers_it_never_heard(once: tuple[list[Line], str, Path]) -> None:
    lines, _, _ = once
    assert value(lines, "cross-validated", "child or adult: right") > 0.9


def test_it_says_how_far_onnx_is_and_pins_the_weights(once: tuple[list[Line], str, Path]) -> None:
    _, said, out = once
    weights = out / "small.onnx"
    assert "ONNX differs by" in said
    assert "| part | figure | value | 95 % interval |" in said
    assert model(weights).identity in said
    assert card_of(weights)["facts"]["trained_on"] == list(TRAINED_ON)


def test_the_same_seed_gives_the_same_weights(
    data: Path, work: Path, once: tuple[list[Line], str, Path], tmp_path: Path
) -> None:
    lines, _ = trained(data, work, tmp_path)
    assert model(tmp_path / "small.onnx").identity == model(once[2] / "small.onnx").identity
    assert lines == once[0]


def test_the_command_prints_its_lines_as_json(data: Path, work: Path, tmp_path: Path) -> None:
    ended = speechcraft(
        "train", "speaker", str(data), str(tmp_path / "out"), "--work", str(work), "--steps", "2",
        "--readers", "1", "--listeners", "1", "--folds", "2", "--no-leave-out", "--json",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert {line["part"] for line in json.loads(ended.out)} >= {"cross-validated"}
    assert (tmp_path / "out" / "small.onnx").is_file()


def test_a_folder_without_speech_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no labelled speech"):
        read(tmp_path, TRAINED_ON)


def test_speakers_never_lie_in_two_parts(data: Path) -> None:
    spoken: dict[str, set[tuple[bool, int]]] = {}
    for utterance in read(data, TRAINED_ON):
        spoken.setdefault(utterance.speaker, set()).add((is_test(utterance), fold_of(utterance, 3)))
    assert all(len(parts) == 1 for parts in spoken.values())
    assert len({part for parts in spoken.values() for part in parts}) > 2


def test_at_most_so_many_clips_of_each_speaker(data: Path) -> None:
    assert len(per_speaker(read(data, TRAINED_ON), 1)) == 18
