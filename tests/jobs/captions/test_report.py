"""Counts of captions with known faults are what was put in."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from rich.console import Console

from jobs.captions import Captioned, Report, Reporter
from jobs.captions.render import terminal
from jobs.captions.tally import own_words
from prompts.realiser import Attributes, Captions, realise

KNOWN = Attributes(
    gender="female", pitch_label="high", speed_label="slow", transcript="The roses came late this year."
)
GOOD = Captions(
    "In a high-pitched voice, a woman speaks slowly.",
    'Slowly, in a high-pitched voice, let a woman say "The roses came late this year."',
    (),
)


def of(captions: Captions, **changes: object) -> Captioned:
    return replace(Captioned("clip", "en", KNOWN, captions, "realiser"), **changes)  # type: ignore[arg-type]


def report(*clips: Captioned | None) -> Report:
    reporter = Reporter()
    for clip in clips:
        reporter.add(clip)
    return reporter.report()


def shown(found: Report) -> str:
    console = Console(width=200, record=True, force_terminal=False)
    with console.capture() as capture:
        console.print(terminal(found), highlight=False)
    return capture.get()


def test_a_sound_corpus_has_no_faults_and_each_attribute_is_told_twice_a_clip() -> None:
    figures = report(of(GOOD)).languages["en"]
    assert figures.kinds == {}
    assert (figures.clips, figures.captions) == (1, 2)
    assert {a.name: (a.told, a.omission, a.distortion) for a in figures.attributes} == {
        "gender": (2, 0, 0),
        "pitch": (2, 0, 0),
        "speed": (2, 0, 0),
    }


def test_an_omission_and_a_distortion_count_where_they_stand() -> None:
    omits = replace(GOOD, description="In a high-pitched voice, a woman speaks.")
    distorts = replace(GOOD, description="In a high-pitched voice, a woman speaks very fast.")
    figures = report(of(GOOD), of(omits), of(distorts)).languages["en"]
    assert figures.kinds == {"omission": 1, "distortion": 1}
    assert figures.clips_with == {"omission": 1, "distortion": 1}
    assert figures.share("omission") == pytest.approx(1 / 6)
    speed = next(a for a in figures.attributes if a.name == "speed")
    assert (speed.told, speed.omission, speed.distortion) == (6, 1, 1)


def test_clips_without_captions_sources_attempts_and_languages_are_counted_apart() -> None:
    chinese = Attributes(gender="male", speed_label="fast")
    spoken = Captioned(
        "zh", "zh", chinese, realise(chinese, language="zh", key="1"), "llm:rewriter", attempts=2
    )
    found = report(of(GOOD), None, spoken)
    assert (found.clips, found.without) == (3, 1)
    assert found.languages["en"].sources == {"realiser": 1}
    assert found.languages["zh"].sources == {"llm:rewriter": 1}
    assert found.languages["zh"].attempts == {2: 1}
    assert found.languages["zh"].captions == 1
    assert set(found.languages["zh"].lengths) == {"description"}


def test_lengths_leave_out_the_words_and_places_tell_where_those_stand() -> None:
    first = replace(
        GOOD, instruction='"The roses came late this year." is what a woman says, slowly and high.'
    )
    middle = replace(GOOD, instruction='Say "The roses came late this year." slowly.')
    figures = report(of(GOOD, id="1"), of(first, id="2"), of(middle, id="3")).languages["en"]
    assert figures.places == {"start": 1, "middle": 1, "end": 1}
    length = figures.lengths["instruction"]
    assert (length.texts, length.unit, length.least, length.median, length.most) == (3, "words", 2, 8, 10)
    assert figures.lengths["description"].mean == 9.0


def test_captions_that_differ_in_what_they_name_alone_are_near_duplicates() -> None:
    clips = []
    for i, topic in enumerate(("the village bakery", "an old bridge", "growing tomatoes")):
        known = replace(KNOWN, topic=topic)
        told = f"A woman talks about {topic} slowly and at a high pitch."
        clips.append(Captioned(str(i), "en", known, Captions(told, None, ()), "realiser"))
    assert (
        own_words(clips[0].captions.description, clips[0]).split()
        == own_words(clips[1].captions.description, clips[1]).split()
    )
    found = report(*clips).languages["en"].diversity["description"]
    assert found.near_duplicates == pytest.approx(2 / 3)


def test_a_stressed_word_is_taken_out_whole_and_not_out_of_others() -> None:
    one = of(GOOD)
    stressed = replace(one, attributes=replace(KNOWN, emphasis_word="he"))
    assert own_words("the stress is on he here", stressed).split() == ["the", "stress", "is", "on", "here"]


def test_the_record_is_json_with_rates_and_the_same_each_time() -> None:
    clips = [of(GOOD, id=str(i)) for i in range(5)]
    first, second = (json.dumps(report(*order).record()) for order in (clips, clips[::-1]))
    assert first == second
    assert json.loads(first)["languages"]["en"]["rates"] == {"distortion": 0.0, "omission": 0.0}


def test_hostile_text_styles_and_steers_nothing() -> None:
    hostile = "[bold red]\x1b[31mllm\u202e"
    known = replace(KNOWN, transcript=hostile, topic=hostile)
    captions = Captions(f"{hostile} [/] \x07", f"Say {hostile}", ())
    text = shown(report(Captioned(hostile, "en", known, captions, f"llm:{hostile}", 1)))
    assert "[bold red]" in text
    assert not any(c in text for c in "\x1b\x07\u202e")


def test_of_nothing_there_is_a_report_too() -> None:
    assert report().record() == {"clips": 0, "without": 0, "languages": {}}
    assert "0 clips" in shown(report())
    assert "1 clip, 1 without a caption" in shown(report(None))
