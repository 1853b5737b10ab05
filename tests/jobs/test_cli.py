"""What a person types is carried out, or refused in one sentence; what is done is never done again."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from jobs.progress import RichWatcher
from pipeline.engine.flow import annotate
from pipeline.engine.inline import InlineEngine
from pipeline.storage import Store
from tests.command import Ended, dataset, dataset_files, example, sidecars, speechcraft, write_manifest
from tests.fakes import items_of, job_of

ROOT = Path(__file__).parents[2]
MEASURES = "annotators: {sound: decode, quality: measured, energy: levels}\n"
SPOKEN = ("brother", "red-book", "meeting", "zh-neighbour", "zh-match")


@pytest.fixture
def light(tmp_path: Path) -> tuple[object, ...]:
    """A job of measures alone over four short clips."""
    source = write_manifest(tmp_path / "clips.jsonl", *map(example, SPOKEN[:4]))
    job = tmp_path / "job.yaml"
    job.write_text(MEASURES)
    return ("annotate", source, "--job", job, "--engine", "inline", "--shard-size", 2)


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


LOADED = """
import json, sys
import annotators
from jobs.cli import main
try:
    main()
except SystemExit:
    pass
sys.stderr.write(json.dumps(sorted(sys.modules)))
"""


def loaded_by(*arguments: object) -> set[str]:
    """The modules a fresh interpreter holds after a command."""
    command = [sys.executable, "-c", LOADED, *map(str, arguments)]
    ended = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return set(json.loads(ended.stderr.splitlines()[-1]))


def test_help_loads_no_engine_and_no_annotator() -> None:
    loaded = loaded_by("--help")
    assert not loaded & {"ray", "torch", "pyarrow", "datasets", "scipy", "av", "pyworld", "pocketsphinx"}
    assert not [name for name in loaded if name.startswith("annotators.")]


def test_a_wrong_option_is_found_before_ray_is_even_imported(tmp_path: Path) -> None:
    loaded = loaded_by("annotate", "examples/clips", "--out", tmp_path / "run", "--set", "pitch.flor_hz=60")
    assert "annotators.pitch.dio" in loaded
    assert "ray" not in loaded
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["annotate"], "Missing argument 'source'"),
        (["annotate", "examples/clips"], "Missing option '--out'"),
        (["annotate", "nowhere", "--out", "RUN"], "There is nothing at 'nowhere'; a source is a folder"),
        (["annotate", "README.md", "--out", "RUN"], "'README.md' is of no form that is read"),
        (
            ["annotate", "examples/clips", "--out", "RUN", "--set", "pitch.flor_hz=6"],
            "Did you mean 'floor_hz'?",
        ),
        (
            ["annotate", "examples/clips", "--out", "RUN", "--set", "pitch.flor_hz=6"],
            "There is: ceil_hz, floor_hz",
        ),
        (["annotate", "examples/clips", "--out", "RUN", "--set", "pich=dio"], "Did you mean 'pitch'?"),
        (["annotate", "examples/clips", "--out", "RUN", "--set", "pitch=yin"], "There is: "),
        (
            ["annotate", "examples/clips", "--out", "RUN", "--set", "pitch.floor_hz=6"],
            "must lie in 30..200 Hz",
        ),
        (["annotate", "examples/clips", "--out", "RUN", "--profile", "best"], "There is: embedded"),
        (["annotate", "examples/clips", "--out", "RUN", "--job", "job.yaml"], "no such file"),
        (["annotate", "examples/clips", "--out", "RUN", "--job", "README.md"], "is not YAML: line 5"),
        (
            ["annotate", "examples/clips", "--out", "RUN", "--job", "j", "--profile", "embedded"],
            "Give --profile or --job, not both",
        ),
        (["annotate", "examples/clips", "--out", "RUN", "--engine", "spark"], "There is: inline, ray"),
        (["annotate", "examples/clips", "--out", "RUN", "--limit", "0"], "Invalid value for '--limit'"),
        (
            ["annotate", "examples/clips", "--out", "RUN", "--ignore-given", "--keep-given", "txt"],
            "Did you mean 'text'?",
        ),
        (
            ["annotate", "examples/clips", "--out", "RUN", "--ray-address", "127.0.0.1:1"],
            "There is no Ray cluster",
        ),
        (["annotate", "examples/clips", "--out", "README.md", "--engine", "inline"], "cannot be written"),
        (["annotate", "examples/clips", "--out", "ftq://x/y", "--engine", "inline"], "ftq"),
        (["status", "RUN"], "holds no run"),
        (["show", "RUN"], "holds no run"),
        (["calibrate", "RUN"], "holds no run"),
        (["evaluate", "RUN", "--labels", "nowhere.csv"], "cannot be read"),
        (["shwo", "RUN"], "No such command 'shwo'"),
        (["status", "RUN", "--jsn"], "No such option: --jsn"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_carried_out_is_one_sentence_on_stderr_and_exit_code_2(
    arguments: list[str], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    ended = speechcraft(*(str(tmp_path / "run") if a == "RUN" else a for a in arguments))
    assert (ended.code, ended.out) == (2, "")
    assert sentence in ended.err
    assert ended.err.count("\n") == 1


def test_a_manifest_without_clips_or_without_sound_is_refused(tmp_path: Path) -> None:
    empty = write_manifest(tmp_path / "empty.jsonl")
    mute = write_manifest(tmp_path / "mute.jsonl", {"id": "a", "text": "hello"})
    for source, sentence in ((empty, "no rows"), (mute, "audio")):
        ended = speechcraft("annotate", source, "--out", tmp_path / "run", "--engine", "inline")
        assert (ended.code, ended.out) == (2, "")
        assert sentence in ended.err
        assert ended.err.count("\n") == 1


def test_what_exists_is_not_computed_again(light: tuple[object, ...], tmp_path: Path) -> None:
    run = tmp_path / "run"
    first = speechcraft(*light, "--out", run, "--json")
    written, bytes_ = sidecars(run), [p.read_bytes() for p in dataset_files(run)]
    second = speechcraft(*light, "--out", run, "--json")
    assert (first.code, second.code) == (0, 0)
    assert first.json["annotators"]["energy-levels"]["ok"] == 4
    assert second.json["annotators"] == {}
    assert sidecars(run) == written
    assert [p.read_bytes() for p in dataset_files(run)] == bytes_


def test_a_changed_option_computes_only_what_depends_on_it(light: tuple[object, ...], tmp_path: Path) -> None:
    run = tmp_path / "run"
    speechcraft(*light, "--out", run)
    more = speechcraft(*light, "--out", run, "--set", "pitch=dio", "--json")
    assert set(more.json["annotators"]) == {"pitch-dio"}
    options = ("--set", "pitch=dio", "--set", "pitch.floor_hz=70", "--json")
    said = speechcraft(*light, "--out", run, *options, "--dry-run").json["annotators"]
    assert {name for name, work in said.items() if work} == {"pitch-dio"}
    assert said["pitch-dio"][0]["why"] == "changed: floor_hz 45.0 to 70.0"
    changed = speechcraft(*light, "--out", run, *options)
    assert set(changed.json["annotators"]) == {"pitch-dio"}
    assert speechcraft("gc", run, "--dry-run", "--json").json["removed"] is False
    assert speechcraft("gc", run, "--yes", "--json").json["files"] > 0
    assert speechcraft("gc", run, "--yes", "--json").json["files"] == 0
    fewer = speechcraft(*light, "--out", run, "--set", "energy=off", "--json")
    assert fewer.json["annotators"] == {}
    assert "rms_dbfs" not in dataset(run)[0]


def test_a_limit_takes_the_first_clips_and_the_rest_can_follow(
    light: tuple[object, ...], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    speechcraft(*light, "--out", run, "--limit", 2)
    first = sidecars(run)
    assert [row["id"] for row in dataset(run)] == list(SPOKEN[:2])
    speechcraft(*light, "--out", run)
    assert [row["id"] for row in dataset(run)] == list(SPOKEN[:4])
    assert first.items() <= sidecars(run).items()


def test_calibrate_then_annotate_writes_labels_and_captions_anew_and_nothing_else(tmp_path: Path) -> None:
    source = write_manifest(tmp_path / "clips.jsonl", *map(example, SPOKEN))
    run = tmp_path / "run"
    command = ("annotate", source, "--out", run, "--engine", "inline", "--shard-size", 3)
    speechcraft(*command, "--limit", 3)
    speechcraft(*command)
    measured, frozen = sidecars(run), (run / "calibration" / "labels.json").read_bytes()
    found = speechcraft("calibrate", run, "--json")
    assert found.code == 0
    assert set(found.json) == {"labels"}
    assert (run / "calibration" / "labels.json").read_bytes() != frozen
    ended = speechcraft(*command, "--json")
    assert set(ended.json["annotators"]) == {"labels-thresholds", "caption-realiser"}
    assert measured.items() <= sidecars(run).items()
    assert {name.partition("-")[0] for name in sidecars(run).keys() - measured.keys()} == {
        "labels",
        "caption",
    }


def test_nothing_is_calibrated_before_anything_is_measured(light: tuple[object, ...], tmp_path: Path) -> None:
    run = tmp_path / "run"
    speechcraft(*light, "--out", run)
    assert "takes its thresholds from the corpus" in speechcraft("calibrate", run).err
    (tmp_path / "job.yaml").write_text("annotators: {labels: thresholds}\n")
    speechcraft(*light, "--out", run)
    ended = speechcraft("calibrate", run)
    assert (ended.code, ended.out) == (2, "")
    assert "is measured yet" in ended.err


def test_labels_of_other_clips_are_refused(spoken: Path, tmp_path: Path) -> None:
    labels = write_manifest(tmp_path / "labels.jsonl", {"id": "somebody-else", "text": "I told you."})
    ended = speechcraft("evaluate", spoken, "--labels", labels)
    assert (ended.code, ended.out) == (2, "")
    assert "the ids differ" in ended.err


def test_json_is_all_that_machines_read_on_stdout(spoken: Path, tmp_path: Path) -> None:
    labels = write_manifest(tmp_path / "labels.jsonl", {"id": "brother", "text": "I told you."})
    commands = {
        "status": ("status", spoken),
        "table": ("show", spoken),
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
    said += [speechcraft("status", run), speechcraft("show", run)]
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


OWN = '''
"""Annotates what ends in -0, the rest once it may; ends its process when told to."""
import os, time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from pipeline.annotator import Annotator
from pipeline.options import Option
from pipeline.rows import Column, Row

@dataclass(frozen=True, slots=True)
class Vice(Row):
    """Nothing."""
    vice: Annotated[str, Column("nothing")]

class ViceAnnotator(Annotator[Vice]):
    row = Vice
    version = 1
    def __init__(self, *, dies: Annotated[bool, Option("ends its process")] = False) -> None:
        self.dies = dies
    def annotate(self, clips):
        if self.dies:
            os._exit(9)
        while clips[0].id[-2:] != "-0" and not Path(__file__).with_name("open").exists():
            time.sleep(0.05)
        return [Vice("patience")] * len(clips)
'''


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[object, ...]:
    """A job with an annotator of one's own, over twenty clips in shards of two."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "vices.py").write_text(OWN)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(tmp_path)
    job = tmp_path / "job.yaml"
    job.write_text(MEASURES.replace("}", ", vice: own.vices}"))
    lines = [example(id, id=f"{id}-{i}") for i in range(5) for id in SPOKEN[:4]]
    source = write_manifest(tmp_path / "clips.jsonl", *lines)
    return ("annotate", source, "--job", job, "--shard-size", 2)


def start(*arguments: object) -> subprocess.Popen[str]:
    """The command in a process of its own."""
    command = [sys.executable, "-m", "jobs.cli", *map(str, arguments)]
    path = os.pathsep.join((str(ROOT), os.environ["PYTHONPATH"]))
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command,
        env=os.environ | {"PYTHONPATH": path},
        stdout=pipe,
        stderr=pipe,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # background shells ignore it
    )


def finish(process: subprocess.Popen[str]) -> Ended:
    out, err = process.communicate(timeout=120)
    return Ended(process.returncode, out, err)


def test_through_ray_a_shard_given_up_is_exit_code_3_and_its_clips_have_rows(
    own: tuple[object, ...], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    fatal = ("--set", "vice.dies=true", "--set", "limits.max_attempts=1", "--limit", 4, "--actors", 1)
    ended = finish(start(*own, *fatal, "--out", run, "--json"))
    assert ended.code == 3, ended.err
    assert ended.json["shards_given_up"] == [0, 1]
    assert "shard 1 given up: " in ended.err
    assert ["vice: given_up" in row["error"] for row in dataset(run)] == [True] * 4
    assert [f["shard"] for f in speechcraft("status", run, "--json").json["given_up"]] == [0, 1]


@pytest.mark.parametrize(("engine", "ending"), [("ray", signal.SIGTERM), ("inline", signal.SIGINT)])
def test_interrupted_it_ends_with_130_leaves_no_process_and_goes_on(
    engine: str, ending: signal.Signals, own: tuple[object, ...], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    process = start(*own, "--out", run, "--engine", engine, "--actors", 1)
    while not list(run.glob("vice-*/*.parquet")) and process.poll() is None:
        time.sleep(0.05)
    assert speechcraft("status", run, "--json").json["finished"] is False
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(ending)
    ended = finish(process)
    assert (ended.code, ended.out) == (130, "")
    assert ended.err.strip().splitlines()[-1].startswith("Interrupted. What is written stays")
    assert "Traceback" not in ended.err
    assert "*** SIG" not in ended.err
    assert psutil.wait_procs(children, timeout=60)[1] == []
    left = sidecars(run)
    assert len([name for name in left if name.startswith("vice-")]) < 10
    assert "not all are annotated" in speechcraft("status", run).out
    (tmp_path / "own" / "open").touch()
    again = speechcraft(*own, "--out", run, "--engine", "inline", "--json")
    assert (again.code, again.json["ok"]) == (0, 20)
    assert left.items() <= sidecars(run).items()
