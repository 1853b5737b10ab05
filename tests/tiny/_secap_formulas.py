"""What SECap hears, by its formulas written out, from the tensors of a released file."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from transformers import HubertConfig, HubertModel

from pipeline.clip import Samples
from tests.tiny.secap import TINY, settings


def frames(state: Mapping[str, torch.Tensor], sound: Samples) -> torch.Tensor:
    """What a plain HuBERT hears, [n_frames, n]."""
    hubert = HubertModel(HubertConfig.from_dict(settings(TINY)["hubert"])).eval()
    convolution = "encoder.pos_conv_embed.conv"
    inner = {k.removeprefix("hubert_model."): v for k, v in state.items() if k.startswith("hubert_model.")}
    for n, old in enumerate(("weight_g", "weight_v")):
        inner[f"{convolution}.parametrizations.weight.original{n}"] = inner.pop(f"{convolution}.{old}")
    hubert.load_state_dict(inner)
    normal = (sound - sound.mean()) / np.sqrt(sound.var() + 1e-7)
    with torch.inference_mode():
        found: torch.Tensor = hubert(torch.from_numpy(normal)[None]).last_hidden_state[0]
    return found


def written_out(state: Mapping[str, torch.Tensor], frames: torch.Tensor) -> torch.Tensor:
    """The Q-Former step by step: queries look at each other, in every other layer at the sound."""

    def linear(name: str, x: torch.Tensor) -> torch.Tensor:
        return F.linear(x, state[f"{name}.weight"], state[f"{name}.bias"])

    def norm(name: str, x: torch.Tensor) -> torch.Tensor:
        return F.layer_norm(x, x.shape[-1:], state[f"{name}.weight"], state[f"{name}.bias"], 1e-12)

    def attend(name: str, x: torch.Tensor, to: torch.Tensor) -> torch.Tensor:
        q, k, v = (
            linear(f"{name}.self.{part}", of).view(len(of), TINY.bert_heads, -1).transpose(0, 1)
            for part, of in (("query", x), ("key", to), ("value", to))
        )
        weights = torch.softmax(q @ k.transpose(1, 2) / math.sqrt(q.shape[-1]), dim=-1)
        mixed = (weights @ v).transpose(0, 1).reshape(len(x), -1)
        return norm(f"{name}.output.LayerNorm", linear(f"{name}.output.dense", mixed) + x)

    sound = linear("audio_project", frames)
    x = norm("audio_Qformer.bert.embeddings.LayerNorm", state["audio_query_tokens"][0])
    for n in range(TINY.bert_layers):
        layer = f"audio_Qformer.bert.encoder.layer.{n}"
        x = attend(f"{layer}.attention", x, x)
        if n % 2 == 0:
            x = attend(f"{layer}.crossattention", x, sound)
        inner = F.gelu(linear(f"{layer}.intermediate_query.dense", x))
        x = norm(f"{layer}.output_query.LayerNorm", linear(f"{layer}.output_query.dense", inner) + x)
    return x
