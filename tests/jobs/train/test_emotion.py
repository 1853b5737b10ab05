"""Training on a sliver tells made-up moods of speakers it never heard, and reading from acting."""

from __future__ import annotations

from pathlib import Path

import pytest

from annotators._small import facts
from jobs.train._tables import Line
from jobs.train.emotion import Request, run
from tests.jobs.train.voices import acted, read_aloud


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Line], Path]:
    data, out = tmp_path_factory.mktemp("acted"), tmp_path_factory.mktemp("out")
    acted(data)
    read_aloud(data, n_speakers=6, n_clips=1)
    request = Request(data, out, data / "work", steps=100, readers=2)
    return run(request, lambda _: None), out


def value(lines: list[Line], part: str, figure: str) -> float:
    [found] = [one.value for one in lines if one.part == part and one.figure == figure]
    assert found is not None
    return found


def test_it_learns_on_speakers_it_never_heard(lines: tuple[list[Line], Path]) -> None:
    assert value(lines[0], "acted", "unweighted recall, of all") > 0.6  # chance 0.14


def test_the_threshold_covers_what_it_should_on_speakers_that_did_not_choose_it(
    lines: tuple[list[Line], Path],
) -> None:
    assert 0.4 < value(lines[0], "acted", "covered") < 0.95
    assert 0.14 < facts(lines[1] / "small.onnx")["min_confidence"] < 1


def test_reading_is_measured_corpus_by_corpus(lines: tuple[list[Line], Path]) -> None:
    assert {one.part for one in lines[0]} == {"acted", "read aloud, speechocean762"}
