"""A clip with one word stressed, or itself through the vocoder: the sound as flac beside the rows."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Annotated

import numpy as np
import soundfile
import soxr

from annotators.caption._attributes import attributes_of
from annotators.emphasis._units import Unit
from jobs.train.emphasis_data.known import Known, f0_of, known, sound_of
from jobs.train.emphasis_data.moved import check, measured
from jobs.train.emphasis_data.recorded import Recorded
from jobs.train.emphasis_data.variants import Variant, parted, variant
from jobs.train.emphasis_data.world import LOWEST_HZ, Analysis, Doubles, Stress, analyse, stressed
from pipeline.annotator import Annotator
from pipeline.clip import Clip
from pipeline.errors import ClipError
from pipeline.options import Option
from pipeline.rows import Column, Row, Word
from pipeline.storage import Store
from prompts.realiser import digest, realise

FOLDER = "stressed"
"""Of the dataset in the run directory."""


@dataclass(frozen=True, slots=True)
class Stressed(Row):
    """One regenerated clip. Factors are those asked for; 1 and null where no word is stressed."""

    file: Annotated[str, Column("its sound, flac at the rate of the source, relative to the dataset")]
    made_from: Annotated[str, Column("id of the recorded clip")]
    seconds: Annotated[float, Column("its length", "s")]
    rate_hz: Annotated[int, Column("its sample rate", "Hz")]
    spoken: Annotated[str, Column("its transcript")]
    spoken_language: Annotated[str, Column("en or zh")]
    spoken_words: Annotated[tuple[Word, ...], Column("each word with its times in the new sound")]
    stressed_word: Annotated[str | None, Column("the stressed word; null where none is")]
    stressed_index: Annotated[int | None, Column("place of its first token in spoken_words, from 0")]
    strength: Annotated[float, Column("how strongly, as asked for; 0 where no word is stressed")]
    pitch_factor: Annotated[float, Column("its F0 times this")]
    amplitude_factor: Annotated[float, Column("its amplitude times this")]
    duration_factor: Annotated[float, Column("its length times this")]
    pause_before_s: Annotated[float, Column("pause put before it", "s")]
    pause_after_s: Annotated[float, Column("pause put after it", "s")]
    regenerated_by: Annotated[str, Column("world or fastspeech2")]
    told: Annotated[str, Column("how it is said, without the words")]
    instructed: Annotated[
        str | None, Column("how it is said, with the words verbatim; names the stressed one")
    ]


class StressedAnnotator(Annotator[Stressed]):
    """One row per variant of a clip of the run; fails where the clip has no words, keyword or clear times."""

    row = Stressed
    version = 1
    batch_clips = 8

    def __init__(
        self,
        *,
        run: Annotated[str, Option("the run whose clips are regenerated")],
        out: Annotated[str, Option("the run directory the sound is written to")],
        strengths: Annotated[
            tuple[float, ...], Option("taken in turns; 1 is 3.5 semitones, 4 dB, 35 % longer", "", 0.1, 3.0)
        ] = (0.6, 1.0, 1.5),
        seed: Annotated[int, Option("another seed, other words and amounts", low=0)] = 0,
        min_confidence: Annotated[
            float, Option("words that fit their sound less are not stressed", "", 0.0, 1.0)
        ] = 0.2,
    ) -> None:
        self._recorded, self._store = Recorded(run), Store(out)
        self._strengths, self._seed, self._min_confidence = strengths, seed, min_confidence
        self._last: tuple[str, Known, Analysis] | None = None
        self._rate_hz = LOWEST_HZ

    @classmethod
    def salt(cls, options: Mapping[str, object]) -> str:
        """The text of lexicons and grammar."""
        return digest()

    def annotate(self, clips: Sequence[Clip]) -> list[Stressed | ClipError]:
        """One outcome per variant; those of one clip share its analysis."""
        return [self._outcome(clip) for clip in clips]

    def _outcome(self, clip: Clip) -> Stressed | ClipError:
        source, number = parted(clip.id)
        try:
            ready, analysis = self._ready(source)
            return self._regenerated(clip.id, number, ready, analysis)
        except ClipError as error:
            return error

    def _ready(self, source: str) -> tuple[Known, Analysis]:
        if self._last is None or self._last[0] != source:
            ready = known(self._recorded.clip(source), self._min_confidence)
            sound, self._rate_hz = sound_of(ready.clip.audio)
            rate_hz = max(self._rate_hz, LOWEST_HZ)
            sound = _resampled(sound, self._rate_hz, rate_hz)
            self._last = source, ready, analyse(sound, rate_hz, f0_of(sound, rate_hz))
        return self._last[1], self._last[2]

    def _regenerated(self, id: str, number: int, ready: Known, analysis: Analysis) -> Stressed:
        source, peaks = ready.clip.id, [_peak(analysis, unit) for unit in ready.units]
        made = variant(source, number, ready.units, ready.candidates, self._strengths, peaks, self._seed)
        unit = None if made.unit is None else ready.units[made.unit]
        start_s, end_s = (0.0, analysis.seconds) if unit is None else (unit.start_s, unit.end_s)
        sound, _ = stressed(analysis, start_s, end_s, made.stress)
        words = tuple(_moved(word, start_s, end_s, made.stress) for word in ready.words)
        if unit is not None:
            span = words[unit.first].start_s, words[unit.last].end_s
            f0_hz = f0_of(sound, analysis.rate_hz)
            after = measured(sound, analysis.rate_hz, f0_hz, [span])[0]
            before = measured(analysis.sound, analysis.rate_hz, analysis.f0_hz, [(start_s, end_s)])[0]
            check(before, after, made.stress.pitch, made.stress.amplitude)
        sound = _resampled(sound, analysis.rate_hz, self._rate_hz)
        return kept(self._store, id, ready, made, words, sound, self._rate_hz, "world", self._seed)


def kept(
    store: Store,
    id: str,
    ready: Known,
    made: Variant,
    words: tuple[Word, ...],
    sound: Doubles,
    rate_hz: int,
    by: str,
    seed: int,
) -> Stressed:
    """Write the sound, under a name made of the id, which may hold anything; the row that tells of it."""
    unit = None if made.unit is None else ready.units[made.unit]
    name = blake2b(id.encode("utf-8", "replace"), digest_size=10).hexdigest()
    file, data = f"audio/{name[:2]}/{name}.flac", io.BytesIO()
    soundfile.write(data, sound, rate_hz, format="FLAC", subtype="PCM_16")
    store.write(f"{FOLDER}/{file}", data.getvalue())
    attributes = replace(attributes_of(ready.clip), emphasis_word=unit.text if unit else None)
    captions = realise(attributes, language=ready.language, key=id, seed=seed)
    return Stressed(
        file=file,
        made_from=ready.clip.id,
        seconds=len(sound) / rate_hz,
        rate_hz=rate_hz,
        spoken=ready.text,
        spoken_language=ready.language,
        spoken_words=words,
        stressed_word=unit.text if unit else None,
        stressed_index=unit.first if unit else None,
        strength=made.strength,
        pitch_factor=made.stress.pitch,
        amplitude_factor=made.stress.amplitude,
        duration_factor=made.stress.duration,
        pause_before_s=made.stress.pause_before_s,
        pause_after_s=made.stress.pause_after_s,
        regenerated_by=by,
        told=captions.description,
        instructed=captions.instruction,
    )


def _resampled(sound: Doubles, rate_hz: int, to_hz: int) -> Doubles:
    """The sound at another rate, as it is at its own."""
    if rate_hz == to_hz:
        return sound
    return np.clip(np.asarray(soxr.resample(sound, rate_hz, to_hz, quality="HQ"), np.float64), -1.0, 1.0)


def _peak(analysis: Analysis, unit: Unit) -> float:
    start, end = round(unit.start_s * analysis.rate_hz), round(unit.end_s * analysis.rate_hz)
    return float(np.max(np.abs(analysis.sound[start:end]), initial=0.0))


def _moved(word: Word, start_s: float, end_s: float, stress: Stress) -> Word:
    """The word where it stands in the new sound."""

    def at(time_s: float, *, ends: bool) -> float:
        if time_s < start_s or (time_s == start_s and ends):
            return time_s
        inside = min(time_s, end_s) - start_s
        after = time_s > end_s or (time_s == end_s and not ends)
        return (
            start_s
            + stress.pause_before_s
            + inside * stress.duration
            + (stress.pause_after_s if after else 0.0)
            + max(0.0, time_s - end_s)
        )

    return replace(word, start_s=at(word.start_s, ends=False), end_s=at(word.end_s, ends=True))
