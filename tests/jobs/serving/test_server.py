"""A server is up when it answers; when it or its owner ends, nothing of it is left."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.serving.kept import Kept
from jobs.serving.ports import PORTS, free_port, require_free
from jobs.serving.server import address, healthy
from jobs.serving.settings import Serve, read_serve
from pipeline.errors import RunError
from tests.dying import dying
from tests.jobs.serving import fakes

HOST = "127.0.0.1"


@pytest.fixture(autouse=True)
def _logs_of_our_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def python(tmp_path: Path) -> str:
    return str(fakes.environment(tmp_path / "environment"))


def serve_of(tmp_path: Path, python: str, **behaviour: object) -> Serve:
    model = fakes.model(tmp_path / "model", **behaviour)
    return read_serve({"model": str(model), "python": python, "start_s": 60.0})


@pytest.fixture
def kept(tmp_path: Path, python: str) -> Iterator[Kept]:
    kept = Kept(serve_of(tmp_path, python), HOST, cpu=True)
    kept.start()
    yield kept
    kept.stop()


def test_when_it_is_stopped_its_children_are_gone_and_the_port_is_free(kept: Kept) -> None:
    server = fakes.asked(kept.address)["pid"]
    assert len(fakes.group(server)) == 2
    kept.stop()
    assert fakes.group(server) == []
    require_free(HOST, kept.port)


def test_a_server_that_is_killed_takes_its_children_along_and_comes_back_on_its_port(kept: Kept) -> None:
    before = fakes.asked(kept.address)["pid"]
    os.kill(before, signal.SIGKILL)
    fakes.wait_until(lambda: kept.deaths == 1)
    assert fakes.group(before) == []
    fakes.wait_until(lambda: healthy(kept.address))
    assert fakes.asked(kept.address)["pid"] != before


def test_a_server_that_ends_before_it_is_up_is_told_with_the_end_of_its_log(
    tmp_path: Path, python: str
) -> None:
    kept = Kept(serve_of(tmp_path, python, die="CUDA is on holiday"), HOST, cpu=True)
    with pytest.raises(RunError, match=r"ended before it was up(.|\n)*CUDA is on holiday"):
        kept.start()


def test_a_server_that_takes_too_long_is_ended(tmp_path: Path, python: str) -> None:
    model = fakes.model(tmp_path / "model", slow_s=3600)
    serve = read_serve({"model": str(model), "python": python, "start_s": 2.0})
    kept = Kept(serve, HOST, cpu=True)
    with pytest.raises(RunError, match="was not up after 2 s"):
        kept.start()
    assert not healthy(kept.address)


@pytest.mark.parametrize("said", [b"", b"HT", b"\x00\xff\r\n\r\n", b"HTTP/1.1 soon\r\n\r\n"])
def test_who_dies_in_the_middle_of_an_answer_is_not_well(said: bytes) -> None:
    with dying(said) as there:
        assert not healthy(there)


OWNER = """
import sys
from jobs.serving.kept import Kept
from jobs.serving.settings import read_serve
kept = Kept(read_serve({"model": sys.argv[1], "python": sys.argv[2]}), "127.0.0.1", cpu=True)
kept.start()
print(kept.address, flush=True)
sys.stdin.read()
"""


def test_however_its_owner_ends_nothing_of_it_is_left(tmp_path: Path, python: str) -> None:
    model = fakes.model(tmp_path / "model")
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(model), python], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert owner.stdout is not None
    assert owner.stdin is not None
    server = fakes.asked(owner.stdout.readline().decode().strip())["pid"]
    assert len(fakes.group(server)) == 2
    owner.kill()
    owner.wait()
    owner.stdin.close()
    owner.stdout.close()
    fakes.wait_until(lambda: fakes.group(server) == [])


def test_a_free_port_is_not_one_that_linux_gives_away() -> None:
    port = free_port(HOST)
    assert port in PORTS
    taken = pytest.raises(RunError, match=f"Port {port} of {HOST} is taken")
    with socket.create_server((HOST, port)), taken:
        require_free(HOST, port)
    require_free(HOST, port)


@pytest.mark.parametrize("host", ["203.0.113.1", "no such host"])
def test_an_address_of_another_machine_is_refused(host: str) -> None:
    for refused in (lambda: require_free(host, 8000), lambda: free_port(host)):
        with pytest.raises(RunError, match="Nothing can listen on port"):
            refused()


@pytest.mark.parametrize(
    ("host", "there"), [("0.0.0.0", "http://127.0.0.1:1"), ("::1", "http://[::1]:1"), ("h", "http://h:1")]
)
def test_where_it_listens_everywhere_it_is_reached_here(host: str, there: str) -> None:
    assert address(host, 1) == there
