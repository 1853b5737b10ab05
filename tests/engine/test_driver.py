"""What was written stays, what fails is tried again, and what is hopeless is said at once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline.annotator import Annotator, Heard, SoundAnnotator
from pipeline.clip import Clip
from pipeline.engine import worker
from pipeline.engine.flow import Outcome, annotate
from pipeline.engine.inline import InlineEngine
from pipeline.engine.tally import Tally
from pipeline.engine.worker import Task, Worker
from pipeline.errors import RunError
from pipeline.job import Job, make_job
from pipeline.lease import LOCK, held
from pipeline.rows import Enhance, Quality
from pipeline.rundir import calibration
from pipeline.storage import Store
from pipeline.way import WaySpec
from tests.command import dataset
from tests.fakes import FakeModel, FakePeak, FakeSound, Silent, items_of, job_of


def run(job: Job, folder: Path, count: int = 20) -> tuple[Outcome, Silent]:
    watcher = Silent()
    return annotate(items_of(count), job, Store(str(folder)), InlineEngine(), watcher), watcher


def test_a_shard_tried_again_keeps_what_it_had_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    log.mkdir()
    keep, failures = Worker.keep, iter([True, True, False])

    def fail_twice(self: Worker, shard: Any, way: Any, *rest: Any) -> Tally:
        if way.family == "peak" and next(failures):
            raise OSError("no space left on device")
        return keep(self, shard, way, *rest)

    monkeypatch.setattr(Worker, "keep", fail_twice)
    specs = [WaySpec("sound", "fake", FakeSound, {"log": str(log)}), WaySpec("peak", "fake", FakePeak)]
    outcome, watcher = run(make_job(specs), tmp_path / "run", 5)
    assert [given_up for _, _, given_up in watcher.lost_tasks] == [False, False]
    assert len(list(log.iterdir())) == 5
    assert outcome.joined.ok == 5


def test_an_annotator_that_cannot_be_loaded_ends_the_run_at_once(tmp_path: Path) -> None:
    specs = [
        WaySpec("sound", "fake", FakeSound),
        WaySpec("peak", "fake", FakePeak),
        WaySpec("weight", "fake", FakeModel, {"load": "raise"}),
    ]
    with pytest.raises(RunError, match=r"weight=fake cannot be loaded: FileNotFoundError: there is no model"):
        run(make_job(specs), tmp_path)


def test_a_shard_that_failed_while_calibrating_and_then_went_well_is_not_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, failures = Worker.run, iter([True] * 3)

    def fail_first(self: Worker, task: Task) -> worker.Report:
        if next(failures, False):
            raise OSError("away for a moment")
        return original(self, task)

    monkeypatch.setattr(Worker, "run", fail_first)
    outcome, watcher = run(job_of(), tmp_path)
    assert [given_up for _, _, given_up in watcher.lost_tasks] == [False, False, True]
    assert outcome.given_up == []
    assert outcome.joined.ok == 20
    assert not list((tmp_path / "failures").iterdir())


def test_two_runs_in_one_directory_do_not_meet(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    with held(store), pytest.raises(RunError, match="Another run is at work in"):
        run(job_of(), tmp_path)
    assert run(job_of(), tmp_path)[0].joined.ok == 20
    assert LOCK not in store.names()


def test_what_a_killed_writer_left_behind_is_swept_away(tmp_path: Path) -> None:
    outcome, _ = run(job_of(), tmp_path)
    left = tmp_path / outcome.job.ways[0].key / ".tmp-1234"
    left.write_bytes(b"half a shard")
    run(job_of(), tmp_path)
    assert not left.exists()


def test_thresholds_are_the_same_objects_when_made_and_when_read(tmp_path: Path) -> None:
    first, second = run(job_of(), tmp_path)[0], run(job_of(), tmp_path)[0]
    assert repr(first.job.of("rank")[0].options) == repr(second.job.of("rank")[0].options)


def test_thresholds_that_are_no_numbers_are_refused_and_not_kept(tmp_path: Path) -> None:
    items = items_of(3, n0="bad", n1="bad", n2="bad")
    store = Store(str(tmp_path))
    with pytest.warns(RuntimeWarning), pytest.raises(RunError, match="give no thresholds for rank"):
        annotate(items, job_of(), store, InlineEngine(), Silent())
    assert not store.exists(calibration("rank"))


def test_sound_made_again_is_made_from_what_it_was_made_from(tmp_path: Path) -> None:
    def peaks(folder: Path, keep_sound: bool) -> list[object]:
        for factor in (1.0, 2.0):
            run(_enhancing(keep_sound, {"factor": factor}), folder, 3)
        return [row["peak"] for row in dataset(folder)]

    kept = peaks(tmp_path / "kept", True)
    assert kept == [0.04, 0.08, 0.12]  # twice for the enhancement, twice for the factor
    assert peaks(tmp_path / "not", False) == kept


class FakeQuality(Annotator[Quality]):
    """An SNR of 2 dB."""

    row = Quality
    version = 1
    hears = "raw"

    def annotate(self, clips: Sequence[Clip]) -> list[Quality]:
        """The same for all."""
        return [Quality(2.0, None) for _ in clips]


class FakeEnhance(SoundAnnotator[Enhance]):
    """As many times louder as the SNR has dB."""

    row = Enhance
    version = 1
    hears = "raw"
    needs = (Quality,)

    def hear(self, clips: Sequence[Clip]) -> list[Heard[Enhance]]:
        """The louder sound."""
        return [Heard(Enhance(True, "low"), c.speech * (c.of(Quality).snr_db or 0.0)) for c in clips]


class HearsSpeech(FakePeak):
    """The peak of the enhanced sound."""

    hears = "speech"


def _enhancing(keep_sound: bool, peak: Mapping[str, object]) -> Job:
    specs = [
        WaySpec("sound", "fake", FakeSound),
        WaySpec("quality", "fake", FakeQuality),
        WaySpec("enhance", "fake", FakeEnhance),
        WaySpec("peak", "fake", HearsSpeech, peak),
    ]
    return make_job(specs, keep_sound=keep_sound)


def test_a_failure_is_told_without_hosts_or_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Worker, task: Task) -> worker.Report:
        raise OSError("away")

    monkeypatch.setattr(Worker, "run", fail)
    outcome, _ = run(job_of(rank=False), tmp_path, 5)
    facts = json.loads((tmp_path / outcome.shards[0].failure).read_text())
    assert facts["reason"] == "OSError: away"
    assert facts["attempts"] == 3
