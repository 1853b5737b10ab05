"""The example annotator does what its page says, and is found by its module's name."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

import annotators
from examples.my_annotator.pauses import Pauses, PausesAnnotator
from pipeline.annotator import Skip
from pipeline.errors import OptionError
from pipeline.options import resolve
from pipeline.rows import Word, Words
from pipeline.schema import columns_of
from tests.make import clip_of

MODULE = "examples.my_annotator.pauses"
ROOT = Path(__file__).parents[2]


def spoken(*times: tuple[str, float, float]) -> Words:
    words = tuple(Word(word, start_s, end_s, 1, 2, "dictionary") for word, start_s, end_s in times)
    return Words(words=words, phones=(), words_source="test", words_confidence=None)


WITH_PAUSES = spoken(("one", 0.0, 0.3), ("two", 0.6, 0.9), ("three", 1.0, 1.4), ("four", 2.0, 2.3))


def annotated(words: Words, **options: float) -> Pauses | Skip:
    [outcome] = PausesAnnotator(**options).annotate([clip_of(rows=[words])])
    return outcome


def test_a_silence_shorter_than_a_pause_does_not_count() -> None:
    found = annotated(WITH_PAUSES)
    assert isinstance(found, Pauses)
    assert (found.n_pauses, found.longest_pause_after) == (2, "three")
    assert found.longest_pause_s == pytest.approx(0.6)


def test_the_option_sets_what_a_pause_is() -> None:
    found = annotated(WITH_PAUSES, min_pause_s=0.5)
    assert isinstance(found, Pauses)
    assert found.n_pauses == 1


def test_without_a_pause_there_is_no_longest_one() -> None:
    assert annotated(spoken(("one", 0.0, 0.3), ("two", 0.3, 0.6))) == Pauses(0, None, None)


@pytest.mark.parametrize("words", [spoken(), spoken(("one", 0.0, 0.3))])
def test_fewer_than_two_words_are_skipped(words: Words) -> None:
    assert isinstance(annotated(words), Skip)


def test_a_batch_gives_what_its_clips_give_alone() -> None:
    clips = [clip_of(id=str(i), rows=[w]) for i, w in enumerate((WITH_PAUSES, spoken(), WITH_PAUSES))]
    annotator = PausesAnnotator()
    assert annotator.annotate(clips) == [annotator.annotate([clip])[0] for clip in clips]


def test_it_is_found_by_the_name_of_its_module() -> None:
    assert annotators.load("pauses", MODULE) is PausesAnnotator


def test_it_cannot_fill_a_family_that_is_not_its_own() -> None:
    with pytest.raises(OptionError, match="pauses"):
        annotators.load("pitch", MODULE)


def test_its_job_file_names_it_with_options_it_has() -> None:
    entry = yaml.safe_load((ROOT / "examples/my_annotator/job.yaml").read_text())["annotators"]["pauses"]
    options = {name: value for name, value in entry.items() if name != "use"}
    assert entry["use"] == MODULE
    assert resolve(PausesAnnotator, "pauses", options) == {"min_pause_s": 0.2}


def test_its_columns_say_their_units() -> None:
    units = {column.name: column.column.unit for column in columns_of(Pauses)}
    assert units == {"n_pauses": "", "longest_pause_s": "s", "longest_pause_after": ""}


def test_the_page_shows_the_file_as_it_is() -> None:
    page = (ROOT / "docs/annotators.md").read_text()
    assert (ROOT / "examples/my_annotator/pauses.py").read_text() in page
    assert "".join((ROOT / "examples/my_annotator/job.yaml").read_text().splitlines(True)[1:]) in page
