"""The paper's enhancements of the training part: rewording, then synonyms; each result is checked."""

from __future__ import annotations

from collections.abc import Sequence

from jobs.captions.captioned import Captioned
from jobs.captions.near import Grams, Index, grams
from jobs.captions.tally import own_words
from jobs.train.rewriter.pairs import Gate, Pair
from jobs.train.rewriter.rewording import Reworder
from jobs.train.rewriter.synonyms import variants


def reworded(pairs: Sequence[Pair], rounds: int, ask: Reworder, gate: Gate) -> list[Pair]:
    """Sound pairs in other words: two chains from each pair, one of paraphrases and one of translations.

    Each round goes on from what passed the one before, so that the second translation is a round trip.
    """
    found: list[Pair] = []
    paraphrased = translated = list(pairs)
    for number in range(1, rounds + 1):
        paraphrased = gate.all_of(ask.round(paraphrased, "paraphrased", number))
        translated = gate.all_of(ask.round(translated, "translated", number))
        found += paraphrased + translated
    return found


def with_synonyms(pairs: Sequence[Pair], n: int, gate: Gate, seed: int) -> list[Pair]:
    """Sound pairs with other expressions, at most `n` of each."""
    return [found for pair in pairs for found in gate.all_of(variants(pair, n, seed))]


def without_duplicates(pairs: Sequence[Pair], apart: Sequence[Pair] = ()) -> list[Pair]:
    """The pairs that do not read almost like an earlier one, or like one of those set apart.

    What captions repeat of their clips (the words, topic, stressed word) is not compared.
    """
    kept: list[Pair] = []
    for language in ("en", "zh"):
        mine = [pair for pair in pairs if pair.language == language]
        others = [_grams(pair) for pair in apart if pair.language == language]
        told = [_grams(pair) for pair in mine]
        index = Index([*others, *told])
        for one in others:
            index.add(one)
        kept += [pair for pair, one in zip(mine, told, strict=True) if index.add(one) is None]
    return kept


def _grams(pair: Pair) -> Grams:
    said = (pair.attributes.transcript or "").strip()
    instruction = pair.captions.instruction or ""
    text = f"{pair.captions.description}\n{instruction.replace(said, ' ', 1) if said else instruction}"
    return grams(own_words(text, Captioned(pair.id, pair.language, pair.attributes, pair.captions, "")))
