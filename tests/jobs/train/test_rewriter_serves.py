"""An adapter that `train rewriter` made is served by vLLM, and is there as good as it was told to be."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from jobs.serving.kept import Kept
from jobs.serving.settings import read_serve
from jobs.train.rewriter.asked import Prompts
from jobs.train.rewriter.chats import chats
from jobs.train.rewriter.data import Wanted, prepared
from jobs.train.rewriter.tokens import Tokens, tokenised
from tests.command import speechcraft
from tests.jobs.train.rewriting import lines, pairs, short_prompts, write
from tests.tiny import llama

pytestmark = [pytest.mark.vllm, pytest.mark.timeout(1800)]

ROUNDING = 0.05
"""Nats per token between vLLM, which may compute in 16 bits, and PyTorch in 32."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served")
    llama.make(folder / "base")
    short_prompts(folder)
    write(folder / "examples.jsonl", lines(pairs(24)))
    return folder


@pytest.fixture(scope="module")
def trained(folder: Path) -> Any:
    ended = speechcraft(
        "train", "rewriter", folder / "base", folder / "rewriter", "--examples", folder / "examples.jsonl",
        "--prompt", folder / "short.{language}.md", "--held-out", 0.2, "--epochs", 1, "--batch", 4,
        "--accumulate", 1, "--lr", 0.005, "--rank", 8, "--generate", 0, "--json",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    return ended.json


@pytest.fixture(scope="module")
def server(folder: Path, trained: Any) -> Iterator[str]:
    serve = {
        "model": str(folder / "base"),
        "lora": {"rewriter": str(folder / "rewriter")},
        "max_model_len": 4096,
        "start_s": 900.0,
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
        kept = Kept(read_serve(serve), "127.0.0.1", cpu=True)
        try:
            kept.start()
            yield kept.address
        finally:
            kept.stop()


@pytest.mark.parametrize("model", ["base", "adapter"])
def test_the_held_out_loss_at_the_server_is_the_one_reported(
    model: str, server: str, trained: Any, folder: Path
) -> None:
    prompts = Prompts(str(folder / "short.{language}.md"))
    wanted = Wanted(files=(folder / "examples.jsonl",), held_out=0.2)
    held_out = prepared(wanted, prompts, folder, lambda line: None).held_out
    rows, _ = tokenised(chats(held_out, prompts, orders=1, seed=0), llama.tokenizer(), 4096)
    assert sum(len(row.ids) - row.prompt for row in rows) == trained["loss"]["tokens"]
    name = "base" if model == "base" else "rewriter"
    losses = [loss for row in rows for loss in served_losses(server, name, row)]
    assert math.fsum(losses) / len(losses) == pytest.approx(trained["loss"][model], abs=ROUNDING)


def served_losses(server: str, model: str, row: Tokens) -> list[float]:
    """What the server says of each token of the answer."""
    body = {"model": model, "prompt": list(row.ids), "max_tokens": 1, "prompt_logprobs": 0}
    request = Request(
        f"{server}/v1/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urlopen(request, timeout=600) as reply:
        (choice,) = json.loads(reply.read())["choices"]
    told = choice["prompt_logprobs"][row.prompt :]
    return [-one[str(id)]["logprob"] for one, id in zip(told, row.ids[row.prompt :], strict=True)]
