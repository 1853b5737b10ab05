"""What the detector learns from: regenerated clips whose stressed word is known, and listeners' marks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from annotators.emphasis._features import Floats, features
from annotators.emphasis._units import units
from jobs.evaluate.alignment import matches
from jobs.evaluate.emphasis import prominences
from jobs.runs import Run
from jobs.train.emphasis_data.known import f0_of
from jobs.train.emphasis_data.stressed import FOLDER
from jobs.train.emphasis_data.world import HOP_S
from pipeline.audio import mono_16k, open_sound, read_all
from pipeline.clip import AudioRef
from pipeline.errors import SourceError
from pipeline.rows import Language, Pitch, Transcript, Word, Words
from pipeline.sidecar import OK

FEWEST_WORDS = 2


@dataclass(frozen=True, slots=True)
class Example:
    """One clip: the features of its words, and what is known of their stress.

    Regenerated clips have `stressed`, -1 where no word is; clips that people listened to have `marks`, the
    prominence of every word, NaN where a word has none.
    """

    id: str
    corpus: str
    speaker: str
    text: str
    pictures: Floats  # [n_words, FRAMES, BANDS]
    numbers: Floats  # [n_words, N_NUMBERS]
    stressed: int | None = None
    marks: Floats | None = None


def regenerated(folder: str) -> list[Example]:
    """The clips of a dataset that `train emphasis-data` wrote; SourceError where there is none."""
    home = Path(folder) / FOLDER
    home = home if home.is_dir() else Path(folder)
    try:
        lines = (home / "manifest.jsonl").read_text("utf-8").splitlines()
    except OSError as error:
        raise SourceError(f"{folder} holds no data of 'speechcraft train emphasis-data'.") from error
    return [
        _regenerated(home, line)
        for line in map(json.loads, lines)
        if line["status"] == OK and len(line["words"]) >= FEWEST_WORDS
    ]


def _regenerated(home: Path, line: Mapping[str, Any]) -> Example:
    with open_sound(AudioRef(str(home / line["audio"]))) as recording:
        samples = mono_16k(read_all(recording), recording.info.rate_hz)
    words = tuple(Word(**word) for word in line["words"])
    found = units(words, line["text"], line["language"])
    f0_hz = f0_of(samples.astype(np.float64), 16_000)
    known = features(samples, found, f0_hz, HOP_S)
    first = line["emphasis_index"]
    stressed = -1 if first is None else [unit.first for unit in found].index(first)
    speaker = line["speaker"] or line["made_from"]
    return Example(
        line["id"], home.parent.name, speaker, line["text"], known.pictures, known.numbers, stressed
    )


def listened(run: str, labels: Path) -> list[Example]:
    """The clips of a run whose labels mark the prominence of words. The run must have kept its sound."""
    try:
        lines = map(json.loads, labels.read_text("utf-8").splitlines())
        marked = {str(line["id"]): line for line in lines if len(prominences(line) or ()) > 1}
    except (OSError, ValueError, KeyError) as error:
        raise SourceError(f"{labels} is no manifest with marked words.") from error
    found = list(_listened(Run.open(run), marked))
    if not found:
        raise SourceError(f"No clip of {run} has words, pitch, sound and a mark in {labels}.")
    return found


def _listened(run: Run, marked: Mapping[str, Mapping[str, Any]]) -> Iterator[Example]:
    ways = {way.row: way for way in reversed(run.ways)}
    for shard, items in run.items():
        rows = [run.rows(shard, ways[row]) for row in (Words, Pitch, Transcript, Language)]
        _, sounds = run.sound(shard)
        for item, sound, *known in zip(items, sounds, *rows, strict=True):
            words, pitch, transcript, language = known
            if item.id not in marked or sound is None:
                continue
            if not isinstance(words, Words) or not isinstance(pitch, Pitch):
                continue
            text = transcript.transcript if isinstance(transcript, Transcript) else ""
            tongue = language.language if isinstance(language, Language) else None
            found = units(words.words, text, tongue)
            if len(found) < FEWEST_WORDS:
                continue
            reference = prominences(marked[item.id]) or []
            marks = np.full(len(found), np.nan, np.float32)
            for i, j in matches([word for word, _ in reference], [unit.text for unit in found]):
                marks[j] = reference[i][1]
            made = features(sound.samples(), found, pitch.f0_hz, pitch.f0_hop_s)
            speaker = item.given.speaker or item.id
            yield Example(
                item.id, Path(run.store.url).name, speaker, text, made.pictures, made.numbers, marks=marks
            )
