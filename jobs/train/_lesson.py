"""What the models of the speaker learn from: examples side by side with what sums each up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jobs.train._corpora import Utterance
from jobs.train._features import Example


@dataclass(frozen=True, slots=True)
class Lesson:
    """Examples with their functionals [n_examples, n_functionals]; `doubtful` speakers teach no gender."""

    examples: Sequence[Example]
    functionals: npt.NDArray[np.float32]
    doubtful: frozenset[str] = frozenset()

    def where(self, chosen: Callable[[Utterance], bool]) -> Lesson:
        """Those of some utterances."""
        return self._only([i for i, e in enumerate(self.examples) if chosen(e.utterance)])

    def as_recorded(self) -> Lesson:
        """Those that are not augmented."""
        return self._only([i for i, e in enumerate(self.examples) if e.variant == 0])

    def _only(self, places: list[int]) -> Lesson:
        return Lesson([self.examples[i] for i in places], self.functionals[places], self.doubtful)
