"""Credentials are in no file of a run and in nothing that is printed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import fsspec
import pytest

from pipeline.storage import Store
from tests.command import CLIPS, EXAMPLES, Ended, speechcraft, write_manifest
from tests.s3.server import KEY_ID, S3, SECRET

PASSWORD = "the-password-in-a-url"
OFF = ("pitch", "words", "speed", "emphasis", "enhance", "labels", "caption")
LIGHT = [option for family in OFF for option in ("--set", f"{family}=off")]


def assert_silent(ended: Ended) -> None:
    for secret in (SECRET, KEY_ID, PASSWORD):
        assert secret not in ended.out
        assert secret not in ended.err


def test_a_run_on_s3_keeps_its_credentials_to_itself(s3: S3, tmp_path: Path) -> None:
    bucket = s3.bucket()
    fs = fsspec.filesystem("s3")
    lines = []
    for name in ("forecast", "station"):
        sound = CLIPS / EXAMPLES[name]["audio"]
        fs.pipe_file(f"{bucket}/speech/{sound.name}", sound.read_bytes())
        lines.append(EXAMPLES[name] | {"audio": sound.name})
    lines.append({"id": "gone", "audio": f"s3://{bucket[5:]}/speech/none.wav?X-Amz-Signature={PASSWORD}"})
    fs.pipe_file(f"{bucket}/speech/manifest.jsonl", write_manifest(tmp_path / "m.jsonl", *lines).read_bytes())
    run = f"{bucket}/run"
    options = ("--engine", "inline", *LIGHT)
    for command in (
        (
            "annotate",
            f"{bucket}/speech/manifest.jsonl",
            "--out",
            run,
            *options,
            "--log-json",
            tmp_path / "log",
        ),
        ("annotate", f"{bucket}/speech/manifest.jsonl", "--out", run, *options, "--dry-run"),
        ("status", run, "--json"),
        ("show", run),
        ("gc", run, "--dry-run"),
    ):
        ended = speechcraft(*command)
        assert ended.code == 0, ended.err
        assert_silent(ended)
    store = Store(run)
    files = {name: store.read(name) for name in store.names()}
    assert len(files) > 8
    for name, data in files.items():
        assert SECRET.encode() not in data, name
        assert KEY_ID.encode() not in data, name
    assert PASSWORD.encode() not in files["job.yaml"]
    for log in tmp_path.rglob("log*"):
        for secret in (SECRET, KEY_ID, PASSWORD):
            assert secret not in log.read_text()


def test_a_password_in_a_url_is_told_to_nobody(tmp_path: Path) -> None:
    source = write_manifest(tmp_path / "m.jsonl", {"id": "a", "audio": "a.wav"})
    for command in (
        ("annotate", source, "--out", f"nosuch://me:{PASSWORD}@host/run", "--engine", "inline"),
        ("annotate", f"nosuch://me:{PASSWORD}@host/speech", "--out", tmp_path / "run", "--engine", "inline"),
        ("status", f"nosuch://me:{PASSWORD}@host/run"),
        ("gc", f"nosuch://me:{PASSWORD}@host/run", "--yes"),
    ):
        ended = speechcraft(*command)
        assert ended.code == 2
        assert "nosuch" in ended.err
        assert_silent(ended)


def test_wrong_credentials_are_one_sentence_without_them(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    """Moto takes any credentials: what has none at all is refused by botocore itself."""
    bucket = s3.bucket()
    code = (
        "from pipeline.storage import Store\nfrom pipeline.errors import RunError\n"
        f"try: Store('{bucket}/run').prepare()\nexcept RunError as error: print(error)"
    )
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told == f"The run directory {bucket}/run cannot be written: unable to locate credentials.\n" or (
        told.startswith(f"The run directory {bucket}/run cannot be written: ") and told.count("\n") == 1
    )
