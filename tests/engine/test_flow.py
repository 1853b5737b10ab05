"""Laws of a run, whoever computes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.engine.flow import Outcome, annotate
from pipeline.engine.inline import InlineEngine
from pipeline.errors import OptionError, SourceError
from pipeline.job import Job, make_job
from pipeline.source.base import Item
from pipeline.storage import Store
from pipeline.way import WaySpec
from tests.command import dataset, dataset_files
from tests.fakes import FakePeak, FakeSound, Silent, items_of, job_of


def run(items: list[Item], job: Job, folder: Path) -> Outcome:
    return annotate(items, job, Store(str(folder)), InlineEngine(), Silent())


def test_n_clips_in_n_rows_out_in_the_same_order(tmp_path: Path) -> None:
    items = items_of(25, n3="bad", n17="bad")
    run(items, job_of(), tmp_path)
    assert [row["id"] for row in dataset(tmp_path)] == [item.id for item in items]


def test_a_failure_is_a_row_with_its_root_cause_first(tmp_path: Path) -> None:
    run(items_of(5, n3="bad"), job_of(), tmp_path)
    row = dataset(tmp_path)[3]
    assert row["status"] == "failed"
    assert str(row["error"]).startswith("sound: decode: no sound in here; ")
    assert row["peak"] is None
    assert row["said"] == "text 3"


def test_a_clip_that_raises_costs_its_own_row_only(tmp_path: Path) -> None:
    run(items_of(12), job_of(peak={"raise_on": "clip-5"}), tmp_path)
    rows = dataset(tmp_path)
    assert [i for i, row in enumerate(rows) if row["status"] == "failed"] == [5]
    assert "peak: zero_division_error: this clip divides by zero" in str(rows[5]["error"])


def test_what_exists_is_not_computed_again(tmp_path: Path) -> None:
    first = run(items_of(25), job_of(), tmp_path)
    again = run(items_of(25), job_of(), tmp_path)
    assert sum(p.tasks for p in first.phases) > 0
    assert sum(p.tasks for p in again.phases) == 0


def test_only_missing_sidecars_are_computed(tmp_path: Path) -> None:
    outcome = run(items_of(25), job_of(), tmp_path)
    peak = outcome.job.of("peak")[0]
    lost = tmp_path / outcome.shards[1].sidecar(peak.key)
    kept = tmp_path / outcome.shards[0].sidecar(peak.key)
    before = kept.stat().st_mtime_ns
    lost.unlink()
    again = run(items_of(25), job_of(), tmp_path)
    assert sum(p.tasks for p in again.phases) == 1
    assert lost.exists()
    assert kept.stat().st_mtime_ns == before


def test_a_changed_option_recomputes_what_depends_on_it_and_nothing_else(tmp_path: Path) -> None:
    first = run(items_of(25), job_of(), tmp_path).job
    second = run(items_of(25), job_of(peak={"factor": 2.0}), tmp_path).job
    changed = {a.family for a, b in zip(first.ways, second.ways, strict=True) if a.key != b.key}
    assert changed == {"peak", "rank"}
    assert dataset(tmp_path)[0]["peak"] == 0.02


def test_the_same_job_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        run(items_of(25), job_of(), tmp_path / name)
    one, other = (dataset_files(tmp_path / name) for name in ("a", "b"))
    assert [f.relative_to(tmp_path / "a") for f in one] == [f.relative_to(tmp_path / "b") for f in other]
    assert [f.read_bytes() for f in one] == [f.read_bytes() for f in other]


def test_thresholds_stay_frozen_when_clips_are_added(tmp_path: Path) -> None:
    first = run(items_of(10), job_of(), tmp_path)
    second = run(items_of(40), job_of(), tmp_path)
    assert first.job.of("rank")[0].options == second.job.of("rank")[0].options


def test_clips_that_are_added_leave_all_shards_alone_wherever_the_source_has_them(tmp_path: Path) -> None:
    items = items_of(35)
    run([*items[:10], *items[20:]], job_of(), tmp_path)
    again = run(items, job_of(), tmp_path)
    assert sum(p.tasks for p in again.phases) == 1
    ids = [row["id"] for row in dataset(tmp_path)]
    assert ids == [item.id for item in (*items[:10], *items[20:], *items[10:20])]


def test_a_clip_that_goes_away_costs_its_own_shard(tmp_path: Path) -> None:
    items = items_of(35)
    run(items, job_of(), tmp_path)
    again = run([*items[:13], *items[14:]], job_of(), tmp_path)
    assert sum(p.tasks for p in again.phases) == 1
    assert [row["id"] for row in dataset(tmp_path)] == [i.id for i in items if i.id != "clip-13"]


def test_changed_audio_is_annotated_again(tmp_path: Path) -> None:
    items = items_of(25)
    run(items, job_of(), tmp_path)
    from dataclasses import replace

    items[12] = replace(items[12], audio=replace(items[12].audio, version="newer"))
    again = run(items, job_of(), tmp_path)
    assert sum(p.tasks for p in again.phases) == 1


def test_an_annotator_sees_only_the_given_fields_it_declares(tmp_path: Path) -> None:
    run(items_of(3), job_of(), tmp_path)
    assert {row["seen"] for row in dataset(tmp_path)} == {"text"}


def test_ignoring_what_is_given_hides_it_from_every_annotator(tmp_path: Path) -> None:
    run(items_of(3), job_of(ignore_given=True), tmp_path)
    assert {row["seen"] for row in dataset(tmp_path)} == {""}


def test_what_is_kept_of_the_given_is_seen_all_the_same(tmp_path: Path) -> None:
    run(items_of(3), job_of(ignore_given=True, keep_given=frozenset({"text"})), tmp_path)
    assert {row["seen"] for row in dataset(tmp_path)} == {"text"}


def test_sound_that_was_not_kept_is_made_again_with_the_same_values(tmp_path: Path) -> None:
    run(items_of(12), job_of(), tmp_path / "kept")
    run(items_of(12), job_of(keep_sound=False), tmp_path / "not")
    outcome = run(items_of(12), job_of(keep_sound=False, peak={"factor": 3.0}), tmp_path / "not")
    reference = run(items_of(12), job_of(peak={"factor": 3.0}), tmp_path / "kept")
    assert dataset(tmp_path / "not") == dataset(tmp_path / "kept")
    assert outcome.joined.ok == reference.joined.ok == 12


def test_a_sidecar_says_how_it_came_about(tmp_path: Path) -> None:
    from pipeline.sidecar import provenance

    outcome = run(items_of(5), job_of(peak={"factor": 2.0}), tmp_path)
    way, shard = outcome.job.of("peak")[0], outcome.shards[0]
    facts = provenance(Store(str(tmp_path)), shard.sidecar(way.key))
    assert facts["fingerprint"] == way.fingerprint
    assert facts["options"]["factor"] == 2.0
    assert facts["manifest_hash"] == shard.hash
    assert {"annotator", "version", "models"} <= set(facts)


def test_a_source_without_clips_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no clips"):
        run([], job_of(), tmp_path)


def test_the_dataset_loads_with_the_library_its_users_use(tmp_path: Path) -> None:
    import datasets

    run(items_of(25), job_of(), tmp_path / "run")
    loaded = datasets.load_dataset(
        str(tmp_path / "run" / "dataset"), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert loaded["id"][:3] == ["clip-0", "clip-1", "clip-2"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"factr": 1.0}, "Did you mean 'factor'"),
        ({"factor": 99.0}, r"must lie in 0.0..10.0"),
        ({"factor": "loud"}, "takes a number"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_built(options: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        make_job([WaySpec("sound", "fake", FakeSound), WaySpec("peak", "fake", FakePeak, options)])


def test_a_need_the_job_does_not_have_is_named() -> None:
    with pytest.raises(OptionError, match="needs the annotator 'sound'"):
        make_job([WaySpec("peak", "fake", FakePeak)])
