"""Serving, and captions by a model, on a real vLLM: a tiny random Llama and an adapter of it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import psutil
import pytest

from jobs.serving.kept import Kept
from jobs.serving.server import healthy
from jobs.serving.settings import read_serve
from prompts.realiser import Attributes
from prompts.rewriter import load
from tests.command import dataset, example, write_manifest
from tests.jobs.serving import fakes
from tests.tiny import llama

pytestmark = [pytest.mark.vllm, pytest.mark.timeout(1800)]

CLIPS = ("brother", "red-book", "meeting", "forecast", "zh-neighbour", "zh-match")
SPOKEN = Attributes(gender="female", pitch_label="high", speed_label="fast", transcript="It rains. 下雨了。")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """`serve:` of the model and its adapter."""
    folder = tmp_path_factory.mktemp("tiny")
    base = llama.make(folder / "base")
    return {
        "model": str(base),
        "lora": {"rewriter": str(llama.adapter(base, folder / "rewriter"))},
        "max_model_len": llama.POSITIONS,
        "start_s": 900.0,
    }


@pytest.fixture(scope="module")
def little_memory() -> Iterator[None]:
    """A GiB for keys and values: by itself vLLM takes a share of the machine's memory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
        yield


@pytest.fixture(scope="module")
def server(tiny: dict[str, object], little_memory: None) -> Iterator[str]:
    kept = Kept(read_serve(tiny), "127.0.0.1", cpu=True)
    try:
        kept.start()
        yield kept.address
    finally:
        kept.stop()


def answer(server: str, model: str, language: Any, attributes: Attributes = SPOKEN, **more: object) -> str:
    """What the model writes to the prompt for captions."""
    prompt = load("caption", language)
    body = {
        "model": model,
        "messages": prompt.messages(attributes, key="clip", seed=0),
        "seed": 7,
        "max_tokens": 2048,
        "temperature": 0.7,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "strict": True, "schema": prompt.schema},
        },
    }
    data = json.dumps({**body, **more}).encode()
    request = Request(f"{server}/v1/chat/completions", data, {"Content-Type": "application/json"})
    with urlopen(request, timeout=600) as reply:
        (choice,) = json.loads(reply.read())["choices"]
    assert choice["finish_reason"] == "stop"
    return str(choice["message"]["content"])


def metric(server: str, name: str) -> float:
    with urlopen(f"{server}/metrics", timeout=60) as reply:
        lines = reply.read().decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


def test_it_serves_the_model_and_the_adapter_by_their_names(server: str) -> None:
    models = {entry["id"]: entry["parent"] for entry in fakes.asked(server)["data"]}
    assert models == {"base": None, "rewriter": "base"}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("model", ["base", "rewriter"])
def test_an_answer_fits_the_schema_of_its_prompt_whatever_the_model_has_in_mind(
    model: str, language: str, server: str
) -> None:
    found = json.loads(answer(server, model, language), strict=False)
    schema = load("caption", language).schema  # type: ignore[arg-type]
    assert list(found) == schema["required"]
    assert all(isinstance(text, str) for text in found.values())


def test_the_adapter_picked_by_name_answers_otherwise_than_the_model(server: str) -> None:
    assert answer(server, "base", "en") == answer(server, "base", "en")
    assert answer(server, "rewriter", "en") != answer(server, "base", "en")


def test_what_all_prompts_of_a_language_begin_with_is_read_once(server: str) -> None:
    def seen() -> tuple[float, float]:
        queries, hits = (f"vllm:prefix_cache_{what}_total" for what in ("queries", "hits"))
        return metric(server, queries), metric(server, hits)

    answer(server, "rewriter", "en")
    queries, hits = seen()
    answer(server, "rewriter", "en", Attributes(gender="male", emotion="sad", transcript="Another text."))
    asked, found = (after - before for after, before in zip(seen(), (queries, hits), strict=True))
    assert found / asked > 0.5


def test_a_server_that_is_killed_in_mid_run_costs_no_clip(
    tiny: dict[str, object], little_memory: None, tmp_path: Path
) -> None:
    """The job brings the server up as a Ray actor, loses it, has it back on its port, and takes it down."""
    lines = [example(id) | {"id": f"{id}-{i}"} for i in range(3) for id in CLIPS]
    source = write_manifest(tmp_path / "clips.jsonl", *lines)
    job = tmp_path / "job.yaml"
    ways = {"sound": "decode", "language": "script", "transcript": "pocketsphinx", "speaker": "given"}
    caption = {"use": "llm", "tries": 2, "in_flight": 4, "max_tokens": 192}
    job.write_text(json.dumps({"annotators": {**ways, "caption": caption}, "serve": tiny}))
    arguments = [source, "--out", tmp_path / "run", "--job", job, "--cpu", "--shard-size", 6, "--actors", 2]
    command = [sys.executable, "-m", "jobs.cli", "annotate", *map(str, arguments)]
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as run:
        assert run.stderr is not None
        said: list[str] = []
        while not (served := re.search(r"served at (http://\S+)", said[-1] if said else "")):
            said.append(run.stderr.readline())
            assert said[-1], said
        address = served[1]
        fakes.wait_until(lambda: metric(address, "vllm:request_success_total") >= 5, 300)
        before = listener(address)
        os.kill(before, signal.SIGKILL)
        rest = run.stderr.read()
        assert run.wait() == 0, rest
    (log,) = (tmp_path / "cache").rglob("serve/*.log")
    assert log.read_text().count("Application startup complete") == 2
    assert fakes.group(before) == []
    assert not healthy(address)
    rows = dataset(tmp_path / "run")
    assert [row["id"] for row in rows] == [line["id"] for line in lines]
    for row in rows:
        assert row["status"] == "ok"
        assert row["caption_source"] == "realiser"  # what a random model writes passes no check
        assert row["caption_attempts"] == 2
        assert row["caption_faults"]
        assert row["description"]


def listener(address: str) -> int:
    """The process that listens there."""
    port = int(address.rpartition(":")[2])
    listening = [c for c in psutil.net_connections("tcp") if c.status == "LISTEN"]
    (found,) = [c.pid for c in listening if c.laddr and c.laddr.port == port]
    assert found is not None
    return found
