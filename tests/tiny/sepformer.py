"""A small SepFormer with random weights, in the files of `speechbrain/sepformer-dns4-16k-enhancement`.

It is narrow, and each of its transformers has one layer where the published ones have eight.
"""

from __future__ import annotations

from pathlib import Path

import torch
from hyperpyyaml import load_hyperpyyaml

HYPERPARAMS = """
sample_rate: 16000
num_spks: 1
Encoder: !new:speechbrain.lobes.models.dual_path.Encoder
    kernel_size: 16
    out_channels: 16
SBtfintra: !new:speechbrain.lobes.models.dual_path.SBTransformerBlock
    num_layers: 1
    d_model: 16
    nhead: 8
    d_ffn: 32
    dropout: 0
    use_positional_encoding: true
    norm_before: true
SBtfinter: !new:speechbrain.lobes.models.dual_path.SBTransformerBlock
    num_layers: 1
    d_model: 16
    nhead: 8
    d_ffn: 32
    dropout: 0
    use_positional_encoding: true
    norm_before: true
MaskNet: !new:speechbrain.lobes.models.dual_path.Dual_Path_Model
    num_spks: 1
    in_channels: 16
    out_channels: 16
    num_layers: 2
    K: 250
    intra_model: !ref <SBtfintra>
    inter_model: !ref <SBtfinter>
    norm: ln
    linear_layer_after_inter_intra: false
    skip_around_intra: true
Decoder: !new:speechbrain.lobes.models.dual_path.Decoder
    in_channels: 16
    out_channels: 1
    kernel_size: 16
    stride: 8
    bias: false
modules:
    encoder: !ref <Encoder>
    decoder: !ref <Decoder>
    masknet: !ref <MaskNet>
pretrainer: !new:speechbrain.utils.parameter_transfer.Pretrainer
    loadables:
        encoder: !ref <Encoder>
        masknet: !ref <MaskNet>
        decoder: !ref <Decoder>
"""


def make(folder: Path) -> Path:
    """The checkpoint, in `folder`."""
    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    for part, network in load_hyperpyyaml(HYPERPARAMS)["modules"].items():
        torch.save(network.state_dict(), folder / f"{part}.ckpt")
    (folder / "hyperparams.yaml").write_text(HYPERPARAMS)
    return folder
