"""What the pages say holds: the commands run, the tables are those of the code, the links lead somewhere."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path

import pytest

from jobs.columns import page
from tests.command import CLIPS, EXAMPLES, speechcraft, write_manifest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
PAGES = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*.md")]
)


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def commands(text: str) -> list[list[str]]:
    """The speechcraft commands of a page's shell blocks, in order, as a shell would split them."""
    lines = "\n".join(blocks(text, "sh")).replace("\\\n", " ").splitlines()
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("speechcraft ")]


@cache
def usage_of(*command: str) -> str:
    """What `--help` says of a command."""
    usage = speechcraft(*command, "--help")
    assert usage.code == 0, command
    return usage.out


def test_the_page_of_columns_is_that_of_the_code() -> None:
    assert (ROOT / "docs" / "columns.md").read_text("utf-8") == page(), "run `make docs`"


def test_every_command_of_the_readme_runs_and_so_does_its_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In order, on two of the example clips in place of all: a page may show what an earlier command made."""
    few = tmp_path / "examples" / "clips"
    few.mkdir(parents=True)
    for id in ("forecast", "zh-neighbour"):
        (few / EXAMPLES[id]["audio"]).symlink_to(CLIPS / EXAMPLES[id]["audio"])
    write_manifest(few / "manifest.jsonl", *(EXAMPLES[id] for id in ("forecast", "zh-neighbour")))
    monkeypatch.chdir(tmp_path)
    found = commands(README)
    assert {command[0] for command in found} >= {"annotate", "status", "show"}
    for command in found:
        inline = ["--engine", "inline"] if command[0] == "annotate" else []
        ended = speechcraft(*command, *inline)
        assert ended.code == 0, (command, ended.err)
    python = blocks(README, "python")
    assert python
    for block in python:
        names: dict[str, object] = {}
        exec(block, names)  # noqa: S102 - the page's own words
        assert len(names["clips"]) == 2  # type: ignore[arg-type]


@pytest.mark.parametrize("path", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_relative_links_lead_to_files(path: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text("utf-8"))
    relative = [link for link in links if "://" not in link and not link.startswith("mailto:")]
    assert [link for link in relative if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_commands_of_every_page_name_options_that_exist(path: Path) -> None:
    for command in commands(path.read_text("utf-8")):
        grouped = command[0] in ("models", "train")
        usage = usage_of(*command[: 2 if grouped else 1])
        for option in (word for word in command if word.startswith("--")):
            assert option in usage, (command, option)
