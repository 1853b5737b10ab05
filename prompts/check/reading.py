"""What a caption claims: the phrases found in it, each with the noun it hangs on and what negates it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

from prompts.check.free import MASKS, STRESS
from prompts.check.hanging import carriers
from prompts.check.lexicon import WHO, Lexicon, Sense, phrases, source
from prompts.check.scenery import made_up
from prompts.check.traits import is_trait
from prompts.check.units import CLAUSE_ENDS, HARD, MEASURED, OTHER, Claim, Told, Unit

REACH = 7
"""Words that a negation reaches at most."""
VERBS = frozenset(
    {
        form
        for verb in source("en")["verbs"].split(", ")
        for form in (verb, f"{verb}s", f"{verb}es", f"{verb}ed", f"{verb}d", f"{verb[:-1]}ies")
    }
)
"""What a speaker may be said to do."""
_OVER = frozenset({"above", "beyond", "exceed", "over", "past"})
_UNDER = frozenset({"below", "beneath", "under"})
_ATTACHES = frozenset({"with", "while", "as", "so", "because", "from", "under", "behind", "before", "after"})
"""Words that begin a clause about what else is the case, as a participle does."""
_COMPARES = frozenset({"as if", "as though", "仿佛", "好像", "宛如", "犹如", "宛若", "恍若"})
"""Words that begin a comparison, which may be made up though what stands before it tells."""
_PERSONS = frozenset(
    {
        "she",
        "he",
        "they",
        "someone",
        "somebody",
        "having",
        "her",
        "his",
        "她",
        "他",
        "在",
        "刚",
        "有",
        "正",
        "身",
    }
)
_SAYS = frozenset({"sounds", "sound", "speaks", "talks", "says", "delivers"})
_TURNS = _OVER | _UNDER | HARD | {":", ",", "and", "their", "as", "while", "from", "beyond", "than", "about"}
"""Words that turn what is read, though the lexicon may know nothing of them."""
_FROM = frozenset({"from", "beyond"})
"""Ends what is denied: "not moved from the ordinary"."""
_LETS = frozenset(
    {"let", "allow", "permit", "raise", "lift", "lower", "drop", "lose", "push", "force", "change", "with"}
)


class Reader:
    """Reads one language."""

    def __init__(self, lexicon: Lexicon, through: frozenset[str], plain: Callable[[str], bool]) -> None:
        """`through`: words that may stand between an adjective and its noun; `plain`: tells nothing."""
        self.lexicon = lexicon
        self._through = through
        self._plain = plain
        self._opposite = frozenset(phrases(lexicon.source["opposite"]))
        self._mentions = frozenset(phrases(lexicon.source.get("mentions", "")))

    def read(self, units: list[Unit]) -> Told:
        """The claims of a text, in order."""
        told = Told(has_stress=STRESS in [unit.word for unit in units])
        negation: str | None = None
        left, list_like, between, simile, ignored = 0, False, False, False, False
        for i, unit in enumerate(units):
            entry, word = unit.entry, unit.word
            if entry is OTHER and word not in _TURNS:
                left -= 1
                if left <= 0:
                    negation = None
                continue
            if word in HARD or word == ":":
                negation, simile, ignored = None, False, False
                continue
            if word == ",":
                ignored = False
                if negation and not (list_like and _goes_on(units, i)):
                    negation = None
                if not (negation and list_like):
                    simile = False
                continue
            if word == "and":
                ignored = False
                if not (negation and list_like and (between or _is_noun_next(units, i))):
                    negation = None
                continue
            if word == "their" and negation and units[i - 1].entry.negation is None:
                of_noun = i + 1 < len(units) and units[i + 1].entry.carrier
                negation = negation if of_noun and units[i - 1].word in _LETS else None
            if negation and (word in _OVER or word in _UNDER) and not entry.level and not entry.senses:
                negation = None
            if word in ("as", "while") and _acts(units, i, self._plain):
                told.inventions.append((unit.at, "story", units[i + 2].surface))
            if word in _FROM and negation and not entry.senses:
                negation = None
            if word == "about" and negation and told.claims and told.claims[-1].polarity != "asserted":
                negation = None
            if entry is OTHER:
                if word == "than":
                    ignored, negation = negation is None, None
                left -= 1
                if left <= 0:
                    negation = None
                continue
            if ignored and unit.surface in _SAYS:
                ignored = False
            if entry.stops:
                negation, ignored = None, False
            if entry.negation:
                kind = entry.negation
                if kind in ("hide", "unless"):
                    negation = None
                elif kind == "turns":
                    negation, left = (negation and "litotes"), REACH
                else:
                    negation = (
                        "opposite" if entry.text in self._opposite else "not" if kind == "instead" else kind
                    )
                    lasts = entry.text.startswith(_AT_NO_TIME)
                    list_like = lasts or entry.text in LIST_LIKE
                    left = REACH + 3 * lasts
                    between = entry.text in _BETWEEN
            if entry.simile and not entry.invention and not (word == "would" and _says_next(units, i)):
                simile = True
            if ignored:
                continue
            if entry.carrier and entry.text in self._mentions:
                told.mentions.setdefault(entry.carrier, unit.at)
            self._claim(told, units, i, negation if not (entry.negation and not entry.senses) else None)
            if entry.senses and _goes_on_denying(units, i):
                negation, left, list_like = "not", REACH, True
            if entry.invention and not negation:
                what = made_up(units, i)
                if what and simile and entry.invention != "voice":
                    if _is_image(units, i):
                        told.images.append((what, entry.text))
                elif what:
                    told.inventions.append((unit.at, what, entry.text))
                    told.excused[unit.at] = entry.excused
            left -= 1
            if left <= 0:
                negation = None
        _neither_pole(units, told)
        _refused_poles(told)
        self._strange(units, told)
        self._of_others(units, told)
        return told

    def _of_others(self, units: list[Unit], told: Told) -> None:
        """Who and how old is no fault behind something made up: it is of others ("a brother lied")."""
        places = [at for at, kind, _ in told.inventions if kind in _ELSEWHERE]
        if places:
            told.elsewhere = _behind(units, places)
            told.claims = [
                c._replace(sense=replace(c.sense, weak=True)) if _is_who(c) and told.is_elsewhere(c.at) else c
                for c in told.claims
            ]
        acting = [(at, kind) for at, kind, text in told.inventions if kind in _ACTING and not text.isascii()]
        if acting:
            clauses = _behind(units, [at for at, kind in acting if kind == "scene"], _CLAUSE_ENDS_ZH)
            clauses += _behind(units, [at for at, kind in acting if kind == "story"])
            told.claims = [
                c._replace(sense=replace(c.sense, weak=True))
                if any(begin < c.at < end for begin, end in clauses)
                else c
                for c in told.claims
            ]

    def _strange(self, units: list[Unit], told: Told) -> None:
        """Notes the words that the lexicon does not know; not of clauses in which something is made up."""
        made_up = {at for at, _, _ in told.inventions}
        clause: list[str] = []
        counts, tells, begins, attached = True, False, True, False
        for i, (unit, following) in enumerate(pairwise([*units, units[-1]] if units else [])):
            entry = unit.entry
            if entry.text in _COMPARES and not begins and following.surface in _PERSONS:
                if counts and not tells:
                    told.asides.append(clause * 2 if attached else clause)
                clause, tells, attached = [], False, True
            elif begins:
                attached = unit.surface.endswith("ing") or unit.surface in _ATTACHES
                begins = False
            counts = counts and unit.at not in made_up
            tells = tells or bool(entry.senses or entry.carrier or entry.level or unit.word in MASKS)
            if (entry is OTHER or entry.invention == "said") and not self._plain(unit.surface):
                clause.append(unit.surface)
                if is_trait(units, i):
                    told.traits.append(unit.surface)
            if unit.word in CLAUSE_ENDS or unit is units[-1]:
                if counts:
                    told.strange += clause
                if counts and not tells:
                    told.asides.append(clause * 2 if attached else clause)
                clause, counts, tells, begins = [], True, False, True

    def _claim(self, told: Told, units: list[Unit], i: int, negation: str | None) -> None:
        unit = units[i]
        entry = unit.entry
        if i and units[i - 1].word == "how" and (entry.level or entry.tells(MEASURED)):
            return  # "how loud he is"
        own = entry.negation is not None and bool(entry.senses)
        if negation == "not" and unit.surface.startswith("un") and not own:
            negation = "litotes"
        polarity = "asserted" if negation is None or own else negation if negation in _SAYS_MORE else "denied"
        senses = entry.senses
        if entry.level:
            nouns = carriers(units, i, self._through)
            level = _beyond(entry.level, units[i - 1].word if i else "")
            hung = [s for c in nouns for s in self.lexicon.together.get(f"{level} {c}", ())]
            senses = tuple(hung) or (*senses, *self.lexicon.together.get(f"{level} none", ()))
        elif entry.carrier == "emotion" and negation and not senses:
            senses, polarity = self.lexicon.together["no emotion"], "asserted"
        if polarity != "asserted" and _is_affirmed(units, i):
            polarity = "asserted"
        if polarity == "asserted" and i and _is_middling(units[i - 1]) and entry.tells(MEASURED):
            senses = tuple(_middling(s) for s in senses)
        if polarity != "asserted" and senses and senses[0].readings[0][0] in WHO:
            near = any(
                (u.entry.negation in ("not", "instead") or u.entry.text == "nothing")
                and (u.at >= unit.at - 3 or u.entry.text in ("neither", "nor"))
                for u in units[max(0, i - 4) : i]
            )
            if not near:
                polarity = "asserted"
        if told.has_stress and _near_stress(units, i):
            senses = tuple(
                replace(s, weak=True) if s.readings[0][0] in MEASURED and not s.weak else s for s in senses
            )
        for sense in senses:
            told.claims.append(Claim(unit.at, sense, polarity, entry.text))


_BETWEEN = frozenset(
    ["between", "midway between", "halfway between", "somewhere between", "partway between", "介于", "在于"]
)
LIST_LIKE = _BETWEEN | {
    "no", "without", "neither", "nor", "free of", "free from", "devoid of", "none of", "lack", "lacking",
    "no trace of", "no hint of", "absence of", "not a trace of", "not a hint of", "nothing",
    "没有", "毫无", "无", "既不", "既没有", "不带", "没", "毫不",
}  # fmt: skip
"""Negations that reach over the commas and "and" of a list."""


def _beyond(level: str, before: str) -> str:
    """The level of "over medium" is high, that of "under the usual" low."""
    if level != "normal":
        return level
    return "high" if before in _OVER else "low" if before in _UNDER else level


_SAYS_MORE = frozenset({"litotes", "opposite"})
_ELSEWHERE = frozenset({"mind", "story", "scene"})
_ACTING = frozenset({"story", "scene"})
"""Kinds behind which, in Chinese, nothing more is of the voice: "his team stared in wonder"."""
_CLAUSE_ENDS_ZH = HARD | {","}


def _refused_poles(told: Told) -> None:
    """Denies both poles of "does not rush and does not drag", each of which tells the other alone."""
    refused = [c for c in told.claims if c.polarity == "asserted" and c.text.startswith(_REFUSALS)]
    if len(refused) > 1 and any(_are_poles(a.sense, b.sense) for a in refused for b in refused):
        told.claims = [c._replace(polarity="denied") if c in refused else c for c in told.claims]


_REFUSALS = ("not ", "no ", "never ", "will not ", "refuse", "nothing ", "without ")


def _neither_pole(units: list[Unit], told: Told) -> None:
    """Denies both poles of "fast or slow", said of a pace that is neither."""
    for i in range(1, len(units) - 1):
        if units[i].word != "or":
            continue
        before, after = units[i - 1].at, units[i + 1].at
        if any(
            a.at == before and b.at == after and _are_poles(a.sense, b.sense)
            for a in told.claims
            for b in told.claims
        ):
            told.claims = [
                c._replace(polarity="denied") if c.at in (before, after) and c.polarity == "asserted" else c
                for c in told.claims
            ]


def _are_poles(one: Sense, other: Sense) -> bool:
    if len(one.readings) != 1 or len(other.readings) != 1:
        return False
    ((attribute, values),), ((second, others),) = one.readings, other.readings
    return attribute == second and attribute in MEASURED and values.isdisjoint(others)


def _is_image(units: list[Unit], i: int) -> bool:
    """True if, in Chinese, a clause that begins with "as if" tells nothing but this: "，像在空荡的车站上"."""
    if units[i].entry.text.isascii():
        return False
    begin = next((k for k in range(i, -1, -1) if units[k].word in CLAUSE_ENDS), -1)
    end = next((k for k in range(i, len(units)) if units[k].word in CLAUSE_ENDS), len(units))
    clause = [unit.entry for unit in units[begin + 1 : end]]
    return (
        0 <= begin < i - 1
        and clause[0].simile
        and not any(entry.carrier or entry.level or entry.senses for entry in clause)
    )


def _is_who(claim: Claim) -> bool:
    return bool(claim.sense.readings) and claim.sense.readings[0][0] in WHO


def _behind(units: list[Unit], places: list[int], stops: frozenset[str] = HARD) -> list[tuple[int, int]]:
    """From each place to the end of its sentence, or the first of other stops."""
    ends = [unit.at for unit in units if unit.word in stops]
    last = units[-1].at + 1 if units else 0
    return [(at, min((end for end in ends if end > at), default=last)) for at in places]


def _is_affirmed(units: list[Unit], i: int) -> bool:
    """True if a denial affirms: "cannot get it out quickly enough", "could not be gloomier"."""
    if i + 1 < len(units) and units[i + 1].word == "enough":
        return True
    if not units[i].surface.endswith("er") and not (i and units[i - 1].surface == "more"):
        return False
    return any(u.surface == "could" for u in units[max(0, i - 10) : i])


def _is_middling(unit: Unit) -> bool:
    """True if it makes the next word a middling one: "moderately loud"."""
    return unit.entry.level == "normal" and unit.surface.endswith("ly")


def _middling(sense: Sense) -> Sense:
    """The sense with "normal" for what is measured in it."""
    return replace(
        sense, readings=tuple((n, frozenset({"normal"}) if n in MEASURED else v) for n, v in sense.readings)
    )


def _acts(units: list[Unit], i: int, plain: Callable[[str], bool]) -> bool:
    """True if "as she" goes on with a verb that the lexicon does not know: "as she stirs the soup"."""
    if i + 3 >= len(units) or units[i + 1].word not in ("she", "he", "they"):
        return False
    verb = units[i + 2]
    acts = verb.entry is OTHER and verb.surface.endswith(("s", "ed")) and verb.word not in VERBS
    return acts and not plain(verb.surface)


def _near_stress(units: list[Unit], i: int) -> bool:
    """True if the stressed word stands beside: what is said there is of the word, not of the voice."""
    return any(u.word == STRESS for u in units[max(0, i - 3) : i + 4])


def _goes_on(units: list[Unit], i: int) -> bool:
    """True if an "or" follows this comma soon: "no hurry, no noise or fuss"."""
    for unit in units[i + 1 : i + 7]:
        if unit.word in HARD:
            return False
        if unit.word in ("or", "nor", "、"):
            return True
    return False


def _says_next(units: list[Unit], i: int) -> bool:
    """True of "would" before a verb of speaking, which compares nothing: "as one would say it to a son"."""
    return i + 1 < len(units) and units[i + 1].word in ("say", "tell", "speak", "talk")


def _goes_on_denying(units: list[Unit], i: int) -> bool:
    """True of a phrase whose negation holds for what follows: "neither joy nor", "hardly any volume or"."""
    text = units[i].entry.text
    if text.endswith(" nor"):
        return True
    return text.startswith(_DENYING) and i + 1 < len(units) and units[i + 1].word in ("or", "nor")


_AT_NO_TIME = ("not for ", "at no ", "never for ")
_DENYING = (
    "not ",
    "no ",
    "never ",
    "nothing ",
    "without ",
    "hardly ",
    "scarcely ",
    "barely ",
    "little ",
    "neither ",
)


def _is_noun_next(units: list[Unit], i: int) -> bool:
    if i + 1 >= len(units):
        return False
    unit = units[i + 1]
    known = unit.entry.senses or unit.entry.carrier == "emotion"
    return bool(known) and not unit.surface.endswith("ly") and not unit.entry.level
