"""What the small networks hear of a clip, as it is and augmented; kept on disk, so that it is made once.

Each utterance draws from its own seed (its key and the number of the variant): neither the order of the
clips nor the number of processes changes anything.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt

from annotators._mel import Mel, heard, levelled, log_mel
from annotators.pitch.dio import HOP_S, DioAnnotator
from jobs.train._augment import Throat, elsewhere, revoiced
from jobs.train._corpora import Utterance
from pipeline.clip import SAMPLE_RATE_HZ, AudioRef, Clip, Given, Samples
from pipeline.rows import Pitch

VERSION = 1
"""Raise it when the same recipe begins to give other features."""
N_BABBLE = 24

F0 = npt.NDArray[np.float32]  # [n_frames], Hz, 0 where unvoiced


@dataclass(frozen=True, slots=True)
class Variants:
    """How many variants: clean, then `elsewhere` ones, then ones from another throat (and elsewhere, too)."""

    elsewhere: int = 2
    revoiced: int = 1
    pitch_octaves: float = 0.12
    """Standard deviation of the factor on F0."""
    formant_octaves: float = 0.06


@dataclass(frozen=True, slots=True)
class Example:
    """One variant of one utterance."""

    utterance: Utterance
    variant: int
    throat: Throat
    mel: Mel  # [n_frames, N_BANDS], levelled
    f0_hz: F0  # [n_frames]


def examples(
    utterances: Sequence[Utterance], variants: Variants, work: Path, *, processes: int | None = None
) -> Iterator[Example]:
    """Every variant of every utterance, in order."""
    folder = work / "features"
    folder.mkdir(parents=True, exist_ok=True)
    babble = tuple(utterances[:: max(1, len(utterances) // N_BABBLE)][:N_BABBLE])
    names = ",".join(u.key for u in babble) if variants.elsewhere or variants.revoiced else ""
    make = partial(_made, recipe=f"{VERSION}:{variants}:{names}", variants=variants, folder=folder)
    workers = min(processes or os.cpu_count() or 1, max(1, len(utterances) // 8))
    with ProcessPoolExecutor(workers, get_context("spawn"), _hold, (babble,)) as pool:
        paths = pool.map(make, utterances, chunksize=8)
        for utterance, path in zip(utterances, paths, strict=True):
            yield from _stored(utterance, path)


_BABBLE: list[Samples] = []


def _hold(babble: Sequence[Utterance]) -> None:
    """Keep the voices that stand in for babble, once a process."""
    _BABBLE[:] = [u.samples() for u in babble]


def _made(utterance: Utterance, *, recipe: str, variants: Variants, folder: Path) -> Path:
    facts = utterance.path.stat()
    key = f"{recipe}:{utterance.key}:{facts.st_size}"
    path = folder / f"{hashlib.blake2b(key.encode(), digest_size=12).hexdigest()}.npz"
    if not path.is_file():
        found: dict[str, npt.NDArray[np.floating]] = {}
        for i, (sound, throat) in enumerate(_sounds(utterance, variants)):
            mel = log_mel(sound)
            f0_hz = heard(sound, _pitch(sound), len(sound) / SAMPLE_RATE_HZ)["f0_hz"]
            found |= {f"mel{i}": mel.astype(np.float16), f"f0{i}": f0_hz}
            found[f"throat{i}"] = np.array([throat.pitch, throat.formants])
        temporary = path.with_suffix(f".{os.getpid()}")
        with temporary.open("wb") as file:
            np.savez(file, **found)  # type: ignore[arg-type]
        temporary.replace(path)
    return path


def _sounds(utterance: Utterance, variants: Variants) -> Iterator[tuple[Samples, Throat]]:
    samples = utterance.samples()
    yield samples, Throat()
    rng = np.random.default_rng(list(hashlib.blake2b(utterance.key.encode(), digest_size=8).digest()))
    for _ in range(variants.elsewhere):
        yield elsewhere(samples, rng, _BABBLE), Throat()
    if variants.revoiced:
        f0_hz = _pitch(samples).f0_hz.astype(np.float64)
    for _ in range(variants.revoiced):
        throat = Throat(
            float(np.exp2(rng.normal(0, variants.pitch_octaves))),
            float(np.exp2(np.clip(rng.normal(0, variants.formant_octaves), -0.2, 0.2))),
        )
        yield elsewhere(revoiced(samples, f0_hz, HOP_S, throat), rng, _BABBLE), throat


def _stored(utterance: Utterance, path: Path) -> Iterator[Example]:
    with np.load(path) as file:
        for i in range(len(file.files) // 3):
            pitch, formants = file[f"throat{i}"].tolist()
            mel = levelled(file[f"mel{i}"].astype(np.float32))
            yield Example(utterance, i, Throat(pitch, formants), mel, file[f"f0{i}"])


def _pitch(samples: Samples) -> Pitch:
    return DioAnnotator().annotate([Clip("", AudioRef(""), Given(), listen=lambda: samples)])[0]
