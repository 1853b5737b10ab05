"""How many syllables a written word has, in languages without a dictionary here."""

from __future__ import annotations

import re
import unicodedata

from annotators.words._english import Pronunciation, spoken

VOWELS = frozenset({"AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW"})
_NUCLEI = re.compile(r"[aeiouy]+|[аеёиоуыэюяіїє]|[αεηιοωυ]+")
_CHARACTER = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af\u3041-\u30fc]")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_LETTERS_A_SYLLABLE = 3  # in a script whose vowels are not known here


def in_phones(phones: Pronunciation) -> int:
    """Vowels; speech without phones (`+SPN+`) and words without vowels (`hmm`) have one syllable."""
    return max(1, sum(phone in VOWELS for phone in phones))


def in_text(word: str, language: str | None) -> int:
    """At least one: a Chinese character, kana or Hangul block is one; else groups of vowel letters.

    Figures and Latin letters inside Chinese are counted as English, figures one by one.
    """
    if _CHARACTER.fullmatch(word):
        return 1
    if blocks := len(_HANGUL.findall(word)):
        return blocks
    if language in ("en", "zh", None) and word.isascii():
        figures = sum(c.isdigit() for c in word)
        return figures if figures and language == "zh" else in_phones(spoken(word).ways[0])
    folded = "".join(
        c for c in unicodedata.normalize("NFKD", word.casefold()) if not unicodedata.combining(c)
    )
    found = len(_NUCLEI.findall(folded)) + sum(c.isdigit() for c in folded)
    return found or max(1, round(sum(c.isalpha() for c in folded) / _LETTERS_A_SYLLABLE))
