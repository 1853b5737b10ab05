"""`speechcraft serve`: up, told, ended; or refused in one sentence."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.serving.ports import free_port
from tests.command import speechcraft
from tests.jobs.serving import fakes
from tests.tiny import llama

HOST = "127.0.0.1"


@pytest.fixture(autouse=True)
def _logs_of_our_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def python(tmp_path: Path) -> Path:
    return fakes.environment(tmp_path / "environment")


@pytest.fixture
def running(tmp_path: Path, python: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The command as a shell starts it."""
    arguments = ["serve", fakes.model(tmp_path / "tale"), "--python", python, "--port", free_port(HOST)]
    command = [sys.executable, "-m", "jobs.cli", *map(str, arguments), "--json"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # background shells ignore it
    ) as process:
        yield process
        process.kill()


def facts(running: subprocess.Popen[bytes]) -> dict[str, object]:
    assert running.stdout is not None
    lines: list[str] = []
    while not lines or lines[-1] != "}\n":
        lines.append(running.stdout.readline().decode())
        assert lines[-1], running.stderr and running.stderr.read()
    found: dict[str, object] = json.loads("".join(lines))
    return found


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_it_tells_endpoint_and_names_and_ends_with_all_its_children(
    running: subprocess.Popen[bytes], ending: signal.Signals
) -> None:
    told = facts(running)
    assert told["models"] == ["tale"]
    server = fakes.asked(str(told["endpoint"]).removesuffix("/v1"))["pid"]
    running.send_signal(ending)
    assert running.wait() == 0
    assert fakes.group(server) == []


def test_a_server_that_dies_is_told_with_the_end_of_its_log(running: subprocess.Popen[bytes]) -> None:
    told = facts(running)
    os.kill(fakes.asked(str(told["endpoint"]).removesuffix("/v1"))["pid"], signal.SIGKILL)
    assert running.wait() == 2
    assert running.stderr is not None
    said = running.stderr.read().decode()
    assert "The server ended. The end of its log" in said
    assert "arguments:" in said


def test_what_vllm_says_before_it_ends_is_shown(tmp_path: Path, python: Path) -> None:
    model = fakes.model(tmp_path / "tale", die="no such dtype: float7")
    ended = speechcraft("serve", model, "--python", python, "--port", free_port(HOST))
    assert ended.code == 2
    assert "no such dtype: float7" in ended.err


def test_a_port_that_is_taken_is_refused_before_anything_starts(tmp_path: Path, python: Path) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        ended = speechcraft("serve", fakes.model(tmp_path / "tale"), "--python", python, "--port", port)
    assert (ended.code, f"Port {port} of {HOST} is taken" in ended.err) == (2, True)
    assert not list((tmp_path / "cache").rglob("*.log"))


def test_more_arguments_reach_vllm_as_a_shell_would_split_them(tmp_path: Path, python: Path) -> None:
    model = fakes.model(tmp_path / "tale", die="enough")
    ended = speechcraft(
        "serve", model, "--python", python, "--port", free_port(HOST), "--extra", "--seed 3 --tag 'a b'"
    )
    log = next((tmp_path / "cache").rglob("*.log")).read_text()
    assert '"--seed", "3", "--tag", "a b"' in log
    assert ended.code == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere/model"], "is not on this machine"),
        (["tale", "--python", "nowhere/python"], "There is no Python at nowhere/python"),
        (["tale", "--lora", "rewriter"], "--lora takes name=folder, not 'rewriter'"),
        (["tale", "--lora", "rewriter=nowhere"], "There is no folder nowhere for the adapter 'rewriter'"),
        (["tale", "--extra", "'"], "--extra is not a line a shell could read"),
    ],
)
def test_what_cannot_be_served_is_refused_in_one_sentence(
    arguments: list[str], message: str, tmp_path: Path, python: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPEECHCRAFT_VLLM_PYTHON", str(python))
    fakes.model(tmp_path / "tale")
    ended = speechcraft("serve", *arguments)
    assert ended.code == 2
    assert message in ended.err
    assert "Traceback" not in ended.err


def test_an_adapter_of_another_model_is_refused(tmp_path: Path, python: Path) -> None:
    adapter = llama.adapter(llama.make(tmp_path / "narrow"), tmp_path / "adapter")
    wide = llama.make(tmp_path / "wide", hidden=256)
    ended = speechcraft("serve", wide, "--python", python, "--lora", f"rewriter={adapter}")
    assert (ended.code, "is not one of wide" in ended.err) == (2, True)
