"""From PyTorch to the ONNX file that ships: written, compared, and pinned by a card."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from annotators._small import Network

TOLERANCE = 1e-4
OPSET = 17

Inputs = Mapping[str, npt.NDArray[np.float32]]


def export(
    module: nn.Module,
    example: Inputs,
    outputs: Sequence[str],
    path: Path,
    *,
    frames: Sequence[str],
    folded: bool = True,
) -> None:
    """Write the graph. The first axis of the inputs named in `frames` may have any length.

    `folded`: what depends on weights alone is worked out now; else weights stay in the precision they have.
    """
    module.eval()
    with warnings.catch_warnings():  # the exporter that needs no further package says that it is old
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            tuple(torch.from_numpy(values) for values in example.values()),
            str(path),
            input_names=list(example),
            output_names=list(outputs),
            dynamic_axes={name: {0: "n_frames"} for name in frames},
            opset_version=OPSET,
            do_constant_folding=folded,
            dynamo=False,
        )


def difference(module: nn.Module, path: Path, tried: Sequence[Inputs]) -> float:
    """The largest difference between ONNX and PyTorch over some clips.

    Raises ValueError where that is beyond TOLERANCE.
    """
    network, worst = Network(path), 0.0
    for inputs in tried:
        with torch.inference_mode():
            wanted = module(*(torch.from_numpy(values) for values in inputs.values()))
        found = network(**inputs).values()
        gaps = [float(np.abs(w.numpy() - f).max()) for w, f in zip(wanted, found, strict=True)]
        worst = max(worst, *gaps)
    if worst > TOLERANCE:
        raise ValueError(f"{path.name} is {worst:.2g} away from what was trained, over {TOLERANCE:g}.")
    return worst
