"""English words as the check reads them: base forms, without articles, copulas and words of degree."""

from __future__ import annotations

import re
from functools import cache

from prompts.check.lexicon import Lexicon, add_heads, compile_lexicon, phrases, source
from prompts.stopwords import stopwords

MASKS = "\ue000\ue001\ue002\ue003"
"""Private characters for the topic, the stressed word, the free phrase of emotion, the transcript."""
_TOKEN = re.compile(rf"[a-zà-ÿ]+(?:'[a-z]+)*|[0-9]+|[{MASKS}]|[.,;:!?()—–\"=]")
_FULL_STOPS = {"!": ".", "?": ".", "(": ",", ")": ",", "—": ";", "–": ";", '"': "", "=": ":"}
_ARTICLES = frozenset({"the", "a", "an"})
_ENDINGS = (
    ("iness", "y"), ("ness", ""), ("ingly", ""), ("ingly", "e"), ("edly", ""), ("edly", "e"), ("ily", "y"),
    ("ably", "able"), ("ibly", "ible"), ("ically", "ic"), ("ly", ""), ("ly", "le"), ("ies", "y"),
    ("ied", "y"), ("ier", "y"), ("iest", "y"), ("es", ""), ("s", ""), ("ed", ""), ("d", ""), ("ing", ""),
    ("ing", "e"),
    ("er", ""), ("r", ""), ("est", ""), ("st", ""),
)  # fmt: skip


def _bases(word: str) -> list[str]:
    """Words of which this could be a form, the likeliest first."""
    found: list[str] = []
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 2 and not (ending == "s" and word[-2] == "s"):
            base = word[: -len(ending)] + instead
            if ending in ("d", "r", "st") and base[-1] != "e":
                continue
            found.append(base)
            if ending in ("ed", "ing", "er", "est") and len(base) > 3 and base[-1] == base[-2]:
                found.append(base[:-1])
    return found


def _parts(text: str) -> list[str]:
    """Tokens in lower case, contractions taken apart."""
    plain = text.lower().replace("’", "'").replace("‘", "'")
    tokens: list[str] = _TOKEN.findall(plain)
    if "'" not in plain:
        return tokens
    parts: list[str] = []
    for token in tokens:
        if "'" not in token or token == "one's":
            parts.append(token)
        elif token.endswith("n't"):
            parts += ([] if token in ("can't", "won't", "don't", "doesn't", "isn't") else [token[:-3]]) + [
                "not"
            ]
        else:
            parts.append(token.partition("'")[0])
    return parts


class English:
    """Reads English text into base forms; remembers each word it has met."""

    def __init__(self) -> None:
        raw = source("en")
        self._vocabulary: frozenset[str] = frozenset()
        self._lemmas: dict[str, str] = {}
        words: set[str] = set()
        texts = [
            t
            for name in ("tells", "carriers", "levels", "negation", "inventions")
            for t in raw[name].values()
        ]
        texts += [raw[name] for name in ("stress", "not_stress", "strong_stress", "about")]
        for text in texts:
            for phrase in phrases(text):
                words.update(_parts(phrase))
        self._vocabulary = frozenset(words)
        self.drop = frozenset(phrases(raw["drop"])) | frozenset(phrases(raw["auxiliaries"]))
        self._own, self._kept = frozenset(phrases(raw["own"])), frozenset(phrases(raw["kept"]))
        self._irregular = dict(pair.split(":") for pair in phrases(raw["irregular"]))
        self.lexicon: Lexicon = compile_lexicon(raw, self.words, self.drop)
        add_heads(self.lexicon.trie)
        self._plain_words = frozenset(phrases(raw["plain_words"])) | stopwords("en")
        self._plain: dict[str, bool] = {}

    def lemma(self, word: str) -> str:
        """The base form, as far as the lexicon knows it; the word itself otherwise."""
        found = self._lemmas.get(word)
        if found is None:
            found = self._lemma(word)
            if len(self._lemmas) < 50_000:
                self._lemmas[word] = found
        return found

    def _lemma(self, word: str) -> str:
        if word in self.drop:
            return ""
        if word in self._own:
            return "their"
        if word in _FULL_STOPS:
            return _FULL_STOPS[word]
        if word == "cannot":
            return "not"
        if word in self._irregular:
            return self._irregular[word]
        if word in self._kept or len(word) < 4:
            return word
        for base in _bases(word):
            if (
                base in self._vocabulary
                and len(base) > 2
                and base not in self.drop
                and base not in stopwords("en")
            ):
                return self.lemma(base)
        return word

    def is_plain(self, word: str) -> bool:
        """True if a word can tell nothing of a voice: a word of grammar, of speaking, a number."""
        found = self._plain.get(word)
        if found is None:
            own = self._plain_words
            bases = (word, self._irregular.get(word, word), *_bases(word))
            found = len(word) < 3 or not word.isalpha() or not own.isdisjoint(bases)
            if len(self._plain) < 50_000:
                self._plain[word] = found
        return found

    def words(self, text: str) -> list[str]:
        """Base forms of a text, without the words that are seen through."""
        lemma = self.lemma
        return [found for part in _parts(text) if (found := lemma(part))]

    def read(self, text: str) -> tuple[list[str], list[str], frozenset[int]]:
        """Base forms, beside each the form that stands in the text, and which have an article before them."""
        forms: list[str] = []
        surface: list[str] = []
        known = self._lemmas
        fresh: set[int] = set()
        for part in _parts(text):
            found = known.get(part)
            if found is None:
                found = self.lemma(part)
            if found:
                forms.append(found)
                surface.append(part)
            elif part in _ARTICLES:
                fresh.add(len(forms))
        return forms, surface, frozenset(fresh)


@cache
def english() -> English:
    """The English reader of this process."""
    return English()
