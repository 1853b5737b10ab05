"""A text heard in its language: its claims and its words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from prompts.check.ages import ages
from prompts.check.chinese import chinese
from prompts.check.chinese_beside import beside
from prompts.check.english import english
from prompts.check.faults import Language
from prompts.check.lexicon import Lexicon, Sense
from prompts.check.reading import Reader
from prompts.check.units import Claim, Told, units_of

_FEMALE = Sense((("gender", frozenset({"female"})),))
_MALE = Sense((("gender", frozenset({"male"})),))
_PRONOUNS = dict.fromkeys(("she", "her", "hers", "herself"), _FEMALE) | dict.fromkeys(
    ("he", "him", "his", "himself"), _MALE
)
_EITHER = re.compile(r"\b(?:he|she|his|her|him|hers)(?:/| or )(?:she|he|her|his|him|hers)\b", re.I)


_AS_ANYONE = re.compile(
    r"\bas (\w+)(?:(?:,| and| or)? as (\w+))?(?:(?:,| and| or)? as (\w+))? as "
    r"(?:people|most|anyone|anybody|one|you|everyone|folk|any|ordinary)\b"
    r"(?! (?:can|could|possib|like|please|dare))",
    re.I,
)
_NOT_THERE = re.compile(
    r"\bof (?P<a>[a-z]+),? there (?:is|was) (?:no|not|none|nothing|little|hardly|scarcely)\b[^,.;]*"
    r"|\b(?P<b>[a-z]+) (?:is|was) (?:\w+ly |quite |just )?(?:missing\b|absent\b|lacking\b"
    r"|nowhere\b(?! near)(?: to be (?:heard|found|seen|felt))?"
    r"|(?:not|hardly|scarcely|never) the word\b|the wrong word\b"
    r"|the last (?:thing|word)\b(?![^.;]*(?:lack|miss|short)))"
    r"|\b(?P<c>[a-z]+) is (?:the one thing|what|one thing)\b[^,.;]* (?:is|are) not\b"
    r"|\b(?P<f>[a-z]+(?: notes?)?) (?:is|are|was) (?:(?:quite |wholly |entirely |utterly )?"
    r"(?:foreign|alien|unknown|strangers?|a stranger) to (?:him|her|them|this|the)\b(?: \w+)?"
    r"|not in (?:his|her|their|this|the) (?:vocabulary|repertoire|nature|line|power|dictionary|blood)"
    r"|not (?:a word|something|a thing)\b)[^,.;]*"
    r"|\bas for (?:any |the )?(?P<g>[a-z]+), (?:there (?:is|was) |(?:he|she|they|it) (?:has|shows) )?"
    r"(?:none|nothing|no \w+|not a \w+)\b[^,.;]*"
    r"|(?:^|[.;,] )(?:an? )?(?!and|but|yet|so |or |as |while|though|if |since)(?P<d>[a-z]+),?"
    r" (?:he|she|they|it|(?:this|the|that) \w+) (?:is|are|was) not\b"
    r"|\bas (?:if|though) (?P<e>[a-z]+) (?:were|was) (?:a foreign|an unknown|a dead|a forgotten"
    r"|unknown|forbidden|forgotten|unheard)[^,.;]*",
    re.I,
)
"""What is denied around it: "of joy there is no sign", "joy is the last thing in his voice"."""
_DENYING = (
    "is not", "are not", "was not", "the word", "wrong word", "last word", "last thing", "there is",
    "there was", "missing", "absent", "lacking", "nowhere", "foreign", "unknown", "forgotten", "stranger",
    "alien",
)  # fmt: skip
"""One of these stands in all that is denied so."""


_ABSURD = re.compile(
    r"\bif (?:this|that|these|those|the \w+) (?:is|are|was|were|counts as|can be called) (?P<a>[^,.;]*)"
    r", [^.;]*",
    re.I,
)
"""Denies by what follows from it: "if this is a quiet voice, a tractor is a lullaby"."""
_IF_IT_COULD = re.compile(
    r"\bif (?:an? |the |some )?[a-z]+ could [^,.;]*,? (?:it|he|she|they|that|this)?\s*would\b", re.I
)
"""Begins a comparison: "if a kettle could sing, it would sound so"."""
_AUDIBLY = re.compile(r"\b(barely|hardly|scarcely|only just|just about) audibly\b", re.I)
_AT_ALL = re.compile(r"\bnot at all\b|\bnot (?P<a>[a-z-]+) at all\b", re.I)
"""Says the opposite: "not at all loud", "not loud at all"."""


def _denied(match: re.Match[str]) -> str:
    """ "of joy there is no sign": no joy."""
    return f"{'. ' if match['d'] else ''}no {next(filter(None, match.groups()))}, "


_SCALES = {
    "loud": "volume", "quiet": "volume", "soft": "volume", "fast": "pace", "quick": "pace", "slow": "pace",
    "rapid": "pace", "high": "pitch", "low": "pitch", "deep": "pitch",
}  # fmt: skip


def _as_anyone(match: re.Match[str]) -> str:
    """ "as loudly and as quickly as people": at an ordinary volume and an ordinary pace."""
    nouns = [_SCALES.get(word.lower().removesuffix("ly")) for word in match.groups() if word]
    return match[0] if None in nouns else " and ".join(f"ordinary {noun}" for noun in nouns) + " of people"


def lexicon_of(language: Language) -> Lexicon:
    """The compiled lexicon of a language."""
    return english().lexicon if language == "en" else chinese().lexicon


def _beside_years(claim: Claim) -> Claim:
    """A claim of an age beside a number of years, which decides: "a young lady of sixteen"."""
    readings = claim.sense.readings
    if not (readings and readings[0][0] == "age" and claim.polarity == "asserted"):
        return claim
    return claim._replace(sense=replace(claim.sense, weak=True))


@cache
def _reader(language: Language) -> Reader:
    if language == "zh":
        return Reader(chinese().lexicon, frozenset({"and"}), chinese().is_plain)
    return Reader(english().lexicon, frozenset({"and", "but", ",", "in", "of", "on"}), english().is_plain)


def hear(text: str, language: Language) -> tuple[Told, Sequence[str]]:
    """The claims of a masked text, and its words (Chinese: characters)."""
    forms: Sequence[str]
    if language == "zh":
        units, forms = chinese().units(text)
        told = _reader("zh").read(units)
        told.beside = beside(units)
    else:
        if " as " in text:
            text = _AS_ANYONE.sub(_as_anyone, text)
        if "could" in text:
            text = _IF_IT_COULD.sub("like", text)
        if "f th" in text and ("If th" in text or "if th" in text):
            text = _ABSURD.sub(lambda m: f"anything but {m['a']}", text)
        if "audibly" in text:
            text = _AUDIBLY.sub(r"\1 audible", text)
        if "at all" in text:
            text = _AT_ALL.sub(lambda m: f"far from {m['a'] or ''}", text)
        for sign in _DENYING:
            if sign in text:
                text = _NOT_THERE.sub(_denied, text)
                break
        forms, written, fresh = english().read(text)
        told = _reader("en").read(units_of(forms, written, english().lexicon.trie, fresh))
        either = (" or " in text or "/" in text) and _EITHER.search(text)
        if not either and not _PRONOUNS.keys().isdisjoint(written):
            for at, word in enumerate(written):
                sense = _PRONOUNS.get(word)
                if sense:
                    sense = replace(sense, weak=True) if told.is_elsewhere(at) else sense
                    told.claims.append(Claim(at, sense, "asserted", word))
    years = list(ages(text, forms, language))
    if years:
        told.claims = [_beside_years(claim) for claim in told.claims] + years
    return told, forms
