"""How a detector learns: from clips whose stressed word is known, or from the marks of listeners."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from annotators.emphasis._features import BANDS, FRAMES, N_NUMBERS
from jobs.train.emphasis.examples import Example
from jobs.train.emphasis.network import Detector

_SHARPNESS = 0.3  # a word marked this much higher is e times likelier to be meant
_NOISE = 0.1  # put on features, in their standard deviations
_MARKS_WEIGHT = 2.0
_SMOOTHED = 0.05  # of the labels of regenerated clips: a candidate may have been stressed before
_STEEPEST = 1.0


@dataclass(frozen=True, slots=True)
class Settings:
    """How long and how fast. Epochs are over regenerated clips, and over those listened to."""

    regenerated_epochs: int = 6
    listened_epochs: int = 25
    batch: int = 16
    rate: float = 2e-3
    decay: float = 1e-2


@dataclass(frozen=True, slots=True)
class Scale:
    """Mean and standard deviation of the numbers, [N_NUMBERS]."""

    mean: Tensor
    spread: Tensor

    @classmethod
    def of(cls, examples: Sequence[Example]) -> Scale:
        """That of all words of the examples."""
        numbers = np.concatenate([e.numbers for e in examples])
        return cls(torch.tensor(numbers.mean(0)), torch.tensor(numbers.std(0) + 1e-3))


@dataclass(frozen=True, slots=True)
class Batch:
    """Examples padded to the longest, and what is known of them."""

    pictures: Tensor  # [b, n, FRAMES, BANDS]
    numbers: Tensor  # [b, n, N_NUMBERS], scaled, 0 in the padding
    there: Tensor  # [b, n, 1]
    marks: Tensor  # [b, n], NaN where unknown
    stressed: Tensor  # [b], n where no word is, -1 where unknown


def batched(examples: Sequence[Example], scale: Scale) -> Batch:
    """The examples side by side."""
    b, n = len(examples), max(len(e.numbers) for e in examples)
    pictures, numbers = torch.zeros(b, n, FRAMES, BANDS), torch.zeros(b, n, N_NUMBERS)
    there, marks = torch.zeros(b, n, 1), torch.full((b, n), float("nan"))
    stressed = torch.full((b,), -1)
    for i, example in enumerate(examples):
        k = len(example.numbers)
        pictures[i, :k] = torch.from_numpy(example.pictures)
        numbers[i, :k] = (torch.from_numpy(example.numbers) - scale.mean) / scale.spread
        there[i, :k] = 1
        if example.marks is not None:
            marks[i, :k] = torch.from_numpy(example.marks)
        if example.stressed is not None:
            stressed[i] = n if example.stressed < 0 else example.stressed
    return Batch(pictures, numbers, there, marks, stressed)


def learn(examples: Sequence[Example], scale: Scale, epochs: int, settings: Settings, seed: int) -> Detector:
    """A detector that has heard the examples `epochs` times, ready to use."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    detector = Detector()
    a_round = max(1, len(examples) // settings.batch)
    optimizer = torch.optim.AdamW(detector.parameters(), lr=settings.rate, weight_decay=settings.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, settings.rate, total_steps=epochs * a_round + 1)
    detector.train()
    for _ in range(epochs):
        order = rng.permutation(len(examples))
        for step in range(a_round):
            chosen = order[step * settings.batch : (step + 1) * settings.batch]
            optimizer.zero_grad()
            loss(detector, batched([examples[i] for i in chosen], scale)).backward()
            torch.nn.utils.clip_grad_norm_(detector.parameters(), _STEEPEST)
            optimizer.step()
            schedule.step()
    detector.eval()
    return detector


def loss(detector: Detector, batch: Batch) -> Tensor:
    """Of a batch, in nats: listeners' marks as values and as an order, and the word that was stressed."""
    noise = _NOISE * torch.randn_like(batch.numbers) * batch.there
    grain = _NOISE * torch.randn_like(batch.pictures)
    prominences, logits = detector(batch.pictures + grain, batch.numbers + noise, batch.there)
    total = logits.new_zeros(())
    known = ~torch.isnan(batch.marks)
    if known.any():
        total = total + _MARKS_WEIGHT * functional.smooth_l1_loss(
            prominences[known], batch.marks[known], beta=0.5
        )
        heard = known.any(1)
        marks = torch.where(known, batch.marks / _SHARPNESS, torch.full_like(batch.marks, -1e4))[heard]
        likely = torch.log_softmax(logits[heard, :-1], 1)
        total = total - (torch.softmax(marks, 1) * likely).sum(1).mean()
    told = batch.stressed >= 0
    if told.any():
        total = total + _told_loss(logits[told], batch.stressed[told])
    return total


def _told_loss(logits: Tensor, stressed: Tensor) -> Tensor:
    """Cross entropy, the labels smoothed over the words that are there."""
    likely = torch.log_softmax(logits, 1)
    there = (logits > -1e3).float()
    others = (likely * there).sum(1) / there.sum(1)
    return -((1 - _SMOOTHED) * likely.gather(1, stressed[:, None])[:, 0] + _SMOOTHED * others).mean()
