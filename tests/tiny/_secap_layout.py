"""The keys and shapes of the released SECap, written out from its own modules."""

from __future__ import annotations

from dataclasses import dataclass

Shapes = dict[str, tuple[int, ...]]

KERNELS = (10, 3, 3, 3, 3, 2, 2)  # of HuBERT's convolutions


@dataclass(frozen=True, slots=True)
class Sizes:
    """Hidden and feed-forward widths, layers, heads and vocabulary of each part."""

    hubert: int = 1024
    hubert_inner: int = 4096
    hubert_layers: int = 24
    convolutions: int = 512
    positions_kernel: int = 128
    bert: int = 768
    bert_inner: int = 3072
    bert_layers: int = 12
    bert_heads: int = 12
    bert_vocabulary: int = 21128
    bert_positions: int = 512
    queries: int = 32
    llama: int = 4096
    llama_inner: int = 11008
    llama_layers: int = 32
    llama_heads: int = 32
    llama_vocabulary: int = 49953


FULL = Sizes()


def checkpoint_shapes(s: Sizes) -> Shapes:
    """Every key of the released model.ckpt with its shape; at full size there are 1198."""
    return {
        "audio_query_tokens": (1, s.queries, s.bert),
        **_hubert(s),
        **{f"text2vec_model.{k}": v for k, v in bert_shapes(s).items()},
        **_llama(s),
        **_qformer(s),
        **_linear("audio_project", s.bert, s.hubert),
        **_linear("audio_llama_project", s.llama, s.bert),
    }


def bert_shapes(s: Sizes) -> Shapes:
    """A BertModel with its pooler, as saved in 2023."""
    return {
        "embeddings.position_ids": (1, s.bert_positions),
        "embeddings.word_embeddings.weight": (s.bert_vocabulary, s.bert),
        "embeddings.position_embeddings.weight": (s.bert_positions, s.bert),
        "embeddings.token_type_embeddings.weight": (2, s.bert),
        **_norm("embeddings.LayerNorm", s.bert),
        **{
            f"encoder.layer.{n}.{key}": shape
            for n in range(s.bert_layers)
            for key, shape in {
                **_attention("attention", s),
                **_linear("intermediate.dense", s.bert_inner, s.bert),
                **_linear("output.dense", s.bert, s.bert_inner),
                **_norm("output.LayerNorm", s.bert),
            }.items()
        },
        **_linear("pooler.dense", s.bert, s.bert),
    }


def _hubert(s: Sizes) -> Shapes:
    shapes: Shapes = {"masked_spec_embed": (s.hubert,)}
    for n, kernel in enumerate(KERNELS):
        layer = f"feature_extractor.conv_layers.{n}"
        shapes[f"{layer}.conv.weight"] = (s.convolutions, s.convolutions if n else 1, kernel)
        shapes |= _norm(f"{layer}.layer_norm", s.convolutions)
    shapes |= _norm("feature_projection.layer_norm", s.convolutions)
    shapes |= _linear("feature_projection.projection", s.hubert, s.convolutions)
    positions = "encoder.pos_conv_embed.conv"
    shapes[f"{positions}.bias"] = (s.hubert,)
    shapes[f"{positions}.weight_g"] = (1, 1, s.positions_kernel)
    shapes[f"{positions}.weight_v"] = (s.hubert, s.hubert // 16, s.positions_kernel)
    shapes |= _norm("encoder.layer_norm", s.hubert)
    for n in range(s.hubert_layers):
        layer = f"encoder.layers.{n}"
        for name in ("k_proj", "v_proj", "q_proj", "out_proj"):
            shapes |= _linear(f"{layer}.attention.{name}", s.hubert, s.hubert)
        shapes |= _norm(f"{layer}.layer_norm", s.hubert) | _norm(f"{layer}.final_layer_norm", s.hubert)
        shapes |= _linear(f"{layer}.feed_forward.intermediate_dense", s.hubert_inner, s.hubert)
        shapes |= _linear(f"{layer}.feed_forward.output_dense", s.hubert, s.hubert_inner)
    return {f"hubert_model.{key}": shape for key, shape in shapes.items()}


def _llama(s: Sizes) -> Shapes:
    shapes: Shapes = {
        "model.embed_tokens.weight": (s.llama_vocabulary, s.llama),
        "lm_head.weight": (s.llama_vocabulary, s.llama),
        "model.norm.weight": (s.llama,),
    }
    for n in range(s.llama_layers):
        layer = f"model.layers.{n}"
        for name in ("q_proj", "k_proj", "v_proj", "o_proj"):
            shapes[f"{layer}.self_attn.{name}.weight"] = (s.llama, s.llama)
        shapes[f"{layer}.self_attn.rotary_emb.inv_freq"] = (s.llama // s.llama_heads // 2,)
        shapes[f"{layer}.mlp.gate_proj.weight"] = (s.llama_inner, s.llama)
        shapes[f"{layer}.mlp.up_proj.weight"] = (s.llama_inner, s.llama)
        shapes[f"{layer}.mlp.down_proj.weight"] = (s.llama, s.llama_inner)
        shapes[f"{layer}.input_layernorm.weight"] = (s.llama,)
        shapes[f"{layer}.post_attention_layernorm.weight"] = (s.llama,)
    return {f"llama_model.{key}": shape for key, shape in shapes.items()}


def _qformer(s: Sizes) -> Shapes:
    shapes: Shapes = {
        "embeddings.position_ids": (1, s.bert_positions),
        **_norm("embeddings.LayerNorm", s.bert),
    }
    for n in range(s.bert_layers):
        layer = f"encoder.layer.{n}"
        shapes |= _attention(f"{layer}.attention", s)
        if n % 2 == 0:
            shapes |= _attention(f"{layer}.crossattention", s)
        shapes |= _linear(f"{layer}.intermediate_query.dense", s.bert_inner, s.bert)
        shapes |= _linear(f"{layer}.output_query.dense", s.bert, s.bert_inner)
        shapes |= _norm(f"{layer}.output_query.LayerNorm", s.bert)
    return {f"audio_Qformer.bert.{key}": shape for key, shape in shapes.items()}


def _attention(name: str, s: Sizes) -> Shapes:
    shapes: Shapes = {}
    for part in ("query", "key", "value"):
        shapes |= _linear(f"{name}.self.{part}", s.bert, s.bert)
    return (
        shapes | _linear(f"{name}.output.dense", s.bert, s.bert) | _norm(f"{name}.output.LayerNorm", s.bert)
    )


def _linear(name: str, n_out: int, n_in: int) -> Shapes:
    return {f"{name}.weight": (n_out, n_in), f"{name}.bias": (n_out,)}


def _norm(name: str, n: int) -> Shapes:
    return {f"{name}.weight": (n,), f"{name}.bias": (n,)}
