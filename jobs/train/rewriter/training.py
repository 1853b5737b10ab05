"""A set of pairs to an adapter, and what that is worth on the part that was held out."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.captions import Captioned, Reporter
from jobs.train.rewriter import judging
from jobs.train.rewriter.asked import Prompts
from jobs.train.rewriter.chats import Chat, chats
from jobs.train.rewriter.data import Data, sampled
from jobs.train.rewriter.model import load
from jobs.train.rewriter.pairs import Pair
from jobs.train.rewriter.tokens import PLAIN, Tokens, prompt_of, tokenised
from jobs.train.rewriter.tuning import Tuned, tune
from pipeline.errors import UsageError
from pipeline.storage import Store
from prompts import check
from prompts.rewriter import AnswerError

if TYPE_CHECKING:
    from jobs.train.rewriter.command import Request

TEMPLATE = "chat_template.jinja"
ON_GPU, ON_CPU = 100, 4
"""Answers written after a training where nobody says how many."""
_LONGER = 1.5
"""How much longer than the longest answer of the set a model's own may be."""
_ROWS = "rows"
Say = Callable[[str], None]


def train(request: Request, data: Data, prompts: Prompts, work: Path, say: Say) -> dict[str, Any]:
    """Tune, judge and save; what report.json holds."""
    network, tokenizer = load(request.model, cpu=request.cpu)
    seed, schedule = request.data.seed, request.schedule
    wanted = chats(data.training, prompts, orders=request.orders, seed=seed)
    rows, too_long = tokenised(wanted, tokenizer, request.max_length)
    held, held_too_long = tokenised(
        chats(data.held_out, prompts, orders=1, seed=seed), tokenizer, request.max_length
    )
    if not rows or not held:
        raise UsageError(f"No example fits into {request.max_length} tokens: give a greater --max-length.")
    _same_rows(rows, work)
    say(f"{len(rows)} chats to learn, {len(held)} held out, on {network.device.type}")
    base, tokens = judging.loss(network, held, schedule.batch)
    tuned = tune(network, tokenizer, rows, schedule, seed, work / "checkpoints", say)
    adapter, _ = judging.loss(tuned.network, held, schedule.batch)
    tuned.network.save_pretrained(request.out)
    template = tokenizer.chat_template == PLAIN
    if template:
        (request.out / TEMPLATE).write_text(PLAIN, "utf-8")
    n = (ON_CPU if network.device.type == "cpu" else ON_GPU) if request.generate is None else request.generate
    pairs = sampled(data.held_out, n)
    return {
        "adapter": str(request.out),
        "base": request.model,
        "chat_template": TEMPLATE if template else None,
        "seed": seed,
        "prompts": prompts.digests,
        "few_shot": request.few_shot,
        "check": check.digest(),
        "data": data.record | {"rows": len(rows), "too_long": too_long, "held_out_too_long": held_too_long},
        "schedule": asdict(schedule),
        **_course(tuned),
        "loss": {"base": base, "adapter": adapter, "tokens": tokens},
        "generated": _generated(tuned.network, tokenizer, pairs, prompts, rows, schedule.batch, seed)
        if pairs
        else None,
        "software": {name: version(name) for name in ("torch", "transformers", "peft", "trl")},
    }


def _course(tuned: Tuned) -> dict[str, Any]:
    return {"steps": tuned.steps, "resumed_at": tuned.resumed_at, "losses": [list(x) for x in tuned.losses]}


def _same_rows(rows: Sequence[Tokens], work: Path) -> None:
    """UsageError where an interrupted training in this folder was on other rows."""
    digest = hashlib.blake2b(digest_size=16)
    for row in rows:
        digest.update(repr((row.prompt, row.ids)).encode())
    store = Store(str(work))
    if store.exists(_ROWS) and store.read(_ROWS).decode() != digest.hexdigest():
        raise UsageError(
            f"The captions have changed since the training in {work} began: remove it, or its folder."
        )
    store.write(_ROWS, digest.hexdigest().encode())


def _generated(
    network: Any,
    tokenizer: Any,
    pairs: Sequence[Pair],
    prompts: Prompts,
    rows: Sequence[Tokens],
    batch: int,
    seed: int,
) -> dict[str, Any]:
    """What the model itself writes of clips it never saw, asked as `caption=llm` asks."""
    asked = []
    for pair in pairs:
        messages = prompts.sent(pair.language).messages(pair.attributes, key=pair.id, seed=seed)
        asked.append(prompt_of(Chat(tuple(messages), ""), tokenizer))
    longest = round(_LONGER * max(len(row.ids) - row.prompt for row in rows))
    end = {tokenizer.eos_token_id, rows[0].ids[-1]} & set(tokenizer.all_special_ids)
    written = judging.answers(network, tokenizer, asked, longest=longest, batch=batch, end=sorted(end))
    return judged(pairs, written, prompts, seed)


def judged(pairs: Sequence[Pair], written: Sequence[str], prompts: Prompts, seed: int) -> dict[str, Any]:
    """What answers to these clips are like, by the check; rates are over those that can be read."""
    reporter, unreadable, sound = Reporter(seed), Counter[str](), Counter[str]()
    for pair, answer in zip(pairs, written, strict=True):
        prompt = prompts.full(pair.language)
        try:
            captions = prompt.read(answer, pair.attributes)
        except AnswerError:
            unreadable[pair.language] += 1
            continue
        one = Captioned(pair.id, pair.language, pair.attributes, captions, "adapter", 1, prompt.fixed)
        reporter.add(one)
        sound[pair.language] += not one.faults()
    return {
        "asked": len(pairs),
        "languages": dict(Counter(pair.language for pair in pairs)),
        "unreadable": dict(unreadable),
        "sound": dict(sound),
        "captions": reporter.report().record(),
    }
