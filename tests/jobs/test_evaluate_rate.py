from __future__ import annotations

from pathlib import Path

import pytest

from jobs.evaluate import Case, evaluate
from jobs.evaluate.labels import Mark
from jobs.evaluate.rate import count
from pipeline.rows import Speed


def phones(labels: str, each_s: float = 0.1) -> list[Mark]:
    return [Mark(label, i * each_s, (i + 1) * each_s) for i, label in enumerate(labels.split())]


def as_label(marks: list[Mark]) -> list[dict[str, object]]:
    return [{"label": m.label, "start": m.start_s, "end": m.end_s} for m in marks]


@pytest.mark.parametrize(
    ("labels", "n_phones", "n_syllables"),
    [
        ("h# sh iy h#", 2, 1),
        ("dcl d aa r kcl k", 4, 1),  # dark
        ("tcl ch er tcl", 3, 1),  # an affricate, and a stop without release
        ("dcl t uw", 2, 1),  # had to: one closure, one release
        ("kcl dh ax", 3, 1),  # a closure, and another sound
        ("q ao l", 2, 1),  # a glottal stop is no phone
        ("tcl q en", 2, 1),  # button
        ("b ah tcl en pau l el", 6, 3),  # syllabic consonants
    ],
)
def test_phones_and_syllables_are_counted_as_a_person_would(
    labels: str, n_phones: int, n_syllables: int
) -> None:
    counted = count(phones(labels))
    assert (counted.phones, counted.syllables) == (n_phones, n_syllables)


def test_time_of_speech_leaves_out_silences_and_keeps_closures_and_glottal_stops() -> None:
    assert count(phones("h# s epi l iy pau q aa tcl h#")).speech_s == pytest.approx(0.6)


def test_a_closure_across_a_pause_is_a_stop_of_its_own() -> None:
    assert count(phones("aa tcl pau t iy")).phones == 4


def test_rates_are_compared_relative_to_the_reference() -> None:
    marks = phones("h# sh iy hv ae dcl d h#")  # 5 phones and 2 syllables in 0.6 s
    words = [Mark("she", 0.1, 0.3), Mark("had", 0.3, 0.7)]
    labels = {"phones": as_label(marks), "words": as_label(words)}
    row = Speed(
        words_per_s=2 / 0.6,
        syllables_per_s=1.1 * 2 / 0.6,
        phones_per_s=0.8 * 5 / 0.6,
        characters_per_s=None,
        speech_s=0.6,
        pause_share=0.0,
    )
    table = evaluate([Case("a", labels, Path(), rows={Speed: row})]).table("rate")
    found = {r.name: r.value for r in table.results}
    assert found == pytest.approx(
        {
            "words_per_s_error": 0,
            "words_per_s_bias": 0,
            "syllables_per_s_error": 10,
            "syllables_per_s_bias": 10,
            "phones_per_s_error": 20,
            "phones_per_s_bias": -20,
            "speech_s_error": 0,
            "speech_s_bias": 0,
        },
        abs=1e-9,
    )


def test_a_rate_the_run_does_not_know_has_no_figure() -> None:
    row = Speed(None, 3.0, None, None, 0.6, 0.0)
    case = Case("a", {"phones": as_label(phones("sh iy"))}, Path(), rows={Speed: row})
    names = {r.name.rsplit("_", 1)[0] for r in evaluate([case]).table("rate").results}
    assert names == {"syllables_per_s", "speech_s"}


def test_phones_of_another_alphabet_are_counted_and_not_compared() -> None:
    case = Case("a", {"phones": as_label(phones("SIL AA1 B"))}, Path())
    assert evaluate([case]).table("rate").missing == {"phones of another set than TIMIT's": 1}
