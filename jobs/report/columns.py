"""What the report reads of the dataset, and under which name a person finds it."""

from __future__ import annotations

from dataclasses import dataclass

GENDERS = ("female", "male")
UNKNOWN = "unknown"
AGES = ("child", "teenager", "young adult", "middle-aged", "elderly")
OTHER = "other"
"""The emotion of a clip that is in none of the classes: it tells a reader nothing of the clip."""
EMOTIONS = ("neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised", OTHER)
LEVELS = {
    "pitch_label": ("low", "normal", "high"),
    "energy_label": ("low", "normal", "high"),
    "speed_label": ("slow", "normal", "fast"),
}


@dataclass(frozen=True, slots=True)
class Measure:
    """A number of a clip. `labelled` names the thresholds its label is made by."""

    column: str
    title: str
    what: str
    unit: str
    labelled: str = ""


MEASURES = (
    Measure("f0_median_hz", "Pitch", "median F0 of a clip", "Hz", "pitch_hz"),
    Measure("f0_spread_semitones", "Liveliness of pitch", "standard deviation of F0", "semitones"),
    Measure("rms_dbfs", "Energy", "root mean square over speech", "dBFS", "energy_dbfs"),
    Measure("loudness_lufs", "Loudness", "integrated, ITU-R BS.1770-4", "LUFS"),
    Measure("syllables_per_s", "Speed", "pauses taken out", "syllables/s", "speed_per_s"),
    Measure("characters_per_s", "Speed, Chinese", "pauses taken out", "characters/s", "speed_per_s"),
    Measure("words_per_s", "Words", "pauses taken out", "words/s"),
    Measure("pause_share", "Pauses", "share of the time from first to last word", "%"),
    Measure("duration_s", "Length", "of a clip", "s"),
    Measure("snr_db", "Signal to noise", "speech power to noise power, estimated", "dB"),
    Measure("age_years", "Age", "given, or estimated", "years"),
    Measure("voiced_share", "Voicing", "share of frames that are voiced", "%"),
    Measure("stoi", "Intelligibility", "STOI, estimated", "0..1"),
    Measure("pesq_mos", "Quality", "PESQ, estimated", "MOS"),
    Measure("arousal", "Arousal", "calm to excited", "0..1"),
    Measure("valence", "Valence", "negative to positive", "0..1"),
    Measure("dominance", "Dominance", "submissive to dominant", "0..1"),
)
COUNTED = (
    "language",
    "gender",
    "age_group",
    "emotion",
    *LEVELS,
    "topic",
    "source",
    "licence",
    "transcript_source",
    "caption_source",
)
"""Columns whose values are counted."""
CONFIDENCES = {
    "transcript_confidence": "transcript",
    "language_confidence": "language",
    "gender_confidence": "gender",
    "age_confidence": "age",
    "emotion_confidence": "emotion",
    "emphasis_confidence": "stressed word",
    "words_confidence": "times of words",
}
VARIED = ("gender", "age_group", "emotion", *LEVELS, "language", "source")
"""What examples are to show all values of."""


def lasting(seconds: float) -> str:
    """A length of time in the unit that suits it."""
    if seconds < 60:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 3600 else f"{seconds / 3600:,.2f} h"
