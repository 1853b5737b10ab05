"""Foreign text inside a caption: kept verbatim, marked off by quotes that do not occur in it."""

from __future__ import annotations

import re

ENGLISH_QUOTES = (('"', '"'), ("“", "”"), ("«", "»"), ("「", "」"), ("『", "』"))
CHINESE_QUOTES = (("“", "”"), ("「", "」"), ("『", "』"), ('"', '"'), ("«", "»"))
_TERMINAL = re.compile(r"[.!?…。！？][\"'”’»」』)\]）】]*\s*\Z")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_BARE = {
    "en": re.compile(r"[A-Za-z][A-Za-z0-9'-]*(?:(?:, | )[A-Za-z0-9][A-Za-z0-9'-]*){0,9}"),
    "zh": re.compile(r"[\u3400-\u9fff]+(?:[，、,][\u3400-\u9fff]+)*"),
}
_STANDS_BEFORE = (
    "a an the this that these those my your his her its our their some any no every each all both many "
    "several how why what who when where whether"
)
_PLURAL = re.compile(r"[A-Za-z0-9'-]*[^SIUsiu'-][sS]|[nN]ews")
_LIST = {"en": (", ", ", ", " and "), "zh": (r"[，、,]", "、", "和")}


def quoted(text: str, pairs: tuple[tuple[str, str], ...]) -> str:
    """`text` verbatim between the first pair of quotes that does not occur in it.

    Where all occur, the first pair is repeated until its run is longer than any in the text.
    """
    for left, right in pairs:
        if left not in text and right not in text:
            return f"{left}{text}{right}"
    left, right = pairs[0]
    runs = re.findall(f"[{re.escape(left + right)}]+", text)
    n = 1 + max(map(len, runs))
    return f"{left * n}{text}{right * n}"


def ends_sentence(text: str) -> bool:
    """True if the text brings its own full stop."""
    return _TERMINAL.search(text) is not None


def is_chinese(text: str) -> bool:
    """True if the text holds a Chinese character."""
    return _HAN.search(text) is not None


def one_line(text: str | None) -> str:
    """The text on one line, without control characters; empty for None."""
    text = text or ""
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(text.split())


def bare_word(text: str | None) -> str:
    """A word without the punctuation around it; empty where nothing is left."""
    line = one_line(text)
    told = [i for i, c in enumerate(line) if c.isalnum()]
    return line[told[0] : told[-1] + 1] if told else ""


def lacks_article(topic: str | None) -> bool:
    """True if an English topic is plain words that a sentence may not have bare: "brother", "oily rag".

    So are names and what is not counted ("Paris", "weather"): no letter tells them from the others.
    """
    text = one_line(topic)
    if not _BARE["en"].fullmatch(text):
        return False
    return any(
        words[0].lower() not in _STANDS_BEFORE.split() and not _PLURAL.fullmatch(words[-1])
        for words in map(str.split, re.split(_LIST["en"][0], text))
    )


def as_topic(text: str | None, language: str, pairs: tuple[tuple[str, str], ...]) -> str:
    """A topic as it stands in a sentence: bare where it is plain words, a list with "and", else quoted."""
    text = one_line(text)
    if not text or not _BARE[language].fullmatch(text):
        return quoted(text, pairs) if any(c.isalnum() for c in text) else ""
    split, comma, last = _LIST[language]
    parts = re.split(split, text)
    return comma.join(parts[:-1]) + last + parts[-1] if len(parts) > 1 else text
