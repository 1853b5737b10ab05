"""emotion2vec plus, 5 layers of 32 instead of 12 of 1024, with random weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
import yaml

from annotators.emotion._funasr import funasr_module

LABELS = (
    "生气/angry", "厌恶/disgusted", "恐惧/fearful", "开心/happy", "中立/neutral", "其他/other", "难过/sad",
    "吃惊/surprised", "<unk>",
)  # fmt: skip
_HEADS = 4
_DECODER = {
    "add_positions_all": False,
    "add_positions_masked": False,
    "decoder_dim": 16,
    "decoder_groups": 4,
    "decoder_kernel": 7,
    "decoder_layers": 4,
    "decoder_residual": True,
    "input_dropout": 0.1,
    "projection_layers": 1,
    "projection_ratio": 2.0,
}
_AUDIO = {
    "type": "AUDIO",
    "prenet_depth": 2,
    "prenet_layerdrop": 0.05,
    "prenet_dropout": 0.1,
    "start_drop_path_rate": 0.0,
    "end_drop_path_rate": 0.0,
    "num_extra_tokens": 10,
    "init_extra_token_zero": True,
    "mask_noise_std": 0.01,
    "mask_prob": 0.5,
    "mask_length": 5,
    "inverse_mask": False,
    "ema_local_encoder": False,
    "local_grad_mult": 1.0,
    "use_alibi_encoder": True,
    "alibi_scale": 1.0,
    "learned_alibi": False,
    "alibi_max_pos": None,
    "learned_alibi_scale": True,
    "learned_alibi_scale_per_head": True,
    "learned_alibi_scale_per_layer": False,
    "num_alibi_heads": _HEADS,
    "model_depth": 3,
    "decoder": _DECODER,
    "extractor_mode": "layer_norm",
    "feature_encoder_spec": "[(16, 10, 5)] + [(16, 3, 2)] * 4 + [(16,2,2)] + [(16,2,2)]",
    "conv_pos_width": 95,
    "conv_pos_groups": 16,
    "conv_pos_depth": 5,
    "conv_pos_pre_ln": False,
}
_NETWORK = {
    "loss_beta": 0.0,
    "loss_scale": None,
    "depth": 3,
    "start_drop_path_rate": 0.0,
    "end_drop_path_rate": 0.0,
    "num_heads": _HEADS,
    "norm_eps": 1e-5,
    "norm_affine": True,
    "encoder_dropout": 0.1,
    "post_mlp_drop": 0.1,
    "attention_dropout": 0.1,
    "activation_dropout": 0.0,
    "dropout_input": 0.0,
    "layerdrop": 0.05,
    "embed_dim": 32,
    "mlp_ratio": 4.0,
    "layer_norm_first": False,
    "average_top_k_layers": 3,
    "end_of_block_targets": False,
    "clone_batch": 8,
    "normalize": True,
    "project_dim": None,
    "modalities": {"audio": _AUDIO},
}
SETTINGS: dict[str, Any] = {
    "model": "Emotion2vec",
    "model_conf": _NETWORK,
    "tokenizer": "CharTokenizer",
    "tokenizer_conf": {"unk_symbol": "<unk>", "split_with_space": True},
    "scope_map": ["d2v_model.", "none"],
}
_HUB: dict[str, Any] = {
    "framework": "pytorch",
    "task": "emotion-recognition",
    "pipeline": {"type": "funasr-pipeline"},
    "model": {"type": "funasr"},
    "file_path_metas": {
        "init_param": "model.pt",
        "tokenizer_conf": {"token_list": "tokens.txt"},
        "config": "config.yaml",
    },
    "model_name_in_hub": {"ms": "iic/emotion2vec_base", "hf": ""},
}


def make(folder: Path) -> Path:
    """The files as published: a training checkpoint without decoder, its tensors behind `d2v_model.`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokens.txt").write_text("\n".join(LABELS), encoding="utf-8")
    (folder / "configuration.json").write_text(json.dumps(_HUB))
    (folder / "config.yaml").write_text(yaml.safe_dump(SETTINGS, sort_keys=False))
    torch.save(
        {
            "args": None,
            "cfg": None,
            "criterion": None,
            "model": _tensors(),
            "optimizer_history": [],
            "task_state": {},
            "extra_state": {},
            "last_optimizer_state": None,
        },
        folder / "model.pt",
    )
    return folder


def _tensors() -> dict[str, torch.Tensor]:
    network = funasr_module("models.emotion2vec.model").Emotion2vec
    with torch.random.fork_rng():
        torch.manual_seed(123)
        made = network(model_conf=_NETWORK, vocab_size=len(LABELS))
        with torch.no_grad():
            made.proj.weight.normal_(0, 1)  # else every class is about as likely
            made.modality_encoders["AUDIO"].alibi_scale.uniform_(0.5, 1.5)
    return {
        key if key.startswith("proj.") else f"d2v_model.{key}": tensor
        for key, tensor in made.state_dict().items()
        if ".decoder." not in key
    }
