"""The words a clip says, put into an instruction by code, where the model left a mark for them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

from prompts.realiser.quoting import CHINESE_QUOTES, ENGLISH_QUOTES, ends_sentence, quoted
from prompts.rewriter.errors import AnswerError

Place = Literal["start", "middle", "end"]
_LEFT, _RIGHT = "\"“«「『'‘", "\"”»」』'’"
_PAIRS = frozenset(zip(_LEFT, _RIGHT, strict=True))
_STOPS = ".。"
_SPACE, _BRACE = re.compile(r"\s+"), re.compile("[{｛]")
_COPIED_AT = 12
"""Characters from which a transcript that stands beside the mark is a second copy, not a coincidence."""


def put_in(instruction: str, mark: str, transcript: str, language: str) -> str:
    """The instruction, on one line, with the transcript verbatim in place of its mark.

    Quotes around the mark stay if none of them occurs in the transcript; else the text gets quotes that do
    not. A comma or stop between mark and quote moves behind the quote; a full stop after words that bring
    their own goes, and one that is missing at the end of the instruction comes. An instruction without a
    mark stays as it is: it may quote the words itself. AnswerError: the mark stands there twice, or beside
    the words.
    """
    words = transcript.strip()
    slots = list(_slots(instruction, mark))
    if len(slots) > 1:
        raise AnswerError(f"The instruction has the mark {mark} {len(slots)} times; it must have it once.")
    if not slots:
        return words.join(_lines(part) for part in instruction.split(words)).strip()
    (slot,) = slots
    before, after = _lines(instruction[: slot.start()]).lstrip(), _lines(instruction[slot.end() :]).rstrip()
    if len(words) >= _COPIED_AT and (words in before or words in after):
        raise AnswerError(
            f"The instruction has the words as well as their mark {mark}; it must have only the mark."
        )
    left, right = slot["left"] or "", slot["right"] or ""
    if (left, right) in _PAIRS and left not in words and right not in words:
        quote = f"{left}{words}{right}"
    elif (left, right) in _PAIRS or not (left or right):
        quote = _quoted(words, language)
    else:
        raise AnswerError(f"The quotes around the mark {mark} do not match.")
    return before + quote + _following(quote, (slot["stop"] or "") + after, language)


def taken_out(instruction: str, mark: str, transcript: str, language: str) -> str:
    """The instruction with its mark in place of the words and their quotes: what `put_in` made it of.

    Quotes that `put_in` would not give stay. The instruction comes back as it is where it has no
    transcript, or where putting it in again would not give the same.
    """
    words = transcript.strip()
    for found in (_quoted(words, language), words) if words else ():
        marked = instruction.replace(found, mark, 1)
        try:
            if found in instruction and put_in(marked, mark, words, language) == instruction:
                return marked
        except AnswerError:  # a second mark in the words, or a second copy of them
            continue
    return instruction


def place_of(instruction: str, transcript: str) -> Place | None:
    """Where the words stand: at the start or the end if nothing but quotes and punctuation is beyond them.

    None if they do not stand there, or are all there is.
    """
    before, found, after = instruction.partition(transcript.strip())
    told = [any(c.isalnum() for c in part) for part in (before, after)]
    if not found or not any(told):
        return None
    return "middle" if all(told) else "end" if told[0] else "start"


def _slots(instruction: str, mark: str) -> Iterator[re.Match[str]]:
    """The marks that stand there: the pattern is tried at braces alone, and at a quote before one."""
    pattern, at = _slot(mark), 0
    while brace := _BRACE.search(instruction, at):
        before = at + len(instruction[at : brace.start()].rstrip()) - 1
        quoted_one = before >= at and instruction[before] in _LEFT
        found = pattern.match(instruction, before if quoted_one else brace.start())
        if found:
            yield found
        at = found.end() if found else brace.end()


@lru_cache(maxsize=16)
def _slot(mark: str) -> re.Pattern[str]:
    """The mark, with spaces inside its braces or capitals, and the quotes and the stop around it."""
    inner = re.escape(mark[1:-1])
    core = rf"[{re.escape(mark[0])}｛]\s*{inner}\s*[{re.escape(mark[-1])}｝]"
    return re.compile(
        rf"(?:(?P<left>[{_LEFT}])\s*)?{core}(?:(?P<stop>[.,;，。；]?)\s*(?P<right>[{_RIGHT}]))?",
        re.IGNORECASE,
    )


def _quoted(words: str, language: str) -> str:
    return quoted(words, CHINESE_QUOTES if language == "zh" else ENGLISH_QUOTES)


def _lines(text: str) -> str:
    """Its text on one line; spaces at its ends are kept."""
    shown = text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)
    return _SPACE.sub(" ", shown)


def _following(quote: str, after: str, language: str) -> str:
    """What comes after the quote, with no stop too many and none too few."""
    if ends_sentence(quote):
        return after[1:] if after[:1] and after[0] in _STOPS else after
    return after or ("。" if language == "zh" else ".")
