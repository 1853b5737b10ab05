"""Labelled speech to train on: folders, each with a `manifest.jsonl` as `evaluate` reads it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from annotators.emotion._domains import emotion_class
from pipeline.audio import mono_16k, open_sound, read_all
from pipeline.clip import AudioRef, Samples
from pipeline.errors import SourceError
from pipeline.rows import Emotions
from pipeline.source.given import age_of, gender_of, word_of

TRAINED_ON = ("speechocean762", "librispeech", "vctk", "ljspeech", "emodb")
"""Corpora whose licence lets weights be shipped; no other is ever trained on."""
EVALUATED_ON = ("timit", "fda", "voicebank")
"""Corpora that only test."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """A clip with what people say of it. `speaker` is unique over all corpora."""

    corpus: str
    id: str
    path: Path
    speaker: str
    gender: str | None
    age_years: float | None
    emotion: Emotions | None

    @property
    def key(self) -> str:
        """Unique over all corpora."""
        return f"{self.corpus}/{self.id}"

    def samples(self) -> Samples:
        """The sound as annotators hear it, before any enhancement: mono, 16 kHz."""
        with open_sound(AudioRef(str(self.path))) as recording:
            return mono_16k(read_all(recording), recording.info.rate_hz)


def read(data: Path, corpora: Iterable[str]) -> list[Utterance]:
    """Every clip of those corpora that are there, in the order of their manifests.

    Raises SourceError where none of them is.
    """
    wanted = tuple(corpora)
    found = [u for name in wanted for u in _corpus(data / name)]
    if not found:
        raise SourceError(
            f"There is no labelled speech in {data}: expected a folder with a manifest.jsonl for each of "
            f"{', '.join(wanted)}."
        )
    return found


def per_speaker(utterances: Sequence[Utterance], most: int) -> list[Utterance]:
    """At most so many clips of each speaker, spread evenly over what there is of them."""
    spoken: dict[str, list[Utterance]] = {}
    for utterance in utterances:
        spoken.setdefault(utterance.speaker, []).append(utterance)
    return [u for clips in spoken.values() for u in clips[:: -(-len(clips) // most)]]


def _corpus(folder: Path) -> list[Utterance]:
    manifest = folder / "manifest.jsonl"
    if not manifest.is_file():
        return []
    return [_utterance(folder, json.loads(line)) for line in manifest.read_text("utf-8").splitlines() if line]


def _utterance(folder: Path, fields: dict[str, object]) -> Utterance:
    id, emotion = str(fields["id"]), fields.get("emotion")
    return Utterance(
        corpus=folder.name,
        id=id,
        path=folder / str(fields["audio"]),
        speaker=f"{folder.name}/{word_of(fields.get('speaker')) or id}",
        gender=gender_of(fields.get("gender")),
        age_years=age_of(fields.get("age")),
        emotion=emotion_class(emotion) if isinstance(emotion, str) else None,
    )
