"""What annotate --dry-run says is what annotate then does, and saying it writes nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from jobs.commands.foresee import facts_of, tell
from jobs.foresee import CHANGED, NEW, foresee
from jobs.jobfile import build_job
from pipeline.clip import AudioRef, Given
from pipeline.engine.flow import Outcome, annotate
from pipeline.engine.inline import InlineEngine
from pipeline.errors import SourceError
from pipeline.job import Job
from pipeline.source.base import Item
from pipeline.storage import Store
from tests.command import CLIPS, EXAMPLES, Ended, example, speechcraft, write_manifest
from tests.fakes import Silent, items_of, job_of

IDS = ("brother", "red-book", "meeting", "later")


def run(store: Store, items: list[Item], job: Job) -> Outcome:
    return annotate(items, job, store, InlineEngine(), Silent())


def told(store: Store, items: list[Item], job: Job) -> dict[str, dict[str, int]]:
    """Clips by annotator and reason."""
    before = {path: path.stat().st_mtime_ns for path in Path(store.full("")).rglob("*")}
    found = foresee(items, job, store)
    assert {path: path.stat().st_mtime_ns for path in Path(store.full("")).rglob("*")} == before
    return {
        name: {why: amount.clips for why, amount in amounts.items()} for name, amounts in found.work.items()
    }


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "run"))


def test_before_the_first_call_all_is_new(store: Store) -> None:
    assert told(store, items_of(25), job_of(rank=False)) == {
        name: {"new clips": 25} for name in ("sound-fake", "peak-fake", "said-fake")
    }


def test_after_it_nothing_is_left_to_do(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    run(store, items_of(25), job_of())
    found = foresee(items_of(25), job_of(), store)
    assert not any(found.work.values())
    tell(found, as_json=False)
    assert "25 clips in 3 shards: all is done, nothing would be computed." in capsys.readouterr().out


def test_a_changed_option_is_named_and_so_is_what_reads_it(store: Store) -> None:
    run(store, items_of(25), job_of())
    work = told(store, items_of(25), job_of(peak={"factor": 2.0}))
    assert work["peak-fake"] == {"changed: factor 1.0 to 2.0": 25}
    assert work["rank-fake"] == {"changed: reads peak": 25}
    assert work["sound-fake"] == work["said-fake"] == {}


@pytest.mark.parametrize(
    ("ignored", "cause"),
    [(False, "--ignore-given hides language"), (True, "the given language counts again")],
)
def test_that_the_given_is_ignored_from_now_on_or_no_longer_is_named_as_the_cause(
    store: Store, ignored: bool, cause: str
) -> None:
    items = [
        Item(id, AudioRef(str(CLIPS / EXAMPLES[id]["audio"]), version="1"), Given(language="en"))
        for id in IDS[:2]
    ]
    record = {"annotators": {"sound": "decode", "language": "script"}}
    before, now = (build_job(record, ignore_given=i, keep_given=["text"]) for i in (ignored, not ignored))
    run(store, items, before)
    assert told(store, items, now) == {"sound-decode": {}, "language-script": {f"changed: {cause}": 2}}


def test_clips_that_came_changed_or_went_cost_their_shards(store: Store) -> None:
    items = items_of(30)
    run(store, items, job_of(rank=False))
    items[3] = replace(items[3], audio=replace(items[3].audio, version="newer"))
    changed = [*items[:15], *items[16:], *items_of(37)[30:]]
    work = told(store, changed, job_of(rank=False))
    assert work["sound-fake"] == {"clips that changed or went away": 10 + 9, "new clips": 7}
    outcome = run(store, changed, job_of(rank=False))
    assert (
        sum(tally.ok for phase in outcome.phases for key, tally in phase.tallies.items() if "sound" in key)
        == 26
    )


def test_what_was_given_up_or_is_missing_is_told_apart(store: Store) -> None:
    outcome = run(store, items_of(20), job_of(rank=False))
    peak = outcome.job.of("peak")[0]
    for shard in outcome.shards:
        store.remove(shard.sidecar(peak.key))
    store.write(outcome.shards[0].failure, b"{}")
    assert told(store, items_of(20), job_of(rank=False))["peak-fake"] == {
        "given up before": 10,
        "not done yet": 10,
    }


def test_of_recordings_that_come_back_it_is_known_what_they_were_cut_into(tmp_path: Path) -> None:
    """They went away with a shorter source; their utterances are counted among all, and nothing is left."""
    spoken, rate_hz = soundfile.read(str(example("forecast")["audio"]), dtype="float32")
    long = np.concatenate([spoken, np.zeros(3 * rate_hz, np.float32), spoken[::-1]])
    names = ("a", "b", "c", "d")
    for name in names:
        soundfile.write(tmp_path / f"{name}.wav", long, rate_hz)
    lines = [{"id": name, "audio": str(tmp_path / f"{name}.wav"), "language": "en"} for name in names]
    job = tmp_path / "job.yaml"
    job.write_text("annotators: {cut: {use: vad, whole_s: 8}, sound: decode}\n")
    source = tmp_path / "clips.jsonl"

    def call(count: int, *more: object) -> Ended:
        write_manifest(source, *lines[:count])
        where = ("--job", job, "--out", tmp_path / "run", "--shard-size", 2)
        return speechcraft("annotate", source, *where, "--engine", "inline", "--json", *more)

    clips = call(4).json["clips"]
    assert clips > 4
    assert call(2).json["clips"] < clips
    said = call(4, "--dry-run").json
    assert said["total"]["clips"] == clips
    assert said["uncut"]["clips"] == 0
    assert call(4).json["annotators"] == {}


def test_a_new_annotator_is_called_so(store: Store) -> None:
    run(store, items_of(5), job_of(rank=False))
    assert told(store, items_of(5), job_of())["rank-fake"] == {"not in the job before": 5}


def test_the_table_and_the_json_say_the_same(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    found = foresee([replace(item, recording_s=3600.0) for item in items_of(25)], job_of(rank=False), store)
    tell(found, as_json=False)
    assert "25" in (text := capsys.readouterr().out)
    assert "25.00" in text
    assert "Nothing was written." in text
    facts = facts_of(found)
    assert facts["annotators"]["peak-fake"] == [
        {"why": "new clips", "shards": 3, "clips": 25, "seconds": 90_000.0}
    ]


def test_what_must_be_looked_through_first_counts_as_a_clip_each_by_what_is_new_and_what_changed(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    items = [Item(id, AudioRef(str(CLIPS / EXAMPLES[id]["audio"]), version="1")) for id in IDS]
    job = build_job({"annotators": {"cut": "vad", "sound": "decode", "energy": "levels"}, "shard_size": 2})
    assert told(store, items[:3], job) == {name: {NEW: 3} for name in ("sound-decode", "energy-levels")}
    run(store, items[:3], job)
    assert told(store, items[:3], job) == {"sound-decode": {}, "energy-levels": {}}
    changed = [replace(items[0], audio=replace(items[0].audio, version="2")), *items[1:]]
    assert told(store, changed, job)["energy-levels"] == {CHANGED: 2, NEW: 1}
    tell(foresee(changed, job, store), as_json=False)
    out = capsys.readouterr().out
    assert "Utterances are to be looked for in 3 recordings first" in out
    assert "Shards: 1 new, 1 changed." in out
    assert "Of 4 clips in 3 shards" in out
    assert "Nothing to do" not in out
    computed = run(store, changed, job).phases[-2].tallies
    assert {tally.ok for tally in computed.values()} == {2 + 1}


def test_shards_that_would_go_are_told(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    run(store, items_of(25), job_of(rank=False))
    tell(foresee(items_of(10), job_of(rank=False), store), as_json=False)
    assert "Shards: 2 gone with their clips." in capsys.readouterr().out


def test_a_source_without_clips_is_an_error(store: Store) -> None:
    with pytest.raises(SourceError, match="no clips"):
        foresee([], job_of(), store)
