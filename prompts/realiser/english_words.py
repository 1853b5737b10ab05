"""English morphology as far as captions need it: articles, verb forms, agreement, word stems."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

SHE, HE, THEY, NOBODY = range(4)
"""Persons: the index of a phrase's form. NOBODY is a speaker not yet introduced: "the pitch"."""

PRONOUN = ("she", "he", "they", "the speaker")
POSSESSIVE = ("her", "his", "their", "the")
MARKS = frozenset({"a", "their", "they", "s", "es", "ies", "is", "x"})
_ENDINGS = {"s": ("s", ""), "es": ("es", ""), "ies": ("ies", "y"), "is": ("is", "are")}
_CONSONANT_SOUND = re.compile(r"(?:uni|use|usu|eu|one\b|once\b|u\b)", re.I)
_VOWEL_SOUND = re.compile(r"(?:[aeiou]|hour|honest|heir)", re.I)
_ARTICLE = re.compile(r"\{a\} (?=(\S+))")
_WORD = re.compile(r"[a-z]+")


def with_article(words: str) -> str:
    """The words after "a" or "an", by their first sound."""
    vowel = _VOWEL_SOUND.match(words) and not _CONSONANT_SOUND.match(words)
    return f"{'an' if vowel else 'a'} {words}"


def agree(text: str) -> tuple[str, ...]:
    """The four forms of a text with marks, by person. `{x}` stays."""
    text = _ARTICLE.sub(lambda m: with_article(m[1]).removesuffix(m[1]), text)
    forms = []
    for person, (pronoun, their) in enumerate(zip(PRONOUN, POSSESSIVE, strict=True)):
        form = text.replace("{they}", pronoun).replace("{their}", their)
        for mark, (singular, plural) in _ENDINGS.items():
            form = form.replace("{" + mark + "}", plural if person == THEY else singular)
        forms.append(form)
    return tuple(forms)


def third_person(verb: str) -> str:
    """keep: keeps; race: races; stress: stresses; carry: carries."""
    if verb.endswith(("s", "x", "z", "ch", "sh", "o")):
        return verb + "es"
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb[:-1] + "ies"
    return verb + "s"


def participle(verb: str, doubling: Iterable[str]) -> str:
    """keep: keeping; race: racing; put: putting."""
    if verb in doubling:
        return verb + verb[-1] + "ing"
    if verb.endswith("e") and not verb.endswith("ee"):
        return verb[:-1] + "ing"
    return verb + "ing"


def stems(text: str, function_words: frozenset[str]) -> frozenset[str]:
    """The content words of a text without their endings: "speaker" and "speaks" are one."""
    plain = re.sub(r"\{\w+\}", " ", text.lower())
    return frozenset(_stem(w) for w in _WORD.findall(plain) if len(w) > 1 and w not in function_words)


def _stem(word: str) -> str:
    for ending in ("ations", "ation", "iness", "ery", "edly", "ness", "fully", "ments", "ings"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    for ending in ("ies", "ing", "ied", "ful", "ers", "ily"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    for ending in ("ly", "ed", "er", "es"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word.rstrip("esy") if len(word.rstrip("esy")) >= 3 else word


def listed(items: Sequence[str]) -> str:
    """a; a and b; a, b and c."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def sentence(text: str) -> str:
    """The text with a capital, unless it begins with a quotation."""
    return text[0].upper() + text[1:]
