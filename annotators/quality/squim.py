"""STOI, PESQ and SI-SDR as torchaudio's SQUIM estimates them without a reference; the rest as measured."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from torchaudio.models import SquimObjective, squim_objective_model

from annotators._torch import Device, device_of, inference, load_exactly, middle, read_checkpoint, shapes
from annotators.quality.measured import quality_of
from pipeline.annotator import BatchedAnnotator
from pipeline.clip import SAMPLE_RATE_HZ, Clip
from pipeline.models import Published, Shapes, compare_shapes, locate
from pipeline.options import Option
from pipeline.rows import Quality, Sound

SCORES = ("stoi", "pesq_mos", "si_sdr_db")
"""The order of the network's outputs."""
_STEP_S = 0.25  # sounds of like length become of equal length: the network takes no padding
_LEAST_STEPS = 2  # the STOI that it estimates is itself taken over 0.384 s
_HEADS, _CHUNK = 4, 71  # of the published network; no tensor tells them
_SIZES = {"feat_dim": 256, "win_len": 64, "d_model": 256, "hidden_dim": 256, "num_blocks": 2}


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is measured of every clip, and sounds of equal length with the places of their clips."""

    measured: tuple[Quality, ...]
    groups: tuple[tuple[tuple[int, ...], torch.Tensor], ...]  # [n_clips, n_samples]


class SquimAnnotator(BatchedAnnotator[Quality, Prepared]):
    """The estimates are null under half a second and for digital silence.

    Heard is the middle of the clip in whole quarters of a second, at most `max_s`. The network was trained
    on English with added noise and reverberation (DNS 2020); for other distortions the numbers are weaker.
    """

    row = Quality
    version = 1
    needs = (Sound,)
    hears = "raw"
    exact = False
    tolerance = "1e-4"
    batch_clips = 32
    batch_s = 60.0  # on a CPU 0.43 GB for each 10 s

    def __init__(
        self,
        *,
        model: Annotated[
            str, Option("name under $SPEECHCRAFT_MODELS, a folder or a file")
        ] = "torchaudio/squim_objective_dns2020",
        max_s: Annotated[float, Option("of a longer clip, its middle is heard", "s", 1.0, 30.0)] = 10.0,
        device: Annotated[Device, Option("where the network runs; auto: a GPU if there is one")] = "auto",
    ) -> None:
        self._max_s = max_s
        self._device = device_of(device)
        state = read_checkpoint(_file(model))
        network = _network(shapes(state))
        load_exactly(network, state, model)
        self._network = network.eval().to(self._device)

    @classmethod
    def published(cls, options: Mapping[str, object]) -> tuple[Published, ...]:
        """The model in the option."""
        return (_published(str(options["model"])),)

    @classmethod
    def check(cls, options: Mapping[str, object]) -> None:
        """Compare the file's tensors with the network's, key by key and shape by shape."""
        model = str(options["model"])
        found = shapes(read_checkpoint(_file(model)))
        with torch.device("meta"):
            network = _network(found)
        compare_shapes(model, shapes(network.state_dict()), found)

    def prepare(self, clips: Sequence[Clip]) -> Prepared:
        """The measures, and sounds of equal length stacked."""
        alike = defaultdict(list)
        for i, clip in enumerate(clips):
            steps = int(min(len(clip.speech) / SAMPLE_RATE_HZ, self._max_s) / _STEP_S)
            sound = middle(clip.speech, steps * _STEP_S)
            if steps >= _LEAST_STEPS and sound.any():
                alike[steps].append((i, sound))
        groups = (
            (tuple(i for i, _ in group), torch.from_numpy(np.stack([sound for _, sound in group])))
            for group in alike.values()
        )
        return Prepared(tuple(quality_of(clip.speech) for clip in clips), tuple(groups))

    def infer(self, clips: Sequence[Clip], batch: Prepared) -> list[Quality]:
        """One row per clip, in order."""
        rows = list(batch.measured)
        for places, sounds in batch.groups:
            with inference(self._device, half=False):
                scores = torch.stack(self._network(sounds.to(self._device)), dim=1).float().cpu().tolist()
            for i, found in zip(places, scores, strict=True):
                rows[i] = replace(rows[i], **dict(zip(SCORES, found, strict=True)))
        return rows


def _published(model: str) -> Published:
    path = Path(model)
    return Published(
        name=model,
        files=(path.name if path.suffix in (".pth", ".pt") else "squim_objective_dns2020.pth",),
        licence="CC-BY-4.0",
        commercial=True,
        size_bytes=29_600_000,
        about="STOI, PESQ and SI-SDR without a reference",
        hub="url",
        url="https://download.pytorch.org/torchaudio/models/squim_objective_dns2020.pth",
    )


def _file(model: str) -> Path:
    found = locate(_published(model))
    return found.folder / found.published.files[0]


def _network(found: Shapes) -> SquimObjective:
    """A network of the checkpoint's sizes, or of the published ones where the checkpoint does not tell."""
    sizes = dict(_SIZES)
    if encoder := found.get("encoder.conv1d.weight"):
        sizes |= {"feat_dim": encoder[0], "win_len": encoder[-1]}
    if recurrent := found.get("dprnn.row_rnn.0.rnn.weight_hh_l0"):
        sizes["hidden_dim"] = recurrent[-1]
    if merging := found.get("dprnn.conv.0.weight"):
        sizes["d_model"] = merging[0]
    return squim_objective_model(**sizes, nhead=_HEADS, rnn_type="LSTM", chunk_size=_CHUNK)
