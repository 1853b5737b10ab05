"""Labels from thresholds: words for what lies outside the middle half of the corpus.

Thresholds are percentiles of the corpus, 25 and 75 by default, so that half of the speech is
`normal` and `high` stands out; thirds would make two clips of three remarkable. They lie at least
as far from the median as a listener needs to hear a difference (a semitone, a decibel, 5 % of
tempo), so a corpus in which nothing differs is all normal. A value on a threshold is normal.

Pitch is judged among speakers of the same gender; children, and speakers of unknown gender, among
all. Speed is judged within a language: Chinese in characters, others in syllables per second, among
all of these where the language has too few clips. Energy is the RMS over speech rather than
loudness: it exists for the shortest clip, and pauses do not enter it. A group with fewer than
`min_clips` values is judged by `reference.json`, which says where its numbers come from: few clips
do not tell what is usual, and men's voices tell nothing of women's.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Literal, get_args

from annotators.labels._bounds import (
    ENERGY,
    PITCH,
    REFERENCE,
    SPEED,
    Bounds,
    calibrated,
    merged,
    parsed,
    read,
    reference,
)
from pipeline.annotator import CalibratedAnnotator
from pipeline.clip import Clip
from pipeline.errors import OptionError
from pipeline.options import Option
from pipeline.rows import (
    AGE_GROUPS_FROM_YEARS,
    AgeGroup,
    Energy,
    Gender,
    Labels,
    Language,
    Level3,
    Pace3,
    Pitch,
    Speaker,
    Speed,
)

_ALL: Literal["all"] = "all"
_CHARACTERS, _SYLLABLES = "characters", "syllables"
_ADULT_PITCH_YEARS = 13.0  # under it boys and girls share a pitch
_AGE_GROUPS: tuple[AgeGroup, ...] = get_args(AgeGroup)


class ThresholdsAnnotator(CalibratedAnnotator[Labels]):
    """Three-way pitch, energy and speed, and the age group; null where the measure is null."""

    row = Labels
    version = 1
    wants = (Pitch, Energy, Speed, Speaker, Language)
    measures = (Pitch, Energy, Speed, Speaker, Language)

    def __init__(
        self,
        *,
        thresholds: Annotated[
            Mapping[str, object] | str | None,
            Option("thresholds, or a YAML or JSON file of them; none takes them from the corpus"),
        ] = None,
        low_percentile: Annotated[float, Option("low is under this percentile", "%", 0, 50)] = 25.0,
        high_percentile: Annotated[float, Option("high is above this percentile", "%", 50, 100)] = 75.0,
        min_clips: Annotated[
            int, Option("a group with fewer values is judged by the built-in reference", "", 1)
        ] = 20,
        age_bounds_years: Annotated[
            tuple[float, ...], Option("where teenager, young adult, middle-aged and elderly begin", "years")
        ] = AGE_GROUPS_FROM_YEARS,
    ) -> None:
        if len(age_bounds_years) != 4 or any(a >= b for a, b in pairwise(age_bounds_years)):
            raise OptionError(f"labels.age_bounds_years takes 4 rising numbers, not {age_bounds_years!r}.")
        self._age_bounds_years = age_bounds_years
        given = read(thresholds) if isinstance(thresholds, str) else thresholds or {}
        self._thresholds = merged(reference(), parsed(given))

    @classmethod
    def salt(cls, options: Mapping[str, object]) -> str:
        """The reference, and the thresholds of the file where one is named."""
        path = options.get("thresholds")
        named = read(path) if isinstance(path, str) else None
        return REFERENCE.read_text("utf-8") + json.dumps(named, sort_keys=True)

    @classmethod
    def calibrate(cls, clips: Iterable[Clip], options: Mapping[str, object]) -> Mapping[str, object]:
        """Bounds per measure and group, with the number of clips and where they come from.

        Reads the options `low_percentile`, `high_percentile` and `min_clips`. The order of the clips
        does not matter.
        """
        values: dict[str, dict[str, list[float]]] = {m: {g: [] for g in gs} for m, gs in reference().items()}
        for clip in clips:
            for measure, group, value in _values(clip):
                values[measure].setdefault(group, []).append(value)
        percentiles = _number(options["low_percentile"]), _number(options["high_percentile"])
        min_clips = int(_number(options["min_clips"]))
        found: dict[str, object] = {m: calibrated(m, gs, percentiles, min_clips) for m, gs in values.items()}
        return dict(sorted({**found, "percentiles": list(percentiles)}.items()))

    def annotate(self, clips: Sequence[Clip]) -> list[Labels]:
        """One row per clip."""
        return [self._labels(clip) for clip in clips]

    def _labels(self, clip: Clip) -> Labels:
        speaker, f0_hz = clip.maybe(Speaker), _f0_hz(clip)
        basis = _basis(speaker)
        return Labels(
            pitch_label=_level(f0_hz, self._thresholds[PITCH][basis]),
            pitch_label_basis=None if f0_hz is None else basis,
            energy_label=_level(_rms_dbfs(clip), self._thresholds[ENERGY][_ALL]),
            speed_label=self._pace(clip),
            age_group=_age_group(speaker.age_years if speaker else None, self._age_bounds_years),
        )

    def _pace(self, clip: Clip) -> Pace3 | None:
        rate, groups = _rate(clip)
        if rate is None:
            return None
        low, high = next(self._thresholds[SPEED][g] for g in groups if g in self._thresholds[SPEED])
        return "slow" if rate < low else "fast" if rate > high else "normal"


def _values(clip: Clip) -> Iterator[tuple[str, str, float]]:
    """What the clip tells of its corpus: measure, group and value."""
    f0_hz, rms_dbfs, (rate, groups) = _f0_hz(clip), _rms_dbfs(clip), _rate(clip)
    if f0_hz is not None:
        basis = _basis(clip.maybe(Speaker))
        yield PITCH, _ALL, f0_hz
        if basis != _ALL:
            yield PITCH, basis, f0_hz
    if rms_dbfs is not None:
        yield ENERGY, _ALL, rms_dbfs
    if rate is not None:
        for group in groups:
            yield SPEED, group, rate


def _f0_hz(clip: Clip) -> float | None:
    pitch = clip.maybe(Pitch)
    return pitch.f0_median_hz if pitch else None


def _rms_dbfs(clip: Clip) -> float | None:
    energy = clip.maybe(Energy)
    return energy.rms_dbfs if energy else None


def _rate(clip: Clip) -> tuple[float | None, tuple[str, ...]]:
    """The speaking rate and the groups it is judged in, the narrowest first."""
    speed, language = clip.maybe(Speed), clip.maybe(Language)
    if speed is None:
        return None, ()
    if speed.characters_per_s is not None:
        return speed.characters_per_s, (_CHARACTERS,)
    code = language.language if language else None
    return speed.syllables_per_s, (_SYLLABLES,) if code is None else (code, _SYLLABLES)


def _basis(speaker: Speaker | None) -> Gender | Literal["all"]:
    """Among whom a speaker's pitch is judged."""
    if speaker is None or speaker.gender is None:
        return _ALL
    child = speaker.age_years is not None and speaker.age_years < _ADULT_PITCH_YEARS
    return _ALL if child else speaker.gender


def _level(value: float | None, bounds: Bounds) -> Level3 | None:
    if value is None:
        return None
    return "low" if value < bounds[0] else "high" if value > bounds[1] else "normal"


def _age_group(age_years: float | None, bounds_years: Sequence[float]) -> AgeGroup | None:
    return None if age_years is None else _AGE_GROUPS[bisect_right(bounds_years, age_years)]


def _number(value: object) -> float:
    assert isinstance(value, int | float)
    return float(value)
