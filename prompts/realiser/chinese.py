"""The Chinese grammar: attributes in any order become clauses around the noun phrase of who speaks.

What comes before the speaker stands in clauses or in an instrumental phrase; what comes after fills the
slots of the frame, clauses last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from prompts.realiser.chinese_lexicon import Frame, Head, chinese
from prompts.realiser.draw import Draw, Stuck
from prompts.realiser.facts import GROWN, person_first
from prompts.realiser.lexicon import Table
from prompts.realiser.quoting import ends_sentence

Run = Sequence[str]
BEFORE = ("pre", "lead", "first")
_ROLE = {"ins": "ins", "adv": "adv", "said": "pred", "orders": "vp", "orders_only": "vp"}
_CAPACITY = {"ins": 2, "adv": 1, "said": 3, "orders": 4, "orders_only": 4, "first": 3, "lead": 2}
_MANNER = frozenset({"pitch", "energy", "speed", "emotion"})
_OPTIONAL = frozenset({"pre", "preds", "orders"})
NEW_SENTENCE = 0.4
AGE_APART, SEX_APART = 0.05, 0.03
"""Shares of captions that tell age, or sex, elsewhere than in the noun phrase of who speaks."""
SPEAKER_FIRST = 0.4
SHORTEST = 8
"""Characters of a caption without the words it quotes."""
STRICT, ATTEMPTS = 80, 1000
"""Attempts that repeat no content word, and attempts in all."""


def describe(
    draw: Draw, values: Mapping[str, str], foreign: Mapping[str, str]
) -> tuple[str, tuple[str, ...]]:
    """The description, and the attributes it tells in their order."""
    if not values:
        return f"{draw.one(chinese().frames['empty']).parts[0][1]}。", ()
    return _compose(draw, values, foreign, "describe", "", False)


def instruct(
    draw: Draw, values: Mapping[str, str], foreign: Mapping[str, str], quote: str, transcript: str, place: str
) -> str:
    """The instruction, its quotation at `start`, in the `middle` or at the `end`."""
    kind = place if values else "empty_quote"
    return _compose(draw, values, foreign, kind, quote, ends_sentence(transcript))[0]


def _compose(
    draw: Draw, values: Mapping[str, str], foreign: Mapping[str, str], kind: str, quote: str, stops: bool
) -> tuple[str, tuple[str, ...]]:
    for attempt in range(ATTEMPTS):
        draw.restart()
        draw.strict = attempt < STRICT
        try:
            caption, order = _begin(draw, values, foreign)
            caption.quote, caption.quote_stops = quote, stops
            first = kind == "start" or draw.chance(SPEAKER_FIRST)
            at = 0 if first else draw.below(len(order) + 1)
            text = caption.compose(draw.one(chinese().frames[kind]), order[:at], person_first(order[at:]))
        except Stuck:
            continue
        return text, tuple(caption.told)
    raise RuntimeError(f"No frame of {kind!r} can tell {sorted(values)}.")


def _begin(draw: Draw, values: Mapping[str, str], foreign: Mapping[str, str]) -> tuple[_Caption, list[str]]:
    """A caption with its speaker chosen, and the other attributes in any order."""
    sex, stage = values.get("gender", "unknown"), values.get("age", "unknown")
    apart = ""
    if "gender" in values and stage in GROWN:
        if draw.chance(AGE_APART):
            stage, apart = "unknown", "age"
        elif draw.chance(SEX_APART):
            sex, apart = "unknown", "gender"
    head = draw.one(chinese().heads[sex][stage])
    draw.used |= head.noun.stems
    names = [name for name in values if name not in ("gender", "age") or name == apart]
    facts = {name: chinese().attributes[name][values[name]] for name in names}
    return _Caption(draw, facts, foreign, head, chinese().pronouns[sex]), draw.shuffled(names)


@dataclass(slots=True)
class _Caption:
    """One attempt at a caption; raises Stuck where its choices lead nowhere."""

    draw: Draw
    facts: Mapping[str, Table]
    foreign: Mapping[str, str]
    head: Head
    pronoun: str
    quote: str = ""
    quote_stops: bool = False
    told: list[str] = field(default_factory=list)

    def compose(self, frame: Frame, before: list[str], after: list[str]) -> str:
        if self.draw.strict and not self.draw.used.isdisjoint(frame.stems):
            raise Stuck
        if frame.identifies and not self.head.tells:
            raise Stuck
        self.draw.used |= frame.stems
        slot = next((s for s in BEFORE if s in frame.slots), "said" if self._said_first(frame) else None)
        if slot is None:
            before, after = [], person_first(before + after)
        elif slot not in _OPTIONAL and not before:
            raise Stuck
        out: list[str] = []
        reached = False
        for is_slot, part in frame.parts:
            if not is_slot:
                out.append(part)
            elif part == "who":
                reached = True
                out.append(self._who())
            elif part == "quote":
                out.append(self.quote)
            elif not reached:
                out.append(self._before(part, before))
            else:
                text, after = self._after(part, after, frame)
                out.append(text)
        if after:
            raise Stuck
        return self._punctuated("".join(out))

    def _said_first(self, frame: Frame) -> bool:
        slots = [part for is_slot, part in frame.parts if is_slot]
        return "said" in slots and slots.index("said") < slots.index("who")

    def _who(self) -> str:
        self.told += self.head.tells
        return self.head.noun.forms[0]

    def _before(self, slot: str, run: Run) -> str:
        if not run:
            return ""
        if len(run) > _CAPACITY.get(slot, len(run)):
            raise Stuck
        if slot == "pre":
            return f"{self._told(run, 'pred', '，')}，"
        if slot == "first":
            return f"{self._told(run, 'vp', '，')}，"
        if slot == "lead":
            return self._lead(run)
        if not _MANNER.issuperset(run):
            raise Stuck
        return self._told(run, _ROLE[slot], "，")

    def _lead(self, run: Run) -> str:
        if len(run) == 1 and "adv" in self.facts[run[0]] and self.draw.chance(0.5):
            return self._say(run[0], "adv")
        return self._with(run)

    def _with(self, run: Run) -> str:
        return self.draw.one(("用", "以")) + self._told(run, "ins", "、")

    def _after(self, slot: str, after: list[str], frame: Frame) -> tuple[str, list[str]]:
        if slot == "preds" or (slot == "tail" and after):
            return self._tail(after, frame), []
        if not after:
            if slot in _OPTIONAL:
                return "", after
            raise Stuck
        most = min(_CAPACITY[slot], len(after))
        n = 1 + self.draw.below(most)
        run, rest = after[:n], after[n:]
        if slot == "ins":
            return self._with(run), rest
        if slot == "orders":
            return f"，{self._orders(run)}，", rest
        if slot == "orders_only":
            return self._orders(run), rest
        if slot == "said" and not _MANNER.issuperset(run):
            raise Stuck
        return self._told(run, _ROLE[slot], "，"), rest

    def _orders(self, run: Run) -> str:
        joint = "，并" if len(run) > 1 and self.draw.chance(0.4) else "，"
        said = [self._say(a, "vp") for a in run]
        return joint.join(("，".join(said[:-1]), said[-1])) if len(said) > 1 else said[0]

    def _tail(self, run: Run, frame: Frame) -> str:
        """Clauses after a comma; of many, the later ones make a sentence of their own."""
        if not run:
            return ""
        if len(run) < 3 or not frame.divides or not self.draw.chance(NEW_SENTENCE):
            return f"，{self._told(run, frame.clause, '，')}"
        cut = 1 + self.draw.below(len(run) - 1)
        head = self._told(run[:cut], frame.clause, "，")
        owned = self.pronoun and "own" in self.facts[run[cut]]
        first = f"{self.pronoun}的{self._say(run[cut], 'own')}" if owned else self._say(run[cut], "pred")
        rest = [self._say(a, frame.clause) for a in run[cut + 1 :]]
        return f"，{head}。{'，'.join((first, *rest))}"

    def _told(self, run: Run, role: str, joint: str) -> str:
        return joint.join([self._say(a, role) for a in run])

    def _say(self, attribute: str, role: str) -> str:
        text = self.draw.phrase(self.facts[attribute].get(role, ())).forms[0]
        self.told.append(attribute)
        foreign = self.foreign.get(attribute)
        return text if foreign is None else text.replace("{x}", foreign)

    def _punctuated(self, text: str) -> str:
        """With a full stop, and without a comma after a quotation that brings its own."""
        if sum(map(str.isalnum, text.replace(self.quote, ""))) < SHORTEST:
            raise Stuck
        if not self.quote or not self.quote_stops:
            return f"{text}。"
        before, quote, after = text.partition(self.quote)
        after = after.removeprefix("，")
        if after and not after[0].isalnum():
            raise Stuck
        return f"{before}{quote}{after}。" if after else before + quote
