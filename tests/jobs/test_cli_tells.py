"""What a run holds is told in words and in JSON, and nothing in it steers the terminal."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from jobs.progress import RichWatcher
from pipeline.engine.flow import annotate
from pipeline.engine.inline import InlineEngine
from pipeline.storage import Store
from tests.command import dataset, example, speechcraft, write_manifest
from tests.fakes import items_of, job_of

SPOKEN = ("brother", "red-book", "meeting", "zh-neighbour", "zh-match")


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the embedded profile over five clips with text, and one whose sound is not there."""
    folder = tmp_path_factory.mktemp("spoken")
    lines = [example(id) for id in SPOKEN] + [example("later", id="gone", audio="gone.wav")]
    source = write_manifest(folder / "clips.jsonl", *lines)
    run = folder / "run"
    ended = speechcraft("annotate", source, "--out", run, "--engine", "inline", "--shard-size", 3)
    assert ended.code == 0, ended.err
    return run


def test_labels_of_other_clips_are_refused(spoken: Path, tmp_path: Path) -> None:
    labels = write_manifest(tmp_path / "labels.jsonl", {"id": "somebody-else", "text": "I told you."})
    ended = speechcraft("evaluate", spoken, "--labels", labels)
    assert (ended.code, ended.out) == (2, "")
    assert "the ids differ" in ended.err


def test_json_is_all_that_machines_read_on_stdout(spoken: Path, tmp_path: Path) -> None:
    labels = write_manifest(tmp_path / "labels.jsonl", {"id": "brother", "text": "I told you."})
    commands = {
        "status": ("status", spoken),
        "table": ("show", spoken, "--rows", 6),
        "clip": ("show", spoken, "brother"),
        "annotators": ("annotators",),
        "calibrate": ("calibrate", spoken),
        "evaluate": ("evaluate", spoken, "--labels", labels),
    }
    found = {name: speechcraft(*command, "--json") for name, command in commands.items()}
    assert {name: (ended.code, ended.err) for name, ended in found.items()} == dict.fromkeys(
        commands, (0, "")
    )
    assert found["status"].json["dataset"]["failed"] == 1
    assert found["status"].json["finished"] is True
    assert [row["id"] for row in found["table"].json] == [*SPOKEN, "gone"]
    assert found["clip"].json["given"]["speaker"] == "slt-wide"
    assert {"family", "way", "columns", "options", "models"} <= found["annotators"].json[0].keys()
    assert found["evaluate"].json


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("pitch", {"pitch-dio"}),
        ("pitch-dio", {"pitch-dio"}),
        ("Pitch: DIO", {"pitch-dio"}),
        ("small", {"speaker-small", "emotion-small", "emphasis-small"}),
        ("transcript-faster-whisper", {"transcript-faster_whisper"}),
    ],
)
def test_an_annotator_is_shown_by_any_of_its_names(name: str, found: set[str]) -> None:
    ended = speechcraft("annotators", name, "--json")
    assert {f"{one['family']}-{one['way']}" for one in ended.json} == found
    assert ended.json[0].keys() >= {"options", "columns", "models"}


def test_an_annotator_that_is_not_there_gets_those_that_are_like_it() -> None:
    ended = speechcraft("annotators", "pich")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        "There is no annotator 'pich'. Did you mean 'pitch'? `speechcraft annotators` lists all.\n"
    )


def test_a_clip_is_shown_with_every_column_and_where_it_came_from(spoken: Path) -> None:
    facts = {c["column"]: c for c in speechcraft("show", spoken, "brother", "--json").json["columns"]}
    columns = {c["name"] for way in speechcraft("annotators", "--json").json for c in way.get("columns", ())}
    assert facts.keys() <= columns
    assert set(dataset(spoken)[0]) & columns <= facts.keys()
    assert facts["f0_median_hz"] | {"value": 0} == {
        "column": "f0_median_hz", "unit": "Hz", "value": 0, "from": "pitch-dio"
    }  # fmt: skip
    page = speechcraft("show", spoken, "brother").out
    assert all(name in page for name, fact in facts.items() if fact["value"] is not None)


def test_a_clip_that_failed_is_shown_with_the_reason(spoken: Path) -> None:
    ended = speechcraft("show", spoken, "gone", "--json")
    sound = next(c for c in ended.json["columns"] if c["column"] == "duration_s")
    assert sound["why"].startswith("failed: not_found: ")
    assert "not_found" in speechcraft("show", spoken, "gone").out
    assert speechcraft("show", spoken, "nobody").code == 2


def test_status_names_each_cause_once_with_an_example(spoken: Path) -> None:
    facts = speechcraft("status", spoken, "--json").json
    assert facts["dataset"]["causes"] == {"sound: not_found": 1}
    assert facts["dataset"]["examples"]["sound: not_found"].startswith("gone: sound: not_found: ")
    assert "needs_sound" not in facts["dataset"]["examples"]["sound: not_found"]
    assert "6 clips, 5 ok, 1 failed" in speechcraft("status", spoken).out


HOSTILE = (
    "[red]x[/red]",
    "[/]",
    "[link=file:///etc/passwd]x",
    "back\\",
    "a\x1b[31m\x1b]0;title\x07",
    "l\u202er",
)


def test_names_and_words_of_a_corpus_cannot_steer_the_terminal(tmp_path: Path) -> None:
    lines = [
        example("brother", id=f"{i}{name}", text=f"I told {name}\nyou {name}", speaker=name, title=name)
        for i, name in enumerate(HOSTILE)
    ]
    lines += [example("brother", id=f"gone {name}", audio=f"{name}.wav") for name in HOSTILE]
    source = write_manifest(tmp_path / "clips.jsonl", *lines)
    run = tmp_path / "run"
    off = [
        part
        for name in ("emphasis", "words", "speed", "pitch", "topic", "labels")
        for part in ("--set", f"{name}=off")
    ]
    said = [speechcraft("annotate", source, "--out", run, "--engine", "inline", *off)]
    said += [speechcraft("status", run), speechcraft("show", run, "--rows", 2 * len(HOSTILE))]
    ids = [str(row["id"]) for row in dataset(run)]
    said += [speechcraft("show", run, id) for id in ids if not id.startswith("-")]
    assert {ended.code for ended in said} == {0}
    assert len(ids) == 2 * len(HOSTILE)
    for ended in said:
        assert not re.search(
            r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", ended.out + ended.err
        )
    assert "0[red]x[/red]" in said[2 + 1].out


def test_progress_says_clips_and_hours_per_second_and_the_time_left(tmp_path: Path) -> None:
    said = io.StringIO()
    console = Console(file=said, force_terminal=True, width=120, color_system=None)
    annotate(items_of(30), job_of(), Store(str(tmp_path)), InlineEngine(), RichWatcher(console))
    assert re.search(
        r"calibrate · cpu .* 3/3 shards [\d.]+ clips/s · [\d.e+-]+ h/s \(\d+x\) · 0:00 left", said.getvalue()
    )
