"""Status tells what failed and why, and how to try it again, whatever the run is at; and what it has cost."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pytest

from jobs.calls import BEAT_S, CallRecord, new_call_id, read_calls
from pipeline import sidecar
from pipeline.annotator import Away
from pipeline.engine.worker import Worker
from pipeline.storage import Store
from tests.command import Ended, example, speechcraft, write_manifest
from tests.faulty.folder import Folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A run in which the level of three clips failed, for two causes."""
    folder = Folder(tmp_path_factory.mktemp("status"))
    folder.break_(red_book="oom", meeting="oom", zh_match="raise")
    assert folder.annotate().code == 0
    return folder


def status(folder: Folder, *more: object) -> Ended:
    ended = speechcraft("status", folder.run, *more)
    assert ended.code == 0, ended.err
    return ended


def wait_for(holds: Callable[[], bool]) -> None:
    """As long as a beat of the record takes would be too long."""
    until = time.monotonic() + BEAT_S / 2
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)


CAUSES = [
    ("energy", "oom", 2, [0, 1], ["red-book", "meeting"]),
    ("energy", "zero_division_error", 1, [2], ["zh-match"]),
]


def causes(folder: Folder) -> list[tuple[str, str, int, list[int], list[str]]]:
    found = status(folder, "--json").json["failures"]
    return [
        (f["annotator"], f["code"], f["clips"], f["shards"], [row["clip"] for row in f["rows"]])
        for f in found
    ]


def test_each_cause_stands_once_with_its_shards_its_clips_and_the_command_that_tries_it_again(
    folder: Folder,
) -> None:
    assert causes(folder) == CAUSES
    said = status(folder).out
    retry = shlex.join(["speechcraft", "retry", str(folder.run), "--annotator", "energy", "--code", "oom"])
    assert "shards 0, 1; clips red-book, meeting" in said
    assert retry in said


def test_of_a_text_that_cannot_be_said_no_retry_is_proposed_but_what_can_help(tmp_path: Path) -> None:
    source = write_manifest(tmp_path / "clips.jsonl", example("brother", text="word " * 500))
    job, run = tmp_path / "job.yaml", tmp_path / "run"
    job.write_text(
        "annotators: {sound: decode, language: script, transcript: pocketsphinx, words: pocketsphinx}"
    )
    assert speechcraft("annotate", source, "--job", job, "--engine", "inline", "--out", run).code == 0
    (cause,) = speechcraft("status", run, "--json").json["failures"]
    assert (cause["annotator"], cause["code"], cause["retry"]) == ("words", "too_many_words", None)
    said = " ".join(speechcraft("status", run).out.split())
    assert "a retry would find the same: give these clips the text that is said in them" in said
    assert "speechcraft retry" not in said


def test_what_cuts_recordings_is_told_with_the_shards_it_looked_through(tmp_path: Path) -> None:
    job, run = tmp_path / "job.yaml", tmp_path / "run"
    job.write_text("annotators: {cut: {use: vad, whole_s: 2}, sound: decode}")
    lines = [example("brother", duration=1.0), example("forecast"), example("later")]
    source = write_manifest(tmp_path / "clips.jsonl", *lines)
    command = ("annotate", source, "--job", job, "--engine", "inline", "--out", run, "--shard-size", 1)
    ended = speechcraft(*command)
    assert ended.code == 0
    assert re.search("cut-vad +2 +0 +0 ", ended.out)
    assert "cut-vad counts recordings, the others clips." in " ".join(ended.out.split())
    assert speechcraft("status", run, "--json").json["cut"] == {"cut-vad": [2, 2]}
    assert "2 of 2 looked through for utterances" in speechcraft("status", run).out
    write_manifest(source, lines[0])
    assert speechcraft(*command, "--replace-source").code == 0
    assert re.search("cut-vad +nothing to cut", speechcraft("status", run).out)


def test_no_sidecar_is_read_where_the_dataset_tells(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sidecar, "read_failures", lambda *_: pytest.fail("a sidecar was read"))
    assert causes(folder) == CAUSES


def test_without_a_dataset_the_sidecars_tell_the_same(tmp_path: Path) -> None:
    unjoined = Folder(tmp_path)
    unjoined.break_(red_book="oom", meeting="oom", zh_match="raise")
    with patch("pipeline.engine.flow.join", side_effect=KeyboardInterrupt):
        assert unjoined.annotate().code == 130
    assert causes(unjoined) == CAUSES
    assert status(unjoined, "--json").json["finished"] is False


@pytest.mark.parametrize("left", [0, 8, 200])
def test_a_damaged_sidecar_is_one_sentence_with_its_name(tmp_path: Path, left: int) -> None:
    folder = Folder(tmp_path)
    folder.break_(red_book="oom")
    assert folder.annotate().code == 0
    shutil.rmtree(folder.run / "dataset")
    path, lost = (min(folder.run.glob(f"{way}@*/*.parquet")) for way in ("energy-energy", "topic-topic"))
    path.write_bytes(path.read_bytes()[:left])
    lost.unlink()
    for ended in (
        speechcraft("status", folder.run),
        folder.retry(),
        folder.annotate("--max-failed-clips", "5"),
    ):
        assert (ended.code, ended.err.splitlines()[-1].count(f"{path} is damaged (")) == (2, 1), ended


def test_a_shard_that_was_given_up_is_told_with_its_reason(tmp_path: Path) -> None:
    folder, run = Folder(tmp_path), Worker.run

    def fails_on_one(self: Worker, task: object) -> object:
        if getattr(task, "shard").index == 1:  # noqa: B009
            raise OSError("away for a moment")
        return run(self, task)  # type: ignore[arg-type]

    with patch.object(Worker, "run", fails_on_one):
        assert folder.annotate().code == 3
    found = status(folder, "--json").json
    assert [(f["shard"], f["attempts"]) for f in found["given_up"]] == [(1, 3)]
    assert found["failures"] == []
    assert "shard 1 was given up after 3 attempts: OSError: away for a moment" in status(folder).out


def test_text_of_a_corpus_steers_no_terminal(folder: Folder) -> None:
    said = status(folder, "--all").out
    assert "divided by" in said
    assert "\x1b" not in said


def test_costs_of_all_calls_are_added_up_whatever_ended_them(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.break_(red_book="oom")
    with patch("pipeline.engine.flow.join", side_effect=KeyboardInterrupt):
        assert folder.annotate().code == 130
    first = {line["annotator"]: line for line in status(folder, "--json").json["costs"]}
    folder.break_()
    assert folder.retry().code == 0
    found = status(folder, "--json").json
    second = {line["annotator"]: line for line in found["costs"]}
    assert found["calls"] == 2
    assert [call.facts["state"] for call in read_calls(Store(str(folder.run)))] == ["interrupted", "done"]
    assert second["pitch-dio"] == {**first["pitch-dio"], "share": second["pitch-dio"]["share"]}
    assert second["energy-energy"]["compute_s"] > first["energy-energy"]["compute_s"]
    assert second["energy-energy"]["speech_s"] > first["energy-energy"]["speech_s"] > 0
    assert sum(line["share"] for line in second.values()) == pytest.approx(1.0, abs=0.001)
    assert all(0 < line["peak_rss_gb"] < 64 for line in second.values())


def test_a_call_is_running_until_it_says_how_it_ended(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.annotate()
    store = Store(str(folder.run))
    assert status(folder, "--json").json["running"] is None
    record = CallRecord(store, new_call_id(), "annotate")
    record.away([Away("http://nobody", "connection refused", 1.5e9, 1500)])
    record.doing("plan")
    running = status(folder, "--json").json["running"]
    assert [one["service"] for one in running["away"]] == ["http://nobody"]
    assert "Waiting: http://nobody does not answer since 2017-07-14T02:40:00+00:00" in status(folder).out
    assert (running["life"], running["pid"], running["doing"]) == ("running", os.getpid(), "plan")
    assert "Running: annotate since" in status(folder).out
    record.close("done")
    assert status(folder, "--json").json["running"] is None


def test_what_a_call_turns_to_is_told_at_once_and_how_old_the_word_is(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.annotate()
    record = CallRecord(Store(str(folder.run)), new_call_id(), "annotate")
    try:
        for what in ("plan", "join"):
            record.doing(what)
            wait_for(lambda what=what: status(folder, "--json").json["running"]["doing"] == what)  # type: ignore[misc]
        assert re.search(
            r"; join; 0 tasks in flight, as of \d+ s ago\.", " ".join(status(folder).out.split())
        )
    finally:
        record.close("done")


@pytest.mark.parametrize(
    ("change", "life"),
    [({"pid": 2**22 + 1}, "dead"), ({"at": "2020-01-01T00:00:00+00:00"}, "silent")],
    ids=["dead", "silent"],
)
def test_a_call_that_was_killed_is_not_said_to_run(
    tmp_path: Path, change: dict[str, object], life: str
) -> None:
    folder = Folder(tmp_path)
    folder.annotate()
    record = next((folder.run / "calls").iterdir())
    record.write_text(json.dumps(json.loads(record.read_text()) | {"state": "running"} | change))
    assert status(folder, "--json").json["running"]["life"] == life
    assert "Stale: annotate since" in status(folder).out
