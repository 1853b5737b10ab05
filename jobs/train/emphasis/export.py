"""The trained detectors as one ONNX graph for one clip: scaled, brought together, as probabilities."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from annotators.emphasis._features import BANDS, FRAMES, N_NUMBERS
from jobs.train.emphasis.learning import Scale
from jobs.train.emphasis.network import Detector

TOLERANCE = 1e-4
"""How far ONNX may be from PyTorch, in score and in probability."""
BLEND = 0.1
"""0 finds 73.7 % of listeners' words and 73 % of regenerated ones, 0.1 71.4 and 83, 0.3 68.8 and 89."""
_SHARPNESS = 0.3
_TRIED = (2, 3, 9, 40)  # words, when the two are compared


class Judge(nn.Module):
    """Pictures [n, FRAMES, BANDS] and unscaled numbers [n, N_NUMBERS] to scores and chances, both [n].

    A word's score is the prominence that `heard`, who learnt from listeners, give it, and BLEND times what
    `told`, who learnt from regenerated clips, think of it. Its chance is the share that score gives it of
    the chance, by `told`, that any word is stressed.
    """

    def __init__(
        self, told: Sequence[Detector], heard: Sequence[Detector], scale: Scale, sharpness: float = _SHARPNESS
    ) -> None:
        super().__init__()
        self.told, self.heard = nn.ModuleList(told), nn.ModuleList(heard)
        self.mean, self.spread = nn.Buffer(scale.mean), nn.Buffer(scale.spread)
        self.sharpness = sharpness

    def forward(self, pictures: Tensor, numbers: Tensor) -> tuple[Tensor, Tensor]:
        """Scores and chances."""
        scores, any_word = self.found(pictures, numbers)
        return scores, torch.softmax(scores / self.sharpness, 0) * any_word

    def found(self, pictures: Tensor, numbers: Tensor) -> tuple[Tensor, Tensor]:
        """Scores [n], and the chance that any word is stressed."""
        scaled = ((numbers - self.mean) / self.spread).unsqueeze(0)
        there, seen = torch.ones_like(scaled[:, :, :1]), pictures.unsqueeze(0)
        scores, any_word = torch.zeros_like(scaled[0, :, 0]), torch.ones_like(scaled[0, 0, 0])
        if len(self.heard):
            scores = torch.stack([m(seen, scaled, there)[0][0] for m in self.heard]).mean(0)
        if len(self.told):
            logits = torch.stack([m(seen, scaled, there)[1][0] for m in self.told]).mean(0)
            thought = logits[:-1] - logits[:-1].mean()
            scores = scores + (BLEND if len(self.heard) else 1.0) * thought
            any_word = 1 - torch.softmax(logits, 0)[-1]
        return scores, any_word


def export(judge: Judge, path: Path) -> float:
    """Write the graph; the largest difference from PyTorch over clips of several lengths.

    Raises ValueError where that is beyond TOLERANCE.
    """
    judge.eval()
    with warnings.catch_warnings():  # the exporter that needs no further package says that it is old
        warnings.simplefilter("ignore")
        torch.onnx.export(
            judge,
            _random(5),
            str(path),
            input_names=["pictures", "numbers"],
            output_names=["scores", "chances"],
            dynamic_axes={n: {0: "words"} for n in ("pictures", "numbers", "scores", "chances")},
            opset_version=17,
            dynamo=False,
        )
    worst = max(_difference(judge, path, n) for n in _TRIED)
    if worst > TOLERANCE:
        raise ValueError(f"The exported detector is {worst:.2g} away from the trained one.")
    return worst


def _random(n: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(n)
    return (
        torch.randn(n, FRAMES, BANDS, generator=generator),
        torch.randn(n, N_NUMBERS, generator=generator),
    )


def _difference(judge: Judge, path: Path, n: int) -> float:
    import onnxruntime as ort

    inputs = _random(n)
    with torch.no_grad():
        wanted = judge(*inputs)
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    found = session.run(None, {"pictures": inputs[0].numpy(), "numbers": inputs[1].numpy()})
    return max(float(np.abs(w.numpy() - f).max()) for w, f in zip(wanted, found, strict=True))
