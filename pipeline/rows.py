"""The rows annotators write, where more than one annotator reads them.

A row is a frozen dataclass; its fields are Parquet columns. `None` means "no value", never zero.
Each field says its unit and meaning in a `Column`, from which the schema and docs/columns.md are made.
A row read by one annotator alone may live in that annotator's file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import numpy.typing as npt

Curve = npt.NDArray[np.float32]  # [n_frames], a list<float> column


@dataclass(frozen=True, slots=True)
class Column:
    """What a stranger needs to know of a column.

    `unit` is `""` for text, counts and shares. `joined=False` keeps a bulky column (a contour) in
    the sidecar and out of the dataset.
    """

    doc: str
    unit: str = ""
    joined: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """Base of all rows. The family is the class name in snake case: it names folder and job entry."""

    family: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        cls.family = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()


Level3 = Literal["low", "normal", "high"]
Pace3 = Literal["slow", "normal", "fast"]
Gender = Literal["female", "male"]
AgeGroup = Literal["child", "teenager", "young adult", "middle-aged", "elderly"]
AGE_GROUPS_FROM_YEARS = (13.0, 20.0, 40.0, 60.0)
"""Where teenager, young adult, middle-aged and elderly begin, as people use the words; the United
Nations count older persons from 60. The SpeechCraft paper's code has 14, 26, 40, 55."""
Emotions = Literal["neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised", "other"]


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a recording."""

    offset_s: float
    span_s: float


@dataclass(frozen=True, slots=True)
class Cut(Row):
    """Where the utterances of a recording are. A recording short enough is one span: all of it."""

    recording_s: Annotated[float, Column("length of the recording", "s")]
    spans: Annotated[tuple[Span, ...], Column("its utterances: offset_s, span_s")]


@dataclass(frozen=True, slots=True)
class Sound(Row):
    """The decoded clip, measured at its native rate before it becomes 16 kHz mono."""

    duration_s: Annotated[float, Column("length of the decoded clip", "s")]
    native_rate_hz: Annotated[int, Column("sample rate of the file", "Hz")]
    channels: Annotated[int, Column("channels in the file; they are averaged to one")]
    codec: Annotated[str, Column("codec of the file as the decoder names it")]
    peak_dbfs: Annotated[
        float | None, Column("highest absolute sample of any channel; null for digital silence", "dBFS")
    ]
    clipped_share: Annotated[float, Column("share of samples that sit on a flattened peak, 0..1")]
    bandwidth_hz: Annotated[
        float | None, Column("frequency under which nearly all energy of the speech lies", "Hz")
    ]
    sound_hash: Annotated[str, Column("hash of the decoded 16 kHz samples: equal sound, equal hash")]


@dataclass(frozen=True, slots=True)
class Quality(Row):
    """How clean the raw clip is."""

    snr_db: Annotated[
        float | None,
        Column("estimated ratio of speech power to noise power, both over the whole clip with pauses", "dB"),
    ]
    noise_dbfs: Annotated[float | None, Column("level of the noise floor", "dBFS")]
    stoi: Annotated[float | None, Column("estimated intelligibility (STOI), 0..1; null without a model")] = (
        None
    )
    pesq_mos: Annotated[
        float | None, Column("estimated quality (wide-band PESQ), 1..4.64; null without a model", "MOS")
    ] = None
    si_sdr_db: Annotated[
        float | None, Column("estimated ratio of speech to distortion (SI-SDR); null without a model", "dB")
    ] = None


@dataclass(frozen=True, slots=True)
class Enhance(Row):
    """Whether the clip was enhanced; the enhanced sound is an artifact beside the rows."""

    enhanced: Annotated[bool, Column("true if later annotators listened to enhanced sound")]
    enhance_reason: Annotated[str, Column("why it was, or was not, enhanced")]


ASSUMED = "assumed"
"""The source of a language that nothing tells: it is taken for that of all such clips."""


@dataclass(frozen=True, slots=True)
class Language(Row):
    """The language spoken."""

    language: Annotated[str | None, Column("ISO 639-1 code (en, zh), or 639-3 where there is none")]
    language_source: Annotated[str | None, Column("given, script (of the text), assumed, or a model")]
    language_confidence: Annotated[float | None, Column("probability, 0..1; null where not estimated")]


@dataclass(frozen=True, slots=True)
class Transcript(Row):
    """What was said."""

    transcript: Annotated[
        str, Column("the words, cleaned: one line, no control characters, no shouting capitals")
    ]
    transcript_verbatim: Annotated[str, Column("the text exactly as given or recognised")]
    transcript_source: Annotated[str, Column("given, or the recogniser")]
    transcript_confidence: Annotated[float | None, Column("the recogniser's confidence, 0..1; null if given")]
    avg_logprob: Annotated[
        float | None, Column("mean log probability of the tokens; null unless Whisper recognised them")
    ] = None
    no_speech_prob: Annotated[
        float | None, Column("Whisper's probability that nobody speaks, 0..1; null unless it recognised them")
    ] = None
    compression_ratio: Annotated[
        float | None, Column("how far gzip compresses the text: above 2.4 it repeats itself; as above")
    ] = None


@dataclass(frozen=True, slots=True)
class Word:
    """One word with its times; times count from the start of the clip."""

    word: str
    start_s: float
    end_s: float
    n_syllables: int
    n_phones: int
    aligned_by: str


@dataclass(frozen=True, slots=True)
class Phone:
    """One phone with its times; `SIL` is a pause."""

    phone: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Words(Row):
    """When each word was said."""

    words: Annotated[
        tuple[Word, ...],
        Column(
            "each word with start_s, end_s, n_syllables, n_phones and aligned_by "
            "(dictionary, rules, nuclei, romanised, or interpolated between its neighbours)"
        ),
    ]
    phones: Annotated[
        tuple[Phone, ...], Column("each phone with its times; empty where unknown", joined=False)
    ]
    words_source: Annotated[str, Column("the aligner")]
    words_confidence: Annotated[
        float | None, Column("how well the text fits the sound, 0..1; null if unknown")
    ]


@dataclass(frozen=True, slots=True)
class Pitch(Row):
    """Fundamental frequency (F0). All null where fewer than 50 ms are voiced."""

    f0_median_hz: Annotated[float | None, Column("median F0 over voiced frames", "Hz")]
    f0_spread_semitones: Annotated[
        float | None, Column("standard deviation of F0 over voiced frames", "semitones")
    ]
    f0_low_hz: Annotated[float | None, Column("5th percentile of F0", "Hz")]
    f0_high_hz: Annotated[float | None, Column("95th percentile of F0", "Hz")]
    voiced_share: Annotated[float | None, Column("share of frames that are voiced, 0..1")]
    f0_hop_s: Annotated[
        float, Column("time between frames of f0_hz; frame i is at i * f0_hop_s", "s", joined=False)
    ]
    f0_hz: Annotated[Curve, Column("F0 of every frame, 0 where unvoiced", "Hz", joined=False)]


@dataclass(frozen=True, slots=True)
class Energy(Row):
    """Level of the raw clip. Null for digital silence."""

    rms_dbfs: Annotated[
        float | None, Column("root mean square over the frames of speech; a full-scale sine is -3.01", "dBFS")
    ]
    loudness_lufs: Annotated[
        float | None,
        Column("integrated loudness, ITU-R BS.1770-4; null under its gate or under 0.4 s", "LUFS"),
    ]


@dataclass(frozen=True, slots=True)
class Speed(Row):
    """Speaking rate over the time of speech, pauses taken out."""

    words_per_s: Annotated[float | None, Column("words per second of speech; null for Chinese", "1/s")]
    syllables_per_s: Annotated[float | None, Column("syllables per second of speech", "1/s")]
    phones_per_s: Annotated[float | None, Column("phones per second of speech; null where unknown", "1/s")]
    characters_per_s: Annotated[float | None, Column("Chinese characters per second of speech", "1/s")]
    speech_s: Annotated[float, Column("time of speech, pauses taken out", "s")]
    pause_share: Annotated[float, Column("share of pauses between the first and the last word, 0..1")]


@dataclass(frozen=True, slots=True)
class Speaker(Row):
    """Who speaks: only what is known; null is not a guess."""

    gender: Annotated[Gender | None, Column("female or male")]
    gender_source: Annotated[
        str | None, Column("given, or the model; where the gender is null, why, if the model says so")
    ]
    gender_confidence: Annotated[float | None, Column("probability, 0..1; null if given")]
    age_years: Annotated[float | None, Column("age", "years")]
    age_source: Annotated[
        str | None, Column("given, or the model; where the age is null, why, if the model says so")
    ]
    age_confidence: Annotated[float | None, Column("probability, 0..1; null if given")]
    child_probability: Annotated[
        float | None, Column("the model's probability that a child speaks, 0..1; null where it gives none")
    ] = None


@dataclass(frozen=True, slots=True)
class EmotionScore:
    """The probability of one class, as the model names it."""

    label: str
    probability: float


@dataclass(frozen=True, slots=True)
class Emotion(Row):
    """The mood of the voice."""

    emotion: Annotated[Emotions | None, Column("class of emotion")]
    emotion_source: Annotated[
        str | None, Column("given, or the model; where the emotion is null, why, if the model says so")
    ]
    emotion_confidence: Annotated[float | None, Column("probability, 0..1; null if given")]
    emotion_caption: Annotated[str | None, Column("the mood in a sentence, where a model writes one")]
    emotion_scores: Annotated[
        tuple[EmotionScore, ...],
        Column("the probability of every class of the model; empty where it has none"),
    ] = ()


@dataclass(frozen=True, slots=True)
class Affect(Row):
    """The mood of the voice on three scales."""

    arousal: Annotated[float | None, Column("calm to excited, about 0..1")]
    dominance: Annotated[float | None, Column("submissive to dominant, about 0..1")]
    valence: Annotated[float | None, Column("negative to positive, about 0..1")]


@dataclass(frozen=True, slots=True)
class Emphasis(Row):
    """The word that is stressed most."""

    emphasis_word: Annotated[str | None, Column("the stressed word as it stands in the transcript")]
    emphasis_index: Annotated[int | None, Column("its place in words, from 0")]
    emphasis_source: Annotated[str | None, Column("given, or the model")]
    emphasis_confidence: Annotated[float | None, Column("probability, 0..1; null if given")]
    emphasis_scores: Annotated[
        tuple[float, ...],
        Column("how prominent the model finds each word, in the order of words; empty where it tells none"),
    ] = ()


@dataclass(frozen=True, slots=True)
class Topic(Row):
    """What the clip is about."""

    topic: Annotated[str | None, Column("a few words; null where nothing tells")]
    topic_source: Annotated[str | None, Column("given, keywords, or the model")]


@dataclass(frozen=True, slots=True)
class Labels(Row):
    """Words for numbers, by thresholds that are frozen with the run."""

    pitch_label: Annotated[Level3 | None, Column("low, normal or high")]
    pitch_label_basis: Annotated[
        Gender | Literal["all"] | None,
        Column("whose thresholds: female, male, or all: of children, and where the gender is unknown"),
    ]
    energy_label: Annotated[Level3 | None, Column("low, normal or high")]
    speed_label: Annotated[Pace3 | None, Column("slow, normal or fast")]
    age_group: Annotated[AgeGroup | None, Column("child, teenager, young adult, middle-aged or elderly")]


@dataclass(frozen=True, slots=True)
class Caption(Row):
    """How the clip is said, in fluent sentences."""

    description: Annotated[str, Column("how it is said, without the words")]
    instruction: Annotated[
        str | None, Column("how it is said, with the words verbatim; null without a transcript")
    ]
    caption_language: Annotated[str, Column("language of both captions")]
    caption_source: Annotated[str, Column("realiser, or the LLM")]
    caption_attributes: Annotated[
        tuple[str, ...], Column("the attributes the captions convey, in the order of the description")
    ]
    caption_attempts: Annotated[
        int, Column("answers asked of the LLM for this clip; 0 where none was asked")
    ] = 0
    caption_faults: Annotated[
        tuple[str, ...], Column("why answers of the LLM were not kept, one sentence each")
    ] = ()
