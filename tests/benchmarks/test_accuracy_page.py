from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy_page import GIVEN, RECOGNISED, Aim, Measured, page
from jobs.evaluate import Case, Report, evaluate
from pipeline.rows import Pitch, Row, Transcript


def report(off: float = 1.0) -> Report:
    f0_hz = off * np.array([100, 100, 0], dtype=np.float32)
    rows: dict[type[Row], Row] = {
        Pitch: Pitch(None, None, None, None, None, 0.01, f0_hz),
        Transcript: Transcript("a b x", "a b x", "test", None),
    }
    labels = {"f0_ref_hz": [100.0, 100.0, 0.0], "f0_frame_s": 0.01, "text": "a b c", "gender": "female"}
    return evaluate([Case("a", {**labels, "speaker": "s"}, Path(), rows=rows)])


def measured(text: str = GIVEN, off: float = 1.0) -> Measured:
    facts = {"clips": 1, "speech_s": 36.0, "ok": 1}
    return Measured("corpus", text, {"a": {"speaker": "s"}}, facts, json.loads(report(off).to_json()), 0)


def main_lines(made: str) -> list[str]:
    return [line for line in made.split("## What falls short")[0].splitlines() if line.startswith("| F0")]


def test_an_aim_that_is_missed_is_said_to_be_missed() -> None:
    assert "Missed: F0" not in page([measured()], {}, [], "folder")
    made = page([measured(off=1.5)], {}, [], "folder")
    assert "Missed: F0: gross errors, corpus, text given: 100.00 % (at most 0.5)." in made
    assert "at most 0.5: missed" in main_lines(made)[0]


def test_what_the_words_do_not_change_is_shown_once() -> None:
    made = page([measured(), measured(RECOGNISED)], {}, [], "folder")
    assert all("| given |" in line for line in main_lines(made))


def test_a_baseline_stands_beside_the_figure_of_its_corpus() -> None:
    made = page(
        [measured()], {"corpus": {"Other": report(1.5)}, "elsewhere": {"Far": report()}}, [], "folder"
    )
    assert "Other 100.00" in main_lines(made)[0]
    assert "Far" not in made


def test_what_nothing_recognises_and_what_failed_is_named() -> None:
    made = page([measured()], {}, ["broken, text given"], "folder")
    assert "- Gender: corpus 0 of 1; no gender 1." in made
    assert "Not measured, as the command failed: broken, text given." in made


def test_a_page_of_nothing_is_a_page() -> None:
    assert page([], {}, [], "folder").startswith("# Accuracy")


@pytest.mark.parametrize(("value", "missed"), [(None, True), (-2.0, False), (2.0, False), (2.1, True)])
def test_bounds_are_kept_up_to_themselves(value: float | None, missed: bool) -> None:
    assert Aim("t", "f", "what", (-2.0, 2.0), "within 2").missed(value) is missed
