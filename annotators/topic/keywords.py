"""The topic in a few words: the source's own category or title, else the likeliest noun phrase."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Annotated

import rjieba

from pipeline.annotator import Annotator, Model
from pipeline.clip import Clip
from pipeline.options import Option
from pipeline.rows import Language, Topic, Transcript
from pipeline.text import clean, script_of, words
from prompts.stopwords import stopwords

_LISTS = ("en", "en_common", "en_noun_next", "en_verb_next", "zh")
_SCRIPTS = {"en": "latin", "zh": "han"}
_NAME_WORDS, _NAME_CHARACTERS = 6, 12  # a longer title is a sentence; keywords are taken from it
_TEXT_CHARACTERS = 20_000  # about 20 minutes of speech; a topic is found long before
_NO_TOPIC = frozenset(
    {"general", "misc", "miscellaneous", "n/a", "none", "other", "uncategorized", "unknown"}
)

_CLAUSE_END = re.compile(r"[^\w\s'’/&-]+|\s-+\s")
_NO_HEAD = re.compile(r".{2,}(?:[^e]ed|[^aiou]ly|[^m]ily|['’]s|n['’]t)")  # asked, finely, easily, Tom's
_NOUN_TAGS = frozenset({"eng", "n", "nr", "nrt", "ns", "nt", "nz", "vn"})  # of jieba
_NAME_TAGS = frozenset({"nr", "nrt"})  # its least certain


@dataclass(frozen=True, slots=True)
class _Phrase:
    tokens: tuple[str, ...]
    bonus: float
    """What its neighbours and its tags say for it."""

    @property
    def head(self) -> str:
        """Its last word: what a noun phrase is about."""
        return self.tokens[-1].lower()

    @property
    def weight(self) -> float:
        """Its bonus, half a point for every further word, and up to one for its longest."""
        return self.bonus + 0.5 * (len(self.tokens) - 1) + min(max(map(len, self.tokens)), 10) / 10


class KeywordsAnnotator(Annotator[Topic]):
    """Category, else a short title, where it is in the clip's language; else keywords.

    Keywords come from a long title, else the transcript, else the description. English: a run of
    content words, best where a determiner or preposition leads it. Chinese: a run of nouns. Null for
    other languages, for utterances of function words, and where the topic would be all that was said.
    """

    row = Topic
    version = 2
    wants = (Transcript, Language)
    sees = frozenset({"title", "description", "category"})

    def __init__(
        self,
        *,
        max_words: Annotated[int, Option("longest topic made from keywords", "words", 1, 6)] = 3,
    ) -> None:
        self._max_words = max_words

    @classmethod
    def models(cls, options: Mapping[str, object]) -> tuple[Model, ...]:
        """The segmenter of Chinese."""
        return (Model("jieba-rs", f"rjieba {version('rjieba')}", "MIT", source="package rjieba"),)

    @classmethod
    def salt(cls, options: Mapping[str, object]) -> str:
        """The lists of words it reads."""
        return "\n".join(" ".join(sorted(stopwords(name))) for name in _LISTS)

    @classmethod
    def from_given(cls, clip: Clip) -> Topic | None:
        """The category, else a short title, in the clip's language; None where neither names a topic."""
        language = _language(clip)
        for text in (clip.given.category, clip.given.title):
            if _names_topic(name := _cleaned(text), language):
                return Topic(name, "given")
        return None

    def annotate(self, clips: Sequence[Clip]) -> list[Topic]:
        """One row a clip; null where nothing tells."""
        return [self.from_given(clip) or self._told(clip) for clip in clips]

    def _told(self, clip: Clip) -> Topic:
        transcript, title = clip.maybe(Transcript), _cleaned(clip.given.title)
        spoken = "" if transcript is None else transcript.transcript
        for text in ("" if _short(title) else title, _cleaned(spoken), _cleaned(clip.given.description)):
            topic = self._keywords(text, _language(clip))
            if topic is not None and words(topic.casefold()) != words(text.casefold()):
                return Topic(topic, "keywords")
        return Topic(None, None)

    def _keywords(self, text: str, language: str | None) -> str | None:
        if language not in _SCRIPTS or script_of(text) != _SCRIPTS[language]:
            return None
        found = _english_phrases(text) if language == "en" else _chinese_phrases(text)
        phrases = [_Phrase(phrase.tokens[-self._max_words :], phrase.bonus) for phrase in found]
        heads = Counter(phrase.head for phrase in phrases)
        best = max(phrases, key=lambda phrase: heads[phrase.head] + phrase.weight, default=None)
        return None if best is None else (" " if language == "en" else "").join(best.tokens)


def _language(clip: Clip) -> str | None:
    row = clip.maybe(Language)
    return None if row is None else row.language


def _names_topic(text: str, language: str | None) -> bool:
    """Whether a category or title can stand as topic: short, of letters, in the script of the language."""
    script = script_of(text)
    if script is None or text.lower() in _NO_TOPIC:
        return False
    letters, digits = sum(map(str.isalpha, text)), sum(map(str.isdigit, text))
    fits = script == _SCRIPTS.get(language or "", script)
    return fits and letters > digits and _short(text)


def _short(text: str) -> bool:
    """Whether a title is a name rather than a sentence."""
    return len(words(text)) <= (_NAME_CHARACTERS if script_of(text) == "han" else _NAME_WORDS)


def _cleaned(text: str | None) -> str:
    return clean((text or "")[:_TEXT_CHARACTERS])


def _english_phrases(text: str) -> Iterator[_Phrase]:
    """Runs of content words within a clause; after a pronoun, a modal or `to` the first is the verb."""
    for clause in _CLAUSE_END.split(text):
        before: str | None = None
        run: list[str] = []
        for token in [*words(clause, "en"), ""]:
            if _is_content(token):
                run.append(token if run or before else _uncapitalised(token))
                continue
            if run:
                yield from _noun_phrase(run, before)
            before, run = token.lower().replace("’", "'"), []


def _noun_phrase(run: list[str], before: str | None) -> Iterator[_Phrase]:
    if before in stopwords("en_verb_next"):
        run = run[1:]
    while run and _NO_HEAD.fullmatch(run[-1].lower()):
        run = run[:-1]
    if run:
        yield _Phrase(tuple(run), float(before in stopwords("en_noun_next")))


def _is_content(token: str) -> bool:
    plain = token.lower().replace("’", "'")
    spelt = token.isupper() and len(token) > 1
    known = plain in stopwords("en") or plain in stopwords("en_common")
    return token[:1].isalpha() and (spelt or len(token) > 2) and not known


def _uncapitalised(token: str) -> str:
    """The first word of a clause, small unless it is spelt in capitals: its capital says nothing."""
    return token if token.isupper() and len(token) > 1 else token.lower()


def _chinese_phrases(text: str) -> Iterator[_Phrase]:
    """Runs of nouns; a name stands alone, and a single character is no phrase."""
    run: list[str] = []
    for token, tag in [*rjieba.tag(text), ("", "")]:
        noun = tag in _NOUN_TAGS and token not in stopwords("zh") and script_of(token) is not None
        if noun and tag not in _NAME_TAGS:
            run.append(token)
            continue
        if len("".join(run)) > 1:
            yield _Phrase(tuple(run), 1.0)
        run = []
        if noun and len(token) > 1:
            yield _Phrase((token,), 0.0)
