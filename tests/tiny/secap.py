"""A small random SECap in the published layout: `model.ckpt`, and the tree `weights` beside it.

The keys are written out from the release, not taken from the annotator. The numbers are numpy's, whose
legacy generator never changes, so that what the released code makes of them can be kept as golden values.
"""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tests.tiny._secap_layout import KERNELS, Shapes, Sizes, bert_shapes, checkpoint_shapes

proto: Any = import_module("sentencepiece.sentencepiece_model_pb2")

TREE = {
    "hubert": "models--TencentGameMate--chinese-hubert-large/snapshots/"
    "90cb660492214f687e60f5ca509b20edae6e75bd",
    "text2vec": "models--shibing624--text2vec-base-chinese/snapshots/"
    "26420fdf61ddfd92fafbaf3bc21a7c06b1812248",
    "llama": "models--minlik--chinese-llama-7b-merged/snapshots/1ca4d87576f1fef4d44a949fb65bbe6b96675872",
    "bert": "models--bert-base-chinese/snapshots/8d2a91f91cc38c96bb8b4556ba70c392f8d5ee55",
    "vocabulary": "simi_berttokenizer",
    "similarity": "simi_shibing624_text2vec-base-chinese-paraphrase",
}
_CHARACTERS = (
    "请用一句中文简述音频里说话者的情感表现：他她很高兴悲伤愤怒平静害怕语气带着失望、而且激动，充满喜悦。"
)
_PAIRS = ("情感", "高兴", "悲伤", "愤怒", "平静", "语气", "失望", "激动", "喜悦", "一句", "中文", "音频")


def tokenizer() -> Any:
    """A byte-pair tokenizer as LLaMA's: unknown 0, begin 1, end 2, then bytes, then characters."""
    model = proto.ModelProto()
    model.trainer_spec.model_type = proto.TrainerSpec.BPE
    model.trainer_spec.byte_fallback = True
    model.trainer_spec.unk_id, model.trainer_spec.bos_id, model.trainer_spec.eos_id = 0, 1, 2
    model.trainer_spec.pad_id = -1
    model.normalizer_spec.name = "identity"
    model.normalizer_spec.add_dummy_prefix = True
    model.normalizer_spec.remove_extra_whitespaces = False
    kind = proto.ModelProto.SentencePiece
    pieces = [("<unk>", kind.UNKNOWN), ("<s>", kind.CONTROL), ("</s>", kind.CONTROL)]
    pieces += [(f"<0x{byte:02X}>", kind.BYTE) for byte in range(256)]
    plain = [*_PAIRS, "▁", *dict.fromkeys(_CHARACTERS)]
    for number, (piece, sort) in enumerate(pieces + [(text, kind.NORMAL) for text in plain]):
        model.pieces.add(piece=piece, score=-float(number) if sort == kind.NORMAL else 0.0, type=sort)
    model.trainer_spec.vocab_size = len(model.pieces)
    return model


TINY = Sizes(
    hubert=48,
    hubert_inner=96,
    hubert_layers=2,
    convolutions=32,
    positions_kernel=16,
    bert=24,
    bert_inner=48,
    bert_layers=4,
    bert_heads=4,
    bert_vocabulary=64,
    bert_positions=40,
    llama=32,
    llama_inner=64,
    llama_layers=2,
    llama_heads=4,
    llama_vocabulary=len(tokenizer().pieces),
)


def make(folder: Path) -> Path:
    """Write the small SECap into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(tensors(checkpoint_shapes(TINY), seed=1), folder / "model.ckpt")
    for part, values in settings(TINY).items():
        there = folder / "weights" / TREE[part]
        there.mkdir(parents=True, exist_ok=True)
        (there / "config.json").write_text(json.dumps(values))
    tree = {part: folder / "weights" / name for part, name in TREE.items()}
    extractor = {"do_normalize": True, "feature_size": 1, "padding_side": "right", "padding_value": 0}
    (tree["hubert"] / "preprocessor_config.json").write_text(
        json.dumps({**extractor, "return_attention_mask": True, "sampling_rate": 16000})
    )
    (tree["llama"] / "tokenizer.model").write_bytes(tokenizer().SerializeToString())
    similar = bert_shapes(TINY) | {"embeddings.task_type_embeddings.weight": (3, TINY.bert)}
    torch.save(tensors(similar, seed=2), tree["similarity"] / "pytorch_model.bin")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *dict.fromkeys(_CHARACTERS)]
    tree["vocabulary"].mkdir(parents=True)
    (tree["vocabulary"] / "vocab.txt").write_text("\n".join(words[: TINY.bert_vocabulary]) + "\n")
    return folder


def tensors(shapes: Shapes, seed: int) -> dict[str, torch.Tensor]:
    """Random numbers of these shapes: LLaMA's in half precision, the rest in single."""
    chance = np.random.RandomState(seed)
    return {key: _tensor(key, shape, chance) for key, shape in shapes.items()}


def _tensor(key: str, shape: tuple[int, ...], chance: np.random.RandomState) -> torch.Tensor:
    if key.endswith("position_ids"):
        return torch.arange(shape[1])[None]
    if key.endswith("inv_freq"):
        return 1.0 / 10000 ** (torch.arange(shape[0]) / shape[0])
    values = torch.from_numpy(chance.standard_normal(shape))
    if (key.endswith("weight") and len(shape) == 1) or key.endswith("weight_g"):
        values = 1 + 0.1 * values  # norms
    elif key.endswith("bias"):
        values = 0.1 * values
    elif "lm_head" in key or "embed" in key or "query_tokens" in key:
        values = 0.5 * values
    else:
        values = values / max(1, int(np.prod(shape[1:]))) ** 0.5
    return values.to(torch.float16 if key.startswith("llama_model.") else torch.float32)


def settings(s: Sizes) -> dict[str, dict[str, object]]:
    """config.json of each part, as published but for the sizes."""
    bert: dict[str, object] = {
        "model_type": "bert",
        "hidden_act": "gelu",
        "hidden_size": s.bert,
        "num_hidden_layers": s.bert_layers,
        "num_attention_heads": s.bert_heads,
        "intermediate_size": s.bert_inner,
        "vocab_size": s.bert_vocabulary,
        "max_position_embeddings": s.bert_positions,
        "type_vocab_size": 2,
        "layer_norm_eps": 1e-12,
        "pad_token_id": 0,
    }
    return {
        "hubert": {
            "model_type": "hubert",
            "hidden_size": s.hubert,
            "intermediate_size": s.hubert_inner,
            "num_hidden_layers": s.hubert_layers,
            "num_attention_heads": 16,
            "conv_dim": [s.convolutions] * len(KERNELS),
            "conv_kernel": list(KERNELS),
            "conv_stride": [5, 2, 2, 2, 2, 2, 2],
            "conv_bias": False,
            "do_stable_layer_norm": True,
            "feat_extract_norm": "layer",
            "num_conv_pos_embeddings": s.positions_kernel,
            "num_conv_pos_embedding_groups": 16,
        },
        "text2vec": bert,
        "bert": bert,
        "similarity": {**bert, "model_type": "ernie", "task_type_vocab_size": 3, "use_task_id": True},
        "llama": {
            "model_type": "llama",
            "hidden_act": "silu",
            "hidden_size": s.llama,
            "intermediate_size": s.llama_inner,
            "num_hidden_layers": s.llama_layers,
            "num_attention_heads": s.llama_heads,
            "vocab_size": s.llama_vocabulary,
            "max_position_embeddings": 2048,
            "rms_norm_eps": 1e-6,
            "bos_token_id": 1,
            "eos_token_id": 2,
            "pad_token_id": 0,
            "torch_dtype": "float16",
        },
    }
