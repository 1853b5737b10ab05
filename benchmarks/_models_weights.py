"""Checkpoints in the published layouts, with random weights: of the published sizes, or small ones."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import torch
import yaml
from safetensors.torch import save_file
from transformers import Wav2Vec2Config, Wav2Vec2Model
from whisper.model import ModelDimensions, Whisper
from whisper.tokenizer import get_tokenizer

from annotators.emotion._funasr import funasr_module
from tests.tiny import audeering, emotion2vec

Size = Literal["small", "published"]

TOKENS = 36
"""Of every text: about what 11 s of speech have. Untouched random weights would never end one."""
_BEFORE_TEXT = 4  # start, language, task, no timestamps
_COUNTER = 100.0  # of the feature that counts positions: far above what the layers add to it

_WHISPER = {  # width, heads, layers of the encoder, layers of the decoder
    ("large-v3", "published"): (1280, 20, 32, 32),
    ("large-v3-turbo", "published"): (1280, 20, 32, 4),
    ("large-v3", "small"): (128, 2, 2, 4),
    ("large-v3-turbo", "small"): (128, 2, 2, 1),
}
_WAV2VEC2 = {
    "published": {
        "hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096,
        "conv_dim": [512] * 7, "num_conv_pos_embeddings": 128, "num_conv_pos_embedding_groups": 16,
    },
    "small": {
        "hidden_size": 192, "num_hidden_layers": 6, "num_attention_heads": 4, "intermediate_size": 768,
        "conv_dim": [64] * 7, "num_conv_pos_embeddings": 128, "num_conv_pos_embedding_groups": 16,
    },
}  # fmt: skip
_EMOTION2VEC = {  # width, heads, layers, layers of the encoder before them, width of the convolutions
    "published": (1024, 16, 8, 4, 512),
    "small": (192, 4, 4, 2, 64),
}


def whisper_file(folder: Path, name: str, size: Size, device: torch.device) -> tuple[Path, int]:
    """A .pt file as OpenAI publishes them, and the number of its parameters.

    What is heard decides the text, as in `tests.tiny.whisper`, and each text has TOKENS tokens: one
    feature of the positions says where a text ends, and only the token that ends it looks there.
    """
    width, heads, n_encoder, n_decoder = _WHISPER[name, size]
    dims = ModelDimensions(128, 1500, width, heads, n_encoder, 51866, 448, width, heads, n_decoder)
    torch.manual_seed(0)
    with torch.device(device), torch.no_grad():
        network = Whisper(dims)
        for block in network.decoder.blocks:
            block.cross_attn.out.weight.mul_(6)
            block.cross_attn.query.weight.mul_(30)
        network.decoder.ln.weight.normal_(0, 1)
        network.decoder.positional_embedding.normal_(0, 0.5)
        _end_texts(network)
    file = folder / f"{name}.pt"
    state = {key: tensor.half().cpu() for key, tensor in network.state_dict().items()}
    torch.save({"dims": asdict(dims), "model_state_dict": state}, file)
    return file, _count(state.values())


def audeering_folder(folder: Path, size: Size, device: torch.device) -> tuple[Path, int]:
    """audeering's age and gender model, and the number of its parameters."""
    audeering.make(folder)
    settings = json.loads((folder / "config.json").read_text()) | _WAV2VEC2[size]
    (folder / "config.json").write_text(json.dumps(settings))
    width = settings["hidden_size"]
    torch.manual_seed(0)
    with torch.device(device):
        state = {
            f"wav2vec2.{key}".replace("parametrizations.weight.original0", "weight_g").replace(
                "parametrizations.weight.original1", "weight_v"
            ): tensor.cpu().contiguous()
            for key, tensor in Wav2Vec2Model(Wav2Vec2Config.from_dict(settings)).state_dict().items()
        }
    for head, n_outputs in audeering.AGE_GENDER.items():
        for layer, rows in (("dense", width), ("out_proj", n_outputs)):
            state[f"{head}.{layer}.weight"] = torch.randn(rows, width) / math.sqrt(width)
            state[f"{head}.{layer}.bias"] = 0.3 * torch.randn(rows)
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    return folder, _count(state.values())


def emotion2vec_folder(folder: Path, size: Size) -> tuple[Path, int]:
    """emotion2vec plus, and the number of its parameters."""
    emotion2vec.make(folder)
    settings = _emotion2vec_settings(size)
    (folder / "config.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))
    torch.manual_seed(0)
    network = funasr_module("models.emotion2vec.model").Emotion2vec(
        model_conf=settings["model_conf"], vocab_size=len(emotion2vec.LABELS)
    )
    with torch.no_grad():
        network.proj.weight.normal_(0, 4 / math.sqrt(network.proj.in_features))
        network.modality_encoders["AUDIO"].alibi_scale.uniform_(0.5, 1.5)
    state = {
        key if key.startswith("proj.") else f"d2v_model.{key}": tensor
        for key, tensor in network.state_dict().items()
        if ".decoder." not in key
    }
    torch.save({"model": state}, folder / "model.pt")
    return folder, _count(state.values())


def _end_texts(network: Whisper) -> None:
    """Make texts of TOKENS tokens, all of them words: no token of time, no name of a language."""
    tokenizer = get_tokenizer(multilingual=True, num_languages=network.num_languages)
    positions, tokens = network.decoder.positional_embedding, network.decoder.token_embedding.weight
    last = _BEFORE_TEXT + TOKENS - 1
    tokens.mul_(0.8)
    tokens[tokenizer.sot :].mul_(0.3)
    tokens[tokenizer.timestamp_begin :] = 0
    tokens[:, 0] = 0
    tokens[tokenizer.eot] = 0
    tokens[tokenizer.eot, 0] = _COUNTER
    positions[:last, 0] = -_COUNTER
    positions[last:, 0] = _COUNTER
    network.decoder.ln.weight[0] = 1


def _emotion2vec_settings(size: Size) -> dict[str, Any]:
    width, heads, depth, before, convolutions = _EMOTION2VEC[size]
    settings = copy.deepcopy(emotion2vec.SETTINGS)
    conf = settings["model_conf"]
    conf |= {"embed_dim": width, "num_heads": heads, "depth": depth, "average_top_k_layers": depth}
    n = convolutions
    conf["modalities"]["audio"] |= {
        "prenet_depth": before,
        "model_depth": depth,
        "num_alibi_heads": heads,
        "feature_encoder_spec": f"[({n}, 10, 5)] + [({n}, 3, 2)] * 4 + [({n},2,2)] + [({n},2,2)]",
    }
    return settings


def _count(tensors: Iterable[torch.Tensor]) -> int:
    return sum(tensor.numel() for tensor in tensors)
