"""Foreign text inside a caption: the words to say, the topic, the stressed word, the free phrase of emotion.

What stands for them in the caption is found and replaced by a private character, so that nothing in it
is read as a word of the caption.
"""

from __future__ import annotations

import re
from itertools import pairwise

from prompts.stopwords import stopwords

MASKS = TOPIC, STRESS, MOOD, WORDS = "\ue000", "\ue001", "\ue002", "\ue003"
MASKED = re.compile("[\ue000-\ue003]")
QUOTED = re.compile(r'"([^"]+)"|“([^”]+)”|«([^»]+)»|「([^」]+)」|『([^』]+)』|‘([^’]{12,})’')
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_HAN = re.compile(r"[\u3400-\u9fff]")
_EDGES = " \t\n.,;:!?。，；：！？、…\"“”'‘’«»「」『』()（）"
OPEN, CLOSE = "\"“«「『'‘", "\"”»」』'’"


def clean(text: str) -> str:
    """The text without private characters, one space for each run of white space or control characters."""
    text = MASKED.sub(" ", text)
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    return text


def content_words(text: str) -> list[str]:
    """The words of a text that are not function words, in lower case."""
    return [w for w in _WORD.findall(text.lower()) if w not in stopwords("en") and len(w) > 1]


def stem(word: str) -> str:
    """A word without its commonest endings: "gardening", "gardens" and "gardener" are one."""
    for ending in (
        "ations",
        "ation",
        "ities",
        "ness",
        "ings",
        "ment",
        "ing",
        "ers",
        "ies",
        "ied",
        "ity",
        "ed",
        "er",
        "es",
        "al",
        "ly",
        "s",
        "y",
        "e",
    ):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    return word[:-1] if len(word) > 4 and word[-1] == word[-2] else word


def replace_word(text: str, word: str, mask: str) -> tuple[str, list[int]]:
    """`text` with every mention of `word` (whole words, any case) masked, and where the mentions begin."""
    lower, wanted = text.lower(), word.lower()
    if not wanted or len(lower) != len(text):
        lower, wanted = text, word
    out: list[str] = []
    places: list[int] = []
    at, size = 0, 0
    while wanted:
        found = lower.find(wanted, at)
        if found < 0:
            break
        end = found + len(wanted)
        out.append(text[at:found])
        size += found - at
        if _whole(lower, found, end):
            places.append(size)
            out.append(mask)
            size += 1
        else:
            out.append(text[found:end])
            size += end - found
        at = end
    out.append(text[at:])
    return "".join(out), places


def _whole(text: str, begin: int, end: int) -> bool:
    before = text[begin - 1] if begin else " "
    after = text[end] if end < len(text) else " "
    return not (_latin(text[begin]) and _latin(before)) and not (_latin(text[end - 1]) and _latin(after))


def _latin(c: str) -> bool:
    return c.isalnum() and not _HAN.match(c)


def tokens(text: str) -> list[str]:
    """Words in lower case; each Chinese character is one."""
    return (_PLAIN if text.isascii() else _TOKENS).findall(text.lower())


_PLAIN = re.compile(r"[a-z0-9]+(?:'[a-z0-9]+)*")
"""What `_TOKENS` finds in ASCII, in six tenths of the time."""
_TOKENS = re.compile(r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+(?:['’][^\W_\u3400-\u9fff]+)*")


def cut_words(text: str, words: str, others: tuple[str, ...]) -> tuple[str, bool]:
    """`text`, clean, with the words to say masked, and whether they stood there verbatim.

    Where they do not, what was put in their place is masked: the quotation, or the text behind a colon.
    """
    places = _places(text, words)
    if places:
        out, at = [], 0
        for place in places:
            out += [clean(text[at:place]), WORDS]
            at = place + len(words)
        return "".join([*out, clean(text[at:])]), True
    text = clean(text)
    replaced = QUOTED.sub(lambda m: f'"{WORDS}"' if _stands_for(m[0], words, others) else m[0], text)
    return (replaced if WORDS in replaced else _after_colon(text, words)), False


def _places(text: str, words: str) -> list[int]:
    """Where the words to say stand: between quotes if they do anywhere, else as whole words."""
    quoted, bare_ones = [], []
    at = text.find(words)
    while at >= 0:
        end = at + len(words)
        if at and text[at - 1] in OPEN and end < len(text) and text[end] in CLOSE:
            quoted.append(at)
        elif _whole(text, at, end):
            bare_ones.append(at)
        at = text.find(words, end)
    if quoted:
        return quoted
    return bare_ones[-1:] if len(words) < 12 else bare_ones


def _stands_for(quotation: str, words: str, others: tuple[str, ...]) -> bool:
    """True if a quotation is long enough, or shares enough words, to be the words to say."""
    if bare(quotation).lower() in {other.lower() for other in others}:
        return False
    quoted = tokens(quotation)
    if len(quoted) >= 5:
        return True
    wanted = set(tokens(words[:2000]))
    return len(quoted) >= 2 and 2 * sum(t in wanted for t in quoted) >= len(quoted)


def _after_colon(text: str, words: str) -> str:
    for colon in (": ", "："):
        before, found, after = text.partition(colon)
        if found and len(tokens(after)) >= 3 and len(before) > 12:
            return f"{before}{colon}{WORDS}."
    return _after_that(text, words)


_THAT = re.compile(
    r"\b(?:say|says|saying|said|tell|tells|telling|told|explain\w*|state|states|stating|announc\w+|remark\w*|mention\w*"
    r"|declar\w+|report\w*|complain\w*|insist\w*|ask\w*|observ\w+|admit\w*|repl\w+|add|adds|adding|note|notes)"
    r"(?: \w+){0,3}? (?:that|how|whether|if|to the effect that|words to the effect of)"
    r" (?P<words>[^.\ue003]+)",
    re.I,
)
_ALIKE = 0.4
"""The share of its words that a paraphrase has of the words to say, at least."""


def _after_that(text: str, words: str) -> str:
    """The text without the words to say told in other words: "say that the bus had gone"."""
    wanted = set(tokens(words))
    for match in _THAT.finditer(text):
        own = tokens(match["words"])
        if len(own) >= 4 and sum(token in wanted for token in own) >= _ALIKE * len(own):
            return f"{text[: match.start('words')]}{WORDS}{text[match.end('words') :]}"
    return text


def cut_run(text: str, words: str, n: int) -> str:
    """The text with every run of `n` words or more of the words to say masked."""
    joined = f" {' '.join(tokens(words))} "
    spans = [(m.start(), m.end(), m[0].lower()) for m in _TOKENS.finditer(text)]
    out, at, i = [], 0, 0
    while i + n <= len(spans):
        end = i + n
        if f" {' '.join(s[2] for s in spans[i:end])} " in joined:
            while end < len(spans) and f" {' '.join(s[2] for s in spans[i : end + 1])} " in joined:
                end += 1
            out += [text[at : spans[i][0]], WORDS]
            at = spans[end - 1][1]
            i = end
        else:
            i += 1
    return "".join([*out, text[at:]])


def bare(text: str | None) -> str:
    """A word or phrase on one line without the punctuation around it."""
    return " ".join((text or "").split()).strip(_EDGES)


def mask_stress(text: str, word: str) -> str:
    """The stressed word masked: its quoted mentions, else those a word of stress introduces, else all."""
    masked, places = replace_word(text, word, STRESS)
    if not places:
        return text
    quoted = [
        p
        for p in places
        if p and masked[p - 1] in OPEN and masked[p + 1 : p + 3].strip(",.，。、")[:1] in CLOSE
    ]
    chosen = quoted or [p for p in places if _introduced(masked, p)]
    if not chosen and word.lower() not in stopwords("en"):
        chosen = places
    keep = set(chosen)
    return "".join(c if i in keep or c != STRESS else word for i, c in enumerate(masked)) if chosen else text


_INTRODUCED = re.compile(
    r"(?:\b(?:word|stress(?:ing|es|ed)?|emphasi[sz](?:e|es|ed|ing)|accentuat(?:e|es|ed|ing)|on|upon|to|out|into"
    r"|hits?|punch(?:es|ing)?|underlin(?:es?|ing)|highlight(?:s|ing)?|underscor(?:es?|ing)|behind|hammer(?:s|ing)?"
    r"|stamp(?:s|ing)?)(?: the word| the)?"
    r"|重读|强调|突出|着重|加重|重音|重点|在|把|给|将|对|落到|放到|字眼|读重|咬重|点出)[\s:：“「『\"‘'了出着]*$"
)


def _introduced(text: str, place: int) -> bool:
    before = text[max(0, place - 40) : place].lower()
    return bool(_INTRODUCED.search(before)) or text[place + 1 : place + 4].strip("”\"』」’' ")[:1] in (
        "一",
        "这",
        "二",
        "两",
        "四",
    )


def mask_phrase(text: str, phrase: str, mask: str) -> tuple[str, bool]:
    """The phrase masked where it stands as it is."""
    if not phrase:
        return text, False
    masked, places = replace_word(text, phrase, mask)
    return masked, bool(places)


def mask_topic(text: str, topic: str) -> tuple[str, bool]:
    """The topic masked: of several mentions those behind a word of speaking, if any stand there.

    "A man in old age talks about old age" names the topic once.
    """
    masked, places = replace_word(text, topic, TOPIC)
    if len(places) < 2:
        return masked, bool(places)
    chosen = [p for p in places if _TOPIC_BEFORE.search(masked[max(0, p - 24) : p])]
    if not chosen:
        return masked, True
    keep = set(chosen)
    return "".join(c if i in keep or c != TOPIC else topic for i, c in enumerate(masked)), True


_TOPIC_BEFORE = re.compile(
    r"(?:\b(?:about|on|of|over|concern\w*|discuss\w*|subject|topic|theme|is|being|for|address\w*|cover\w*)"
    r"|谈|聊|讲|说|关于|话题|主题|提|论|围绕|到|及|起|是|为)\W*$"
)


def told_share(text: str, phrase: str) -> tuple[float, frozenset[str]]:
    """The share of a phrase's content words (Chinese: characters) in a text, and the words that match."""
    if _HAN.search(phrase):
        wanted = [c for c in dict.fromkeys(_HAN.findall(phrase)) if c not in "的了和与在是之及、"]
        matched = [c for c in wanted if c in text]
        pairs = [a + b for a, b in pairwise(phrase) if _HAN.match(a) and _HAN.match(b)]
        held = any(pair in text for pair in pairs) or len(wanted) == 1
        return (len(matched) / len(wanted) if wanted and held else 0.0), frozenset()
    wanted = list(dict.fromkeys(content_words(phrase))) or tokens(phrase)
    stems: dict[str, str] = {}
    for word in _WORD.findall(text.lower()):
        stems.setdefault(stem(word.removesuffix("'s").removesuffix("’s")), word)
    matched_words = [stems[s] for s in map(stem, wanted) if s in stems]
    matched_words += [
        w
        for want in wanted
        if stem(want) not in stems and len(want) >= 5
        for s, w in stems.items()
        if len(s) >= 5 and (s.startswith(want[:5]) and abs(len(w) - len(want)) <= 3)
    ]
    return (min(1.0, len(matched_words) / len(wanted)) if wanted else 0.0), frozenset(matched_words)
