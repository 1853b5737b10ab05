"""The detector: a residual network over every word's picture, a feed-forward one over its numbers, and
convolutions over the words of the sentence (SpeechCraft, section 3.3, "Word Emphasis Detection").
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from annotators.emphasis._features import BANDS, N_NUMBERS

CHANNELS, WIDTH = (12, 24, 32), 48


class Residual(nn.Module):
    """Two convolutions, and the input beside them."""

    def __init__(self, inner: int, outer: int) -> None:
        super().__init__()
        self.one = nn.Conv2d(inner, outer, 3, stride=2, padding=1)
        self.two = nn.Conv2d(outer, outer, 3, padding=1)
        self.beside = nn.Conv2d(inner, outer, 1, stride=2)
        self.norm_one, self.norm_two = nn.GroupNorm(4, outer), nn.GroupNorm(4, outer)

    def forward(self, x: Tensor) -> Tensor:
        """[n, inner, h, w] to [n, outer, h / 2, w / 2]."""
        inside = torch.relu(self.norm_one(self.one(x)))
        return torch.relu(self.norm_two(self.two(inside)) + self.beside(x))


class Neighbours(nn.Module):
    """A word in the light of the words beside it and of the sentence."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.beside = nn.Conv1d(width, width, 3, padding=1)
        self.sentence = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)
        self.drop = nn.Dropout(dropout)

    def forward(self, words: Tensor, there: Tensor) -> Tensor:
        """[b, n, width]; `there` [b, n, 1] is 1 for words and 0 for padding."""
        mean = (words * there).sum(1, keepdim=True) / there.sum(1, keepdim=True)
        near = self.beside((words * there).transpose(1, 2)).transpose(1, 2)
        return words + self.drop(torch.relu(self.norm(near + self.sentence(mean))))


class Detector(nn.Module):
    """Prominence of every word, and the logits of which one is stressed; the last logit is: none."""

    def __init__(self, dropout: float = 0.3) -> None:
        super().__init__()
        stages = zip((1, *CHANNELS[:-1]), CHANNELS, strict=True)
        self.seen = nn.Sequential(*(Residual(inner, outer) for inner, outer in stages))
        self.seen_out = nn.Linear(CHANNELS[-1] * (BANDS // 8), WIDTH)
        self.counted = nn.Sequential(
            nn.Linear(N_NUMBERS, WIDTH), nn.ReLU(), nn.Dropout(dropout), nn.Linear(WIDTH, WIDTH)
        )
        self.hierarchy = nn.ModuleList(Neighbours(WIDTH, dropout) for _ in range(2))
        self.drop = nn.Dropout(dropout)
        self.prominence, self.plainly = nn.Linear(WIDTH, 1), nn.Linear(N_NUMBERS, 1)
        self.stressed, self.none = nn.Linear(WIDTH, 1), nn.Linear(2 * WIDTH, 1)

    def forward(self, pictures: Tensor, numbers: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
        """Pictures [b, n, FRAMES, BANDS], numbers [b, n, N_NUMBERS], there [b, n, 1].

        Returns prominences [b, n], about 0..3 as listeners mark them, and logits [b, n + 1].
        """
        b, n = numbers.shape[:2]
        seen = self._look(pictures.reshape(b * n, 1, *pictures.shape[2:]), there)
        words = self.seen_out(seen.reshape(b, n, -1)) + self.counted(numbers)
        words = self.drop(torch.relu(words))
        for level in self.hierarchy:
            words = level(words, there)
        prominences = (self.prominence(words) + self.plainly(numbers)).squeeze(2)
        logits = self.stressed(words).squeeze(2) + prominences
        hidden = words * there - 1e4 * (1 - there)
        mean = (words * there).sum(1) / there.sum(1)
        none = self.none(torch.cat([mean, hidden.amax(1)], 1)) + self._highest(prominences, there)
        return prominences, torch.cat([logits - 1e4 * (1 - there.squeeze(2)), none], 1)

    def _look(self, pictures: Tensor, there: Tensor) -> Tensor:
        """[b * n, features]; where it learns, padding is not looked at, which halves the time."""
        if not self.training:
            return self.seen(pictures).mean(dim=2).flatten(1)
        real = there.flatten() > 0
        seen = self.seen(pictures[real]).mean(dim=2).flatten(1)
        return seen.new_zeros(len(pictures), seen.shape[1]).index_put((real.nonzero()[:, 0],), seen)

    def _highest(self, prominences: Tensor, there: Tensor) -> Tensor:
        """So that a sentence's none is measured against its words."""
        return (prominences * there.squeeze(2)).sum(1, keepdim=True) / there.sum(1)
