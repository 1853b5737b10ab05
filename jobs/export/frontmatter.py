"""The YAML at the head of a card, as the hub reads it. It holds nothing but known words and numbers."""

from __future__ import annotations

import re
from typing import Any

import yaml

from jobs.export.plan import Plan
from jobs.export.statistics import UNKNOWN, Statistics

_SUFFIX = {"hf": "parquet", "parquet": "parquet", "jsonl": "jsonl", "webdataset": "tar"}
_LICENCES = frozenset(
    f"cc{kind}"
    for kind in (
        "0-1.0",
        *(f"-by{rest}-{v}" for rest in ("", "-sa", "-nc", "-nc-sa", "-nd", "-nc-nd") for v in ("3.0", "4.0")),
    )
) | {"apache-2.0", "mit"}
"""Names of licences the hub knows and speech comes under."""
_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
    (100_000_000, "10M<n<100M"),
)
_CODE = re.compile(r"[a-z]{2,3}")
MOST_LANGUAGES = 200


def front_matter(form: str, plan: Plan, numbers: Statistics) -> str:
    """The block with its fences, and an empty line behind it."""
    tasks = [
        *(["text-to-speech"] if numbers.lengths.get("description") else []),
        *(["automatic-speech-recognition"] if numbers.lengths.get("transcript") else []),
        "audio-classification",
    ]
    facts: dict[str, Any] = {
        "pretty_name": "Annotated speech",
        "language": _languages(numbers),
        "license": _licence(numbers),
        "task_categories": tasks,
        "size_categories": [next((name for n, name in _SIZES if numbers.clips < n), "100M<n<1B")],
        "tags": ["audio", "speech", "speech-captioning", "speechcraft"],
    }
    if form in _SUFFIX:
        files = [{"split": s, "path": f"data/{s}-*.{_SUFFIX[form]}"} for s in plan.splits]
        facts["configs"] = [{"config_name": "default", "data_files": files}]
    text = yaml.safe_dump({k: v for k, v in facts.items() if v}, sort_keys=False, allow_unicode=True)
    return f"---\n{text}---\n\n"


def _languages(numbers: Statistics) -> list[str]:
    found = sorted(code for code in numbers.shares.get("language", {}) if _CODE.fullmatch(code))
    return found[:MOST_LANGUAGES]


def _licence(numbers: Statistics) -> str:
    """The one licence of all clips, if it is one the hub knows; else `other`, or `unknown`."""
    names = {"-".join(name.casefold().split()) for name in numbers.licences}
    if names == {UNKNOWN}:
        return "unknown"
    return names.pop() if len(names) == 1 and names <= _LICENCES else "other"
