"""Words that make something up only in some company: "in the hall", "her hands", "she stands"."""

from __future__ import annotations

from prompts.check.free import STRESS, TOPIC
from prompts.check.lexicon import WHO, phrases, source
from prompts.check.traits import is_attribute
from prompts.check.units import CLAUSE_ENDS, HARD, MEASURED, Unit

_PLACES = frozenset(
    {
        "in", "at", "on", "by", "near", "from", "through", "outside", "inside", "under", "across", "over",
        "beside", "behind", "against", "into", "along", "around", "beneath", "aboard", "amid", "past",
        "below", "above", "out", "toward", "towards", "between", "among", "off",
    }
)  # fmt: skip
_AS_FAR_AS = frozenset({"for", "to", "through", "down", "across", "over", "of", "into", "than", "past", "as"})
"""What stands before a place that only shows how loud: "carries down the corridor"."""
_POSED = frozenset(
    {
        "in",
        "on",
        "to",
        "up",
        "down",
        "high",
        "out",
        "against",
        "at",
        "off",
        "apart",
        "together",
        "forward",
        "over",
        "under",
        "behind",
        "wide",
        "raised",
        "lifted",
        "thrown",
        "held",
        "set",
        "bent",
        "crossed",
        "folded",
        "tilted",
    }
)
"""What stands behind a part of the body that is held so: ", chin in the air"."""
_OWNED = frozenset({"their", "with"})
_ENERGY, _EMOTION = frozenset({"energy"}), frozenset({"emotion"})
_WHO = frozenset({"she", "he", "they", "who", "while", "woman", "man", "girl", "boy", "speaker"})
_OF = frozenset(
    {"of", "about", "on", "like", "than", "as if", "as though", "像", "好像", "谈", "聊", "说到", "关于"}
)
_FELT = frozenset({"觉得", "感到", "感觉", "因为", "由于", "出于"})
"""Words that tell a mood, and no motive, where it follows."""
_BESIDE = {"near": "trait", "said": "trait", "timbre": "voice"}
"""Kinds that are made up only where they are said of a person or a voice."""
_SOUNDS = frozenset(phrases(source("en")["sounding"]))


def made_up(units: list[Unit], i: int) -> str | None:
    """The kind of what a word makes up here; None if nothing."""
    kind = units[i].entry.invention
    if kind in ("place", "scene", "story") and _is_measure(units, i):
        return None
    if kind == "place":
        return "scene" if _before(units, i, _PLACES, 4) else None
    if kind == "mind" and _beside_topic(units, i):
        return None
    if kind == "voice" and "accent" in units[i].entry.text and any(u.word == STRESS for u in units):
        return None
    if kind == "mind" and units[i].entry.text in _FELT and _is_mood(units, i + 1):
        return None
    if kind == "trade":
        return "trait" if _is_noun(units[i]) and not _before(units, i, _OF, 2) else None
    if kind == "said" and _is_verb(units[i]):
        return None
    if kind in _BESIDE:
        return _BESIDE[kind] if _is_said_of_it(units, i) else None
    if kind == "limb":
        after = units[i + 1].surface if i + 1 < len(units) else "."
        moves = i and units[i - 1].word == "," and (after.endswith("ing") or after in _POSED)
        return "body" if moves or _before(units, i, _OWNED, 2) else None
    if kind == "posture":
        return "body" if _is_posture(units, i) else None
    return kind


def _is_mood(units: list[Unit], i: int) -> bool:
    """True if the unit tells an emotion."""
    return i < len(units) and units[i].entry.tells(_EMOTION)


def _beside_topic(units: list[Unit], i: int) -> bool:
    """True if the topic stands behind a word, in Chinese near in its clause: who thinks is in the topic."""
    if units[i].entry.text.isascii():
        return any(u.word == TOPIC for u in units[i + 1 : i + 4])
    for near in (reversed(units[max(0, i - 3) : i]), units[i + 1 : i + 4]):
        for unit in near:
            if unit.word == TOPIC:
                return True
            if unit.word in HARD or unit.word == ",":
                break
    return False


def _is_measure(units: list[Unit], i: int) -> bool:
    """True if a place or a listener only tells how loud: "a volume that carries down the corridor"."""
    if i + 1 < len(units) and units[i + 1].entry.carrier in MEASURED:
        return True  # "playground volume"
    reached = of = False
    for unit in reversed(units[max(0, i - 7) : i]):
        if unit.word in HARD or unit.word == ",":
            return False
        if unit.entry.carrier in MEASURED and of:
            return True  # "the pace of a man at breakfast"
        of = unit.word == "of"
        reached = reached or unit.word in _AS_FAR_AS
        if unit.entry.carrier == "energy" or unit.entry.tells(_ENERGY):
            return reached
    return False


def _before(units: list[Unit], i: int, words: frozenset[str], reach: int) -> bool:
    for unit in reversed(units[max(0, i - reach) : i]):
        if unit.word in HARD or unit.word == ",":
            return False
        if unit.word in words:
            return True
    return False


def _is_posture(units: list[Unit], i: int) -> bool:
    """True if a person does it, not a voice: "she stands by", but not "it stands high in her range"."""
    if any(u.word == STRESS for u in units[max(0, i - 9) : i + 5]):
        return False
    after = [u.entry for u in units[i + 1 : i + 5]]
    if any(e.level or e.carrier or (e.senses and e.invention is None) for e in after):
        return False
    before = units[i - 1].word if i else ","
    return (
        before in _WHO
        or (i > 0 and units[i - 1].entry.tells(WHO))
        or (units[i].surface.endswith("ing") and before in (",", "and", "while", "when", "as"))
    )


def _is_said_of_it(units: list[Unit], i: int) -> bool:
    """True if a word is said of a person or a voice: "a tired woman", "her tone is crisp", "sounds cold"."""
    right = units[i + 1 : i + 4]
    if _stands_alone(units, i):
        return True
    if right and units[i].surface.endswith("ly") and right[0].entry.senses:
        return False  # "sweetly pleased"
    for unit in right:
        if _is_bearer(unit) or (unit.word == "one" and units[i].fresh):
            return True
        if not _is_attribute(unit) and unit.word not in ("in", "their"):
            break
    for unit in reversed(units[max(0, i - 4) : i]):
        if _is_bearer(unit) or unit.surface in _SOUNDS:
            return True
        if not _is_attribute(unit):
            break
    return False


def _stands_alone(units: list[Unit], i: int) -> bool:
    """True of an adjective between commas, alone or with another: ", tall and thin,"."""
    if not i or units[i].surface.endswith("ly"):
        return False
    before = units[i - 2] if units[i - 1].word == "and" and i > 1 else units[i - 1]
    after = units[i + 1].word if i + 1 < len(units) else "."
    return (before.word in CLAUSE_ENDS or before.entry.invention in _BESIDE) and (
        after in CLAUSE_ENDS or after == "and"
    )


def _is_verb(unit: Unit) -> bool:
    """True if a word stands in another form than the lexicon has it, with the ending of a verb."""
    return unit.surface.endswith(("s", "ed", "ing")) and not unit.entry.text.startswith(unit.surface)


def _is_noun(unit: Unit) -> bool:
    """True if a word stands as the lexicon has it: "a singer", not "singing"."""
    text = unit.entry.text
    return not text.isascii() or unit.surface.rstrip("s").startswith(text.partition(" ")[0].rstrip("s"))


def _is_bearer(unit: Unit) -> bool:
    entry = unit.entry
    return unit.word in _SPEAKERS or entry.carrier in _VOICED or entry.tells(WHO)


_SPEAKERS = frozenset({"speaker", "narrator", "person", "someone", "somebody"})
_VOICED = frozenset({"voice", "delivery", "volumes", "emotion"})


def _is_attribute(unit: Unit) -> bool:
    """True of what may stand between a word and the noun it hangs on."""
    return is_attribute(unit) or bool(unit.entry.invention)
