"""A recorded clip made ready: its words, what of them may be stressed, its sound at its own rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

import numpy as np

from annotators.emphasis._units import CHINESE, Unit, units
from annotators.pitch.dio import DioAnnotator
from jobs.train.emphasis_data.keywords import LANGUAGES, keywords
from jobs.train.emphasis_data.world import Doubles
from pipeline.audio import mono_16k, open_sound, read_all, read_span
from pipeline.clip import AudioRef, Clip
from pipeline.errors import ClipError
from pipeline.rows import Language, Transcript, Word, Words
from pipeline.source.base import NOTHING_GIVEN

MAX_S = 40.0
"""Longer clips are no sentences, and WORLD would hold all of one in memory: 8 MB a second at 48 kHz."""
_FEWEST_UNITS = 3
_DIO = DioAnnotator()


@dataclass(frozen=True, slots=True)
class Known:
    """What a run says of a clip, as far as it is needed to stress a word of it."""

    clip: Clip
    text: str
    language: Literal["en", "zh"]
    words: tuple[Word, ...]
    units: tuple[Unit, ...]
    candidates: tuple[int, ...]


def known(clip: Clip, min_confidence: float) -> Known:
    """The clip made ready; ClipError says what it lacks."""
    words, transcript, language = clip.of(Words), clip.of(Transcript), clip.maybe(Language)
    spoken = "zh" if language and language.language in CHINESE else language.language if language else None
    if spoken not in LANGUAGES:
        raise ClipError("no_keywords", f"Keywords are known in en and zh, not in {spoken or 'no language'}.")
    if words.words_confidence is not None and words.words_confidence < min_confidence:
        raise ClipError("unclear_words", f"The words fit the sound by {words.words_confidence:.2f} only.")
    found = units(words.words, transcript.transcript, spoken)
    candidates = keywords(found, spoken)
    if len(found) < _FEWEST_UNITS or not candidates:
        raise ClipError("no_keywords", "The sentence has no word worth stressing.")
    kind = cast("Literal['en', 'zh']", spoken)
    return Known(clip, transcript.transcript, kind, words.words, found, tuple(candidates))


def sound_of(audio: AudioRef) -> tuple[Doubles, int]:
    """Mono sound at the rate of its file. Raises ClipError as decoding does, and too_long."""
    with open_sound(audio) as recording:
        if audio.offset_s is None and audio.span_s is None:
            sound = read_all(recording)
        else:
            sound = read_span(recording, audio.offset_s or 0.0, audio.span_s)
        rate_hz = recording.info.rate_hz
    if len(sound) > MAX_S * rate_hz:
        raise ClipError("too_long", f"The clip lasts {len(sound) / rate_hz:.0f} s, over {MAX_S:.0f} s.")
    return np.asarray(sound.mean(axis=1), np.float64), rate_hz


def f0_of(sound: Doubles, rate_hz: int) -> Doubles:
    """F0 in Hz every 5 ms as `pitch=dio` finds it, 0 where unvoiced."""
    heard = mono_16k(np.asarray(sound[:, None], np.float32), rate_hz)
    row = _DIO.annotate([Clip("", AudioRef(""), NOTHING_GIVEN, {}, lambda: heard)])[0]
    return np.asarray(row.f0_hz, np.float64)
