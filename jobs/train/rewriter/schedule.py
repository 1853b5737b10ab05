"""How a rewriter is tuned, in figures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Schedule:
    """How to tune. `batch` rows go through at once; the weights move after `accumulate` batches."""

    epochs: float = 3.0
    rank: int = 16
    alpha: int = 32
    dropout: float = 0.05
    rate: float = 2e-4
    batch: int = 4
    accumulate: int = 4
    save_steps: int = 100
