"""The card that lies beside an adapter: what it is, what it learnt from, how good it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from jobs.evaluate.render import pipes
from jobs.train.rewriter.report import PAPER

TITLE = "A rewriter for speechcraft"


def card(record: Mapping[str, Any]) -> str:
    """The card in Markdown."""
    base = str(record["base"])
    head = yaml.safe_dump(
        {"base_model": base, "library_name": "peft", "tags": ["lora", "speechcraft"]}, allow_unicode=True
    )
    parts = [
        f"---\n{head}---",
        f"# {TITLE}",
        "A LoRA adapter that writes a description and an instruction from what is known of a clip of speech.",
        _use(record),
        "## Training",
        pipes(("", ""), list(_facts(record))),
        "## The part that was held out",
        pipes(("", "base", "adapter"), [_losses(record)]),
    ]
    if record["generated"] is not None:
        parts.append(_generated(record["generated"]))
    return "\n\n".join(parts) + "\n"


def _use(record: Mapping[str, Any]) -> str:
    template = record["chat_template"]
    more = f' --extra "--chat-template ADAPTER/{template}"' if template else ""
    examples = "" if record["few_shot"] else " --set caption.examples=false"
    return (
        "```text\n"
        f"speechcraft serve BASE --lora rewriter=ADAPTER{more}\n"
        "speechcraft annotate SPEECH --out RUN --set caption=llm --set caption.model=rewriter"
        f"{examples}\n```"
    )


def _facts(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    data, schedule = record["data"], record["schedule"]
    held = data["held_out"]
    return [
        ("base model", str(record["base"])),
        ("seed", str(record["seed"])),
        *((f"prompt, {language}", digest) for language, digest in record["prompts"].items()),
        ("check", record["check"]),
        ("pairs read", _counts(data["read"])),
        ("kept out by the check", _counts(data["rejected"])),
        ("near duplicates left out", str(data["near_duplicates"] + data["near_duplicates_made"])),
        ("trained on", f"{data['rows']} chats; pairs: {_counts(data['training'])}"),
        ("held out", f"{held['pairs']} pairs of {held['groups']} {held['by']}s"),
        ("schedule", _counts(schedule)),
        ("steps", str(record["steps"])),
        ("software", _counts(record["software"])),
    ]


def _losses(record: Mapping[str, Any]) -> tuple[str, str, str]:
    loss = record["loss"]
    return ("loss, nats per token of the answers", f"{loss['base']:.4f}", f"{loss['adapter']:.4f}")


def _generated(generated: Mapping[str, Any]) -> str:
    lines = []
    for language, figures in generated["captions"]["languages"].items():
        for kind, rate in figures["rates"].items():
            paper = PAPER[language].get(kind)
            lines.append((language, kind, f"{100 * rate:.2f} %", f"{paper} %" if paper else ""))
    unreadable = sum(generated["unreadable"].values())
    head = f"Of {generated['asked']} greedy answers {unreadable} could not be read."
    return f"{head}\n\n{pipes(('language', 'fault', 'captions', 'paper'), lines)}" if lines else head


def _counts(counts: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {n}" for name, n in counts.items()) or "none"
