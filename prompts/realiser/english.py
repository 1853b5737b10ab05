"""The English grammar: attributes in any order become one to four sentences.

A caption is a frame (a sentence with slots) around the noun phrase of who speaks. Attributes that come
before the speaker are fronted or told in sentences of their own; those that come after fill the frame's
slots in turn, and what is left over follows in further sentences.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from prompts.realiser.draw import Draw, Stuck
from prompts.realiser.english_lexicon import English, Frame, Head
from prompts.realiser.english_style import (
    NOT_AN_ORDER,
    adverb_first,
    alike,
    misread,
    repeats,
)
from prompts.realiser.english_words import (
    NOBODY,
    POSSESSIVE,
    PRONOUN,
    THEY,
    listed,
    sentence,
    with_article,
)
from prompts.realiser.facts import person_first
from prompts.realiser.lexicon import Table

Run = Sequence[str]
"""Attributes that one construction tells, in order."""
BEFORE = frozenset({"front", "voice", "lead"})
REQUIRED = frozenset({"voice", "lead", "adjs", "manner"})
CAPACITY = {
    "front": 3,
    "voice": 3,
    "lead": 2,
    "with": 2,
    "having": 2,
    "adjs": 3,
    "mods": 3,
    "manner": 3,
    "aside": 2,
    "tail": 2,
    "absolute": 2,
}
_MEASURED = frozenset({"pitch", "energy", "speed", "emotion"})


@dataclass(slots=True)
class Caption:
    """One attempt at a caption; raises Stuck where its choices lead nowhere."""

    draw: Draw
    english: English
    facts: Mapping[str, Table]
    foreign: Mapping[str, str]
    head: Head
    sex: int
    quote: str | None = None
    quote_stops: bool = False
    told: list[str] = field(default_factory=list)

    @property
    def person(self) -> int:
        """She or he once the sex is told, they until then."""
        return self.sex if "gender" in self.told or "gender" in self.head.tells else THEY

    def compose(self, frame: Frame, order: Run, speaker_at: int, closer: Frame | None = None) -> str:
        """The whole caption: sentences before, the frame, sentences after, the closing line."""
        self._claim(frame.stems)
        if closer:
            self._claim(closer.stems)
        if frame.identifies and not self.head.tells:
            raise Stuck
        before, after = person_first(order[:speaker_at]), person_first(order[speaker_at:])
        leading = self._leading(frame, before)
        separate = before[: len(before) - leading]
        if separate and not (frame.imperative or frame.identifies):
            raise Stuck
        texts = self._sentences(separate, introduced=False, imperative=frame.imperative)
        main, rest = self._fill(frame, before[len(separate) :], after)
        self._check_repeats(main.replace(self.quote or "\0", ""))
        texts.append(self._stopped(main))
        if rest and frame in self.english.frames["end"]:
            raise Stuck
        texts += self._sentences(rest, introduced=True, imperative=frame.imperative)
        if closer:
            texts.append(self._stopped(self._close(closer)))
        return " ".join(texts)

    def _claim(self, stems: frozenset[str]) -> None:
        if self.draw.strict and not self.draw.used.isdisjoint(stems):
            raise Stuck
        self.draw.used |= stems

    def _check_repeats(self, text: str) -> None:
        if self.draw.strict and repeats(text):
            raise Stuck

    def _leading(self, frame: Frame, before: Run) -> int:
        slot = next(iter(frame.slots & BEFORE), None)
        if slot is None or not before:
            if slot in REQUIRED:
                raise Stuck
            return 0
        most = min(CAPACITY[slot], len(before))
        return 1 + self.draw.below(most) if slot in REQUIRED else self.draw.below(most + 1)

    def _fill(self, frame: Frame, leading: Run, after: list[str]) -> tuple[str, list[str]]:
        out: list[str] = []
        quoted_at, slots = None, sum(1 for is_slot, s in frame.parts if is_slot and s in CAPACITY)
        for is_slot, part in frame.parts:
            if not is_slot:
                out.append(part)
            elif part in ("who", "whose"):
                out.append(self._who(possessive=part == "whose"))
            elif part == "quote":
                quoted_at = len(out)
                out.append(self.quote or "")
            elif part in BEFORE:
                out.append(self._slot(part, leading, frame) if leading else "")
            else:
                text, after = self._take(part, after, frame, slots)
                out.append(text)
        if quoted_at is not None:
            self._check_after_quote(frame, "".join(out[quoted_at + 1 :]), after)
        return "".join(out), after

    def _check_after_quote(self, frame: Frame, following: str, rest: Run) -> None:
        if self.quote_stops and (following.startswith(",") or adverb_first(following)):
            raise Stuck
        if frame in self.english.frames["middle"] and not following and not rest:
            raise Stuck

    def _who(self, *, possessive: bool) -> str:
        text = self.head.possessive if possessive else self.head.phrase.forms[0]
        if text is None:
            raise Stuck
        self.told += self.head.tells
        return text

    def _take(self, slot: str, after: list[str], frame: Frame, slots: int) -> tuple[str, list[str]]:
        """The slot filled with the first of what is left to tell, as much as it can hold or less."""
        most = min(CAPACITY[slot], len(after))
        least = 1 if slot in REQUIRED or len(after) > 2 + slots else 0
        size = max(least, self.draw.below(most + 1)) if most else 0
        for n in range(size, 0, -1):
            if makers := self._makers(slot, after[:n], frame):
                return self._make(makers, after[:n]), after[n:]
        if slot in REQUIRED:
            raise Stuck
        return "", after

    def _slot(self, slot: str, run: Run, frame: Frame) -> str:
        makers = self._makers(slot, run, frame)
        if not makers:
            raise Stuck
        return self._make(makers, run)

    def _make(self, makers: list[Callable[[Run], str]], run: Run) -> str:
        """By any construction that fits and still has words."""
        for maker in self.draw.shuffled(makers):
            used, told = set(self.draw.used), len(self.told)
            try:
                return maker(run)
            except Stuck:
                self.draw.used, self.told[told:] = used, []
        raise Stuck

    def _makers(self, slot: str, run: Run, frame: Frame) -> list[Callable[[Run], str]]:
        """The constructions that can tell this run in this slot."""
        can = self._can
        carrier = self._carriers(run)
        found: list[Callable[[Run], str]] = []

        def add(possible: bool, maker: Callable[[Run], str]) -> None:
            if possible:
                found.append(maker)

        if slot == "front":
            add(carrier, lambda r: f"{self._in_carrier(r)}, ")
            add(
                can(run, "pp") and (len(run) == 1 or "topic" not in run), lambda r: f"{self._list('pp', r)}, "
            )
            add(
                can(run, "adv") and (len(run) == 2 or run == ["emotion"]),
                lambda r: f"{self._list('adv', r)}, ",
            )
            add(can(run, "np"), lambda r: f"with {self._list('np', r)}, ")
            add(can(run, "part") and len(run) < 3, lambda r: f"{self._list('part', r)}, ")
            add(can(run, "own") and len(run) < 3, lambda r: f"{self._list('own', r)}, ")
        elif slot in ("with", "having"):
            add(carrier, lambda r: f" with {self._carrier(r)}")
            add(can(run, "np") and "emphasis" not in run, lambda r: f" with {self._list('np', r)}")
            add(can(run, "whose") and slot == "with", lambda r: f" {self._list('whose', r)}")
        elif slot in ("mods", "manner", "lead"):
            add(carrier, lambda r: f" {self._in_carrier(r)}")
            person = NOBODY if slot == "lead" else self.person
            add(self._modifies(run, frame), lambda r: self._modifiers(r, person))
        elif slot == "voice":
            add(can(run, "adj") and self._suits("voice", run), lambda r: self._carrier(r, "voice"))
        elif slot == "adjs":
            add(can(run, "adj") and self._suits("voice", run), lambda r: self._list("adj", r))
        elif slot == "aside":
            add(can(run, "part"), lambda r: f", {self._list('part', r)},")
            add(can(run, "own"), lambda r: f", {self._list('own', r)},")
        else:  # tail, absolute
            add(can(run, "abs"), lambda r: f", {self._list('abs', r)}")
            add(can(run, "np"), lambda r: f", with {self._list('np', r)}")
            add(carrier and "mods" in frame.slots, lambda r: f", {self._in_carrier(r)}")
            add(can(run, "part") and slot == "tail", lambda r: f", {self._list('part', r)}")
        return found

    def _can(self, run: Run, role: str) -> bool:
        return all(role in self.facts[a] for a in run)

    def _suits(self, noun: str, run: Run) -> bool:
        return self.english.carriers[noun].issuperset(run)

    def _carriers(self, run: Run) -> bool:
        return self._can(run, "adj") and any(self._suits(n, run) for n in self.english.carriers)

    def _say(self, attribute: str, role: str, person: int) -> str:
        phrase = self.draw.phrase(self.facts[attribute][role])
        text = phrase.forms[person]
        if (
            person == NOBODY
            and text.startswith(PRONOUN[NOBODY])
            and not self.english.speaker_stems <= phrase.stems
        ):
            self._claim(self.english.speaker_stems)
        self.told.append(attribute)
        foreign = self.foreign.get(attribute)
        return text if foreign is None else text.replace("{x}", foreign)

    def _list(self, role: str, run: Run) -> str:
        return listed([self._say(a, role, self.person) for a in run])

    def _noun(self, run: Run) -> str:
        return self.draw.one([n for n in self.english.carriers if self._suits(n, run)])

    def _in_carrier(self, run: Run) -> str:
        """in a loud, cheerful voice; with a brisk delivery"""
        noun = self._noun(run)
        return f"{self.english.prepositions[noun]} {self._carrier(run, noun)}"

    def _carrier(self, run: Run, noun: str = "") -> str:
        """a loud, cheerful voice"""
        noun = noun or self._noun(run)
        self._claim(self.english.carrier_stems[noun])
        return with_article(f"{', '.join(self._say(a, 'adj', self.person) for a in run)} {noun}")

    def _modifies(self, run: Run, frame: Frame) -> bool:
        """Adverbs and prepositional phrases; "about" only next to its verb or at the end."""
        for i, attribute in enumerate(run):
            if attribute == "topic":
                if not frame.takes_about or i not in (0, len(run) - 1):
                    return False
            elif not {"adv", "pp"} & self.facts[attribute].keys():
                return False
        return True

    def _modifiers(self, run: Run, person: int) -> str:
        manners: list[str] = []
        out = ""
        roles: tuple[str, ...] = ("adv", "pp")
        for attribute in run:
            if attribute == "topic":
                if manners:
                    out, manners = f" {listed(manners)}", []
                out += " " + self._say(attribute, "about", person)
                roles = ("pp",)  # "talking about concerts faintly"
            else:
                role = self.draw.one([r for r in roles if r in self.facts[attribute]])
                roles = ("pp",) if role == "pp" else roles  # "in a low voice and quickly" limps
                manners.append(self._say(attribute, role, person))
        return f"{out} {listed(manners)}" if manners else out

    def _sentences(self, run: Run, *, introduced: bool, imperative: bool) -> list[str]:
        """Sentences of their own, one to three attributes each."""
        texts, left = [], list(run)
        while left:
            n = min(len(left), 1 + self.draw.below(3) if len(left) != 2 else 2)
            if imperative:
                n = alike(left[:n])
            person = self.person if introduced else NOBODY
            text = self._clause_like(left[:n], person, imperative)
            self._check_repeats(text)
            texts.append(sentence(text) + ".")
            left = left[n:]
        return texts

    def _clause_like(self, run: Run, person: int, imperative: bool) -> str:
        makers: list[Callable[[Run], str]] = [lambda r: self._clauses(r, person)]
        if self._can(run, "pred"):
            makers.append(lambda r: self._predicates(r, person))
        if self._can(run, "adj") and self._suits("voice", run):
            makers.append(lambda r: self._voice_is(r, person))
        if imperative and self._can(run, "base") and NOT_AN_ORDER.isdisjoint(run):
            return self._make([lambda r: listed([self._say(a, "base", person) for a in r])], run)
        return self._make(makers, run)

    def _clauses(self, run: Run, person: int) -> str:
        texts = []
        for attribute in run:
            now = person if person == NOBODY else self.person
            texts.append(self._say(attribute, "clause", now))
        if person == THEY and misread(texts):
            raise Stuck
        if len(texts) == 2:
            joints = (" and ", ", and ", "; ")
            return self.draw.one((*joints, ", while ") if _MEASURED.issuperset(run) else joints).join(texts)
        return ", and ".join((", ".join(texts[:-1]), texts[-1])) if len(texts) > 1 else texts[0]

    def _predicates(self, run: Run, person: int) -> str:
        if person == NOBODY:
            self._claim(self.english.speaker_stems)
        return f"{PRONOUN[person]} {listed([self._say(a, 'pred', person) for a in run])}"

    def _voice_is(self, run: Run, person: int) -> str:
        self._claim(self.english.carrier_stems["voice"])
        return f"{POSSESSIVE[person]} voice is {listed([self._say(a, 'adj', person) for a in run])}"

    def _close(self, closer: Frame) -> str:
        verb = "" if self.person == THEY else "s"
        values = {"quote": self.quote or "", "they": PRONOUN[self.person], "s": verb}
        return "".join(values[part] if is_slot else part for is_slot, part in closer.parts)

    def _stopped(self, text: str) -> str:
        """A sentence with its capital, and its full stop unless the words quoted last bring one."""
        ends_quoted = self.quote is not None and text.endswith(self.quote)
        capital = text if self.quote is not None and text.startswith(self.quote) else sentence(text)
        return capital if ends_quoted and self.quote_stops else capital + "."
