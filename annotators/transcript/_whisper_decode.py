"""Whisper's own decoding over a batch of windows, each with its language and its own source of chance."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import torch
from whisper.decoding import DecodingOptions, DecodingResult, DecodingTask, GreedyDecoder
from whisper.model import Whisper

from annotators.transcript._whisper_fallback import Attempt, settled, stands


def decode(
    network: Whisper,
    features: torch.Tensor,
    languages: Sequence[str],
    seeds: Sequence[str],
    temperatures: Sequence[float],
) -> list[Attempt]:
    """What is said in each window, from its encoding [n_windows, 1500, n_audio_state].

    Every temperature is tried on those windows alone that no lower one settled. `seeds` make what is
    drawn for a window depend on nothing but its seed and the temperature.
    """
    attempts: list[list[Attempt]] = [[] for _ in seeds]
    open_ = list(range(len(seeds)))
    for temperature in temperatures:
        task = _Task(network, temperature, [languages[i] for i in open_], [seeds[i] for i in open_])
        for i, result in zip(open_, task.run(features[open_]), strict=True):
            attempts[i].append(_attempt(result))
        open_ = [i for i in open_ if not stands(attempts[i][-1])]
        if not open_:
            break
    return [settled(tried) for tried in attempts]


class _Task(DecodingTask):
    """Greedy at temperature 0, else drawn; text only, without time stamps."""

    def __init__(
        self, network: Whisper, temperature: float, languages: Sequence[str], seeds: Sequence[str]
    ) -> None:
        half = network.encoder.conv1.weight.dtype == torch.float16
        super().__init__(
            network, DecodingOptions(temperature=temperature, without_timestamps=True, fp16=half)
        )
        self._languages = list(languages)
        if temperature > 0:
            self.decoder = _Drawing(temperature, self.tokenizer.eot, seeds)

    def _detect_language(self, audio_features: torch.Tensor, tokens: torch.Tensor) -> tuple[list[str], None]:
        """The languages are known: write the token of each window's."""
        if self.model.is_multilingual:
            codes = [self.tokenizer.to_language_token(language) for language in self._languages]
            tokens[:, self.sot_index + 1] = torch.tensor(codes)
        return self._languages, None


class _Drawing(GreedyDecoder):
    """Draws the next token of each window by the window's own generator, made on the CPU."""

    def __init__(self, temperature: float, eot: int, seeds: Sequence[str]) -> None:
        super().__init__(temperature, eot)
        self._chances = [_generator(f"{seed}/{temperature}") for seed in seeds]

    def update(
        self, tokens: torch.Tensor, logits: torch.Tensor, sum_logprobs: torch.Tensor
    ) -> tuple[torch.Tensor, bool]:
        chance = torch.tensor([generator.random() for generator in self._chances], dtype=torch.float64)
        drawn = drawn_by(torch.softmax(logits.double() / self.temperature, -1), chance.to(logits.device))
        ended = tokens[:, -1] == self.eot
        logprobs = torch.log_softmax(logits.float(), -1).gather(1, drawn[:, None])[:, 0]
        sum_logprobs += torch.where(ended, 0.0, logprobs)
        following = torch.where(ended, self.eot, drawn)
        return torch.cat([tokens, following[:, None]], -1), bool((following == self.eot).all())


def drawn_by(probabilities: torch.Tensor, chance: torch.Tensor) -> torch.Tensor:
    """The token of each row, [n], at which the running total first exceeds the row's chance, [n], 0..1."""
    total = probabilities.cumsum(-1)
    found = torch.searchsorted(total, (chance * total[:, -1])[:, None], right=True)[:, 0]
    return found.clamp(max=probabilities.shape[-1] - 1)


def _generator(seed: str) -> np.random.Generator:
    return np.random.default_rng(
        int.from_bytes(hashlib.blake2b(seed.encode(), digest_size=16).digest(), "big")
    )


def _attempt(result: DecodingResult) -> Attempt:
    return Attempt(
        result.text,
        tuple(result.tokens),
        float(result.avg_logprob),
        float(result.no_speech_prob),
        float(result.compression_ratio),
        float(result.temperature),
    )
