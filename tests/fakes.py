"""Annotators with known answers and known vices, importable by worker processes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np

from pipeline.annotator import Annotator, CalibratedAnnotator, Heard, Hears, Skip, SoundAnnotator
from pipeline.clip import SAMPLE_RATE_HZ, AudioRef, Clip, Given
from pipeline.engine.plan import Plan
from pipeline.engine.watcher import Watcher
from pipeline.engine.worker import Report, Task
from pipeline.errors import ClipError
from pipeline.job import Job, make_job
from pipeline.options import Option
from pipeline.rows import Column, Language, Row, Sound
from pipeline.source.base import Item
from pipeline.way import WaySpec


@dataclass(frozen=True, slots=True)
class Peak(Row):
    """The highest sample."""

    peak: Annotated[float, Column("highest sample")]


@dataclass(frozen=True, slots=True)
class Rank(Row):
    """The peak against the corpus."""

    rank: Annotated[str, Column("low or high")]


@dataclass(frozen=True, slots=True)
class Said(Row):
    """What is given, and by whom it was seen."""

    said: Annotated[str | None, Column("the given text")]
    seen: Annotated[str, Column("the fields of given that are not null")]


@dataclass(frozen=True, slots=True)
class Weight(Row):
    """What the model says."""

    weight: Annotated[float, Column("always one")]


class FakeSound(SoundAnnotator[Sound]):
    """A constant of a height that the clip's number decides; `bad` ids do not decode."""

    row = Sound
    version = 1

    def __init__(self, *, log: Annotated[str, Option("folder to note calls in")] = "") -> None:
        self._log = log

    def hear(self, clips: Sequence[Clip]) -> list[Heard[Sound] | Skip | ClipError]:
        """The sound."""
        return [self._hear(clip) for clip in clips]

    def _hear(self, clip: Clip) -> Heard[Sound] | ClipError:
        if self._log:
            (Path(self._log) / f"{clip.id}-{os.getpid()}-{time.monotonic_ns()}").touch()
        if "bad" in clip.id:
            return ClipError("decode", "no sound in here")
        height = (int(clip.id.rpartition("-")[2]) % 50 + 1) / 100
        samples = np.full(SAMPLE_RATE_HZ // 10, height, np.float32)
        row = Sound(0.1, SAMPLE_RATE_HZ, 1, "fake", -6.0, 0.0, 8000.0, clip.id)
        return Heard(row, samples)


class FakePeak(Annotator[Peak]):
    """The peak; misbehaves on the clips it is told to."""

    row = Peak
    version = 1
    hears: ClassVar[Hears | None] = "raw"
    batch_clips = 4

    def __init__(
        self,
        *,
        factor: Annotated[float, Option("multiplies the peak", low=0.0, high=10.0)] = 1.0,
        die_on: Annotated[str, Option("end the process on clips whose id holds this")] = "",
        hang_on: Annotated[str, Option("never return on them")] = "",
        freeze_on: Annotated[str, Option("stop the process on them")] = "",
        raise_on: Annotated[str, Option("raise on them")] = "",
        die_once: Annotated[str, Option("end the process if this file is not there, after making it")] = "",
        sleep_s: Annotated[float, Option("per batch", "s")] = 0.0,
        log: Annotated[str, Option("folder to note calls in")] = "",
    ) -> None:
        self._factor, self._die_on, self._hang_on, self._freeze_on = factor, die_on, hang_on, freeze_on
        self._raise_on, self._die_once, self._sleep_s, self._log = raise_on, die_once, sleep_s, log

    def annotate(self, clips: Sequence[Clip]) -> list[Peak | Skip | ClipError]:
        """The peaks."""
        time.sleep(self._sleep_s)
        if self._die_once and not Path(self._die_once).exists():
            Path(self._die_once).touch()
            os._exit(9)
        return [self._peak(clip) for clip in clips]

    def _peak(self, clip: Clip) -> Peak:
        if self._die_on and self._die_on in clip.id:
            os._exit(9)
        if self._hang_on and self._hang_on in clip.id:
            time.sleep(3600)
        if self._freeze_on and self._freeze_on in clip.id:
            os.kill(os.getpid(), signal.SIGSTOP)
        if self._raise_on and self._raise_on in clip.id:
            raise ZeroDivisionError("this clip divides by zero")
        if self._log:
            (Path(self._log) / f"peak-{clip.id}-{os.getpid()}-{time.monotonic_ns()}").touch()
        return Peak(round(self._factor * float(np.max(clip.speech)), 3))


class FakeRank(CalibratedAnnotator[Rank]):
    """Low or high, by the corpus's median peak."""

    row = Rank
    version = 1
    needs = (Peak,)
    measures = (Peak,)

    def __init__(
        self, *, thresholds: Annotated[Mapping[str, object] | None, Option("from the corpus")] = None
    ) -> None:
        self._median = float(str((thresholds or {}).get("median", 0)))

    @classmethod
    def calibrate(cls, clips: Iterable[Clip], options: Mapping[str, object]) -> Mapping[str, object]:
        """The median peak."""
        return {"median": float(np.median([p.peak for c in clips if (p := c.maybe(Peak))]))}

    def annotate(self, clips: Sequence[Clip]) -> list[Rank]:
        """The ranks."""
        return [Rank("high" if c.of(Peak).peak > self._median else "low") for c in clips]


class FakeModel(Annotator[Weight]):
    """One, by a model that may be trouble to load, and that talks."""

    row = Weight
    version = 1
    needs = (Peak,)

    def __init__(
        self,
        *,
        load: Annotated[str, Option("what loading does: nothing, raise, die or hang")] = "nothing",
        leave_on: Annotated[str, Option("on such clips: close every file, then go on for ever")] = "",
        die_on: Annotated[str, Option("end the process on such clips")] = "",
    ) -> None:
        if load == "raise":
            raise FileNotFoundError("there is no model.bin")
        if load == "die":
            os._exit(7)
        if load == "hang":
            time.sleep(3600)
        self._leave_on, self._die_on = leave_on, die_on

    def annotate(self, clips: Sequence[Clip]) -> list[Weight]:
        """The weights."""
        return [self._weight(clip) for clip in clips]

    def _weight(self, clip: Clip) -> Weight:
        os.write(1, b"a progress bar\n" * 10_000)
        os.write(2, b"Timeout (0:00:01)! says a library\n" * 10_000)
        if self._leave_on and self._leave_on in clip.id:
            os.closerange(3, 256)
            time.sleep(3600)
        if self._die_on and self._die_on in clip.id:
            os._exit(9)
        return Weight(1.0)


class FakeSaid(Annotator[Said]):
    """Repeats the given text."""

    row = Said
    version = 1
    sees = frozenset({"text"})

    def annotate(self, clips: Sequence[Clip]) -> list[Said]:
        """What is seen."""
        names = [[n for n in Given.__slots__ if getattr(c.given, n) is not None] for c in clips]
        return [Said(c.given.text, ",".join(n)) for c, n in zip(clips, names, strict=True)]


class FakeLanguage(Annotator[Language]):
    """The given language."""

    row = Language
    version = 1
    sees = frozenset({"language"})

    def annotate(self, clips: Sequence[Clip]) -> list[Language]:
        """The languages."""
        return [Language(c.given.language, "given", None) for c in clips]


def items_of(count: int, **named: str) -> list[Item]:
    """Items clip-0, clip-1, ...; `named` maps a number like `n7` to another stem."""
    stems = {int(n[1:]): stem for n, stem in named.items()}
    return [
        Item(f"{stems.get(i, 'clip')}-{i}", AudioRef(f"{i}.wav"), Given(text=f"text {i}", gender="female"))
        for i in range(count)
    ]


def job_of(*, peak: Mapping[str, object] | None = None, rank: bool = True, **rest: object) -> Job:
    """Sound, peak, rank and said, in one pool."""
    specs = [
        WaySpec("sound", "fake", FakeSound),
        WaySpec("peak", "fake", FakePeak, peak or {}),
        WaySpec("said", "fake", FakeSaid),
    ]
    if rank:
        specs.append(WaySpec("rank", "fake", FakeRank))
    return make_job(specs, **{"shard_size": 10, **rest})  # type: ignore[arg-type]


class Silent(Watcher):
    """A watcher that keeps what it is told."""

    def __init__(self) -> None:
        self.lost_tasks: list[tuple[int, str, bool]] = []
        self.reports: list[Report] = []

    def report(self, plan: Plan, report: Report) -> None:
        """Keep it."""
        self.reports.append(report)

    def lost(self, task: Task, reason: str, given_up: bool) -> None:
        """Keep it."""
        self.lost_tasks.append((task.shard.index, reason, given_up))


class FakeGate(Annotator[Weight]):
    """Notes on which node it is, and goes on when the gate is open; the first clips find it open."""

    row = Weight
    version = 1
    needs = (Peak,)

    def __init__(
        self,
        *,
        folder: Annotated[str, Option("for the notes and the gate")] = "",
        free: Annotated[int, Option("clips that need not wait")] = 0,
    ) -> None:
        self._folder, self._free = Path(folder), free

    def annotate(self, clips: Sequence[Clip]) -> list[Weight]:
        """The weights, when they may be had."""
        import ray

        (self._folder / f"{ray.get_runtime_context().get_node_id()}.node").touch()
        while int(clips[0].id.rpartition("-")[2]) >= self._free and not (self._folder / "gate").exists():
            time.sleep(0.05)
        return [Weight(1.0) for _ in clips]
