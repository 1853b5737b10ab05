"""The small networks: one listens to a clip (convolutions over log-mel and F0), one reads what sums it up.

In training all crops of a batch have one length; shipped, it hears one whole clip at a time.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from annotators._mel import N_BANDS

Floats = npt.NDArray[np.float32]

CHANNELS = N_BANDS + 2  # log-mel, voicing, F0
N_SUMMARY = 64
_MIDDLE_HZ = 180.0  # F0 is heard in octaves over this
_FLOOR = -14.0  # nepers of power under the loudest frame, 61 dB: what is softer is silence
_SPREAD = 3.0


class Listener(nn.Module):
    """From log-mel [n_clips, n_frames, N_BANDS] and F0 [n_clips, n_frames] to [n_clips, n_outputs].

    The level of a clip and its mean spectrum are taken out: see `channels`.
    """

    def __init__(self, n_outputs: int, width: int = 96, dropout: float = 0.3) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _layer(CHANNELS, 64, 5, stride=2),
            _layer(64, width, 3, stride=2),
            _layer(width, width, 3, dilation=1),
            _layer(width, width, 3, dilation=2),
        )
        self.attention = nn.Sequential(nn.Conv1d(width, 32, 1), nn.Tanh(), nn.Conv1d(32, width, 1))
        self.summary = nn.Sequential(
            nn.BatchNorm1d(2 * width), nn.Dropout(dropout), nn.Linear(2 * width, N_SUMMARY), nn.ReLU()
        )
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(N_SUMMARY, n_outputs))

    def forward(self, mel: torch.Tensor, f0_hz: torch.Tensor) -> torch.Tensor:
        """The outputs, before any softmax."""
        found: torch.Tensor = self.head(self.summed_up(mel, f0_hz))
        return found

    def summed_up(self, mel: torch.Tensor, f0_hz: torch.Tensor) -> torch.Tensor:
        """What the last layer decides by, [n_clips, N_SUMMARY]."""
        x = self.body(channels(mel, f0_hz))
        weights = torch.softmax(self.attention(x), dim=-1)
        mean = (weights * x).sum(-1)
        spread = ((weights * x * x).sum(-1) - mean * mean).clamp(min=1e-4).sqrt()
        summary: torch.Tensor = self.summary(torch.cat([mean, spread], dim=1))
        return summary


class Reader(nn.Module):
    """One hidden layer over functionals, which it scales itself: [n_clips, n] to [n_clips, n_outputs]."""

    def __init__(self, mean: Floats, spread: Floats, n_outputs: int, hidden: int = 128) -> None:
        super().__init__()
        self.mean, self.spread = nn.Buffer(torch.from_numpy(mean)), nn.Buffer(torch.from_numpy(spread))
        self.layers = nn.Sequential(
            nn.Dropout(0.2), nn.Linear(len(mean), hidden), nn.ReLU(), nn.Dropout(0.5),
            nn.Linear(hidden, n_outputs),
        )  # fmt: skip

    def forward(self, functionals: torch.Tensor) -> torch.Tensor:
        """The outputs for unscaled functionals."""
        found: torch.Tensor = self.layers(self.scaled(functionals))
        return found

    def scaled(self, functionals: torch.Tensor) -> torch.Tensor:
        """In standard deviations, held to 4."""
        return ((functionals - self.mean) / self.spread).clamp(-4.0, 4.0)


def channels(mel: torch.Tensor, f0_hz: torch.Tensor) -> torch.Tensor:
    """The inputs of the first convolution, [n_clips, CHANNELS, n_frames], about -2..2.

    Each band is over its own mean in the clip, louder frames counting more, so that neither the level nor
    the microphone nor the length of the pauses shifts it.
    """
    energy = torch.logsumexp(mel, dim=2, keepdim=True)
    bands = torch.maximum(mel, energy.amax(dim=1, keepdim=True) + _FLOOR)
    loudness = torch.softmax(0.5 * energy, dim=1)
    bands = (bands - (loudness * bands).sum(dim=1, keepdim=True)) / _SPREAD
    voiced = (f0_hz > 0).to(mel.dtype)
    octaves = torch.log2(f0_hz.clamp(min=30.0) / _MIDDLE_HZ) * voiced
    return torch.cat([bands, voiced[:, :, None], 2.0 * octaves[:, :, None]], dim=2).transpose(1, 2)


def _layer(n_in: int, n_out: int, width: int, *, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    convolution = nn.Conv1d(
        n_in, n_out, width, stride=stride, dilation=dilation, padding=dilation * (width // 2), bias=False
    )
    return nn.Sequential(convolution, nn.BatchNorm1d(n_out), nn.ReLU())
