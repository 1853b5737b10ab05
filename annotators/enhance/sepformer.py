"""SepFormer of SpeechBrain on the clips that need it: attention within and across pieces of the sound.

It was trained on noisy sound of ten seconds and its attention takes memory that grows with the square
of the length, so longer sound goes through it in windows that overlap and are faded into each other.
It has no mask for padding: only windows of equal length share a batch. About 3.6 times slower than
real time on a processor core: for a GPU.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated

import numpy as np
import numpy.typing as npt
import torch
from speechbrain.lobes.models.dual_path import Decoder, Dual_Path_Model, Encoder, SBTransformerBlock
from torch import nn

from annotators._speechbrain import load, shape, tensors
from annotators._torch import Device, device_of, inference
from annotators.enhance._speechbrain import hear
from annotators.enhance._when import BELOW_SNR_DB, CLEAN_DOMAINS
from pipeline.annotator import Heard, Skip, SoundAnnotator
from pipeline.clip import SAMPLE_RATE_HZ, Clip, Samples
from pipeline.errors import ClipError
from pipeline.models import Published, locate
from pipeline.options import Option
from pipeline.rows import Enhance, Quality

PUBLISHED = "speechbrain/sepformer-dns4-16k-enhancement"
_FILES = ("masknet.ckpt", "encoder.ckpt", "decoder.ckpt")
_KERNEL = 16  # samples of a frame; frames begin every 8
_HEADS, _BLOCKS, _PIECE = 8, 2, 250
_LAYER = re.compile(r"dual_mdl\.0\.intra_mdl\.mdl\.layers\.(\d+)\.")  # eight, as published
_OVERLAP_S = 1.0
_AT_ONCE = 4  # windows: of ten seconds each has 160 pieces x 8 heads x 250^2 weights of attention, 0.3 GB


class SepformerAnnotator(SoundAnnotator[Enhance]):
    """The enhanced sound has the length and the timing of the raw one, and the level of its speech."""

    row = Enhance
    version = 1
    needs = (Quality,)
    hears = "raw"
    sees = frozenset({"domain"})
    exact = False
    tolerance = "samples within 1e-4 of full scale, in full precision"

    def __init__(
        self,
        *,
        model: Annotated[str, Option("hub id or folder of a SepFormer for 16 kHz")] = PUBLISHED,
        device: Annotated[Device, Option("where it runs")] = "auto",
        half: Annotated[bool, Option("bfloat16 on a GPU")] = False,
        window_s: Annotated[
            float, Option("longer sound goes through it in windows of this length", "s", 2.0, 120.0)
        ] = 10.0,
        below_snr_db: Annotated[
            float, Option("clips with a lower SNR are enhanced; 100 enhances all", "dB", -30.0, 100.0)
        ] = BELOW_SNR_DB,
        clean_domains: Annotated[tuple[str, ...], Option("domains that are never enhanced")] = CLEAN_DOMAINS,
    ) -> None:
        self._below_snr_db = below_snr_db
        self._clean_domains = clean_domains
        self._half = half
        self._window = round(window_s * SAMPLE_RATE_HZ)
        self._device = device_of(device)
        self._parts = _parts(model).to(self._device)

    @classmethod
    def published(cls, options: Mapping[str, object]) -> tuple[Published, ...]:
        """SpeechBrain's SepFormer, trained on the fourth Deep Noise Suppression challenge."""
        name = str(options.get("model", PUBLISHED))
        return (Published(name, _FILES, "Apache-2.0", True, 113_000_000, "speech enhancement"),)

    @classmethod
    def check(cls, options: Mapping[str, object]) -> None:
        """The network takes every tensor of the checkpoints."""
        _parts(cls.published(options)[0].name)

    def annotate(self, clips: Sequence[Clip]) -> list[Enhance | Skip | ClipError]:
        """The rows without the sound."""
        return [heard.row for heard in self.hear(clips)]

    def hear(self, clips: Sequence[Clip]) -> list[Heard[Enhance]]:
        """One row per clip, with its enhanced sound, or None where the raw one stands."""
        return hear(clips, self._below_snr_db, self._clean_domains, self.denoised)

    def denoised(self, sounds: Sequence[Samples]) -> list[Samples]:
        """What the network makes of each sound, same length; its level is the network's."""
        starts = [window_starts(len(sound), self._window) for sound in sounds]
        windows = [
            sound[start : start + self._window]
            for sound, begins in zip(sounds, starts, strict=True)
            for start in begins
        ]
        clean = iter(self._clean(windows))
        return [
            joined([next(clean) for _ in begins], begins, len(sound))
            for sound, begins in zip(sounds, starts, strict=True)
        ]

    def _clean(self, windows: Sequence[Samples]) -> list[Samples]:
        """Every window through the network, together with others of its length."""
        clean: dict[int, Samples] = {}
        order = sorted(range(len(windows)), key=lambda i: len(windows[i]))
        while order:
            same = [i for i in order[:_AT_ONCE] if len(windows[i]) == len(windows[order[0]])]
            clean.update(zip(same, self._forward(np.stack([windows[i] for i in same])), strict=True))
            order = order[len(same) :]
        return [clean[i] for i in range(len(windows))]

    def _forward(self, windows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """[n_windows, n_samples], same shape; the last samples that fill no frame are silent."""
        with inference(self._device, self._half):
            frames = self._parts["encoder"](torch.from_numpy(windows).to(self._device))
            masked = frames * self._parts["masknet"](frames)[0]
            sound = self._parts["decoder"](masked).float().cpu().numpy()
        out = np.zeros_like(windows)
        out[:, : sound.shape[1]] = sound
        return out


def window_starts(n_samples: int, window: int) -> list[int]:
    """Where windows begin that cover the sound and overlap by a second at least; one if it is short."""
    overlap = round(_OVERLAP_S * SAMPLE_RATE_HZ)
    n_windows = max(1, -(-(n_samples - overlap) // (window - overlap)))
    return [round(start) for start in np.linspace(0, max(0, n_samples - window), n_windows)]


def joined(windows: Sequence[Samples], starts: Sequence[int], n_samples: int) -> Samples:
    """Windows of one length added up, each faded in and out as linearly as its neighbours allow."""
    length = len(windows[0])
    ramp = np.minimum(np.arange(1, length + 1), np.arange(length, 0, -1)).astype(np.float32)
    fade = np.minimum(ramp, round(_OVERLAP_S * SAMPLE_RATE_HZ))
    total, weight = np.zeros((2, n_samples), dtype=np.float32)
    for window, start in zip(windows, starts, strict=True):
        total[start : start + length] += fade * window
        weight[start : start + length] += fade
    return total / weight


def _parts(name: str) -> nn.ModuleDict:
    """The network in the sizes of the checkpoint, with its weights."""
    (published,) = SepformerAnnotator.published({"model": name})
    model = locate(published)
    masknet = tensors(model.folder / "masknet.ckpt")
    width = shape(masknet, "conv1d.weight", name)[0]
    inner = shape(masknet, "dual_mdl.0.intra_mdl.mdl.layers.0.pos_ffn.ffn.0.weight", name)[0]
    layers = max(int(match[1]) + 1 for key in masknet if (match := _LAYER.match(key)))
    parts = nn.ModuleDict(
        {
            "encoder": Encoder(kernel_size=_KERNEL, out_channels=width),
            "masknet": Dual_Path_Model(
                num_spks=1,
                in_channels=width,
                out_channels=width,
                num_layers=_BLOCKS,
                K=_PIECE,
                intra_model=_transformer(width, inner, layers),
                inter_model=_transformer(width, inner, layers),
                norm="ln",
                linear_layer_after_inter_intra=False,
                skip_around_intra=True,
            ),
            "decoder": Decoder(width, 1, kernel_size=_KERNEL, stride=_KERNEL // 2, bias=False),
        }
    )
    load(model, parts)
    return parts


def _transformer(width: int, inner: int, layers: int) -> SBTransformerBlock:
    return SBTransformerBlock(
        num_layers=layers,
        d_model=width,
        nhead=_HEADS,
        d_ffn=inner,
        dropout=0,
        use_positional_encoding=True,
        norm_before=True,
    )
