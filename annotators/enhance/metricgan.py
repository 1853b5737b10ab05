"""MetricGAN+ of SpeechBrain on the clips that need it: a mask over the spectrum, trained to raise PESQ.

A bidirectional LSTM over log(1 + magnitude) of 32 ms frames gives a gain for each bin; the phase is that
of the noisy sound. Batches are packed by the exact number of frames, and each clip is made sound again
by itself, so that a clip does not hear its neighbours. SpeechBrain brings every output to a peak of 1;
here the speech keeps its level.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import torch
from speechbrain.lobes.models.MetricGAN import EnhancementGenerator

from annotators._speechbrain import load
from annotators._torch import Device, device_of, inference, padded
from annotators.enhance._speechbrain import hear
from annotators.enhance._when import BELOW_SNR_DB, CLEAN_DOMAINS
from pipeline.annotator import Heard, Skip, SoundAnnotator
from pipeline.clip import Clip, Samples
from pipeline.errors import ClipError
from pipeline.models import Published, locate
from pipeline.options import Option
from pipeline.rows import Enhance, Quality

PUBLISHED = "speechbrain/metricgan-plus-voicebank"
_FFT = 512  # 32 ms at 16 kHz
_HOP = 256
_EPSILON = 1e-14  # under the root of the power, as in training


class MetricganAnnotator(SoundAnnotator[Enhance]):
    """The enhanced sound has the length and the timing of the raw one, and the level of its speech."""

    row = Enhance
    version = 1
    needs = (Quality,)
    hears = "raw"
    sees = frozenset({"domain"})
    exact = False
    tolerance = "samples within 1e-4 of full scale"
    sorts_by_length = True

    def __init__(
        self,
        *,
        model: Annotated[str, Option("hub id or folder of MetricGAN+")] = PUBLISHED,
        device: Annotated[Device, Option("where it runs")] = "auto",
        below_snr_db: Annotated[
            float, Option("clips with a lower SNR are enhanced; 100 enhances all", "dB", -30.0, 100.0)
        ] = BELOW_SNR_DB,
        clean_domains: Annotated[tuple[str, ...], Option("domains that are never enhanced")] = CLEAN_DOMAINS,
    ) -> None:
        self._below_snr_db = below_snr_db
        self._clean_domains = clean_domains
        self._device = device_of(device)
        self._network = _network(model).to(self._device)
        self._window = torch.hamming_window(_FFT, device=self._device)

    @classmethod
    def published(cls, options: Mapping[str, object]) -> tuple[Published, ...]:
        """SpeechBrain's MetricGAN+, trained on VoiceBank-DEMAND."""
        name = str(options.get("model", PUBLISHED))
        return (
            Published(name, ("enhance_model.ckpt",), "Apache-2.0", True, 7_600_000, "speech enhancement"),
        )

    @classmethod
    def check(cls, options: Mapping[str, object]) -> None:
        """The network takes every tensor of the checkpoint."""
        _network(cls.published(options)[0].name)

    def annotate(self, clips: Sequence[Clip]) -> list[Enhance | Skip | ClipError]:
        """The rows without the sound."""
        return [heard.row for heard in self.hear(clips)]

    def hear(self, clips: Sequence[Clip]) -> list[Heard[Enhance]]:
        """One row per clip, with its enhanced sound, or None where the raw one stands."""
        return hear(clips, self._below_snr_db, self._clean_domains, self.denoised)

    def denoised(self, sounds: Sequence[Samples]) -> list[Samples]:
        """What the network makes of each sound, same length; its level is the network's."""
        batch, lengths = padded(sounds)
        with inference(self._device, half=False):
            spectra = torch.stft(
                batch.to(self._device),
                _FFT,
                _HOP,
                _FFT,
                self._window,
                pad_mode="constant",
                return_complex=True,
            ).transpose(1, 2)  # [n_clips, n_frames, 257]
            features = torch.log1p((spectra.abs().square() + _EPSILON).sqrt())
            n_frames = lengths // _HOP + 1
            share = (n_frames + 0.5) / features.shape[1]  # the network rounds down what it makes of a share
            masked = torch.expm1(self._network(features, lengths=share.clamp(max=1)) * features)
            clean = torch.polar(masked, spectra.angle()).transpose(1, 2)
            return [
                self._sound(one[:, :frames], int(length))
                for one, frames, length in zip(clean, n_frames, lengths, strict=True)
            ]

    def _sound(self, spectrum: torch.Tensor, n_samples: int) -> Samples:
        """[257, n_frames] to [n_samples]."""
        sound = torch.istft(spectrum, _FFT, _HOP, _FFT, self._window, length=n_samples)
        samples: Samples = sound.cpu().numpy()
        return samples


def _network(name: str) -> EnhancementGenerator:
    network = EnhancementGenerator(input_size=_FFT // 2 + 1, hidden_size=200, num_layers=2, dropout=0)
    (published,) = MetricganAnnotator.published({"model": name})
    load(locate(published), {"enhance_model": network})
    return network
