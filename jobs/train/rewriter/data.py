"""The set a rewriter learns from: gathered, checked, parted, enhanced; and the count of all that was done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.train.rewriter.asked import Prompts
from jobs.train.rewriter.enhance import reworded, with_synonyms, without_duplicates
from jobs.train.rewriter.held_out import Split, split
from jobs.train.rewriter.pairs import Gate, Pair
from jobs.train.rewriter.rewording import Endpoint, reworder
from jobs.train.rewriter.sources import from_file, from_prompt, from_run
from pipeline.errors import UsageError

LABELLED = "labelled faulty"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where the set comes from and how it is enhanced."""

    runs: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    held_out: float = 0.1
    synonyms: int = 1
    rounds: int = 1
    endpoint: Endpoint | None = None
    limit: int | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Data:
    """Both parts, and how they came about, as JSON has it."""

    training: tuple[Pair, ...]
    held_out: tuple[Pair, ...]
    record: dict[str, Any]


def prepared(wanted: Wanted, prompts: Prompts, folder: Path, say: Callable[[str], None]) -> Data:
    """The set; what an endpoint answers is kept in `folder`. UsageError where too little is sound."""
    gate = Gate(prompts)
    found, read = _gathered(wanted, prompts, gate)
    if not any(pair.origin != "prompt" for pair in found):
        reasons = ", ".join(f"{kind} {n}" for kind, n in gate.rejected.most_common()) or "none was found"
        raise UsageError(f"No captions to learn from passed the check: {reasons}.")
    unlike = without_duplicates(found)
    parts = split(unlike, wanted.held_out, wanted.seed)
    say(f"{len(found)} sound pairs, {len(unlike)} unlike each other, {len(parts.held_out)} held out")
    enhanced, record = _enhanced(wanted, parts, prompts, folder, say)
    training = without_duplicates([*parts.training, *enhanced], apart=parts.held_out)
    record |= {
        "read": read,
        "rejected": _ordered(gate.rejected),
        "sound": len(found),
        "near_duplicates": len(found) - len(unlike),
        "held_out": _held_out(parts),
        "training": _ordered(Counter(pair.made for pair in training)),
        "languages": _ordered(Counter(pair.language for pair in training)),
        "near_duplicates_made": len(parts.training) + len(enhanced) - len(training),
    }
    return Data(tuple(training), parts.held_out, record)


def _gathered(wanted: Wanted, prompts: Prompts, gate: Gate) -> tuple[list[Pair], dict[str, int]]:
    """The sound pairs, those of the prompts last; and how many were read from where."""
    read: Counter[str] = Counter()
    found: list[Pair] = []
    for pair in _given(wanted):
        read[pair.origin if pair else "examples"] += 1
        if pair is None:
            gate.rejected[LABELLED] += 1
        elif passed := gate.passes(pair):
            found.append(passed)
        if wanted.limit is not None and len(found) >= wanted.limit:
            break
    for language in sorted({pair.language for pair in found}):
        shown = list(from_prompt(prompts.full(language)))
        read["prompt"] += len(shown)
        found += gate.all_of(shown)
    return found, {origin: n for origin, n in read.items() if n}


def _given(wanted: Wanted) -> Iterator[Pair | None]:
    for url in wanted.runs:
        yield from from_run(url)
    for path in wanted.files:
        yield from from_file(path)


def _enhanced(
    wanted: Wanted, parts: Split, prompts: Prompts, folder: Path, say: Callable[[str], None]
) -> tuple[list[Pair], dict[str, Any]]:
    """What is made of the training part, and how much of it was sound."""
    made: list[Pair] = []
    record: dict[str, Any] = {"reworded": None}
    if wanted.endpoint is not None and wanted.rounds:
        gate = Gate(prompts)
        with reworder(wanted.endpoint, str(folder), prompts, wanted.seed) as ask:
            made = reworded(parts.training, wanted.rounds, ask, gate)
            rejected = gate.rejected + ask.failed
            record["reworded"] = {
                "asked": ask.asked,
                "sound": gate.passed,
                "rejected": _ordered(rejected),
            }
        say(f"{gate.passed} sound of {ask.asked} asked for in other words")
    gate = Gate(prompts)
    made += with_synonyms([*parts.training, *made], wanted.synonyms, gate, wanted.seed)
    record["synonyms"] = {"made": gate.seen, "sound": gate.passed, "rejected": _ordered(gate.rejected)}
    say(f"{gate.passed} sound of {gate.seen} made with synonyms")
    return made, record


def _held_out(parts: Split) -> dict[str, Any]:
    return {
        "pairs": len(parts.held_out),
        "by": parts.by,
        "groups": parts.groups,
        "dropped": parts.dropped,
        "languages": _ordered(Counter(pair.language for pair in parts.held_out)),
    }


def _ordered(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda kv: (-kv[1], kv[0])))


def sampled(pairs: Sequence[Pair], n: int) -> list[Pair]:
    """`n` of the pairs, evenly out of their order."""
    return [pairs[i * len(pairs) // n] for i in range(n)] if n < len(pairs) else list(pairs)
