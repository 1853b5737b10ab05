"""How fast the models annotate, beside the plain call of their own libraries on the same weights.

    python benchmarks/models.py --size small --rounds 3

The weights are random, in the published layouts: of the published sizes on a GPU, of a few million
parameters on a CPU, where both sides have one thread. Ours is the annotator as the engine runs it,
with its own batches; the other is a loop over the clips: `whisper.transcribe`, the forward pass of
audeering's model card, FunASR's `generate`. Both have the same clips of 2 to 20 s, already decoded, and
take turns. Every text that Whisper hears has 36 tokens, on either side, so that no batch waits for the
longest text as it would on speech. Scores are compared by the largest difference, texts by how many are
equal. The share of the peak is of all that ours computes, padding included, over what a large product of
bfloat16 matrices reaches on this GPU.
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers.utils.logging import disable_progress_bar

if not __package__:  # run as a file: its own folder would come first
    sys.path[0] = str(Path(__file__).parents[1])

from benchmarks._machine import commit, processor
from benchmarks._models_contests import (
    Answer,
    Contest,
    Contestant,
    audeering_contest,
    emotion2vec_contest,
    whisper_contest,
)
from pipeline.clip import SAMPLE_RATE_HZ, AudioRef
from pipeline.engine.work import Clips
from pipeline.rows import Sound
from pipeline.sounds import Pcm
from pipeline.source.base import Item
from pipeline.way import SOUND
from tests.tiny.whisper import syllables

MODELS = ("large-v3", "large-v3-turbo", "audeering", "emotion2vec")
_SHORTEST_S, _LONGEST_S = 2.0, 20.0
_VOICES = 12  # pitches from 100 to 320 Hz
_PEAK_WIDTH = 8192


@dataclass(frozen=True, slots=True)
class Measured:
    """Medians over the rounds. `flops` is what ours computes of all clips; None where no GPU is."""

    contest: Contest
    ours_s: float
    naive_s: float
    agreement: str
    flops: int | None


def main() -> None:
    """Measure the models in turn, and print a table."""
    arguments = _arguments()
    disable_progress_bar()
    logging.disable(logging.INFO)  # FunASR names each of its tensors
    gpu = torch.cuda.is_available()
    device = torch.device("cuda:0" if gpu else "cpu")
    if not gpu:
        torch.set_num_threads(1)
    size = arguments.size or ("published" if gpu else "small")
    clips = _clips(arguments.clips or (64 if gpu else 16))
    peak = _peak_flops_per_s(device) if gpu else None
    _print_head(clips, size, device, arguments.rounds, peak)
    for name in arguments.models:
        for half in (False, True) if gpu and name not in MODELS[:2] else (False,):
            with tempfile.TemporaryDirectory() as folder:
                contest = _contest(name, Path(folder), size, device, half)
                _print_row(_measure(contest, clips, arguments.rounds), clips, size, peak)
            del contest
            gc.collect()
            torch.cuda.empty_cache()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size", choices=["small", "published"], help="published on a GPU, else small")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clips", type=int, help="64 on a GPU, else 16")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS)
    return parser.parse_args()


def _contest(name: str, folder: Path, size: Any, device: torch.device, half: bool) -> Contest:
    if name == "audeering":
        return audeering_contest(folder, size, device, half)
    if name == "emotion2vec":
        return emotion2vec_contest(folder, size, device, half)
    return whisper_contest(name, folder, size, device)


def _clips(count: int) -> Clips:
    """Voice-like sounds of random lengths, the same on every machine."""
    lengths = np.random.default_rng(0).uniform(_SHORTEST_S, _LONGEST_S, count)
    sounds = [Pcm.of(syllables(seconds, i % _VOICES)) for i, seconds in enumerate(lengths)]
    rows = [Sound(s, SAMPLE_RATE_HZ, 1, "pcm", -6.0, 0.0, 8000.0, str(i)) for i, s in enumerate(lengths)]
    items = [Item(f"clip-{i}", AudioRef("made")) for i in range(count)]
    return Clips(items, {Sound: list(rows)}, {SOUND: list(sounds)})


def _measure(contest: Contest, clips: Clips, rounds: int) -> Measured:
    """Each side once unmeasured, and then both in every round, by turns first."""
    flops, ours = _counted(partial(contest.ours, clips))
    naive = contest.naive(clips)
    seconds: dict[Contestant, list[float]] = {contest.ours: [], contest.naive: []}
    for number in range(rounds):
        for side in (contest.ours, contest.naive)[:: 1 if number % 2 == 0 else -1]:
            seconds[side].append(_seconds(partial(side, clips)))
    ours_s, naive_s = (statistics.median(taken) for taken in seconds.values())
    return Measured(contest, ours_s, naive_s, _agreement(ours, naive), flops)


def _counted(run: Callable[[], list[Answer]]) -> tuple[int | None, list[Answer]]:
    if not torch.cuda.is_available():
        return None, run()
    counter = FlopCounterMode(display=False)
    counter.mod_tracker = _NoTracker()
    with counter:
        answers = run()
    return counter.get_total_flops(), answers


class _NoTracker(nullcontext[None]):
    """Counts for all modules together: torch's own tracker hooks gradients, and inference mode has none."""

    parents = frozenset({"Global"})


def _seconds(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - started


def _agreement(ours: Sequence[Answer], naive: Sequence[Answer]) -> str:
    pairs = list(zip(ours, naive, strict=True))
    if isinstance(ours[0], str):
        return f"{sum(a == b and a != '' for a, b in pairs)} of {len(pairs)} texts equal"
    worst = max(float(np.max(np.abs(np.subtract(a, b)))) for a, b in pairs)
    return f"scores within {worst:.1e}"


def _peak_flops_per_s(device: torch.device) -> float:
    """What a product of two large square matrices in bfloat16 reaches: the best of many."""
    a, b = (torch.randn(_PEAK_WIDTH, _PEAK_WIDTH, device=device, dtype=torch.bfloat16) for _ in range(2))
    torch.matmul(a, b)
    torch.cuda.synchronize()
    seconds = min(_seconds(lambda: torch.matmul(a, b)) for _ in range(50))
    return 2 * _PEAK_WIDTH**3 / seconds


def _print_head(clips: Clips, size: str, device: torch.device, rounds: int, peak: float | None) -> None:
    machine = f"{os.cpu_count()} cores, {processor()}"
    if peak is not None:
        machine += f", {torch.cuda.get_device_name(device)}, {peak / 1e12:.0f} TFLOP/s in bfloat16"
    print(
        f"{len(clips.items)} clips, {_audio_s(clips):.0f} s of sound, {size} sizes, medians of {rounds} "
        f"rounds, {torch.get_num_threads()} thread(s); {machine}, Python {platform.python_version()}, "
        f"torch {torch.__version__}, commit {commit()}\n"
    )
    print(
        "| model | size | parameters | device | precision: ours, naive | ours, x real time "
        "| naive, x real time | ratio | agreement | share of bfloat16 peak |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|", flush=True)


def _print_row(measured: Measured, clips: Clips, size: str, peak: float | None) -> None:
    contest, sound_s = measured.contest, _audio_s(clips)
    share = "no GPU"
    if peak is not None and measured.flops is not None:
        share = f"{measured.flops / measured.ours_s / peak:.1%}"
    cells = [
        contest.name,
        size,
        f"{contest.n_parameters / 1e6:.1f} M",
        "CPU" if peak is None else "GPU",
        contest.precision,
        f"{sound_s / measured.ours_s:.1f}",
        f"{sound_s / measured.naive_s:.1f}",
        f"{measured.naive_s / measured.ours_s:.2f}",
        measured.agreement,
        share,
    ]
    print(f"| {' | '.join(cells)} |", flush=True)


def _audio_s(clips: Clips) -> float:
    return sum(clips.seconds(i) for i in range(len(clips.items)))


if __name__ == "__main__":
    main()
