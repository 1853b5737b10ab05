"""Text as every family reads it: cleaned, cut into tokens, its script told. Knows no language's words."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import cache

_INVISIBLE = re.compile(  # Default_Ignorable_Code_Point of Unicode, and the non-characters
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8"
    "\ufdd0-\ufdef\U000e0000-\U000e0fff]"
)
_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cs"})  # not Cn: what a newer Unicode assigns is text
_HAN = "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_KANA = "\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\uff66-\uff9d"
_HAN_GAP = re.compile(f"(?<=[{_HAN}，。！？、；：]) (?=[{_HAN}，。！？、；：])")
_ALONE = re.compile(f"[{_HAN}{_KANA}]")

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_NO_VOWEL = re.compile(r"[B-DF-HJ-NP-TV-XZ]{2,5}")  # ASCII only: other alphabets have vowels of their own
_OPENERS = " \"'“”‘’«»([{<-–—"
_TITLES = frozenset({"DR", "JR", "MR", "MRS", "MS", "SR", "ST"})
_SOUNDS = frozenset({"BRR", "GRR", "HM", "HMM", "MM", "MMM", "NTH", "PFFT", "PSST", "SH", "SHH", "TSK", "VS"})

_TOKEN = re.compile(r"am*|[ld][ldm]*(?:'(?=l)[ldm]+|(?<=d)\.(?=d)[ldm]+)*")
_ELIDED_TOKEN = re.compile(r"am*|[ld][ldm]*(?:(?<=d)\.(?=d)[ldm]+)*(?:'(?=l))?")
_ELIDING = frozenset({"ca", "fr", "it", "oc"})
_KANA_SHARE = 0.1  # Japanese prose is about half kana; a Chinese name with one の in it stays Chinese


def clean(text: str) -> str:
    """The text as one line of NFC, without characters that do not show, and not shouted.

    Control, format, bidirectional, zero-width and private characters go; runs of white
    space become one space, and none is left between Chinese characters; markup stays as text.
    Where every letter is a capital, sentence case is restored; capitals in mixed text stay.
    `clean(clean(text)) == clean(text)`; the result has no surrogates, so it always encodes.
    """
    visible = "".join(c if c.isspace() else "" if _hidden(c) else c for c in text)
    line = " ".join(_INVISIBLE.sub("", visible).split())
    line = _HAN_GAP.sub("", unicodedata.normalize("NFC", line))
    return unicodedata.normalize("NFC", _lowered(line)) if _shouted(line) else line


def words(text: str, language: str | None = None) -> list[str]:
    """The tokens of a text as they stand in it, in order; punctuation belongs to none.

    A Chinese or Japanese character is a token; elsewhere a run of letters, marks and digits is, with
    an apostrophe inside a word (`don't`) and a point or comma inside a number (`3.5`). Hyphens part
    tokens. In French, Italian, Catalan and Occitan an apostrophe ends its token (`l'`, `homme`).
    """
    mask = "".join(map(_kind, text))
    pattern = _ELIDED_TOKEN if language in _ELIDING else _TOKEN
    return [text[m.start() : m.end()] for m in pattern.finditer(mask)]


def script_of(text: str) -> str | None:
    """The script most tokens are in: `latin`, `han`, `kana`, `hangul`, `cyrillic`...; None without letters.

    Any fair share of kana makes Chinese characters Japanese. A tie goes to the script that comes first.
    """
    counts = Counter(s for token in words(text) if (s := _script(token[0])) is not None)
    if not counts:
        return None
    if counts["kana"] > _KANA_SHARE * (counts["han"] + counts["kana"]):
        counts["kana"] += counts.pop("han", 0)
    return max(counts, key=lambda script: counts[script])


@cache
def _hidden(char: str) -> bool:
    return unicodedata.category(char) in _HIDDEN or ord(char) & 0xFFFE == 0xFFFE


@cache
def _kind(char: str) -> str:
    """What a character is to a token: `a`lone, `l`etter, `d`igit, `m`ark, `'`, `.`, or nothing (space)."""
    if char in "'’":
        return "'"
    if char in ".,":
        return "."
    if _ALONE.match(char):
        return "a"
    category = unicodedata.category(char)
    return "d" if category == "Nd" else {"L": "l", "N": "l", "M": "m"}.get(category[0], " ")


@cache
def _script(char: str) -> str | None:
    """The script of a letter, from the first word of its Unicode name."""
    if not char.isalpha():
        return None
    name = re.sub("^(?:FULLWIDTH|HALFWIDTH) ", "", unicodedata.name(char, "OTHER"))
    first = re.split("[ -]", name)[0].lower()
    return {"cjk": "han", "ideographic": "han", "hiragana": "kana", "katakana": "kana"}.get(first, first)


def _shouted(line: str) -> bool:
    """Whether every letter is a capital; a letter without case, as in Chinese, rules it out."""
    letters = [c for c in line if c.isalpha()]
    return bool(letters) and all(c != c.lower() for c in letters)


def _lowered(line: str) -> str:
    """Sentence case; single letters but the article A, and words of consonants alone (BBC), stay capitals."""

    def restore(match: re.Match[str]) -> str:
        word, before = match[0], line[max(0, match.start() - 8) : match.start()]
        stem = re.split("['’]", word)[0]
        if len(word) == 1:
            article = word == "A" and line[match.end() : match.end() + 1] != "."
            spelt = not (article or before.endswith(("'", "’"))) or before.endswith(".")
        else:
            spelt = stem == "I" or (_NO_VOWEL.fullmatch(stem) is not None and stem not in _TITLES | _SOUNDS)
        if spelt:
            return stem + word[len(stem) :].lower()
        starts = not before.strip(_OPENERS) or before.rstrip(_OPENERS).endswith((".", "!", "?", "…"))
        return word[0] + word[1:].lower() if starts or stem in _TITLES else word.lower()

    return _WORD.sub(restore, line)
