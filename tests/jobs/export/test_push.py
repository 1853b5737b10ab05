"""An export arrives on the hub whole, goes on where it was broken off, and never shows the token."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.export.hub import TOKEN, Hub, hub

REPO = "team/speech"
LOAD = """
import datasets, json, sys
clips = datasets.load_dataset(sys.argv[1], split="test", cache_dir=sys.argv[2])
print(json.dumps(list(clips.select_columns("id")["id"])))
"""


@pytest.fixture
def there() -> Iterator[Hub]:
    with hub() as server:
        yield server


def asked(
    there: Hub, home: Path, *arguments: object, token: str | None = TOKEN
) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own: the library reads its surroundings when it is imported."""
    tokens = {} if token is None else {"HF_TOKEN": token}
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        env={k: v for k, v in os.environ.items() if not k.startswith("HF_")}
        | {"HF_ENDPOINT": there.url, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1"}
        | {"PYTHONPATH": os.pathsep.join(sys.path), **tokens},
        capture_output=True,
        text=True,
        check=False,
    )


def pushed(
    there: Hub, run: Path, to: Path, *more: object, token: str | None = TOKEN
) -> subprocess.CompletedProcess[str]:
    options = ("--split", "by=clip,test=0.3", "--push", REPO, "--json", *more)
    ended = asked(there, to.parent / "home", "-m", "jobs.cli", "export", run, to, *options, token=token)
    assert TOKEN not in ended.stdout + ended.stderr
    assert "secret" not in ended.stdout + ended.stderr
    return ended


def held(folder: Path) -> dict[str, bytes]:
    """The files of an export: all that is in its folder."""
    files = [p for p in folder.rglob("*") if p.is_file()]
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}


def test_the_hub_holds_the_files_of_the_export_and_they_load_from_there(
    there: Hub, run: Path, tmp_path: Path
) -> None:
    ended = pushed(there, run, tmp_path / "out", "--private")
    assert ended.returncode == 0, ended.stderr
    facts: dict[str, Any] = json.loads(ended.stdout)["pushed"]
    remote = dict(there.repos[REPO])
    assert remote.pop(".gitattributes")
    assert remote == held(tmp_path / "out")
    assert there.private[REPO]
    assert (facts["repo"], facts["sent"], facts["present"]) == (REPO, len(remote), 0)
    assert there.commits[-1][0] == "Card and checksums"
    loaded = asked(there, tmp_path / "home", "-c", LOAD, REPO, tmp_path / "cache")
    assert loaded.returncode == 0, loaded.stderr
    import pyarrow.parquet as pq

    (test,) = (tmp_path / "out" / "data").glob("test-*.parquet")
    assert json.loads(loaded.stdout) == pq.read_table(test, columns=["id"]).column("id").to_pylist()


def test_what_was_broken_off_goes_on_and_sends_nothing_twice(there: Hub, run: Path, tmp_path: Path) -> None:
    there.refuse_commits = 1
    broken = pushed(there, run, tmp_path / "out")
    assert broken.returncode == 2
    assert "goes on from there" in broken.stderr
    assert "README.md" not in there.repos[REPO]
    uploads, there.refuse_commits = there.uploads, None
    assert pushed(there, run, tmp_path / "out").returncode == 0
    assert there.uploads == uploads
    remote = there.repos[REPO]
    assert {n: d for n, d in remote.items() if n != ".gitattributes"} == held(tmp_path / "out")
    commits = len(there.commits)
    again = pushed(there, run, tmp_path / "out")
    assert json.loads(again.stdout)["pushed"]["sent"] == 0
    assert len(there.commits) == commits


def test_another_export_replaces_the_earlier_one_and_leaves_what_people_added(
    there: Hub, run: Path, tmp_path: Path
) -> None:
    assert pushed(there, run, tmp_path / "first").returncode == 0
    there.repos[REPO]["LICENSE"] = b"ours"
    there.repos[REPO]["data/train-00007-of-00008.parquet"] = b"of an earlier one"
    ended = pushed(there, run, tmp_path / "second", "--columns", "transcript")
    assert json.loads(ended.stdout)["pushed"]["removed"] == 1
    own = {".gitattributes", "LICENSE"}
    assert {n: d for n, d in there.repos[REPO].items() if n not in own} == held(tmp_path / "second")


def test_a_repository_that_is_something_else_is_left_alone(there: Hub, run: Path, tmp_path: Path) -> None:
    there.repos[REPO] = {"data/train.csv": b"a,b\n"}
    ended = pushed(there, run, tmp_path / "out")
    assert ended.returncode == 2
    assert "holds other files than an export, data/train.csv among them" in ended.stderr
    assert there.repos[REPO] == {"data/train.csv": b"a,b\n"}


def test_a_hub_that_is_not_there_is_told_of_in_one_sentence(run: Path, tmp_path: Path) -> None:
    with hub() as gone:
        pass
    ended = pushed(gone, run, tmp_path / "out")
    assert ended.returncode == 2
    assert "could not be sent: ConnectError. The same command goes on from there." in ended.stderr
    assert "Traceback" not in ended.stderr
    assert gone.url not in ended.stderr


@pytest.mark.parametrize(
    ("token", "sentence"), [(None, "There is no token for the hub"), ("hf_other", "the token is not valid")]
)
def test_without_a_token_that_is_known_one_sentence_says_so(
    there: Hub, run: Path, tmp_path: Path, token: str | None, sentence: str
) -> None:
    ended = pushed(there, run, tmp_path / "out", token=token)
    assert ended.returncode == 2
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr
    assert (tmp_path / "out" / "SHA256SUMS").exists()
