"""What stands in a run directory is not replaced unasked, and no run reads what it wrote."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from jobs.sourcing import is_same, whole_name
from tests.command import CLIPS, EXAMPLES, Ended, dataset, example, sidecars, speechcraft, write_manifest

IDS = ("brother", "red-book", "meeting", "later")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a job of measures and two folders of two files each."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "job.yaml").write_text("annotators: {sound: decode, energy: levels}\nshard_size: 1\n")
    for folder, ids in (("a", IDS[:2]), ("b", IDS[2:])):
        (tmp_path / folder).mkdir()
        for id in ids:
            shutil.copy(CLIPS / EXAMPLES[id]["audio"], folder)
    return tmp_path


def annotate(source: object, out: object, *more: object) -> Ended:
    return speechcraft("annotate", source, "--out", out, "--job", "job.yaml", "--engine", "inline", *more)


def refused(ended: Ended, *parts: str) -> None:
    """In one sentence that says all of this."""
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1), ended
    for part in parts:
        assert part in ended.err


def ids(run: Path) -> list[str]:
    return [row["id"] for row in dataset(run)]


def test_another_source_is_refused_by_both_names_and_nothing_of_the_run_changes(here: Path) -> None:
    assert annotate("a", "run").code == 0
    before = {path: path.stat().st_mtime_ns for path in (here / "run").rglob("*")}
    for more in ((), ("--dry-run",)):
        refused(
            annotate("b", "run", *more),
            f"'{here / 'a'}'",
            f"{here / 'b'}' has 0 of its 2 clips",
            "--replace-source",
        )
    assert {path: path.stat().st_mtime_ns for path in (here / "run").rglob("*")} == before
    assert annotate("b", "run", "--replace-source").code == 0
    assert ids(here / "run") == ["later", "meeting"]
    assert annotate("b", "run").code == 0  # it is the source of the run from now on


def test_the_same_source_is_known_wherever_the_command_is_typed(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert annotate("a", "run").code == 0
    assert annotate(here / "a", "run").code == 0
    (here / "elsewhere" / "a").mkdir(parents=True)
    shutil.copy(CLIPS / EXAMPLES["later"]["audio"], here / "elsewhere" / "a")
    shutil.copy("job.yaml", here / "elsewhere")
    monkeypatch.chdir(here / "elsewhere")
    refused(annotate("a", here / "run"), f"'{here / 'a'}'")


def test_a_source_may_grow_change_and_lose_clips_under_its_name_but_not_all_of_them(here: Path) -> None:
    lines = [example(id) for id in IDS]
    write_manifest(here / "clips.jsonl", *lines[:2])
    assert annotate("clips.jsonl", "run").code == 0
    write_manifest(here / "clips.jsonl", lines[3], lines[1] | {"text": "another"})
    assert annotate("clips.jsonl", "run").code == 0
    assert ids(here / "run") == ["red-book", "later"]
    write_manifest(here / "clips.jsonl", lines[2])
    refused(annotate("clips.jsonl", "run"), "none of the 2 clips", f"'{here / 'clips.jsonl'}'")
    assert annotate("clips.jsonl", "run", "--replace-source").code == 0


def test_another_name_is_the_same_source_as_long_as_it_has_every_clip_as_it_is(here: Path) -> None:
    lines = [example(id) for id in IDS]
    for name, some in (("one", lines[:2]), ("more", lines[:3]), ("changed", [lines[0] | {"text": "x"}])):
        write_manifest(here / f"{name}.jsonl", *some)
    assert annotate("one.jsonl", "run").code == 0
    done = sidecars(here / "run")
    assert annotate("more.jsonl", "run").code == 0
    assert {name: sidecars(here / "run")[name] for name in done} == done
    refused(annotate("changed.jsonl", "run"), "has 0 of its 3 clips as they are")


def test_another_spelling_is_the_same_source_and_a_job_file_of_an_earlier_version_too(here: Path) -> None:
    edited, record = here / "a" / EXAMPLES["brother"]["audio"], here / "run" / "job.yaml"
    assert annotate("a", "run").code == 0
    for number, url in enumerate(("folder:a", f"file://{here}/a/", "folder:a/", "./a", "folder:./a")):
        os.utime(edited, (number, number))  # not every clip is as it was
        ended = annotate(url, "run")
        assert ended.code == 0, ended.err
    for number, noted in enumerate(("a", "folder:a", "./a/"), 10):
        record.write_text(yaml.safe_dump(yaml.safe_load(record.read_text()) | {"source": noted}))
        os.utime(edited, (number, number))
        ended = annotate("a", "run")
        assert ended.code == 0, ended.err
    refused(annotate("b", "run"), f"'{here / 'a'}'")


def test_whatever_links_and_schemes_lead_to_it_a_source_is_the_same(here: Path) -> None:
    edited = here / "a" / EXAMPLES["brother"]["audio"]
    (here / "link").symlink_to("a")
    assert annotate("a", "run").code == 0
    assert annotate("link", "run", "--json").json["annotators"] == {}
    for number, url in enumerate(("link", here / "link", "folder:link", "a")):
        os.utime(edited, (number, number))  # not every clip is as it was
        ended = annotate(url, "run")
        assert ended.code == 0, ended.err
    assert len(ids(here / "run")) == 2
    assert is_same("s3://bucket/a", "s3a://bucket/a")
    assert is_same("webdataset:s3a://bucket/a split=x", "webdataset:s3://bucket/a split=x")
    for other in ("memory://bucket/b", "s3://bucket/a", "webdataset:memory://bucket/a", "memory://bucket"):
        assert not is_same(other, "memory://bucket/a")


def test_a_link_to_a_manifest_is_another_source_where_its_clips_lie_beside_it(here: Path) -> None:
    lines = [{"id": id, "audio": EXAMPLES[id]["audio"]} for id in IDS[:2]]
    write_manifest(here / "a" / "clips.jsonl", *lines)
    (here / "linked.jsonl").symlink_to("a/clips.jsonl")
    assert annotate("a/clips.jsonl", "run").code == 0
    refused(annotate("linked.jsonl", "run"), "has 0 of its 2 clips as they are")


def test_a_mirror_of_a_manifest_is_the_same_source(here: Path) -> None:
    write_manifest(here / "clips.jsonl", *map(example, IDS[:2]))
    assert annotate("clips.jsonl", "run").code == 0
    done = sidecars(here / "run")
    (here / "mirror").mkdir()
    shutil.copy("clips.jsonl", "mirror/other.jsonl")
    assert annotate("mirror/other.jsonl", "run").code == 0
    assert sidecars(here / "run") == done


@pytest.mark.parametrize("source", ["speech", "speech/clips.jsonl"])
def test_a_project_that_was_moved_with_its_source_goes_on(
    here: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    (here / "old").mkdir()
    shutil.move("a", "old/speech")
    shutil.copy("job.yaml", "old")
    if source.endswith("jsonl"):
        lines = [{"id": id, "audio": EXAMPLES[id]["audio"]} for id in IDS[:2]]
        write_manifest(here / "old" / "speech" / "clips.jsonl", *lines)
    monkeypatch.chdir(here / "old")
    assert annotate(source, "run").code == 0
    monkeypatch.chdir(here)
    shutil.move("old", "new")
    monkeypatch.chdir(here / "new")
    ended = annotate(source, "run")
    assert ended.code == 0, ended.err
    assert len(ids(here / "new" / "run")) == 2
    monkeypatch.chdir(here)
    refused(annotate("b", "new/run"), "has 0 of its 2 clips")


def test_a_limit_may_grow_and_end_but_not_take_clips_away(here: Path) -> None:
    write_manifest(here / "clips.jsonl", *map(example, IDS))
    for limit in (("--limit", 1), ("--limit", 3), ()):
        assert annotate("clips.jsonl", "run", *limit).code == 0
    assert ids(here / "run") == list(IDS)
    refused(annotate("clips.jsonl", "run", "--limit", 3), "has 4 clips", "--limit 3 would take 1 of them")


def test_a_shard_size_that_comes_too_late_is_told(here: Path) -> None:
    assert annotate("a", "run").code == 0
    ended = annotate("a", "run", "--shard-size", 2, "--dry-run")
    assert ended.code == 0
    assert "made with 1 clip and stay as they are: a shard size of 2 counts for new clips only" in ended.err
    assert "shard size" not in annotate("a", "run", "--shard-size", 1, "--dry-run").err


@pytest.mark.parametrize(
    ("source", "out", "says"),
    [
        ("a", "a", "'a' is the source itself"),
        ("a", "linked", "'linked' is the source itself"),
        ("a", "a/deep/run", "lies in the source 'a'"),
        ("run/dataset", "run", "'run/dataset' is written by the run in 'run' itself"),
    ],
)
def test_a_run_does_not_write_where_it_reads(here: Path, source: str, out: str, says: str) -> None:
    (here / "linked").symlink_to("a")
    if source.startswith("run"):
        assert annotate("a", "run").code == 0
    before = sorted(here.rglob("*"))
    refused(annotate(source, out), says, "--out")
    assert sorted(here.rglob("*")) == before


def test_a_run_may_lie_beside_what_it_reads(here: Path) -> None:
    write_manifest(here / "a" / "manifest.jsonl", *map(example, IDS[:2]))
    for out in ("a/run", "a/.run"):  # a manifest names its files; hidden folders are not read
        assert annotate("a", out).code == 0
    Path("around").mkdir()
    shutil.move("b", "around/b")
    for _ in range(2):
        assert annotate("around/b", "around").code == 0
    assert ids(here / "around") == ["later", "meeting"]


def test_a_job_file_is_not_overwritten_by_the_record_of_a_run(here: Path) -> None:
    before = Path("job.yaml").read_bytes()
    for more in ((), ("--replace-source",)):
        refused(annotate("a", ".", *more), "job.yaml is not of a run, and is not touched")
    assert Path("job.yaml").read_bytes() == before


def test_options_of_the_source_are_given_on_the_command_line_or_in_the_job_file(here: Path) -> None:
    write_manifest(here / "clips.jsonl", *({"audio": EXAMPLES[id]["audio"]} for id in IDS[:2]))
    root = f"audio_root={CLIPS}"
    assert annotate("clips.jsonl", "run", "--json").json["ok"] == 0
    assert annotate("clips.jsonl", "other", "--source-option", root, "--json").json["ok"] == 2
    with (here / "job.yaml").open("a") as job:
        job.write(f"source_options: {{audio_root: {CLIPS}}}\n")
    assert annotate("clips.jsonl", "third", "--json").json["ok"] == 2
    over = annotate("clips.jsonl", "fourth", "--source-option", "audio_root=nowhere", "--json")
    assert over.json["ok"] == 0


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("audioroot=x", "There is no option of the source manifest 'audioroot'. Did you mean 'audio_root'?"),
        ("audio_root", "--source-option takes NAME=VALUE, not 'audio_root'."),
    ],
)
def test_an_option_the_source_does_not_have_is_refused_with_those_it_has(
    here: Path, option: str, says: str
) -> None:
    write_manifest(here / "clips.jsonl", example("brother"))
    refused(annotate("clips.jsonl", "run", "--source-option", option), says)


def test_an_option_that_is_true_or_false_or_text_is_taken_as_what_it_is(here: Path) -> None:
    refused(annotate("webdataset:b", "run", "--source-option", "shard_in_id=2"), "takes true or false")
    refused(annotate("webdataset:b", "run", "--source-option", "shard_in_id=true"), "There is no .tar file")
    refused(annotate("hf:b", "run", "--source-option", "split=2020"), "of the split '2020'")


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("a/../b/", "/here/b"),
        ("kaldi:data", "kaldi:/here/data"),
        ("s3://bucket/a", "s3://bucket/a"),
        ("s3://bucket/a/", "s3://bucket/a"),
        ("webdataset:s3://bucket/a/", "webdataset:s3://bucket/a"),
        ("file:///data/a/", "/data/a"),
        ("kaldi:file:///data/a", "kaldi:/data/a"),
        ("hf:org/name:en:train", "hf:org/name:en:train"),
        ("shards/{000..003}.tar", "/here/shards/{000..003}.tar"),
    ],
)
def test_a_source_has_one_name(url: str, whole: str, here: Path) -> None:
    assert whole_name(url, {}) == whole.replace("/here", str(here))
    assert whole_name(url, {"split": "test"}) == whole_name(url, {}) + " split=test"


def test_two_splits_of_a_dataset_are_two_sources(here: Path) -> None:
    for split, ids in (("train", IDS[:2]), ("test", IDS[2:])):
        rows = [{"audio": str(CLIPS / EXAMPLES[id]["audio"])} for id in ids]
        (here / "saved" / split).mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(rows), here / "saved" / split / "clips.parquet")
    one = ("--source-option", "split=train")
    assert annotate("hf:saved", "run", *one).code == 0
    refused(
        annotate("hf:saved", "run", "--source-option", "split=test"), "saved split=test' has 0 of its 2 clips"
    )
    assert annotate("hf:saved", "run", *one).code == 0
