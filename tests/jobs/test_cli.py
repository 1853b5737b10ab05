"""What a person types is carried out, or refused in one sentence; what is done is never done again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import dataset, dataset_files, example, sidecars, speechcraft, write_manifest

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
