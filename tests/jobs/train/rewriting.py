"""What the tests of the rewriter share: examples with known faults, and prompts that are short."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from random import Random
from typing import Any, Literal

from jobs.train.rewriter.pairs import Pair
from prompts import rewriter
from prompts.realiser import Attributes, realise

BOTH: tuple[Literal["en", "zh"], ...] = ("en", "zh")
BUILT_IN = Path(rewriter.__file__).parent
SAID = ("Hello there, my old friend.", "The roses came late this year.", "Somebody left the milk out again.")


def pairs(n: int, *, seed: int = 0, language: Literal["en", "zh"] | None = None) -> list[Pair]:
    """Sound pairs of the realiser."""
    draw = Random(seed)
    return [_pair(i, draw, language) for i in range(n)]


def _pair(i: int, draw: Random, language: Literal["en", "zh"] | None) -> Pair:
    known = Attributes(
        gender=draw.choice(["female", "male"]),
        pitch_label=draw.choice(["low", "high"]),
        speed_label=draw.choice(["slow", "fast"]),
        emotion=draw.choice(["sad", "angry", None]),
        transcript=draw.choice(SAID),
    )
    spoken = draw.choice(BOTH) if language is None else language
    return Pair(f"clip {i}", spoken, known, realise(known, language=spoken, key=str(i)), "examples")


def wrong(pair: Pair) -> Pair:
    """The pair with the captions of the other gender and pace."""
    other = replace(
        pair.attributes,
        gender="male" if pair.attributes.gender == "female" else "female",
        speed_label="fast" if pair.attributes.speed_label == "slow" else "slow",
    )
    captions = realise(other, language=pair.language, key=pair.id)
    return replace(pair, captions=captions, id=f"wrong {pair.id}")


def lines(some: Iterable[Pair]) -> Iterator[dict[str, Any]]:
    """The pairs as the lines of a file of examples."""
    for pair in some:
        yield {
            "id": pair.id,
            "language": pair.language,
            "attributes": asdict(pair.attributes),
            "description": pair.captions.description,
            "instruction": pair.captions.instruction,
            "faults": [],
        }


def write(path: Path, records: Iterable[object]) -> Path:
    """A file of examples."""
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records), "utf-8")
    return path


def short_prompts(folder: Path) -> str:
    """Prompts of few tokens, as `--prompt` takes them."""
    for language in ("en", "zh"):
        text = (BUILT_IN / f"caption.{language}.md").read_text("utf-8")
        header = re.match(r"---\n.*?\n---\n", text, re.DOTALL)
        assert header is not None
        (folder / f"short.{language}.md").write_text(f"{header[0]}Write {{words}} once.\n", "utf-8")
    return str(folder / "short.{language}.md")
