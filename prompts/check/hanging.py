"""The nouns of height, loudness and pace on which a word such as "low" hangs."""

from __future__ import annotations

from prompts.check.lexicon import WHO
from prompts.check.units import HARD, MEASURED, Unit

LEFT_REACH = 8
_JOINTS = frozenset({"and", "or", ",", "nor", "as", "well"})
_OF = ("in", "of", "on")
_AND = ("and", "but", ",", "or", "nor")


def carriers(units: list[Unit], i: int, through: frozenset[str]) -> list[str]:
    """The nouns a word of height hangs on: the one it stands before, else the one it is said of."""
    n = len(units)
    before = units[i - 1].entry.carrier if i else None
    if before and (
        not (i + 1 < n and units[i + 1].entry.carrier and not units[i + 1].fresh)
        or (not units[i].word.isascii() and before in MEASURED and not (i > 1 and units[i - 2].entry.level))
    ):
        return [before, *_joined(units, i - 1, -1)]
    j = i + 1
    while j < n and j <= i + 6:
        unit = units[j]
        carrier = unit.entry.carrier
        if carrier:
            if j > i + 1 and units[j - 1].word in _AND:
                break
            return [carrier, *_joined(units, j, 1)]
        passes = (
            unit.entry.level
            or (unit.entry.senses and unit.entry.senses[0].readings[0][0] not in WHO)
            or unit.word in through
            or (unit.word == "their" and j == i + 1)
        )
        if not passes or (unit.word in _OF and units[j - 1].word == ","):
            break
        j += 1
    for j in range(i - 1, max(-1, i - LEFT_REACH - 1), -1):
        unit = units[j]
        if unit.word in HARD or unit.word == "," or (unit.word == ":" and not units[j - 1].entry.carrier):
            break
        carrier = unit.entry.carrier
        if carrier:
            return [carrier, *_joined(units, j, -1)]
    return []


def _joined(units: list[Unit], at: int, step: int) -> list[str]:
    """The further carriers of "pitch, volume and pace"."""
    found: list[str] = []
    k, n = at + step, len(units)
    joint = ""
    while 0 <= k < n:
        unit = units[k]
        if step < 0 and not found and not joint and unit.word == ",":
            break
        if unit.word in _JOINTS or unit.word == "their":
            joint = unit.word if unit.word in _JOINTS else joint
        elif unit.word in ("in", "of") and joint:
            pass
        elif unit.entry.carrier and joint and not (unit.entry.carrier == "emotion" and unit.fresh):
            after = units[k + 1] if step > 0 and k + 1 < n else None
            before = units[k - 1] if step < 0 and k > 0 else None
            near = after or before
            if near is not None and _stops_list(near, strict=step > 0 and joint == ","):
                break
            found.append(unit.entry.carrier)
            joint = ""
        else:
            break
        k += step
    return found


def _stops_list(near: Unit, *, strict: bool) -> bool:
    """True if the word beside a noun shows that it begins something new: "high pitch, volume low"."""
    if strict:
        return near.word not in _JOINTS and near.word not in HARD
    if near.word in ("in", "on", "of", "their"):
        return True
    entry = near.entry
    return bool(entry.level or entry.tells(MEASURED) or entry.negation) and not entry.carrier
