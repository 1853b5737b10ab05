"""What is drawn of a measure: each gender's values beside the thresholds they are judged by."""

from __future__ import annotations

from collections import Counter
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from jobs.report.gather import Gathered
from jobs.report.panels import Mark, Panel, panels_of
from jobs.report.plots import measures
from pipeline.counting import counted

THRESHOLDS = {
    "pitch_hz": {"all": (120.0, 220.0), "female": (190.0, 224.0), "male": (108.0, 139.0)},
    "energy_dbfs": {"all": (-24.0, -20.0)},
    "speed_per_s": {"characters": (4.7, 5.8), "syllables": (4.4, 5.4), "en": (4.0, 5.0)},
}
AGES_FROM = (13.0, 20.0, 40.0, 60.0)


def gathered(*clips: dict[str, Any]) -> Gathered:
    found = Gathered(0, counts={"gender": Counter()})
    for i, clip in enumerate(clips):
        found.measures.add(f"clip{i}", {"gender": None, "language": "en"} | clip)
    return found


def panels(*clips: dict[str, Any]) -> dict[str, Panel]:
    return {panel.name: panel for panel in panels_of(gathered(*clips), THRESHOLDS, AGES_FROM)}


def test_pitch_is_drawn_with_the_thresholds_of_its_gender() -> None:
    clips = [{"gender": g, "f0_median_hz": 150.0} for g in ("female", "male", None)]
    marks = panels(*clips)["f0_median_hz"].marks
    assert marks["female"] == (Mark(190.0, under="low"), Mark(224.0, over="high"))
    assert marks["male"] == (Mark(108.0, under="low"), Mark(139.0, over="high"))
    assert marks["unknown"] == (Mark(120.0, under="low"), Mark(220.0, over="high"))


def test_speed_is_drawn_in_each_language_and_chinese_in_characters() -> None:
    found = panels(
        {"language": "en", "syllables_per_s": 5.0, "gender": "male"},
        {"language": "fi", "syllables_per_s": 6.0, "gender": "male"},
        {"language": "zh", "syllables_per_s": 5.5, "characters_per_s": 5.5, "gender": "male"},
    )
    assert list(found["syllables_per_s-en"].values["male"]) == [5.0]
    assert found["syllables_per_s-en"].marks["male"] == (Mark(4.0, under="slow"), Mark(5.0, over="fast"))
    assert list(found["syllables_per_s"].values["male"]) == [6.0]
    assert found["syllables_per_s"].marks["male"] == (Mark(4.4, under="slow"), Mark(5.4, over="fast"))
    assert list(found["characters_per_s"].values["male"]) == [5.5]
    assert found["characters_per_s"].marks["male"] == (Mark(4.7, under="slow"), Mark(5.8, over="fast"))


def test_a_measure_without_a_value_has_no_panel() -> None:
    assert list(panels({"f0_median_hz": None, "snr_db": 20.0})) == ["snr_db"]


@pytest.mark.parametrize("values", [[200.0], [200.0] * 500, list(np.linspace(60, 900, 2000))])
def test_every_threshold_is_drawn_and_named_whatever_the_values(values: list[float]) -> None:
    panel = panels(*({"gender": "female", "f0_median_hz": v} for v in values))["f0_median_hz"]
    svg = measures.draw(panel, ["female", "male"]).svg.decode()
    assert "low &lt; 190" in svg
    assert "high &gt; 224" in svg
    assert counted(len(values), "clip") in svg
    assert "no value" in svg


def test_plots_of_equal_genders_align() -> None:
    found = panels({"gender": "female", "f0_median_hz": 200.0, "snr_db": 3.0})
    heads = {measures.draw(p, ["female", "male"]).svg.split(b"viewBox=")[1][:40] for p in found.values()}
    assert len(heads) == 1


def test_all_rows_of_a_panel_have_one_set_of_bins_however_few_their_clips() -> None:
    few = [{"gender": "female", "snr_db": 10.0 + i} for i in range(3)]
    many = [{"gender": "male", "snr_db": 10.0 + i} for i in range(25)]
    with patch.object(measures, "histogram") as drawn:
        measures.draw(panels(*few, *many)["snr_db"], ["female", "male"])
    (one, other) = (call.args[2] for call in drawn.call_args_list)
    assert np.array_equal(one, other)
    assert measures.FEWEST_BINS < len(one) <= measures.MOST_BINS


def test_unknown_gender_has_no_row_where_it_has_no_value() -> None:
    clips: list[dict[str, Any]] = [
        {"gender": "female", "snr_db": 10.0, "words_per_s": 3.0},
        {"snr_db": 12.0},
    ]
    genders = ["female", "male", "unknown"]
    drawn = {name: measures.draw(p, genders).svg.decode() for name, p in panels(*clips).items()}
    assert "unknown" in drawn["snr_db"]
    assert "unknown" not in drawn["words_per_s"]
