"""SECap's network in today's modules: HuBERT hears, a Q-Former sums up, LLaMA writes."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers import (
    BertConfig,
    BertModel,
    Blip2QFormerConfig,
    Blip2QFormerModel,
    GenerationConfig,
    HubertConfig,
    HubertModel,
    LlamaConfig,
    LlamaForCausalLM,
)
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from annotators._torch import read_checkpoint, shapes
from annotators.emotion._secap_files import Files, config_of
from annotators.emotion._secap_keys import buffers, expected, published_key
from pipeline.models import ModelError, Shapes, compare_shapes

N_QUERIES = 32  # what the Q-Former sums a clip up in, whatever its length
_CROSS_EVERY = 2  # layers of the Q-Former that look at the sound


@dataclass(frozen=True, slots=True)
class Sizes:
    """The settings of each part. `text2vec` is in the checkpoint, and in nothing else."""

    hubert: HubertConfig
    qformer: Blip2QFormerConfig
    llama: LlamaConfig
    text2vec: BertConfig


class BeamSamplingLlama(LlamaForCausalLM):
    """LLaMA that samples beams as the transformers SECap was released with (4.29), draw by draw.

    Today's lets all sampled beams descend from one beam's first tokens, drawn without replacement, and
    judges texts that end by the order of the draws. Then, every beam drew a first token of its own, and
    draws were put in the order of their scores.
    """

    def _get_top_k_continuations(
        self, accumulated_log_probs: torch.Tensor, *, do_sample: bool, **state: Any
    ) -> tuple[torch.Tensor, ...]:
        top_k = super()._get_top_k_continuations
        if not do_sample:
            found: tuple[torch.Tensor, ...] = top_k(accumulated_log_probs, do_sample=False, **state)
            return found
        if state["cur_len"] == state["decoder_prompt_len"]:
            n_words = accumulated_log_probs.shape[1] // state["num_beams"]
            accumulated_log_probs = accumulated_log_probs[:, :n_words].repeat(1, state["num_beams"])
        scores, *rest = top_k(accumulated_log_probs, do_sample=True, **state)
        scores, order = scores.sort(dim=1, descending=True)
        return scores, *(torch.take_along_dim(each, order[..., None], dim=1) for each in rest)


class Secap(nn.Module):
    """The released network, without what only its training used."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        n_summary = sizes.qformer.hidden_size
        self.audio_query_tokens = nn.Parameter(torch.empty(1, N_QUERIES, n_summary))
        self.hubert_model = HubertModel(sizes.hubert)
        self.audio_project = nn.Linear(sizes.hubert.hidden_size, n_summary)
        self.qformer = Blip2QFormerModel(sizes.qformer)
        self.audio_llama_project = nn.Linear(n_summary, sizes.llama.hidden_size)
        self.llama_model = BeamSamplingLlama(sizes.llama)

    def summary(self, values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """The Q-Former's last layer, [n_clips, N_QUERIES, n_summary]; padding touches none of it."""
        frames = self.hubert_model(values, attention_mask=mask).last_hidden_state
        n_frames = self.hubert_model._get_feat_extract_output_lengths(mask.sum(dim=1))
        heard = torch.arange(frames.shape[1], device=frames.device) < n_frames[:, None]
        found: torch.Tensor = self.qformer(
            query_embeds=self.audio_query_tokens.expand(len(frames), -1, -1),
            encoder_hidden_states=self.audio_project(frames),
            encoder_attention_mask=heard.long(),
        ).last_hidden_state
        return found

    def opening(self, summary: torch.Tensor, prompt: Sequence[int]) -> torch.Tensor:
        """What LLaMA reads before it writes, [n_clips, 1 + N_QUERIES + n_prompt, n_llama].

        The sign that text begins, the clip, the prompt. The prompt begins with that sign as well.
        """
        embed = self.llama_model.get_input_embeddings()
        heard = self.audio_llama_project(summary).to(embed.weight.dtype)
        asked = embed(torch.tensor(prompt, device=heard.device)).expand(len(heard), -1, -1)
        return torch.cat([asked[:, :1], heard, asked], dim=1)

    def write(self, opening: torch.Tensor, settings: GenerationConfig) -> list[list[int]]:
        """The tokens that follow each opening, [n_texts, n_tokens, n_llama], one list per text."""
        mask = torch.ones(opening.shape[:2], dtype=torch.long, device=opening.device)
        with warnings.catch_warnings():  # that penalties do not count the opening, as released
            warnings.filterwarnings("ignore", message="Passing `(repetition_penalty|no_repeat_ngram_size)`")
            tokens = self.llama_model.generate(
                inputs_embeds=opening, attention_mask=mask, generation_config=settings
            )
        written: list[list[int]] = tokens.tolist()
        return written


def sampling(begin: int, end: int, unknown: int) -> GenerationConfig:
    """As released. Finished texts are filled up with `unknown`, which stands for nothing.

    The released transformers began every text with `begin`, which the penalty on repetitions then kept
    out of what follows; today's begins with nothing, so that it must be forbidden.
    """
    return GenerationConfig(
        do_sample=True,
        top_k=10,
        top_p=0.95,
        num_beams=5,
        repetition_penalty=10.0,
        no_repeat_ngram_size=2,
        min_new_tokens=3,
        max_new_tokens=50,
        early_stopping=True,
        suppress_tokens=[begin],
        bos_token_id=begin,
        eos_token_id=end,
        pad_token_id=unknown,
    )


def load(files: Files, device: torch.device, language: torch.dtype) -> Secap:
    """The network with every tensor of the checkpoint but those only training used.

    Nothing is held twice: the modules are built without values and take the tensors of the mapped file
    one by one. HuBERT and the Q-Former run in single precision, as released; LLaMA in `language`.
    """
    state = _state(files)
    sizes = _sizes(files, state)
    _compare(files.name, sizes, shapes(state))
    with torch.device("meta"):
        network: Secap = Secap(sizes)
    kinds = {True: language, False: torch.float32}
    placed = {
        key: state[published_key(key)].to(device, kinds[key.startswith("llama_model.")])
        for key in network.state_dict()
    }
    network.load_state_dict(placed, assign=True)
    network.llama_model.model.rotary_emb = LlamaRotaryEmbedding(sizes.llama)  # no tensor of the checkpoint
    network.eval().to(device)
    return network


def check(files: Files) -> None:
    """ModelError where the checkpoint lacks a tensor, has one too many, or one of another shape."""
    state = _state(files)
    _compare(files.name, _sizes(files, state), shapes(state))


def published_shapes(sizes: Sizes, found: Mapping[str, object]) -> Shapes:
    """What a checkpoint of these sizes must hold; the constants of old only where they are `found`."""
    with torch.device("meta"):
        modules, text2vec = Secap(sizes).state_dict(), BertModel(sizes.text2vec).state_dict()
    constants = buffers(
        n_layers=sizes.llama.num_hidden_layers,
        n_frequencies=sizes.llama.hidden_size // sizes.llama.num_attention_heads // 2,
        n_positions=sizes.qformer.max_position_embeddings,
        n_text2vec_positions=sizes.text2vec.max_position_embeddings,
    )
    return expected(shapes(modules), shapes(text2vec), constants, found)


def _compare(name: str, sizes: Sizes, found: dict[str, tuple[int, ...]]) -> None:
    compare_shapes(name, dict(published_shapes(sizes, found)), found)


def _state(files: Files) -> dict[str, torch.Tensor]:
    """The tensors by their released keys; one of the releases kept them under `state_dict`."""
    held = read_checkpoint(files.checkpoint)
    state = held.get("state_dict", held) if isinstance(held, dict) else None
    if not isinstance(state, dict) or not all(torch.is_tensor(tensor) for tensor in state.values()):
        raise ModelError(f"The checkpoint {files.checkpoint} holds no tensors by name.")
    return state


def _sizes(files: Files, state: Mapping[str, torch.Tensor]) -> Sizes:
    summary = config_of(BertConfig, files.bert)
    language = config_of(LlamaConfig, files.llama)
    embedding = state.get("llama_model.model.embed_tokens.weight")
    if embedding is not None:
        language.vocab_size = len(embedding)  # grown with the Chinese vocabulary
    return Sizes(
        hubert=config_of(HubertConfig, files.hubert),
        qformer=Blip2QFormerConfig(
            vocab_size=summary.vocab_size,
            hidden_size=summary.hidden_size,
            num_hidden_layers=summary.num_hidden_layers,
            num_attention_heads=summary.num_attention_heads,
            intermediate_size=summary.intermediate_size,
            hidden_act=summary.hidden_act,
            layer_norm_eps=summary.layer_norm_eps,
            max_position_embeddings=summary.max_position_embeddings,
            cross_attention_frequency=_CROSS_EVERY,
            encoder_hidden_size=summary.hidden_size,
            use_qformer_text_input=False,
        ),
        llama=language,
        text2vec=config_of(BertConfig, files.text2vec),
    )
