"""Fitting a Listener to crops of clips, and a Reader to what sums clips up. Seeded, on one thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from annotators._mel import N_BANDS
from jobs.train._features import Example
from jobs.train._network import Listener, Reader

Rng = np.random.Generator
Floats = npt.NDArray[np.float32]

_MASK_SHARE = 0.5  # of crops lose a stretch of bands, and as many one of time
_BANDS_MASKED, _FRAMES_MASKED = 8, 20
_READER_BATCH, _READER_RATE = 128, 3e-3
_READER_NOISE = 0.25  # standard deviations
_KNOTS = 6  # of a microphone's response over the bands
_NOISE_SHARE = 0.5  # of crops hear steady noise


@dataclass(frozen=True, slots=True)
class Fit:
    """How a network is fitted."""

    steps: int = 800
    batch: int = 32
    rate: float = 2e-3
    decay: float = 2e-2
    width: int = 96
    dropout: float = 0.3
    crop_frames: tuple[int, int] = (120, 300)
    no_pitch_share: float = 0.1
    """Crops without F0: a job may have no Pitch."""
    pitch_octaves: float = 0.0
    """Standard deviation of a shift of F0 alone."""
    response: float = 0.7
    """Standard deviation of a microphone's response between its knots, in nepers of power."""


Choose = Callable[[Rng, int], list[int]]
Loss = Callable[[torch.Tensor, list[int]], torch.Tensor]
"""Outputs for the examples chosen, and which they are, to the loss of each, [n]."""


def device() -> torch.device:
    """A GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def fit_listener(
    examples: Sequence[Example], n_outputs: int, choose: Choose, loss: Loss, fit: Fit, seed: int
) -> Listener:
    """Fitted from a seed. `choose` draws examples, `loss` judges the outputs for them."""
    torch.manual_seed(seed)
    rng, place = np.random.default_rng(seed), device()
    network = Listener(n_outputs, fit.width, fit.dropout)
    network.to(place)
    optimiser = torch.optim.AdamW(network.parameters(), lr=fit.rate, weight_decay=fit.decay)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, fit.rate, total_steps=fit.steps, pct_start=0.2)
    network.train()
    for _ in range(fit.steps):
        chosen = choose(rng, fit.batch)
        mel, f0_hz = crops([examples[i] for i in chosen], fit, rng)
        outputs = network(torch.from_numpy(mel).to(place), torch.from_numpy(f0_hz).to(place))
        optimiser.zero_grad()
        loss(outputs, chosen).mean().backward()
        optimiser.step()
        cycle.step()
    network.eval().cpu()
    return network


def fit_reader(
    functionals: Floats, n_outputs: int, choose: Choose, loss: Loss, seed: int, steps: int
) -> Reader:
    """Fitted from a seed, with noise, to pairs of examples that are mixed as their losses are."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    spread = (functionals.std(0) + 1e-6).astype(np.float32)
    reader = Reader(functionals.mean(0), spread, n_outputs)
    scaled = reader.scaled(torch.from_numpy(functionals))
    optimiser = torch.optim.AdamW(reader.parameters(), lr=_READER_RATE, weight_decay=0.05)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, _READER_RATE, total_steps=steps)
    reader.train()
    for _ in range(steps):
        one, other = choose(rng, _READER_BATCH), choose(rng, _READER_BATCH)
        drawn = rng.beta(0.4, 0.4, (_READER_BATCH, 1)).astype(np.float32)
        share = torch.from_numpy(np.maximum(drawn, 1 - drawn))
        mixed = share * scaled[one] + (1 - share) * scaled[other]
        outputs = reader.layers(mixed + _READER_NOISE * torch.randn_like(mixed))
        each = share[:, 0] * loss(outputs, one) + (1 - share[:, 0]) * loss(outputs, other)
        optimiser.zero_grad()
        each.mean().backward()
        optimiser.step()
        cycle.step()
    reader.eval()
    return reader


def crops(examples: Sequence[Example], fit: Fit, rng: Rng) -> tuple[Floats, Floats]:
    """A piece of each, all of one length: [n, length, N_BANDS] and [n, length]. Short clips repeat."""
    length = int(rng.integers(*fit.crop_frames))
    mels = np.empty((len(examples), length, N_BANDS), np.float32)
    pitches = np.empty((len(examples), length), np.float32)
    for i, example in enumerate(examples):
        times = -(-length // len(example.mel))
        mel, f0_hz = np.tile(example.mel, (times, 1)), np.tile(example.f0_hz, times)
        start = int(rng.integers(0, len(mel) - length + 1))
        mels[i], pitches[i] = mel[start : start + length], f0_hz[start : start + length]
        mels[i] += _response(fit.response, rng)
        if rng.random() < _NOISE_SHARE:
            mels[i] = np.logaddexp(mels[i], mels[i].max() - rng.uniform(3, 12) + _response(1.0, rng))
        _mask(mels[i], rng)
        pitches[i] *= 0 if rng.random() < fit.no_pitch_share else 2 ** rng.normal(0, fit.pitch_octaves)
    return mels, pitches


def by_group(groups: Sequence[str], power: float = 0.5) -> npt.NDArray[np.float64]:
    """Chances that favour rare groups: a group of n members has n ** power of the draws."""
    sizes = {group: groups.count(group) for group in groups}
    chances = np.array([sizes[group] ** (power - 1) for group in groups])
    chances /= chances.sum()
    return np.asarray(chances)


def _response(spread: float, rng: Rng) -> Floats:
    """A smooth curve over the bands [N_BANDS]: a random walk between a few knots."""
    knots = np.cumsum(rng.normal(0, spread, _KNOTS))
    curve = np.interp(np.arange(N_BANDS), np.linspace(0, N_BANDS - 1, _KNOTS), knots)
    found: Floats = (curve - curve.mean()).astype(np.float32)
    return found


def _mask(mel: Floats, rng: Rng) -> None:
    if rng.random() < _MASK_SHARE:
        low, n = int(rng.integers(0, N_BANDS - _BANDS_MASKED)), int(rng.integers(1, _BANDS_MASKED + 1))
        mel[:, low : low + n] = mel.mean()
    if rng.random() < _MASK_SHARE:
        low, n = int(rng.integers(0, len(mel) - _FRAMES_MASKED)), int(rng.integers(5, _FRAMES_MASKED))
        mel[low : low + n] = mel.min()
