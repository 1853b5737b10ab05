"""How well the check finds the faults of a labelled set: precision and recall by kind and language.

python -m tests.prompts.check.scoring tests/prompts/check/seen.jsonl
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from prompts.check import Kind, check
from prompts.realiser.attributes import Attributes, Captions

OF_ATTRIBUTES = frozenset({"omission", "distortion"})
"""Kinds that are compared with their attribute; the others by kind and caption alone."""
Key = tuple[str, str, str | None]


@dataclass(frozen=True, slots=True)
class Pair:
    """A labelled pair of captions."""

    id: str
    language: str
    attributes: Attributes
    captions: Captions
    faults: frozenset[Key]


@dataclass(slots=True)
class Score:
    """Faults rightly found, wrongly found, and missed."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    @property
    def precision(self) -> float:
        """Share of the faults found that are there; 1 where none is found."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        """Share of the faults there that are found; 1 where none is there."""
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0


@dataclass(slots=True)
class Report:
    """Scores by (kind, language), ("all", language) and ("all", "all"), and what was got wrong."""

    scores: dict[tuple[str, str], Score] = field(default_factory=lambda: defaultdict(Score))
    pairs: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)

    @property
    def overall(self) -> Score:
        """All kinds and languages together."""
        return self.scores["all", "all"]

    @property
    def pair_accuracy(self) -> float:
        """Share of pairs that pass if and only if they are good."""
        return self.pairs["right"] / max(1, self.pairs["right"] + self.pairs["wrong"])

    def table(self) -> str:
        """The figures as text."""
        lines = [f"{'kind':12} lang  precision  recall  faults"]
        for (kind, language), score in sorted(self.scores.items()):
            n = score.right + score.missed
            lines.append(f"{kind:12} {language:4}  {score.precision:9.3f}  {score.recall:6.3f}  {n:6}")
        lines.append(f"pairs judged rightly: {self.pair_accuracy:.3f}")
        return "\n".join(lines)


def for_the_docs(report: Report) -> str:
    """The figures as the table of docs/captions.md: precision / recall (number of faults)."""
    lines = ["| | English | Chinese |", "|---|---|---|"]
    for kind in (*get_args(Kind), "all"):
        cells = []
        for language in ("en", "zh"):
            one = report.scores[kind, language]
            cells.append(f"{one.precision:.2f} / {one.recall:.2f} ({one.right + one.missed})")
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    return "\n".join(lines)


def pairs(path: Path) -> Iterator[Pair]:
    """The labelled pairs of a JSON-lines file."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip():
            yield _pair(json.loads(line))


def _pair(row: dict[str, Any]) -> Pair:
    faults = frozenset(_key(f["caption"], f["kind"], f.get("attribute")) for f in row["faults"])
    captions = Captions(row["description"], row["instruction"], ())
    return Pair(row["id"], row["language"], Attributes(**row["attributes"]), captions, faults)


def _key(caption: str, kind: str, attribute: str | None) -> Key:
    return caption, kind, attribute if kind in OF_ATTRIBUTES else None


def score(labelled: Sequence[Pair]) -> Report:
    """The check's faults beside the labelled ones."""
    report = Report()
    for pair in labelled:
        faults = check(pair.captions, pair.attributes, language=pair.language)  # type: ignore[arg-type]
        reasons = {_key(f.caption, f.kind, f.attribute): str(f) for f in faults}
        _count(report, pair, reasons)
    return report


def _count(report: Report, pair: Pair, reasons: dict[Key, str]) -> None:
    found = frozenset(reasons)
    report.pairs["right" if bool(found) == bool(pair.faults) else "wrong"] += 1
    for keys, name in (
        (found & pair.faults, "right"),
        (found - pair.faults, "wrong"),
        (pair.faults - found, "missed"),
    ):
        for key in sorted(keys, key=str):
            for at in ((key[1], pair.language), ("all", pair.language), ("all", "all")):
                entry = report.scores[at]
                setattr(entry, name, getattr(entry, name) + 1)
            if name != "right":
                report.errors.append(f"{pair.id} {name}: {key} {reasons.get(key, '')}")


def main() -> None:
    """Print the figures of a file and, with --errors, what the check got wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--errors", action="store_true")
    parser.add_argument("--docs", action="store_true", help="the table as docs/captions.md has it")
    options = parser.parse_args()
    report = score(list(pairs(options.path)))
    sys.stdout.write((for_the_docs(report) if options.docs else report.table()) + "\n")
    if options.errors:
        sys.stdout.write("\n".join(report.errors) + "\n")


if __name__ == "__main__":
    main()
