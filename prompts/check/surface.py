"""What is wrong with a caption as text: its form, its length, its language, repetition of the prompt."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from itertools import takewhile
from typing import NamedTuple

from prompts.check.free import MOOD, STRESS, TOPIC, WORDS, tokens
from prompts.check.gated import Gated
from prompts.check.lexicon import source
from prompts.stopwords import stopwords

_PATTERNS = source("form")


def _one_of(name: str) -> str:
    return f"(?:{'|'.join(_PATTERNS[name])})"


SHORT = {"en": 4, "zh": 8}
LONG = {"en": 120, "zh": 240}
"""Words (English) or characters (Chinese), without the words to say, the topic and the stress."""
ECHO_TOKENS = {"en": 10, "zh": 18}
"""A run of the prompt this long in a caption is an echo; shorter ones are the common speech of captions."""
_COUNTED = {"en": re.compile(r"[^\W_]+(?:['’-][^\W_]+)*"), "zh": re.compile(r"[\u3400-\u9fff]|[A-Za-z0-9]+")}
_BLANK = re.compile(r"\s")
_NAMED = re.compile(f"[{TOPIC}{STRESS}{MOOD}]")
_MASK = re.compile(f"[{TOPIC}{STRESS}{MOOD}{WORDS}]")
_MARKUP = re.compile(_one_of("markup"))
_COLON, _LAST_WORD = re.compile("[:：=]"), re.compile(r"\W+")
_LABELS = frozenset(_PATTERNS["labels"])
_SIGNS = (*"\n#＃&①→➜", "://", "__", "TODO", "N/A", "XXX", "- ", "• ", "* ", "1.", "1)")
_FIRST, _EMOJI = frozenset("-*•0123456789"), "\U0001f300"
"""One of these signs, such a first character, or a sign from here on, is in all markup."""
_BAD = frozenset("[]{}<>|`#\\【】*")
_LABEL_FIRST = re.compile(r"\s*" + _one_of("label_first"), re.I)
_CHAT_FIRST = re.compile(r"\W*" + _one_of("chat_first"), re.I)
_CHAT = Gated(_PATTERNS["chat"])
_ECHO = Gated(_PATTERNS["echo"])
_EITHER = Gated([*_PATTERNS["chat"], *_PATTERNS["echo"]])
_SENTENCE = re.compile(f"[.!?。！？\n{WORDS}]+")
_WHOLE_SENTENCE = re.compile(r"[^.!?。！？\n]+[.!?。！？\n]*")
_CHUNK = re.compile(r"[,;/.]+")
_CUT = re.compile(
    r"(?:\b(?:a|an|the|and|but|or|with|(?:with|and) (?:her|his|their)(?!\s*\.)|from|into|very|because|whose"
    r"|my|your|than|[,;] while|(?:full|out|tone|voice|sense|air|kind|sort|pitch|pace|volume) of)"
    r"|[，,、；;：:—–-]|(?<![平柔温缓随祥谦暖宁气亲附调谐饱应唱人中共])和|(?<![参])与|(?<![然反从因进])而|把|(?<![不无使作])用|(?<![可所难足得加])以|(?<![合])并|并且|而且|(?<![着接跟挨赶连顶])一个|一位)\s*[.。…]*\s*$",
    re.I,
)
_STRANDED = re.compile(r"\b(?:to|can|could|would) \w+ (?:\w+ ){0,3}(?:into|from|with|than|of)\W*$", re.I)
"""A preposition that rightly ends a sentence: "no gaps to slip a breath into"."""
_STOPPED = ".!?。！？"
_CLOSERS = "\"'”’」』»)）"
_VERBS = re.compile(
    r"\b(?:is|are|was|were|be|being|has|have|had|does|do|speak|talk|say|sound|keep|come|utter|deliver|read|hear|heard|let|make|use|give|put|carr|belong|"
    r"ask|get|cast|produce|generate|stress|convey|hold|run|sit|stay|move|tell|voice|express|fall|show|take|remain|emphasi|place|lean|want|imagine|picture|recite|announce|declare|pronounce|address|discuss|pour|tumble|fill|colour|color|ring|rise|flow|bring|go|hurr|draw|stretch|emerge|race|rush|rattle|drawl|pipe|whisper|murmur|shout|lean|want)(?:s|es|ies|ing|ed|ken|en)?\b|\b(?:spoken|said|told|'s|speaking|pitche[sd]|pitching|goes|hurries)\b",
    re.I,
)
_JOINING = re.compile(r"\b(?:a|an|the|with|in|at|on|as|like|by|of|please)\b", re.I)
"""Words of grammar, of which a list of labels has none."""
_CHUNK_ZH = re.compile(r"[，,、；;。/／]+")
_PREDICATE_ZH = re.compile(r".{0,6}(?:音|调|声|嗓|语速|语气|情绪|节奏|速度|快慢|口气|感情|心情).{1,}")
_VERB_ZH = re.compile(r"[说讲读话他她用着让请听谈念聊提却但也都就把透带得是在像很十]")
_HAN = re.compile(r"[\u3400-\u9fff]")
_FOREIGN = re.compile(r"[\u0370-\u06ff\u0900-\u0eff\u1100-\u11ff\u3040-\u30ff\uac00-\ud7af]")
_LATIN = re.compile(r"[A-Za-zÀ-ÿ]+(?:['’-][A-Za-zÀ-ÿ]+)*")
_LATIN_RUN = re.compile(r"[A-Za-zÀ-ÿ]{2,}(?:[ ,.'’-]+[A-Za-zÀ-ÿ]+){1,}")
_KEY = re.compile(r'["“”]\w+["“”]\s*:')
"""A key of JSON, which is a fault of form alone."""
_LATIN_WORD = re.compile(r"(?<![A-Za-z])[a-z]{4,}(?![A-Za-z])")
_CLAUSE = re.compile(r"[.,;:!?—–()]+")


TALKS = "talks to the person who asked instead of being the caption alone"
REPEATS = "repeats the task it was given"
TOO_LONG = "is too long"
NO_STOP = "has no full stop at its end, as if it broke off"
LISTED = "lists labels and values instead of being prose"


def language_fault(text: str, language: str) -> str | None:
    """Why the text (masked) is not in its language; None if it is."""
    foreign = _FOREIGN.search(text)
    if foreign:
        return "is partly written in another script"
    if language == "zh":
        text = _KEY.sub("", text) if ":" in text else text
        if not _HAN.search(text) and _LATIN.search(text):
            return "is not in Chinese"
        mixed = _LATIN_RUN.search(text) or _LATIN_WORD.search(text)
        return "has words in Latin letters among the Chinese" if mixed else None
    if _HAN.search(text):
        return "has Chinese in it" if _LATIN.search(text) else "is not in English"
    return _not_english(text)


@cache
def _foreign() -> frozenset[str]:
    return stopwords("latin") - stopwords("en")


def _not_english(text: str) -> str | None:
    english, latin = stopwords("en"), stopwords("latin")
    foreign, found = _foreign(), 0
    for _, words in _sentences(text):
        if not foreign.isdisjoint(words):
            found += sum(map(foreign.__contains__, words))
    if found < 2:
        return None
    for clause in _CLAUSE.split(text.lower()):
        own = other = 0
        for word in clause.split():
            if word in english:
                own += 1
            elif word in latin:
                other += 1
        if other >= 2 and other > own:
            return "has words of another language than English"
    return None


@lru_cache(maxsize=16)
def _is_suspect(text: str) -> bool:
    return _EITHER.found(text)


def form_fault(text: str, original: str, language: str) -> str | None:
    """Why the text (masked) is not prose; None if it is."""
    if not _BAD.isdisjoint(text) or (_may_be_marked(text) and _MARKUP.search(text)):
        return "has markup, brackets or a list in it where plain prose is asked for"
    if _CHAT_FIRST.match(text) or (_is_suspect(text) and _CHAT.found(text)):
        return TALKS
    if _LABEL_FIRST.match(text) or ((":" in text or "：" in text or "=" in text) and _labels(text) >= 2):
        return LISTED
    if _fragments(_without_words(text), language):
        return "is a string of bare words instead of a sentence"
    return _unfinished(text)


def _may_be_marked(text: str) -> bool:
    for sign in _SIGNS:
        if sign in text:
            return True
    return text.lstrip()[:1] in _FIRST or (not text.isascii() and max(text) >= _EMOJI)


def _labels(text: str) -> int:
    """How many colons have a label before them."""
    return sum(
        _LAST_WORD.split(piece[-20:].rstrip().lower())[-1] in _LABELS for piece in _COLON.split(text)[:-1]
    )


def _fragments(text: str, language: str) -> bool:
    if language == "en":
        chunks = [c.split() for c in _CHUNK.split(text) if c.strip()]
        n = sum(map(len, chunks))
        few = (
            not _HAN.search(text)
            and len(chunks) >= 3
            and n <= 2.6 * len(chunks)
            and max(map(len, chunks)) < 5
            and not _JOINING.search(text)
        )
        few = few or (
            len(chunks) == 2
            and n <= 4
            and not (
                _is_noun_phrase(chunks) or _JOINING.search(text) or _MASK.search(text) or _HAN.search(text)
            )
        )
        return (few or (n <= 3 and " and " in text and not _MASK.search(text))) and not _VERBS.search(text)
    chunks_zh = [c for c in _CHUNK_ZH.split(text) if c] if _HAN.search(text) else []
    return (
        len(chunks_zh) >= 3
        and sum(map(len, chunks_zh)) <= 4.2 * len(chunks_zh)
        and 2 * sum(bool(_PREDICATE_ZH.match(c)) for c in chunks_zh) < len(chunks_zh)
        and not _VERB_ZH.search(text)
    )


_PERSON = re.compile(
    r"(?:man|woman|lady|girl|boy|child|speaker|voice|person|lad|teenager|adult|guy)\W*$", re.I
)


def _without_words(text: str) -> str:
    """The text, or a list of three or more before the words to say that end it; none if it is no list."""
    before, found, after = text.partition(WORDS)
    if not found:
        return text
    is_list = len(_CHUNK.split(before)) > _ITEMS and not after.strip(' ."”')
    return _A_VOICE.sub("x", before.rstrip(' :;,"“')) + "." if is_list else ""


_ITEMS = 3
_A_VOICE = re.compile(r"\b\w+ voice\b(?=\W*[,;.])", re.I)
"""Here a voice is a thing, not what one does."""


def _is_noun_phrase(chunks: list[list[str]]) -> bool:
    """True of "deep, sad woman": one adjective, then another with its noun."""
    nouns = [bool(_PERSON.search(chunk[-1])) for chunk in chunks]
    return len(chunks[0]) == 1 and (nouns[1] if len(chunks[1]) > 1 else any(nouns))


def _unfinished(text: str) -> str | None:
    end = text.rstrip()
    stripped = end.rstrip(_CLOSERS)
    if not stripped:
        return None
    if end.count('"') % 2 or end.count("“") != end.count("”"):
        return "leaves a quotation open"
    last = stripped[-1]
    if last == WORDS or stripped[-2:-1] == WORDS:
        return None
    if last not in _STOPPED:
        if last == "…":
            return "breaks off unfinished"
        return NO_STOP
    if stripped.endswith("...") or (_CUT.search(stripped[-16:]) and not _STRANDED.search(stripped[-48:])):
        return "breaks off unfinished"
    return None


_FRAME = re.compile(
    r"\[[^\]]*\]|\{[^}]*\}+|<[^>]*>|^[^:.\n]{0,40}(?:[.!][^:.\n]{0,40})?\bcaptions?\s*:"
    r"|^(?:好的?|当然可?以?|可以的?|没问题|收到|明白了?)[！!，,。.][^：:\n]{0,30}[：:]"
)
"""A placeholder, or "Here is your caption:": a fault of form alone."""


def without_frame(text: str) -> str:
    """The text without a placeholder or the opening of a chat."""
    return _FRAME.sub(" ", text)


def broken_words(text: str) -> str | None:
    """What is wrong with the form of words to say that are not verbatim: a placeholder, no end."""
    if _PLACEHOLDER.search(text):
        return "has a placeholder in it"
    if text.count('"') % 2 or text.count("“") > text.count("”"):
        return "leaves a quotation open"
    return None


_PLACEHOLDER = re.compile(r"\[[^\]]+\]|\{[^}]+\}|<[^>]+>")


def without_talk(text: str) -> str:
    """The text without sentences that talk to somebody or repeat the task; all of it if nothing is left."""
    own = [s for s in _WHOLE_SENTENCE.findall(text) if WORDS in s or not (_CHAT.found(s) or _ECHO.found(s))]
    return "".join(own) if any(len(tokens(s)) > 2 for s in own) else text


def length_fault(text: str, language: str) -> str | None:
    """Why the text (masked) is too short or too long; None if it is neither."""
    if (language == "en" and 12 < text.count(" ") < 90) or (language == "zh" and 30 < len(text) < 200):
        return None
    n = len(_COUNTED[language].findall(_MASK.sub(" ", text)))
    unit = "words" if language == "en" else "characters"
    foreign = len(_NAMED.findall(text)) * (2 if language == "zh" else WORDS in text)
    if n + foreign < SHORT[language]:
        return f"is too short: {n} {unit} of its own, at least {SHORT[language]} are needed"
    if language == "zh":  # punctuation counts where it is much
        n = len(_BLANK.sub("", _MASK.sub("", text))) + 2 * foreign
    if n > LONG[language]:
        return f"{TOO_LONG}: {n} {unit} of its own, at most {LONG[language]} are allowed"
    return None


def echo_fault(text: str, language: str, prompt: str) -> str | None:
    """Why the text (masked) repeats the prompt or itself; None if it does not."""
    if _is_suspect(text) and _ECHO.found(text):
        return REPEATS
    seen: list[_Said] = []
    for length, words in _sentences(text):
        if length > 5 and len(words) >= 3:
            said = _Said(words, " ".join(words), frozenset(words))
            if any(_same(said, other) for other in seen):
                return "says the same sentence twice"
            seen.append(said)
    if prompt and _repeats(text, language, prompt):
        return "repeats a piece of the prompt word for word"
    return None


@lru_cache(maxsize=16)
def _sentences(text: str) -> tuple[tuple[int, list[str]], ...]:
    """The length of each sentence in characters, and its tokens."""
    return tuple((len(sentence), tokens(sentence)) for sentence in _SENTENCE.split(text))


class _Said(NamedTuple):
    """A sentence to be compared with others."""

    words: list[str]
    text: str
    set: frozenset[str]


_BEGINS = 6
"""Spaces of a sentence with which another, longer one begins, from which on it is said twice."""


def _same(one: _Said, other: _Said) -> bool:
    """True if two sentences are one but for a phrase before it ("Again, ...") or a word in ten."""
    if one.text.endswith(other.text) or other.text.endswith(one.text):
        return True
    n = min(len(one.words), len(other.words))
    if n > _BEGINS and one.words[:_BEGINS] == other.words[:_BEGINS]:
        begins = sum(1 for _ in takewhile(_are_equal, zip(one.words, other.words, strict=False)))
        if begins == n or (one.text.isascii() and begins > _BEGINS + 1 and begins >= 0.75 * n):
            return True
    if min(len(one.set), len(other.set)) < 6:
        return False
    common = len(one.set & other.set)
    return common >= max(6, 0.85 * (len(one.set) + len(other.set) - common))


def _are_equal(pair: tuple[str, str]) -> bool:
    return pair[0] == pair[1]


@lru_cache(maxsize=64)
def _runs(prompt: str, n: int) -> frozenset[tuple[str, ...]]:
    """Every `n` tokens of the prompt that stand in a row."""
    own = tokens(prompt)
    return frozenset(zip(*(own[i:] for i in range(n)), strict=False))


def _repeats(text: str, language: str, prompt: str) -> bool:
    n = ECHO_TOKENS[language]
    own = [token for _, words in _sentences(text) for token in words]
    return not _runs(prompt, n).isdisjoint(zip(*(own[i:] for i in range(n)), strict=False))
