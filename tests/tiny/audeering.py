"""audeering's wav2vec2 models, 2 layers of 32 instead of 12 or 24 of 1024, with random weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2Model

AGE_GENDER = {"age": 1, "gender": 3}
AFFECT = {"classifier": 3}
_HIDDEN = 32


def make(folder: Path, heads: Mapping[str, int] = AGE_GENDER, weights: str = "model.safetensors") -> Path:
    """The files as published, the tensors under the keys of the published files."""
    folder.mkdir(parents=True, exist_ok=True)
    config = Wav2Vec2Config(
        hidden_size=_HIDDEN,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        conv_dim=(16,) * 7,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=4,
        do_stable_layer_norm=True,
        feat_extract_norm="layer",
        conv_bias=True,
        feat_proj_dropout=0.0,
        final_dropout=0.1,
    )
    published = config.to_dict() | {
        "_name_or_path": "torch",
        "architectures": ["Wav2Vec2ForSpeechClassification"],
        "finetuning_task": "age-gender" if "age" in heads else "wav2vec2_reg",
        "gradient_checkpointing": False,
        "pooling_mode": "mean",
        "torch_dtype": "float32",
        "transformers_version": "4.17.0.dev0",
    }
    (folder / "config.json").write_text(json.dumps(published, indent=2))
    Wav2Vec2FeatureExtractor(
        feature_size=1, sampling_rate=16_000, padding_value=0.0, do_normalize=True, return_attention_mask=True
    ).save_pretrained(folder)
    (folder / "vocab.json").write_text("{\n}")
    tensors = _tensors(config, heads)
    if weights.endswith(".safetensors"):
        save_file(tensors, folder / weights, metadata={"format": "pt"})
    else:
        torch.save(tensors, folder / weights)
    return folder


def _tensors(config: Wav2Vec2Config, heads: Mapping[str, int]) -> dict[str, torch.Tensor]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        tensors = {
            f"wav2vec2.{key}".replace("parametrizations.weight.original0", "weight_g").replace(
                "parametrizations.weight.original1", "weight_v"
            ): value.detach().clone()
            for key, value in Wav2Vec2Model(config).state_dict().items()
        }
        for name, n_outputs in heads.items():
            for layer, rows in (("dense", _HIDDEN), ("out_proj", n_outputs)):
                tensors[f"{name}.{layer}.weight"] = 0.3 * torch.randn(rows, _HIDDEN)
                tensors[f"{name}.{layer}.bias"] = 0.3 * torch.randn(rows)
    return tensors
