"""What a detector reaches: against listeners, and on regenerated clips whose stressed word is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jobs.train.emphasis.examples import Example

Floats = npt.NDArray[np.floating]

RESAMPLES = 2000
_BINS = 10


@dataclass(frozen=True, slots=True)
class Judgement:
    """Of one clip: prominences and chances of its words, [n_words] both."""

    prominences: Floats
    chances: Floats


@dataclass(frozen=True, slots=True)
class Share:
    """A figure with its 95 % interval, speakers drawn with repetition."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f}..{self.high:.3f}), n = {self.n}"


def against_listeners(
    examples: Sequence[Example], found: Sequence[Judgement], threshold: float
) -> dict[str, Share | Mapping[str, float]]:
    """Top-1 over all clips and over those named, coverage, correlation over words, top-1 by speaker."""
    speakers = [e.speaker for e in examples]
    right = np.array([_is_top(e, j) for e, j in zip(examples, found, strict=True)], float)
    named = np.array([j.chances.max() >= threshold for j in found], float)
    by_speaker = {s: float(right[[o == s for o in speakers]].mean()) for s in sorted(set(speakers))}
    return {
        "top1": _share(right, speakers),
        "covered": _share(named, speakers),
        "top1_of_covered": _share(right, speakers, named),
        "correlation": _correlation(examples, found),
        "top1_by_speaker": by_speaker,
    }


def against_truth(
    examples: Sequence[Example], found: Sequence[Judgement], threshold: float
) -> dict[str, Share]:
    """Sentences judged right, words judged right, stressed words found, false alarms (SpeechCraft, 5.2).

    An unstressed sentence is right where no word is named; a stressed one where its word alone is.
    """
    speakers = [e.speaker for e in examples]
    stressed = np.array([e.stressed is not None and e.stressed >= 0 for e in examples], float)
    best = np.array([int(j.chances.argmax()) for j in found])
    named = np.array([j.chances.max() >= threshold for j in found])
    hit = np.array([b == e.stressed for b, e in zip(best, examples, strict=True)])
    sentence = np.where(stressed > 0, hit & named, ~named).astype(float)
    wrong = named & ~hit
    missed = (stressed > 0) & ~(hit & named)
    faults = wrong.astype(int) + missed.astype(int)
    words = np.array([1 - f / len(e.numbers) for f, e in zip(faults, examples, strict=True)])
    return {
        "sentences_right": _share(sentence, speakers),
        "words_right": _share(words, speakers),
        "stressed_word_found": _share(hit.astype(float), speakers, stressed),
        "false_alarms": _share(named.astype(float), speakers, 1 - stressed),
    }


def calibration_error(right: Floats, confidence: Floats) -> float:
    """Mean distance between how sure it was and how often it was right, over ten bins of confidence."""
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    gaps = [
        abs(right[bins == b].mean() - confidence[bins == b].mean()) * (bins == b).mean() for b in set(bins)
    ]
    return float(sum(gaps))


def _is_top(example: Example, found: Judgement) -> bool:
    assert example.marks is not None
    return bool(example.marks[int(found.chances.argmax())] == np.nanmax(example.marks))


def _share(values: Floats, speakers: Sequence[str], weights: Floats | None = None) -> Share:
    weights = np.ones(len(values)) if weights is None else weights
    names = sorted(set(speakers))
    owner = np.array([names.index(s) for s in speakers])
    top, bottom = np.bincount(owner, values * weights), np.bincount(owner, weights)
    return _drawn(lambda d: top[d].sum() / max(bottom[d].sum(), 1e-9), len(names), int(weights.sum()))


def _correlation(examples: Sequence[Example], found: Sequence[Judgement]) -> Share:
    """Pearson's, of prominence and mark over all words."""
    names = sorted({e.speaker for e in examples})
    sums = np.zeros((len(names), 6))
    for example, judgement in zip(examples, found, strict=True):
        assert example.marks is not None
        known = ~np.isnan(example.marks)
        x, y = judgement.prominences[known], example.marks[known]
        sums[names.index(example.speaker)] += [len(x), x.sum(), y.sum(), x @ x, y @ y, x @ y]

    def of(drawn: npt.NDArray[np.intp]) -> float:
        n, x, y, xx, yy, xy = sums[drawn].sum(0)
        return float((n * xy - x * y) / max(np.sqrt((n * xx - x * x) * (n * yy - y * y)), 1e-9))

    return _drawn(of, len(names), len(examples))


def _drawn(figure, n_speakers: int, n: int) -> Share:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(0)
    everyone = np.arange(n_speakers)
    drawn = [figure(rng.integers(n_speakers, size=n_speakers)) for _ in range(RESAMPLES)]
    low, high = np.percentile(drawn, (2.5, 97.5))
    return Share(float(figure(everyone)), float(low), float(high), n)
