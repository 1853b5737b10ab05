"""The second backend: the run's transcripts spoken anew by FastSpeech 2, one word stressed.

What the model predicts of every phone is changed on the phones of that word alone, as SpeechCraft 4.2 has
it: durations are multiplied; pitch and energy, which it predicts in standard deviations, are shifted by as
many as the factor makes of the usual spread of speech.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
import torch
from transformers import (
    FastSpeech2ConformerHifiGan,
    FastSpeech2ConformerModel,
    FastSpeech2ConformerTokenizer,
)

from jobs.train.emphasis_data.known import known
from jobs.train.emphasis_data.recorded import Recorded
from jobs.train.emphasis_data.stressed import Stressed, kept
from jobs.train.emphasis_data.variants import parted, variant
from jobs.train.emphasis_data.world import Doubles, Stress
from pipeline.annotator import Annotator
from pipeline.clip import Clip
from pipeline.errors import ClipError, OptionError
from pipeline.options import Option
from pipeline.rows import Word
from pipeline.storage import Store

PITCH_SPREAD, ENERGY_SPREAD = 0.25, 0.5
"""One standard deviation of F0 and of amplitude in read speech, in octaves and in factors of e."""
Phones = Callable[[str], Sequence[int]]


@dataclass(frozen=True, slots=True)
class Voice:
    """A model, its vocoder, and how a word becomes its phones."""

    model: Any
    vocoder: Any
    phones: Phones

    @classmethod
    def open(cls, folder: str, vocoder: str) -> Voice:
        """From folders or hub ids; OptionError where g2p_en, which tells phones, is not installed."""
        try:
            tokenizer = FastSpeech2ConformerTokenizer.from_pretrained(folder)
        except ImportError as error:
            raise OptionError(
                "FastSpeech 2 reads English by the package g2p_en: pip install g2p-en."
            ) from error
        model = FastSpeech2ConformerModel.from_pretrained(folder).eval()
        gan = FastSpeech2ConformerHifiGan.from_pretrained(vocoder).eval()

        def phones(word: str) -> list[int]:
            return list(tokenizer(word)["input_ids"][:-1])  # without the end of the sentence

        return cls(model, gan, phones)

    def say(self, words: Sequence[str], stressed: int | None, stress: Stress) -> tuple[Doubles, list[int]]:
        """The sound, and the sample at which each word ends."""
        spelt = [list(self.phones(word)) for word in words]
        owner = torch.tensor([i for i, phones in enumerate(spelt) for _ in phones])
        if len(owner) == 0:
            raise ClipError("no_words", "No word of the transcript has phones.")
        mine = owner == (-1 if stressed is None else stressed)
        with torch.inference_mode(), ExitStack() as stack:
            for part, change in _changes(self.model, mine, stress):
                stack.callback(part.register_forward_hook(change).remove)
            found = self.model(torch.tensor([[p for phones in spelt for p in phones]]), return_dict=True)
            sound = self.vocoder(found.spectrogram)[0]
        hop = math.prod(self.vocoder.config.upsample_rates)
        frames = torch.zeros(len(words), dtype=torch.long).index_add_(
            0, owner, found.duration_outputs[0].long()
        )
        return np.asarray(sound.double()), (frames.cumsum(0) * hop).tolist()

    @property
    def rate_hz(self) -> int:
        """Of the sound."""
        return int(self.vocoder.config.sampling_rate)


def _changes(model: Any, mine: torch.Tensor, stress: Stress) -> list[tuple[Any, Callable[..., torch.Tensor]]]:
    """What is done to each predictor's answer on the phones of the stressed word."""
    pitch = math.log2(stress.pitch) / PITCH_SPREAD
    energy = math.log(stress.amplitude) / ENERGY_SPREAD

    def longer(module: Any, inputs: Any, output: torch.Tensor) -> torch.Tensor:
        changed = torch.round(output * torch.where(mine, stress.duration, 1.0)).to(output.dtype)
        return torch.maximum(changed, (output > 0).to(output.dtype))

    def shifted(by: float) -> Callable[..., torch.Tensor]:
        return lambda module, inputs, output: output + by * mine[None, :, None]

    return [
        (model.duration_predictor, longer),
        (model.pitch_predictor, shifted(pitch)),
        (model.energy_predictor, shifted(energy)),
    ]


class SpokenAnnotator(Annotator[Stressed]):
    """One row per variant; the voice is the model's, and so is its sample rate. English alone."""

    row = Stressed
    version = 1

    def __init__(
        self,
        *,
        run: Annotated[str, Option("the run whose transcripts are spoken")],
        out: Annotated[str, Option("the run directory the sound is written to")],
        strengths: Annotated[tuple[float, ...], Option("as for world", "", 0.1, 3.0)] = (0.6, 1.0, 1.5),
        seed: Annotated[int, Option("another seed, other words and amounts", low=0)] = 0,
        model: Annotated[str, Option("hub id or folder")] = "espnet/fastspeech2_conformer",
        vocoder: Annotated[str, Option("hub id or folder")] = "espnet/fastspeech2_conformer_hifigan",
    ) -> None:
        self._recorded, self._store, self._strengths, self._seed = Recorded(run), Store(out), strengths, seed
        self._voice = Voice.open(model, vocoder)

    @classmethod
    def salt(cls, options: Mapping[str, object]) -> str:
        """What speaks is told by the options alone."""
        return ""

    def annotate(self, clips: Sequence[Clip]) -> list[Stressed | ClipError]:
        """One outcome per variant."""
        return [self._outcome(clip.id) for clip in clips]

    def _outcome(self, id: str) -> Stressed | ClipError:
        source, number = parted(id)
        try:
            ready = known(self._recorded.clip(source), 0.0)
            if ready.language != "en":
                raise ClipError("no_voice", "The voice speaks English alone.")
            loud = [0.0] * len(ready.units)
            made = variant(source, number, ready.units, ready.candidates, self._strengths, loud, self._seed)
            made = replace(made, stress=replace(made.stress, pause_before_s=0.0, pause_after_s=0.0))
            sound, ends = self._voice.say([w.word for w in ready.words], made.unit, made.stress)
        except ClipError as error:
            return error
        words = _timed(ready.words, ends, self._voice.rate_hz)
        rate_hz = self._voice.rate_hz
        return kept(self._store, id, ready, made, words, sound, rate_hz, "fastspeech2", self._seed)


def _timed(words: Sequence[Word], ends: Sequence[int], rate_hz: int) -> tuple[Word, ...]:
    starts = [0, *ends[:-1]]
    return tuple(
        replace(w, start_s=a / rate_hz, end_s=b / rate_hz, aligned_by="fastspeech2")
        for w, a, b in zip(words, starts, ends, strict=True)
    )
