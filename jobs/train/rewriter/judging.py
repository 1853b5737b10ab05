"""What a model makes of the part that was held out: the loss of the right answers, and its own answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from jobs.train.rewriter.tokens import IGNORED, Tokens


def loss(network: Any, rows: Sequence[Tokens], batch: int) -> tuple[float, int]:
    """The mean loss of a token of the answers, in nats, and how many tokens those have."""
    device = network.device
    total, tokens = 0.0, 0
    with _judged(network), torch.inference_mode():
        for some in _batches(rows, batch):
            width = max(len(row.ids) for row in some)
            ids = torch.tensor([list(row.ids) + [0] * (width - len(row.ids)) for row in some], device=device)
            seen = torch.tensor(
                [[1] * len(row.ids) + [0] * (width - len(row.ids)) for row in some], device=device
            )
            wanted = torch.tensor(
                [row.labels + [IGNORED] * (width - len(row.ids)) for row in some], device=device
            )
            logits = network(input_ids=ids, attention_mask=seen).logits[:, :-1]
            told = wanted[:, 1:] != IGNORED
            found = torch.nn.functional.cross_entropy(
                logits[told].float(), wanted[:, 1:][told], reduction="sum"
            )
            total += float(found)
            tokens += int(told.sum())
    return total / tokens, tokens


def answers(
    network: Any, tokenizer: Any, prompts: Sequence[str], *, longest: int, batch: int, end: Sequence[int]
) -> list[str]:
    """The likeliest answer to each prompt, token by token; the same each time on the same machine.

    `end` are the tokens after which an answer is over.
    """
    found: list[str] = []
    side, tokenizer.padding_side = tokenizer.padding_side, "left"
    with _judged(network), torch.inference_mode():
        for some in _batches(prompts, batch):
            told = tokenizer(list(some), add_special_tokens=False, padding=True, return_tensors="pt")
            ids, mask = told["input_ids"].to(network.device), told["attention_mask"].to(network.device)
            made = network.generate(
                input_ids=ids,
                attention_mask=mask,
                do_sample=False,
                temperature=None,
                top_p=None,
                top_k=None,
                max_new_tokens=longest,
                eos_token_id=list(end),
                pad_token_id=tokenizer.pad_token_id,
            )
            found += tokenizer.batch_decode(made[:, ids.shape[1] :], skip_special_tokens=True)
    tokenizer.padding_side = side
    return found


@contextmanager
def _judged(network: Any) -> Iterator[None]:
    """The network without dropout and with its cache, and back as it was."""
    training, cached = network.training, network.config.use_cache
    network.eval()
    network.config.use_cache = True
    try:
        yield
    finally:
        network.train(training)
        network.config.use_cache = cached


def _batches(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for i in range(0, len(items), size):
        yield items[i : i + size]
