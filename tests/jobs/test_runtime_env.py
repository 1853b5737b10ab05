"""What a run brings to a cluster is read and checked before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.runtime_env import LEFT_OUT, runtime_env
from pipeline.errors import OptionError
from tests.command import speechcraft


def test_a_folder_and_a_file_make_one_environment(tmp_path: Path) -> None:
    file = tmp_path / "env.yaml"
    file.write_text("env_vars: {A: b}\n")
    assert runtime_env(None, None, None) == {}
    assert runtime_env(file, str(tmp_path), "auto") == {
        "env_vars": {"A": "b"},
        "working_dir": str(tmp_path),
        "excludes": LEFT_OUT,
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("working_dirr: .", "no entry of a runtime environment 'working_dirr'"),
        ("- a", "must map names"),
        ("a: [", "is not YAML"),
        ("env_vars: {A: 1}", "Ray takes no such runtime environment"),
        ("working_dir: /nowhere/at/all", "Ray takes no such runtime environment"),
    ],
)
def test_what_is_none_is_refused_in_a_sentence(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "env.yaml"
    file.write_text(text)
    with pytest.raises(OptionError, match=message):
        runtime_env(file, None, "auto")


def test_on_one_machine_there_is_nobody_to_bring_it_to(tmp_path: Path) -> None:
    ended = speechcraft("annotate", "none.jsonl", "--out", str(tmp_path / "run"), "--working-dir", ".")
    assert (ended.code, ended.out) == (2, "")
    assert "give --ray-address" in ended.err


def test_ray_client_is_refused_with_the_way_that_works(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"audio": "a.wav"}\n')
    (tmp_path / "a.wav").touch()
    out = ["--out", str(tmp_path / "run"), "--ray-address", "ray://127.0.0.1:10001"]
    ended = speechcraft("annotate", str(tmp_path / "a.jsonl"), *out)
    assert ended.code == 2
    assert "by Ray Jobs (docs/cluster.md)" in " ".join(ended.err.split())
