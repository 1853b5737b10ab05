from __future__ import annotations

import json
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from jobs.evaluate import Case, Report, evaluate
from jobs.evaluate.agreement import Agreement
from jobs.evaluate.captions import leaks
from jobs.evaluate.render import cells, extremes, markdown, number
from jobs.evaluate.report import Some
from jobs.evaluate.terminal import terminal
from pipeline.rows import Caption, Pitch, Quality, Row, Speaker, Transcript

HOSTILE = "[red]a[/red] [link=file:///]|`<b>\x1b[31m\r\n\u202e"


def shown(report: Report, width: int = 200) -> str:
    out = StringIO()
    Console(file=out, width=width, force_terminal=False).print(terminal(report))
    return out.getvalue()


def run(n: int = 12) -> list[Case]:
    """Clips of four speakers of both genders with values for several metrics."""
    rng = np.random.default_rng(0)
    made = []
    for i in range(n):
        gender = ("female", "male")[i % 4 == 0]
        f0_hz = rng.choice([0.0, 100.0], 30)
        labels = {"snr_measured_db": 10.0 + i, "gender": gender, "speaker": f"s{i % 4}", "text": "a b c"}
        labels |= {"f0_ref_hz": [float(f) for f in f0_hz], "f0_frame_s": 0.005}
        rows: list[Row] = [
            Quality(float(10 + i + rng.standard_normal()), None),
            Speaker("female", "test", 0.7, None, None, None),
            Transcript("a b x", "a b x", "test", None),
            Pitch(None, None, None, None, None, 0.005, rng.permutation(f0_hz).astype(np.float32)),
        ]
        made.append(Case(f"clip{i:02}", labels, Path(), rows={type(r): r for r in rows}))
    return made


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(12)))
def test_the_order_of_clips_changes_nothing(order: list[int]) -> None:
    cases = run()
    assert _quick([cases[i] for i in order]) == _quick(cases)


def _quick(cases: list[Case]) -> str:
    """The report of the metric that adds floating-point numbers, which is where order could tell."""
    only = [
        Case(c.id, {k: c.labels[k] for k in ("snr_measured_db", "speaker")}, Path(), rows=c.rows)
        for c in cases
    ]
    return evaluate(only).to_json()


def test_two_evaluations_give_the_same_bytes() -> None:
    assert evaluate(run()).to_json() == evaluate(reversed(run())).to_json()


def test_cases_are_read_once_and_one_at_a_time() -> None:
    alive: list[int] = []

    def stream() -> Iterator[Case]:
        for case in run(5):
            alive.append(1)
            yield case

    assert evaluate(stream()).n_clips == len(alive) == 5


def test_the_labels_of_absent_clips_are_asked_for_after_the_cases() -> None:
    seen: set[str] = set()

    def stream() -> Iterator[Case]:
        for case in run(3):
            seen.add(case.id)
            yield case

    report = evaluate(stream(), (id for id in ("clip01", "other") if id not in seen))
    assert (report.not_in_run.n, report.not_in_run.ids) == (1, ("other",))


def test_clips_and_labels_that_do_not_meet_are_counted_and_named() -> None:
    bare = [Case(f"bare{i}", {}, Path()) for i in range(7)]
    report = evaluate([*run(2), *bare], ["lost"])
    assert (report.n_clips, report.unlabelled.n) == (9, 7)
    assert report.unlabelled.ids == ("bare0", "bare1", "bare2", "bare3", "bare4")
    for text in (shown(report), markdown(report)):
        assert "7 of them without labels: bare0, bare1, bare2, bare3, bare4, ..." in text
        assert "1 label of clips that are not in the run: lost" in text


def test_nothing_to_compare_is_a_report_and_no_crash() -> None:
    report = evaluate([])
    assert (report.n_clips, report.tables) == (0, ())
    assert shown(report).strip() == "0 clips in the run"
    assert markdown(report) == "- 0 clips in the run\n"


def test_every_figure_tells_value_interval_counts_and_groups() -> None:
    found = evaluate(run()).table("snr").result("error")
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.value <= found.high
    assert (found.n, found.n_clips, found.n_clusters, found.clusters) == (12, 12, 4, "speakers")
    assert {name: sum(s.n_clips for s in part.values()) for name, part in found.splits.items()} == {
        "gender": 12,
        "speaker": 12,
    }


@pytest.mark.parametrize("n_speakers", [1, 3])
def test_clips_of_few_speakers_are_clusters_of_their_own(n_speakers: int) -> None:
    cases = [
        Case(c.id, {"snr_measured_db": 1.0, "speaker": i % n_speakers}, Path(), rows=c.rows)
        for i, c in enumerate(run())
    ]
    found = evaluate(cases).table("snr").result("error")
    assert (found.n_clusters, found.clusters) == (12, "clips")
    assert found.low is not None


def test_clips_without_speaker_are_clusters_of_their_own() -> None:
    cases = [Case(c.id, {"snr_measured_db": 1.0}, Path(), rows=c.rows) for c in run()]
    assert evaluate(cases).table("snr").result("error").n_clusters == 12


def test_json_is_strict_and_complete() -> None:
    read = json.loads(evaluate(run()).to_json())
    assert read["format"] == 1
    assert [t["name"] for t in read["tables"]] == ["text", "f0", "snr", "gender", "captions"]
    figures = {(t["name"], r["name"]): r for t in read["tables"] for r in t["results"]}
    assert {
        "value",
        "low",
        "high",
        "unit",
        "n",
        "n_clips",
        "n_clusters",
        "clusters",
        "definition",
        "splits",
    } == set(figures["f0", "gross_error"]) - {"name"}


def test_every_table_and_figure_stands_in_both_forms_for_people() -> None:
    report = evaluate(run())
    for table in report.tables:
        for result in table.results:
            assert result.name.replace("_", " ") in shown(report)
            assert result.name.replace("_", r"\_") in markdown(report)


def test_hostile_names_neither_style_the_terminal_nor_break_a_table() -> None:
    cases = [
        Case(HOSTILE + str(i), {"snr_measured_db": 1.0, "gender": HOSTILE + str(i)}, Path(), rows=c.rows)
        for i, c in enumerate(run(3))
    ]
    report = evaluate([*cases, Case(HOSTILE, {}, Path())], [HOSTILE])
    for text in (shown(report), markdown(report)):
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "\r" not in text
    assert "[red]a[/red]" in shown(report)
    lines = [line.replace(r"\|", "") for line in markdown(report).splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in lines}) == 1
    assert "<b>" not in markdown(report).replace(r"\<b\>", "")


def test_what_was_given_is_said_to_be_given() -> None:
    cases = [Case(c.id, c.labels, Path(), frozenset({"text"}), c.rows) for c in run(4)]
    assert "Transcript: nothing to measure; 0 of 4 clips measured; 4 given to the run" in shown(
        evaluate(cases)
    )


def caption(transcript: str, description: str, instruction: str | None) -> Case:
    rows = {
        Transcript: Transcript(transcript, transcript, "given", None),
        Caption: Caption(description, instruction, "en", "test", ()),
    }
    return Case(f"{transcript}{instruction}", {}, Path(), rows=rows)


def test_captions_hold_the_words_in_the_instruction_only() -> None:
    good = caption("She had a suit.", "A slow voice.", "A slow voice says: She had a suit.")
    leaking = caption("she had a suit", "A man says she had a suit.", "He says 'she had a suit'.")
    changed = caption("She had a suit.", "A slow voice.", "A slow voice says: she has a suit.")
    bare = caption("She had a suit.", "A slow voice.", None)
    table = evaluate([good, leaking, changed, bare]).table("captions")
    assert table.result("both_captions").value == 75
    assert table.result("verbatim").value == 50
    assert table.result("leak").value == 25


def test_a_word_or_two_may_stand_in_a_description_by_chance() -> None:
    assert not leaks("slow", "A slow voice")
    assert not leaks("a slow voice is", "A slow voice, isn't it")
    assert leaks("看国庆", "他说看国庆到了")


def test_at_80_columns_every_figure_stands_whole_and_is_explained() -> None:
    report = evaluate(
        [*run(), caption("She had a suit.", "A slow voice.", "A slow voice says: She had a suit.")]
    )
    text = shown(report, width=80)
    assert max(map(len, text.splitlines())) <= 80
    flowing = " ".join(text.split())
    for table in report.tables:
        assert not table.results or " ".join(table.definition.split()) in flowing
        for result in table.results:
            name, *others = cells(result)
            assert all(word in text for word in name.split("_"))
            assert all(cell in text for cell in others)
            assert f"{name.replace('_', ' ')}: {result.definition}" in flowing
            for parts in result.splits.values():
                bounds = [number(bound, result.unit) for bound in extremes(parts) or ()]
                assert all(bound in text for bound in bounds)


def test_one_clip_is_no_clips() -> None:
    report = evaluate(run(1), ["lost"])
    for text in (shown(report, 80), markdown(report)):
        assert "1 of 1 clip measured" in text
        assert not re.search(r"\b1 (?:clips|labels|speakers)\b", text)


@pytest.mark.parametrize(
    ("n", "kappa", "told"), [(1, 0.0, "too few clips"), (10, None, "undefined"), (10, 0.25, "0.250")]
)
def test_a_kappa_is_shown_where_there_are_clips_enough_for_one(
    n: int, kappa: float | None, told: str
) -> None:
    found = Agreement("gender", "run", "reviewer 1", n, 0.0, kappa)
    report = Report(n, Some(0, ()), Some(0, ()), (), (found,))
    for text in (shown(report, 80), markdown(report)):
        assert told in text
        assert "0.000" not in text
