from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotators.labels.thresholds import ThresholdsAnnotator
from pipeline.clip import Clip
from pipeline.errors import OptionError
from pipeline.options import resolve
from pipeline.rows import Energy, Labels, Language, Pitch, Row, Speaker, Speed
from tests.make import clip_of

LEVELS = {"low": 0, "slow": 0, "normal": 1, "high": 2, "fast": 2}
FIXED: dict[str, object] = {
    "pitch_hz": {
        "all": {"low": 130, "high": 210},
        "female": {"low": 190, "high": 230},
        "male": {"low": 100, "high": 140},
    },
    "energy_dbfs": {"all": {"low": -30, "high": -20}},
    "speed_per_s": {"characters": {"low": 3, "high": 5}, "syllables": {"low": 4, "high": 6}},
}


def pitch(f0_hz: float | None) -> Pitch:
    return Pitch(f0_hz, None, None, None, None, 0.005, np.zeros(1, np.float32))


def energy(rms_dbfs: float | None) -> Energy:
    return Energy(rms_dbfs, None)


def speed(*, syllables: float | None = None, characters: float | None = None) -> Speed:
    return Speed(None, syllables, None, characters, 1.0, 0.0)


def speaker(gender: str | None = None, age_years: float | None = None) -> Speaker:
    return Speaker(gender, None, None, age_years, None, None)  # type: ignore[arg-type]


def language(code: str) -> Language:
    return Language(code, "given", None)


ENGLISH = language("en")


def labels_of(*rows: Row, thresholds: Mapping[str, object] | None = FIXED) -> Labels:
    return ThresholdsAnnotator(thresholds=thresholds).annotate([clip_of(rows=rows)])[0]


def calibrated(clips: Sequence[Clip], **options: object) -> dict[str, Any]:
    """What `calibrate` makes of the clips, as it is read back from the run directory."""
    found = ThresholdsAnnotator.calibrate(clips, resolve(ThresholdsAnnotator, "labels", options))
    read: dict[str, Any] = json.loads(json.dumps(found))
    return read


REFERENCE = calibrated([])


def test_what_was_not_measured_has_no_label() -> None:
    assert labels_of() == Labels(None, None, None, None, None)
    assert labels_of(pitch(None), energy(None), speed(), speaker()) == Labels(None, None, None, None, None)


@pytest.mark.parametrize(
    ("f0_hz", "label"), [(99.9, "low"), (100, "normal"), (120, "normal"), (140, "normal"), (140.1, "high")]
)
def test_a_value_on_a_threshold_is_normal(f0_hz: float, label: str) -> None:
    assert labels_of(pitch(f0_hz), speaker("male")).pitch_label == label


@pytest.mark.parametrize(
    ("who", "label", "basis"),
    [
        (speaker("female"), "low", "female"),
        (speaker("male"), "high", "male"),
        (speaker(), "normal", "all"),
        (speaker("male", 9), "normal", "all"),
        (speaker("male", 13), "high", "male"),
    ],
)
def test_pitch_is_judged_by_gender_and_that_of_children_and_strangers_among_all(
    who: Speaker, label: str, basis: str
) -> None:
    row = labels_of(pitch(170), who)
    assert (row.pitch_label, row.pitch_label_basis) == (label, basis)


def test_without_a_speaker_row_pitch_is_judged_among_all() -> None:
    assert labels_of(pitch(170)).pitch_label_basis == "all"


def test_chinese_is_judged_in_characters_and_other_languages_in_syllables() -> None:
    assert labels_of(speed(characters=5.5, syllables=5.5), language("zh")).speed_label == "fast"
    assert labels_of(speed(syllables=5.5), language("en")).speed_label == "normal"


def test_a_language_with_thresholds_of_its_own_is_judged_by_them() -> None:
    own = {"speed_per_s": {"syllables": {"low": 4, "high": 6}, "es": {"low": 7, "high": 8}}}
    assert labels_of(speed(syllables=6.5), language("es"), thresholds=own).speed_label == "slow"
    assert labels_of(speed(syllables=6.5), language("pt"), thresholds=own).speed_label == "fast"


@given(st.floats(20, 1000), st.floats(20, 1000), st.sampled_from(["female", "male", None]))
def test_a_higher_pitch_never_has_a_lower_label(one: float, other: float, gender: str | None) -> None:
    low, high = (labels_of(pitch(f), speaker(gender)).pitch_label for f in sorted((one, other)))
    assert low is not None
    assert high is not None
    assert LEVELS[low] <= LEVELS[high]


@given(st.floats(-100, 0), st.floats(-100, 0), st.floats(0, 20), st.floats(0, 20))
def test_more_energy_or_speed_never_has_a_lower_label(a: float, b: float, c: float, d: float) -> None:
    (soft, loud), (slow, fast) = sorted((a, b)), sorted((c, d))
    less, more = (
        labels_of(energy(soft), speed(syllables=slow)),
        labels_of(energy(loud), speed(syllables=fast)),
    )
    assert LEVELS[str(less.energy_label)] <= LEVELS[str(more.energy_label)]
    assert LEVELS[str(less.speed_label)] <= LEVELS[str(more.speed_label)]


@pytest.mark.parametrize(
    ("age_years", "group"),
    [
        (0, "child"), (12.9, "child"), (13, "teenager"), (20, "young adult"), (39.9, "young adult"),
        (40, "middle-aged"), (60, "elderly"), (101, "elderly"),
    ],
)  # fmt: skip
def test_an_age_group_begins_at_its_bound(age_years: float, group: str) -> None:
    assert labels_of(speaker(age_years=age_years)).age_group == group


def test_the_age_bounds_are_an_option() -> None:
    papers = ThresholdsAnnotator(age_bounds_years=(14, 26, 40, 55))
    assert papers.annotate([clip_of(rows=[speaker(age_years=25)])])[0].age_group == "teenager"


@pytest.mark.parametrize("bounds", [(13.0, 20.0, 40.0), (13.0, 13.0, 40.0, 60.0), (60.0, 40.0, 20.0, 13.0)])
def test_age_bounds_that_do_not_rise_are_refused(bounds: tuple[float, ...]) -> None:
    with pytest.raises(OptionError, match="rising"):
        ThresholdsAnnotator(age_bounds_years=bounds)


def corpus(n: int = 100) -> list[Clip]:
    """Women from 180 to 240 Hz and men from 90 to 150 Hz, each in `n` even steps, in English."""
    return [
        clip_of(rows=[pitch(f0), speaker(g), energy(-40 + 20 * i / n), speed(syllables=3 + i / n), ENGLISH])
        for g, low in (("female", 180), ("male", 90))
        for i, f0 in enumerate(np.linspace(low, low + 60, n))
    ]  # fmt: skip


def test_half_of_the_corpus_is_normal_and_a_quarter_stands_out_on_either_side() -> None:
    clips = corpus()
    rows = ThresholdsAnnotator(thresholds=calibrated(clips)).annotate(clips)
    for name in ("pitch_label", "energy_label", "speed_label"):
        counts = [LEVELS[getattr(row, name)] for row in rows]
        assert np.bincount(counts) / len(rows) == pytest.approx([0.25, 0.5, 0.25], abs=0.01)


def test_the_percentiles_are_options_and_are_recorded() -> None:
    found = calibrated(corpus(101), low_percentile=10, high_percentile=60)
    female = found["pitch_hz"]["female"]
    assert (female["low"], female["n"]) == (186, 101)
    assert female["high"] == pytest.approx(210 * 2 ** (1 / 12), abs=0.001)  # 216 is under a semitone away
    assert found["percentiles"] == [10, 60]


@given(st.integers(0, 1000))
def test_calibration_does_not_depend_on_the_order_of_the_clips(seed: int) -> None:
    clips = corpus(20)
    shuffled = random.Random(seed).sample(clips, len(clips))
    assert json.dumps(calibrated(shuffled)) == json.dumps(calibrated(clips))


@given(st.floats(60, 500), st.floats(-90, 0), st.floats(0.5, 12))
def test_a_corpus_in_which_nothing_differs_is_all_normal(f0_hz: float, rms_dbfs: float, rate: float) -> None:
    rows = [pitch(f0_hz), energy(rms_dbfs), speed(syllables=rate), speaker("male")]
    clips = [clip_of(rows=rows)] * 30
    row = ThresholdsAnnotator(thresholds=calibrated(clips)).annotate(clips)[0]
    assert (row.pitch_label, row.energy_label, row.speed_label) == ("normal",) * 3


def test_a_difference_nobody_hears_is_no_label() -> None:
    clips = [
        clip_of(rows=[pitch(200 + i / 10), energy(-23 + i / 100), speed(syllables=5)]) for i in range(40)
    ]
    rows = ThresholdsAnnotator(thresholds=calibrated(clips)).annotate(clips)
    assert {(r.pitch_label, r.energy_label, r.speed_label) for r in rows} == {("normal",) * 3}


def test_a_group_with_few_clips_is_judged_by_the_reference() -> None:
    clips = [*corpus(19), *(clip_of(rows=[pitch(300)]) for _ in range(19))]
    found = calibrated(clips)
    assert found["pitch_hz"]["male"] == {**REFERENCE["pitch_hz"]["male"], "n": 19}
    assert found["pitch_hz"]["all"]["origin"] == "corpus"
    assert calibrated(clips, min_clips=19)["pitch_hz"]["male"]["origin"] == "corpus"


def test_a_language_with_few_clips_is_judged_among_all_languages() -> None:
    clips = [clip_of(rows=[speed(syllables=7 + i / 10), language("es")]) for i in range(30)]
    clips += [clip_of(rows=[speed(syllables=5), language("en")])]
    found = calibrated(clips)["speed_per_s"]
    assert set(found) == {"characters", "syllables", "es"}
    assert found["syllables"]["n"] == 31
    assert found["characters"]["origin"] == "reference"


def test_null_measures_are_not_counted() -> None:
    clips = corpus(30)
    empty = [clip_of(rows=[pitch(None), energy(None), speed(), speaker("male")]), clip_of()] * 30
    assert calibrated([*clips, *empty]) == calibrated(clips)


def test_calibration_is_the_same_bytes_in_and_out_of_json() -> None:
    found = ThresholdsAnnotator.calibrate(corpus(), resolve(ThresholdsAnnotator, "labels", {}))
    text = json.dumps(found, allow_nan=False)
    assert json.loads(text) == found
    assert text == json.dumps(found, sort_keys=True)


def test_the_reference_has_every_group_and_finds_an_ordinary_voice_normal() -> None:
    assert {m: set(REFERENCE[m]) for m in ("pitch_hz", "energy_dbfs", "speed_per_s")} == {
        "pitch_hz": {"all", "female", "male"},
        "energy_dbfs": {"all"},
        "speed_per_s": {"characters", "syllables"},
    }
    woman = labels_of(pitch(205), speaker("female"), energy(-22), speed(syllables=4.9), thresholds=None)
    assert woman == Labels("normal", "female", "normal", "normal", None)
    man = labels_of(pitch(120), speaker("male"), speed(characters=5.2), thresholds=None)
    assert man == Labels("normal", "male", None, "normal", None)


@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_thresholds_come_from_a_file_too(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"thresholds.{suffix}"
    file.write_text(json.dumps(FIXED) if suffix == "json" else "pitch_hz:\n  male: {low: 100, high: 140}\n")
    way = ThresholdsAnnotator(thresholds=str(file))
    assert way.annotate([clip_of(rows=[pitch(145), speaker("male")])])[0].pitch_label == "high"


def test_another_file_of_thresholds_is_another_fingerprint(tmp_path: Path) -> None:
    file, salts = tmp_path / "thresholds.json", set()
    for high in (140, 150):
        file.write_text(json.dumps({"pitch_hz": {"male": {"low": 100, "high": high}}}))
        salts.add(ThresholdsAnnotator.salt({"thresholds": str(file)}))
    assert len(salts | {ThresholdsAnnotator.salt({"thresholds": None})}) == 3


@pytest.mark.parametrize(
    ("thresholds", "message"),
    [
        ({"pitch": {}}, "pitch_hz"),
        ({"pitch_hz": {"woman": {"low": 1, "high": 2}}}, "female"),
        ({"pitch_hz": {"female": {"low": 2, "high": 1}}}, "in order"),
        ({"pitch_hz": {"female": {"low": 2}}}, "in order"),
        ({"pitch_hz": [1, 2]}, "groups"),
        ("no/such/file.yaml", "cannot be read"),
    ],
)
def test_wrong_thresholds_are_one_clear_error(thresholds: Mapping[str, object] | str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        ThresholdsAnnotator(thresholds=thresholds)
