"""A run that fails too much ends, with what is written; what is optional does not count."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from jobs.calls import read_calls
from jobs.recorded import job_of
from jobs.runs import Run
from pipeline import layout, sidecar
from pipeline.engine import earlier
from pipeline.engine.tolerance import MIN_SHARDS, _Rate
from pipeline.errors import OptionError
from pipeline.limits import allowed
from pipeline.rundir import Shard
from pipeline.storage import Store
from tests.command import dataset, example, sidecars, speechcraft
from tests.faulty.folder import Folder
from tests.jobs.review.said import say

ALL = dict.fromkeys(("brother", "red_book", "meeting", "zh_neighbour", "zh_match", "forecast"), "oom")


@pytest.mark.parametrize("limit", ["1", "20%"])
def test_a_run_in_which_too_many_clips_fail_ends_with_the_causes_and_keeps_what_is_written(
    tmp_path: Path, limit: str
) -> None:
    folder = Folder(tmp_path)
    folder.break_(**ALL)
    ended = folder.annotate("--max-failed-clips", limit)
    assert ended.code == 4
    assert ended.err.splitlines()[-1].startswith("2 of 6 clips failed, more than max_failed_clips")
    assert ended.err.splitlines()[-1].endswith("allows: energy: oom (2).")
    assert len(sidecars(folder.run)) == 4  # those of the first shard
    assert read_calls(Store(str(folder.run)))[-1].facts["state"].startswith("ended: 2 of 6")


def test_a_run_within_its_limit_goes_on(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.break_(red_book="oom")
    assert folder.annotate("--max-failed-clips", "1").code == 0


def test_a_clip_that_another_way_of_the_family_fills_is_no_failed_clip(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    job = tmp_path / "job.yaml"
    job.write_text(job.read_text().replace("{use", "[{use").replace("}\n  pitch", "}, levels]\n  pitch"))
    folder.break_(**ALL)
    ended = folder.annotate("--max-failed-clips", "0")
    assert ended.code == 0, ended.err
    assert {row["status"] for row in dataset(folder.run)} == {"ok"}


def test_a_clip_that_fails_again_as_it_was_corrected_is_one_failed_clip(tmp_path: Path) -> None:
    speed = f"tests.faulty.topic\n  speed: {{use: tests.faulty.speed, faults: {tmp_path / 'faults'}"
    folder = Folder(tmp_path, topic=speed + ", words: 1}")
    assert folder.annotate().code == 0
    say(tmp_path, "zh-match", "topic", "correct", "a match")
    folder.break_(zh_match="oom")
    ended = folder.annotate("--set", "speed.words=2", "--max-failed-clips", "1")
    assert ended.code == 0, ended.err
    assert [row["id"] for row in dataset(folder.run) if row["status"] == "failed"] == ["zh-match"]


def test_failures_of_earlier_calls_count_at_the_end(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.break_(red_book="oom", zh_match="oom")
    assert folder.annotate().code == 0
    ended = folder.annotate("--max-failed-clips", "1")
    assert ended.code == 4
    assert "2 of 6 clips failed" in ended.err
    assert len(dataset(folder.run)) == 6


def test_a_call_with_nothing_left_to_do_reads_no_sidecar_to_count_what_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder(tmp_path)
    folder.break_(red_book="oom", zh_match="oom")
    assert folder.annotate().code == 0
    monkeypatch.setattr(sidecar, "read_failures", lambda *_: pytest.fail("a sidecar was read"))
    assert folder.annotate("--max-failed-clips", "2").code == 0
    assert folder.annotate("--max-failed-clips", "1").code == 4


def test_while_what_failed_before_is_counted_that_is_what_the_run_is_doing(tmp_path: Path) -> None:
    folder, log = Folder(tmp_path), tmp_path / "log.jsonl"
    folder.break_(**ALL)
    assert folder.annotate("--max-failed-clips", "1").code == 4
    folder.annotate("--max-failed-clips", "1", "--log-json", log)
    said = [json.loads(line)["message"] for line in log.read_text().splitlines()]
    assert said.index("plan") < said.index("count earlier failures") < said.index("annotate begins")


def test_of_what_failed_before_a_few_files_are_asked_for_ahead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder(tmp_path)
    assert folder.annotate().code == 0
    store, named = Store(str(folder.run)), list[str]()
    shards, ways = layout.read_index(store), job_of(Run.open(store.url)).ways
    there = {way.key: np.ones(len(shards), bool) for way in ways}
    monkeypatch.setattr(earlier, "present", lambda *_: there)
    monkeypatch.setattr(earlier, "THREADS", 1)
    name = Shard.sidecar

    def noted(shard: Shard, key: str) -> str:
        named.append(key)
        return name(shard, key)

    monkeypatch.setattr(Shard, "sidecar", noted)
    found = earlier.earlier_failures(store, ways, shards)
    next(found)
    assert len(named) == 2
    assert len(list(found)) == len(ways) * len(shards) - 1


def test_a_run_that_was_ended_by_its_limit_does_not_get_further_by_the_same_command(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.break_(**ALL)
    assert folder.annotate("--max-failed-clips", "1").code == 4
    folder.break_(zh_match="oom")
    ended = folder.annotate("--max-failed-clips", "1")
    assert ended.code == 4
    assert ended.err.splitlines()[-1].startswith("2 of 6 clips failed")
    assert folder.called() == ["meeting", "zh-neighbour"]
    retried = folder.retry("--max-failed-clips", "1")
    assert retried.code == 0, retried.err
    assert [row["id"] for row in dataset(folder.run) if row["status"] == "failed"] == ["zh-match"]


def test_clips_that_fail_in_an_optional_annotator_are_no_failed_clips(tmp_path: Path) -> None:
    folder = Folder(tmp_path, more=", optional: true", topic="{use: tests.faulty.topic, optional: true}")
    folder.break_(red_book="oom", zh_match="raise")
    ended = folder.annotate("--max-failed-clips", "0", "--json")
    assert ended.code == 0, ended.err
    rows = {row["id"]: row for row in dataset(folder.run)}
    assert all(row["status"] == "ok" and row["error"] is None for row in rows.values())
    assert rows["red-book"]["rms_dbfs"] is None
    assert rows["red-book"]["topic"] is None
    assert rows["red-book"]["f0_median_hz"] is not None
    assert rows["red-book"]["skipped"].startswith("energy: oom: it was told to; topic: needs_energy: ")
    assert ended.json["failed"] == 0
    assert {t["cause"]: t["clips"] for t in ended.json["tolerated"]} == {
        "energy: oom": 1,
        "energy: zero_division_error": 1,
        "topic: needs_energy": 2,
    }
    found = speechcraft("status", folder.run, "--json").json["failures"]
    assert [(f["code"], f["optional"], f["clips"]) for f in found] == [
        ("oom", True, 1),
        ("zero_division_error", True, 1),
    ]


def test_an_optional_annotator_that_cannot_be_loaded_leaves_nulls(tmp_path: Path) -> None:
    folder = Folder(
        tmp_path, more=", load: fail, optional: true", topic="{use: tests.faulty.topic, optional: true}"
    )
    assert folder.annotate().code == 0
    rows = dataset(folder.run)
    assert [row["rms_dbfs"] for row in rows] == [None] * 6
    assert {row["status"] for row in rows} == {"ok"}
    assert "unloadable: energy=energy cannot be loaded" in rows[0]["skipped"]


def test_what_others_need_cannot_be_optional_alone(tmp_path: Path) -> None:
    ended = Folder(tmp_path, more=", optional: true").annotate()
    assert ended.code == 2
    assert "topic=topic needs energy, so energy can be optional only if it is too." in ended.err


def test_whether_an_annotator_is_optional_changes_no_sidecar(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.break_(red_book="oom")
    folder.annotate()
    before = sidecars(folder.run)
    assert folder.annotate("--set", "energy.optional=true", "--set", "topic.optional=true").code == 0
    assert sidecars(folder.run) == before
    assert {row["status"] for row in dataset(folder.run)} == {"ok"}


@pytest.mark.parametrize("limit", ["x", "-1", "1.5", "101%", "%", "1%%", ""])
def test_a_limit_is_a_number_or_a_share(limit: str) -> None:
    with pytest.raises(OptionError, match="takes a number, or a share such as 1%"):
        allowed("max_failed_clips", limit, 100)


def test_shares_are_of_all_there_is() -> None:
    assert allowed("n", "1%", 250) == 2.5
    assert allowed("n", "12", 250) == allowed("n", 12, 250) == 12


@pytest.mark.parametrize(("every", "above"), [(1, True), (3, True), (50, False), (200, False)])
def test_a_run_is_hopeless_only_when_its_share_is_surely_above_the_limit(every: int, above: bool) -> None:
    rate = _Rate()
    for shard in range(MIN_SHARDS * 2):
        assert not rate.above(0.02) or shard >= MIN_SHARDS
        rate.put(shard, 50, sum((50 * shard + i) % every == 0 for i in range(50)))
    assert rate.above(0.02) is above


def test_one_bad_shard_among_many_is_not_hopeless() -> None:
    rate = _Rate()
    for shard in range(60):
        rate.put(shard, 50, 50 * (shard == 7))
    assert not rate.above(0.01)


def test_each_failed_clip_is_one_line_of_json_however_hostile_its_text(tmp_path: Path) -> None:
    folder, log = Folder(tmp_path), tmp_path / "log.jsonl"
    folder.break_(red_book="oom", zh_match="raise")
    assert folder.annotate("--log-json", log).code == 0
    text = log.read_bytes()
    assert text.isascii()
    assert b"\x1b" not in text
    lines = [json.loads(line) for line in text.splitlines()]
    assert len({line["run"] for line in lines}) == 1
    failed = {line["clip"]: line for line in lines if line["message"] == "clip failed"}
    assert set(failed) == {"red-book", "zh-match"}
    found = failed["zh-match"]
    assert (found["shard"], found["attempt"], found["annotator"]) == (2, 1, "energy-energy")
    assert (found["code"], found["reason"]) == ("zero_division_error", "divided by \x1b[31mnothing")
    assert found["where"].startswith("tests/faulty/energy.py:")
    assert [line["shard"] for line in lines if line["message"] == "shard done"] == [0, 1, 2]
    assert lines[-1]["message"] == "annotate ends"


def test_a_log_on_standard_output_is_all_that_is_there(tmp_path: Path) -> None:
    ended = Folder(tmp_path).annotate("--log-json", "-")
    assert ended.code == 0
    assert [json.loads(line) for line in ended.out.splitlines()][-1]["clips"] == 6
    assert "Dataset: " in ended.err


def test_a_clip_that_failed_is_told_once_by_what_could_not_read_it_with_the_true_reason(
    tmp_path: Path,
) -> None:
    """Recordings whose length nobody tells are looked through first, and fail there too."""
    source, log = tmp_path / "clips", tmp_path / "log.jsonl"
    source.mkdir()
    shutil.copy(str(example("brother")["audio"]), source / "a.wav")
    for name in ("b.wav", "c.wav"):
        (source / name).write_bytes(b"no sound")
    (source / "c.txt").write_bytes(b"\xff\xff")
    job = tmp_path / "job.yaml"
    job.write_text("annotators: {cut: vad, sound: decode}\n")
    where = ("--job", job, "--out", tmp_path / "run", "--engine", "inline", "--log-json", log)
    assert speechcraft("annotate", source, *where).code == 0
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    told = [(n["clip"], n["annotator"], n["code"]) for n in lines if n["message"] == "clip failed"]
    assert told == [("b", "sound-decode", "not_sound"), ("c", "sound-decode", "bad_text")]
    assert any("find utterances begins" in line["message"] for line in lines)
