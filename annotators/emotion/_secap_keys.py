"""The tensors of the released checkpoint, and under which keys today's modules know them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pipeline.models import Shapes

_QFORMER = "audio_Qformer.bert."
_WEIGHT_NORM = ".parametrizations.weight.original"
_ATTENTION = re.compile(r"^(encoder\.layer\.\d+\.(?:cross)?attention)\.attention\.")


def published_key(key: str) -> str:
    """The released key of a tensor of `Secap`.

    HuBERT's weight normalisation and the Q-Former's attention were renamed since; the rest was not.
    """
    if key.startswith("qformer."):
        inner = key.removeprefix("qformer.").replace("layernorm.", "embeddings.LayerNorm.", 1)
        return _QFORMER + _ATTENTION.sub(r"\1.self.", inner)
    return key.replace(f"{_WEIGHT_NORM}0", ".weight_g").replace(f"{_WEIGHT_NORM}1", ".weight_v")


def expected(modules: Shapes, text2vec: Shapes, buffers: Shapes, found: Mapping[str, object]) -> Shapes:
    """What the checkpoint must hold, by its released keys.

    `modules` are the shapes of `Secap`; `text2vec` those of a model that only training used, which was
    saved all the same; `buffers` are constants that transformers saved at the time and no longer does:
    they may be missing and are never read.
    """
    wanted = {published_key(key): shape for key, shape in modules.items()}
    wanted |= {f"text2vec_model.{key}": shape for key, shape in text2vec.items()}
    return wanted | {key: shape for key, shape in buffers.items() if key in found}


def buffers(n_layers: int, n_frequencies: int, n_positions: int, n_text2vec_positions: int) -> Shapes:
    """The constants: places of tokens in both BERTs, frequencies of each layer of LLaMA."""
    return {
        f"{_QFORMER}embeddings.position_ids": (1, n_positions),
        "text2vec_model.embeddings.position_ids": (1, n_text2vec_positions),
        **{
            f"llama_model.model.layers.{n}.self_attn.rotary_emb.inv_freq": (n_frequencies,)
            for n in range(n_layers)
        },
    }
