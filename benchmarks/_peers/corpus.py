"""The clips: harmonic sounds with the rhythm of speech, made here, so that nobody needs data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

RATE_HZ = 16_000
PARTS = 20
"""Of the manifest. One is what a shard, a task, a block or a batch is to whoever has such a thing."""
_SYLLABLE_S = 0.22
_WORDS = ("the", "old", "train", "to", "town", "was", "late", "again", "and", "nobody", "knew", "why")


@dataclass(frozen=True)
class Corpus:
    """`manifest` as one file of JSON lines, `parts` as a folder of them; `bad`: ids of unreadable files."""

    manifest: Path
    parts: Path
    part_clips: int
    ids: tuple[str, ...]
    bad: tuple[str, ...] = ()


def make_sounds(folder: Path, clips: int, seconds: float) -> float:
    """A WAV a clip, of `seconds` on average; the length of all together, in s."""
    folder.mkdir(parents=True)
    total_s = 0.0
    for number in range(clips):
        rng = np.random.default_rng(number)
        sound = _voice(rng, rng.uniform(0.6, 1.4) * seconds)
        total_s += len(sound) / RATE_HZ
        soundfile.write(folder / f"clip-{number:04d}.wav", sound, RATE_HZ)
    return total_s


def make_corpus(folder: Path, sounds: Path, clips: int, bad: int = 0) -> Corpus:
    """The first `clips` of these sounds; `bad` of them, spread evenly, are files that are no sound."""
    (folder / "parts").mkdir(parents=True)
    broken = {round((i + 0.5) * clips / bad) for i in range(bad)}
    lines: list[str] = []
    ids: list[str] = []
    bad_ids: list[str] = []
    for number, path in enumerate(sorted(sounds.iterdir())[:clips]):
        ids.append(path.stem)
        if number in broken:
            path = folder / path.name
            path.write_bytes(_NOT_SOUND[len(bad_ids) % len(_NOT_SOUND)])
            bad_ids.append(path.stem)
        words = " ".join(np.random.default_rng(number).choice(_WORDS, size=15))
        lines.append(json.dumps({"id": path.stem, "audio": str(path), "text": words}) + "\n")
    (folder / "manifest.jsonl").write_text("".join(lines))
    part_clips = -(-clips // PARTS)
    for first in range(0, clips, part_clips):
        part = folder / "parts" / f"{first // part_clips:03d}.jsonl"
        part.write_text("".join(lines[first : first + part_clips]))
    return Corpus(folder / "manifest.jsonl", folder / "parts", part_clips, tuple(ids), tuple(bad_ids))


def _voice(rng: np.random.Generator, seconds: float) -> npt.NDArray[np.float32]:
    """A falling, wavering F0 with its harmonics, in syllables, with pauses and a little noise."""
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    f0_hz = rng.uniform(90, 240) * np.exp(-0.05 * t + 0.08 * np.sin(2 * np.pi * rng.uniform(0.4, 0.9) * t))
    turns = np.cumsum(f0_hz) / RATE_HZ
    wave = np.interp(turns % 1.0, np.arange(len(_PERIOD)) / len(_PERIOD), _PERIOD)
    syllables = rng.uniform(0.0, 1.0, size=int(seconds / _SYLLABLE_S) + 2)
    syllables[syllables < 0.2] = 0.0
    envelope = np.interp(t / _SYLLABLE_S, np.arange(len(syllables)), syllables)
    sound = 0.2 * envelope * wave + 0.002 * rng.standard_normal(len(t))
    return np.clip(sound, -1.0, 1.0).astype(np.float32)


def _period() -> npt.NDArray[np.float64]:
    """One period of twenty harmonics that fall by 6 dB an octave."""
    turns = np.arange(2048) / 2048
    return np.asarray(sum(np.sin(2 * np.pi * k * turns) / k for k in range(1, 21)), dtype=np.float64)


_PERIOD = _period()
_NOT_SOUND = (b"", b"\x00" * 4096, b"<html>404 Not Found</html>\n", bytes(range(256)) * 20)
