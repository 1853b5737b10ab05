"""Clauses of a Chinese caption that tell nothing of a voice and do not speak of speech."""

from __future__ import annotations

from collections.abc import Sequence

from prompts.check.free import MASKS
from prompts.check.units import CLAUSE_ENDS, OTHER, Unit

ENOUGH = 4
"""Characters of its own from which on such a clause is something made up, where all is told without it."""
_OF_SPEECH = frozenset("字句词话语声音嗓舌唇腔调说讲谈聊念读喊问道叫听吐题段重强突照录播演扮")
_GRAMMAR = frozenset(
    "一二三四个这那就都也还又再在是有要来去到你我您请让由把被给跟和与而且但却便即只才可能会该从以为对向往比更最很太"
    "的了着过地得吧呢吗啊呀不没无别几两些点下上中里其此所之它自当及或且么什怎何样试占全缺"
)
_PRONOUNS = frozenset({"他", "她", "他们", "她们"})


def beside(units: Sequence[Unit]) -> list[str]:
    """The words of each clause that neither tells anything nor speaks of speech."""
    found: list[str] = []
    clause: list[Unit] = []
    for unit in [*units, None]:
        if unit is not None and unit.word not in CLAUSE_ENDS:
            clause.append(unit)
            continue
        if clause and not any(_tells(clause, i) for i in range(len(clause))):
            own = "".join(u.word for u in clause if _is_own(u))
            if len(own) >= ENOUGH:
                found.append("".join(u.surface or u.word for u in clause))
        clause = []
    return found


def _is_own(unit: Unit) -> bool:
    """True of a character that is no word of the lexicon, nor one that may be part of another word."""
    return (
        unit.word not in _GRAMMAR and unit.word >= "\u3400" and (unit.entry is OTHER or len(unit.word) == 1)
    )


def _tells(clause: list[Unit], i: int) -> bool:
    """True of a word that tells something, unless it is a character of an unknown word: the 密 of 严密."""
    unit = clause[i]
    entry = unit.entry
    if unit.word in MASKS or entry.invention or not _OF_SPEECH.isdisjoint(unit.word):
        return True
    if not (entry.senses or entry.level or entry.carrier) or unit.word in _PRONOUNS:
        return False
    return len(unit.word) > 1 or not any(
        _is_unknown(u) for u in (*clause[max(0, i - 1) : i], *clause[i + 1 : i + 2])
    )


def _is_unknown(unit: Unit) -> bool:
    return unit.entry is OTHER and _is_own(unit)
