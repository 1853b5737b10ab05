"""How varied texts are: distinct-n, self-BLEU, and the share that reads almost like another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jobs.captions.near import near_duplicates, tokens
from jobs.captions.sample import Sample

SAMPLE = 10_000
"""Texts that are compared: distinct-n falls as texts are added, so that it can be compared between corpora
only over equally many."""
BLEU_SAMPLE = 200
"""Texts for self-BLEU, which compares each with all others: 6 s of these on one core."""
_TOKENIZER = {"en": "13a", "zh": "zh"}


@dataclass(frozen=True, slots=True)
class Diversity:
    """`distinct` are distinct-1, -2, -3: different n-grams of all, 0..1. `self_bleu` is 0..100, the mean
    BLEU-4 of a text against the others: the lower, the more varied; None with fewer than two texts, or
    without sacrebleu. `near_duplicates` is a share, 0..1."""

    texts: int
    sampled: int
    distinct: tuple[float, float, float] | None
    near_duplicates: float | None
    self_bleu: float | None
    self_bleu_texts: int


def diversity(sample: Sample[str], language: str) -> Diversity:
    """Of the texts of a sample, which hold nothing of the clips themselves."""
    texts = sample.kept
    few = texts[:BLEU_SAMPLE]
    bleu = self_bleu(few, language)
    return Diversity(
        texts=sample.seen,
        sampled=len(texts),
        distinct=(distinct(texts, 1), distinct(texts, 2), distinct(texts, 3)) if texts else None,
        near_duplicates=sum(near_duplicates(texts)) / len(texts) if texts else None,
        self_bleu=bleu,
        self_bleu_texts=0 if bleu is None else len(few),
    )


def distinct(texts: Sequence[str], n: int) -> float:
    """Different n-grams of all n-grams of the texts; 0 where there is none."""
    seen: set[tuple[str, ...]] = set()
    total = 0
    for text in texts:
        told = tokens(text)
        found = [tuple(told[i : i + n]) for i in range(len(told) - n + 1)]
        total += len(found)
        seen.update(found)
    return len(seen) / total if total else 0.0


def self_bleu(texts: Sequence[str], language: str) -> float | None:
    """The mean BLEU of each text against all others; None with fewer than two, or without sacrebleu."""
    if len(texts) < 2:
        return None
    try:
        from sacrebleu.metrics.bleu import BLEU
    except ImportError:
        return None
    bleu = BLEU(tokenize=_TOKENIZER[language], effective_order=True)
    scores = [bleu.sentence_score(text, [*texts[:i], *texts[i + 1 :]]).score for i, text in enumerate(texts)]
    return float(sum(scores) / len(scores))
