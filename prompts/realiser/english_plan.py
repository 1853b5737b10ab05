"""What an English caption is to be: its speaker, the order of its attributes, its frame."""

from __future__ import annotations

from collections.abc import Mapping

from prompts.realiser.draw import Draw, Stuck
from prompts.realiser.english import Caption
from prompts.realiser.english_lexicon import Frame, english
from prompts.realiser.english_words import HE, SHE, THEY, sentence
from prompts.realiser.facts import GROWN
from prompts.realiser.lexicon import load
from prompts.realiser.quoting import ends_sentence

AGE_APART, SEX_APART = 0.06, 0.04
"""Shares of captions that tell age, or sex, elsewhere than in the noun phrase of who speaks."""
SPEAKER_FIRST = 0.45
CLOSING_LINE = 0.35
"""Share of instructions ending in their words that put them in a sentence of their own."""
STRICT, ATTEMPTS = 60, 1000
"""Attempts that repeat no content word, and attempts in all."""


def describe(
    draw: Draw, values: Mapping[str, str], foreign: Mapping[str, str]
) -> tuple[str, tuple[str, ...]]:
    """The description, and the attributes it tells in their order."""
    if not values:
        return f"{sentence(draw.one(english().frames['empty']).parts[0][1])}.", ()
    return _compose(draw, values, foreign, "describe", None, False)


def instruct(
    draw: Draw, values: Mapping[str, str], foreign: Mapping[str, str], quote: str, transcript: str, place: str
) -> str:
    """The instruction, its quotation at `start`, in the `middle` or at the `end`."""
    if not values:
        before, _, after = draw.one(load("en")["frames"]["empty_quote"]).partition("{quote}")
        text = f"{sentence(before) if before else ''}{quote}{after}"
        return text if not after and ends_sentence(transcript) else f"{text}."
    return _compose(draw, values, foreign, place, quote, ends_sentence(transcript))[0]


def _compose(
    draw: Draw,
    values: Mapping[str, str],
    foreign: Mapping[str, str],
    kind: str,
    quote: str | None,
    stops: bool,
) -> tuple[str, tuple[str, ...]]:
    for attempt in range(ATTEMPTS):
        draw.restart()
        draw.strict = attempt < STRICT
        try:
            caption, order = _begin(draw, values, foreign)
            caption.quote, caption.quote_stops = quote, stops
            frame, closer = _frames(draw, kind, len(order))
            text = caption.compose(
                frame, order, 0 if kind == "start" else _speaker_at(draw, len(order)), closer
            )
        except Stuck:
            continue
        return text, tuple(caption.told)
    raise RuntimeError(f"No frame of {kind!r} can tell {sorted(values)}.")


def _begin(draw: Draw, values: Mapping[str, str], foreign: Mapping[str, str]) -> tuple[Caption, list[str]]:
    """A caption with its speaker chosen, and the other attributes in any order."""
    sex, stage = values.get("gender", "unknown"), values.get("age", "unknown")
    apart = ""
    if "gender" in values and stage in GROWN:
        if draw.chance(AGE_APART):
            stage, apart = "unknown", "age"
        elif draw.chance(SEX_APART):
            sex, apart = "unknown", "gender"
    head = draw.one(english().heads[sex][stage])
    draw.used |= head.phrase.stems
    names = [name for name in values if name not in ("gender", "age") or name == apart]
    facts = {name: english().attributes[name][values[name]] for name in names}
    person = {"female": SHE, "male": HE}.get(values.get("gender", ""), THEY)
    return Caption(draw, english(), facts, foreign, head, person), draw.shuffled(names)


def _frames(draw: Draw, kind: str, n: int) -> tuple[Frame, Frame | None]:
    frames = english().frames
    if kind == "end" and (n > 4 or draw.chance(CLOSING_LINE)):
        return draw.one(frames["direct"]), draw.one(frames["closers"])
    return draw.one(frames[kind]), None


def _speaker_at(draw: Draw, n: int) -> int:
    """How many attributes come before the speaker."""
    return 0 if draw.chance(SPEAKER_FIRST) else draw.below(n + 1)
