"""What failed can be tried again by itself: all else stays byte for byte, and a kill costs nothing."""

from __future__ import annotations

import shutil
from pathlib import Path
from unittest.mock import patch

import pytest

from pipeline.engine.worker import Worker
from pipeline.storage import Store
from tests.command import dataset, sidecars, speechcraft
from tests.faulty.folder import Folder
from tests.jobs.review.said import say


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a run in which nothing failed."""
    folder = Folder(tmp_path_factory.mktemp("undisturbed"))
    assert folder.annotate().code == 0
    return folder.bytes_()


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Folder, Path]:
    """A run in which the level of two clips, in two shards, failed for two causes; and a copy of it all."""
    folder = Folder(tmp_path_factory.mktemp("broken"))
    folder.break_(red_book="oom", zh_match="raise")
    assert folder.annotate().code == 0
    assert {row["id"] for row in dataset(folder.run) if row["status"] == "failed"} == {"red-book", "zh-match"}
    return folder, Path(shutil.copytree(folder.path, tmp_path_factory.mktemp("kept") / "copy"))


@pytest.fixture
def folder(broken: tuple[Folder, Path]) -> Folder:
    """That run, as it was made."""
    folder, kept = broken
    shutil.rmtree(folder.path)
    shutil.copytree(kept, folder.path)
    return folder


def test_once_the_cause_is_gone_a_retry_gives_the_bytes_of_a_run_that_never_failed(
    folder: Folder, undisturbed: dict[str, bytes]
) -> None:
    folder.break_()
    before = sidecars(folder.run)
    ended = folder.retry()
    assert ended.code == 0, ended.err
    assert "4 rows of 2 shards to be computed again." in ended.err
    assert folder.bytes_() == undisturbed
    assert folder.called() == ["red-book", "zh-match"]
    after = sidecars(folder.run)
    changed = {name.partition("@")[0] for name in before if before[name] != after[name]}
    assert changed == {"energy-energy", "topic-topic"}
    assert not list(folder.run.glob("again/**/*.parquet"))


@pytest.mark.parametrize(
    ("condition", "called"),
    [
        (["--code", "oom"], ["red-book"]),
        (["--shard", "2"], ["zh-match"]),
        (["--clip", "zh-match"], ["zh-match"]),
        (["--annotator", "energy", "--code", "zero_division_error"], ["zh-match"]),
        (["--annotator", "energy-energy", "--clip", "brother", "--all"], ["brother"]),
        (["--annotator", "pitch"], []),
    ],
    ids=lambda value: " ".join(value),
)
def test_only_the_rows_that_are_meant_are_computed_again(
    folder: Folder, condition: list[str], called: list[str]
) -> None:
    folder.break_()
    assert folder.retry(*condition).code == 0
    assert folder.called() == called


def test_a_retry_costs_what_it_computed_and_tells_of_no_other_row(folder: Folder) -> None:
    lengths = {row["id"]: row["duration_s"] for row in dataset(folder.run)}
    first = {line["annotator"]: line for line in speechcraft("status", folder.run, "--json").json["costs"]}
    folder.break_()
    ended = folder.retry("--json")
    tried = lengths["red-book"] + lengths["zh-match"]
    for line in ended.json["costs"]:
        again = tried if line["annotator"] in ("energy-energy", "topic-topic") else 0.0
        assert line["speech_s"] == pytest.approx(first[line["annotator"]]["speech_s"] + again, abs=0.01)
    assert {name: found["ok"] for name, found in ended.json["annotators"].items()} == {
        "energy-energy": 2,
        "topic-topic": 2,
    }


def test_the_table_of_a_retry_tells_what_it_did_and_at_what_cost_and_nothing_of_earlier_calls(
    folder: Folder,
) -> None:
    lengths = {row["id"]: row["duration_s"] for row in dataset(folder.run)}
    folder.break_()
    ended = folder.retry("--json", "--code", "oom")
    for found in ended.json["annotators"].values():
        assert (found["ok"], found["skipped"], found["failed"]) == (1, 0, 0)
        assert found["speech_s"] == pytest.approx(lengths["red-book"], abs=0.01)
    assert sum(found["share"] for found in ended.json["annotators"].values()) == pytest.approx(1, abs=1e-3)
    said = " ".join(folder.retry("--code", "zero_division_error").out.split())
    assert "All of this call; `speechcraft status` adds up all calls." in said


def test_what_an_earlier_call_marked_is_computed_with_what_is_asked_for_and_that_is_said(
    folder: Folder, undisturbed: dict[str, bytes]
) -> None:
    folder.break_()
    assert folder.retry("--mark-only", "--code", "oom").code == 0
    ended = folder.retry("--code", "zero_division_error")
    said = " ".join(ended.err.split())
    assert "2 rows of 1 shard to be computed again." in said
    assert (
        "The run still lacks 2 rows that an earlier retry marked (oom): computed as well, as its dataset has "
        "every row."
    ) in said
    assert folder.called() == ["red-book", "zh-match"]
    assert folder.bytes_() == undisturbed


def test_what_the_source_is_wrong_about_is_left_to_annotate(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    source = folder.path / "clips.jsonl"
    lines = source.read_text("utf-8").splitlines(keepends=True)
    source.write_text("".join([lines[0], "{broken\n", *lines[1:], lines[0]]), "utf-8")
    assert folder.annotate().code == 0
    found = {f["code"]: f for f in speechcraft("status", folder.run, "--json").json["failures"]}
    assert {code: f["retry"] for code, f in found.items()} == {"bad_line": None, "duplicate_id": None}
    said = speechcraft("status", folder.run).out
    assert "put the source right, and run the same annotate command" in said
    assert "speechcraft retry" not in said
    before = folder.bytes_()
    ended = folder.retry()
    assert ended.code == 0
    assert "Left as they are, for what the source says of them: bad_line (1), duplicate_id (1)" in ended.err
    assert folder.bytes_() == before
    source.write_text("".join(lines), "utf-8")
    assert folder.annotate().code == 0
    assert all(row["status"] == "ok" for row in dataset(folder.run))


def test_what_was_only_marked_is_computed_by_the_next_annotate(
    folder: Folder, undisturbed: dict[str, bytes]
) -> None:
    folder.break_()
    assert folder.retry("--mark-only", "--json").json == {"rows": 4, "shards": [0, 2]}
    assert folder.called() == []
    assert speechcraft("status", folder.run, "--json").json["to_be_computed_again"] == 4
    assert folder.annotate().code == 0
    assert folder.called() == ["red-book", "zh-match"]
    assert folder.bytes_() == undisturbed


@pytest.mark.parametrize("corrected", [{"red-book"}, {"red-book", "brother", "zh-match"}])
def test_what_failed_of_a_corrected_clip_can_be_tried_again(folder: Folder, corrected: set[str]) -> None:
    for clip in sorted(corrected):
        say(folder.path, clip, "topic", "correct", f"what is said of {clip}")
    assert folder.annotate().code == 0
    folder.break_()
    ended = folder.retry()
    assert ended.code == 0, ended.err
    assert folder.called() == ["red-book", "zh-match"]
    after = {row["id"]: row for row in dataset(folder.run)}
    assert {row["status"] for row in after.values()} == {"ok"}
    assert after["red-book"]["rms_dbfs"] is not None
    assert all(after[clip]["topic"] == f"what is said of {clip}" for clip in corrected)


@pytest.mark.parametrize("writes", range(9))
def test_the_same_retry_after_a_kill_ends_with_the_same_bytes(
    folder: Folder, undisturbed: dict[str, bytes], writes: int
) -> None:
    folder.break_()
    left = iter(range(writes))
    write, remove = Store.write, Store.remove_files

    def killed(call: object) -> object:
        def step(*arguments: object) -> object:
            if next(left, None) is None:
                raise KeyboardInterrupt
            return call(*arguments)  # type: ignore[operator]

        return step

    with patch.object(Store, "write", killed(write)), patch.object(Store, "remove_files", killed(remove)):
        assert folder.retry().code == 130
    ended = folder.retry()
    assert ended.code == 0, ended.err
    assert folder.bytes_() == undisturbed


@pytest.mark.parametrize(
    "killed_at",
    [
        "pipeline.storage.Store.remove_files",  # what stands is written
        "jobs.commands.retry.drive",  # all is marked, nothing computed
        "pipeline.engine.worker.Worker.forget_mark",  # the failed row is computed, not what is made from it
        "pipeline.engine.flow.join",  # nothing is left of the marks
    ],
)
def test_a_code_is_known_until_the_retry_of_it_has_come_to_its_end(
    tmp_path: Path, undisturbed: dict[str, bytes], killed_at: str
) -> None:
    folder = Folder(tmp_path)
    folder.break_(red_book="oom")
    assert folder.annotate().code == 0
    folder.break_()
    with patch(killed_at, side_effect=KeyboardInterrupt):
        assert folder.retry("--code", "oom").code == 130
    ended = folder.retry("--code", "oom")
    assert ended.code == 0, ended.err
    assert folder.bytes_() == undisturbed
    ended = folder.retry("--code", "oom")
    assert (ended.code, ended.err) == (2, "There is no cause of failed rows 'oom'. There is: none.\n")


def test_what_fails_again_stays_failed_and_can_be_tried_once_more(
    folder: Folder, undisturbed: dict[str, bytes]
) -> None:
    folder.break_(red_book="oom")
    assert folder.retry().code == 0
    assert {row["id"] for row in dataset(folder.run) if row["status"] == "failed"} == {"red-book"}
    folder.break_()
    assert folder.retry().code == 0
    assert folder.bytes_() == undisturbed


def test_sound_that_was_not_kept_is_made_again_for_what_listens(tmp_path: Path) -> None:
    folder = Folder(tmp_path, keep_sound=False)
    folder.break_(red_book="oom")
    assert folder.annotate().code == 0
    folder.break_()
    assert folder.retry().code == 0
    assert folder.called() == ["red-book"]
    assert all(row["status"] == "ok" for row in dataset(folder.run))


def test_where_nothing_failed_nothing_is_done(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.annotate()
    before = folder.bytes_()
    ended = folder.retry()
    assert (ended.code, ended.out) == (0, "No row is to be computed again that was not already.\n")
    assert folder.bytes_() == before


def test_a_shard_that_was_given_up_is_tried_again(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    run = Worker.run

    def fails(self: Worker, task: object) -> object:
        raise OSError("away for a moment")

    with patch.object(Worker, "run", fails):
        assert folder.annotate().code == 3
    with patch.object(Worker, "run", run):
        assert folder.retry("--shard", 0).code == 0
    assert all(row["status"] == "ok" for row in dataset(folder.run))


@pytest.mark.parametrize(
    ("condition", "sentence"),
    [
        (["--annotator", "enrgy"], "Did you mean 'energy'?"),
        (["--shard", "7"], "There is no shard 7"),
        (["--clip", "nobody"], "There is no clip 'nobody'"),
        (["--code", "omm"], "Did you mean 'oom'? There is: oom, zero_division_error."),
        (
            ["--code", "oom", "--annotator", "pitch"],
            "There is no cause of failed rows 'oom'. There is: none.",
        ),
        (["--all"], "With --all say what"),
        (["--all", "--code", "oom"], "not both"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_there_cannot_be_tried_again(folder: Folder, condition: list[str], sentence: str) -> None:
    before = folder.bytes_()
    ended = folder.retry(*condition)
    assert ended.code == 2
    assert sentence in ended.err
    assert folder.bytes_() == before
