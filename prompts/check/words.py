"""Where the words to say stand that should not, or more than they."""

from __future__ import annotations

import re
from functools import lru_cache

from prompts.check import free
from prompts.check.free import WORDS
from prompts.check.known import Known
from prompts.realiser.quoting import is_chinese

QUOTED_WORDS, QUOTED_CHARACTERS = 4, 8
"""A run of the transcript this long in a description quotes it."""
_TOKENS_OR_MASK = re.compile(r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+(?:['’][^\W_\u3400-\u9fff]+)*|\ue000")


def a_piece_of(words: str) -> int:
    """How many of the words in a row are told as such: not read where others of them are quoted."""
    return QUOTED_CHARACTERS // 2 + 1 if is_chinese(words) else QUOTED_WORDS


def quoted_words(text: str, known: Known) -> str | None:
    """Why a description quotes the transcript; None if it does not."""
    words = _transcript_tokens(known.words)
    n = QUOTED_CHARACTERS if is_chinese(known.words) else QUOTED_WORDS
    length = words.count(" ") - 1
    if length >= n and not _may_share(text, known.words, n):
        return None
    plain = free.clean(text)
    for phrase in (known.topic, known.stress):
        if phrase:
            plain, _ = free.replace_word(plain, phrase, " \ue000 ")
    own = _TOKENS_OR_MASK.findall(plain.lower())
    if length >= n:
        if _shares_run(own, words, n) or _shares_around(text, known, n):
            return "quotes the words that are said; only the instruction may have them."
        return None
    if not length or (known.stress and free.tokens(known.stress) == words.split()):
        return None
    quotations = [m[0] for m in free.QUOTED.finditer(plain)]
    whole = words.strip()
    if any(" ".join(free.tokens(q)) == whole for q in quotations):
        return "quotes the words that are said; only the instruction may have them."
    return None


@lru_cache(maxsize=4096)
def _transcript_tokens(words: str) -> str:
    return f" {' '.join(free.tokens(words))} "


def _may_share(text: str, words: str, n: int) -> bool:
    """False if `n` tokens of the words cannot stand in a row in the text."""
    return any(map(text.lower().__contains__, _signs(words, n)))


@lru_cache(maxsize=4096)
def _signs(words: str, n: int) -> tuple[str, ...]:
    """Every `n`-th token, one of which is among any `n` in a row; counted so that the shortest is longest."""
    own = free.tokens(words)
    return tuple(max((own[k::n] for k in range(n)), key=lambda every: min(map(len, every))))


def has_more(text: str) -> bool:
    """True if the quotation of the words to say has more words in it."""
    return any(
        WORDS in m[0] and any(c.isalnum() for c in m[0]) and len(m[0]) < 400
        for m in free.QUOTED.finditer(text)
    )


def _shares_around(text: str, known: Known, n: int) -> bool:
    """True if `n` characters in a row are of a Chinese transcript, of which half at most are the topic."""
    if (
        not known.topic
        or known.topic not in known.words
        or known.topic not in text
        or not is_chinese(known.words)
    ):
        return False
    words, topic = "".join(free.tokens(known.words)), "".join(free.tokens(known.topic))
    own = "".join(_TOKENS_OR_MASK.findall(free.clean(text).lower()))
    at = words.find(topic)
    for begin in range(max(0, at - n), at + 1):
        for end in range(max(begin + n, at + len(topic)), min(len(words), at + len(topic) + n) + 1):
            if end - begin >= max(n, 2 * len(topic)) and words[begin:end] in own:
                return True
    return False


def _shares_run(own: list[str], joined: str, n: int) -> bool:
    """True if `n` tokens in a row stand in `joined` (tokens with a space around each)."""
    run = 0
    for end, token in enumerate(own, 1):
        run = run + 1 if f" {token} " in joined else 0
        if run >= n and f" {' '.join(own[end - n : end])} " in joined:
            return True
    return False
