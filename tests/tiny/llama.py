"""A Llama of 2 layers of 128, random, its tokenizer with a chat template, and LoRA adapters of it.

The tokenizer knows every byte, so that no text in any language is unknown to it, and the commonest pairs of
the lexicons on top. The same files come out each time.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

WORDS = Path(__file__).parents[2] / "prompts"
VOCABULARY = 2048
POSITIONS = 16384
BEGIN, END = "<|begin|>", "<|end|>"
TEMPLATE = (
    BEGIN
    + "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}"
    + END
    + "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
PROJECTIONS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def make(folder: Path, *, seed: int = 0, hidden: int = 128) -> Path:
    """config.json, model.safetensors and the tokenizer, as published models lie."""
    tokens = tokenizer()
    tokens.save_pretrained(folder)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=2,
        num_attention_heads=hidden // 32,
        num_key_value_heads=2,
        max_position_embeddings=POSITIONS,
        tie_word_embeddings=False,
        bos_token_id=tokens.bos_token_id,
        eos_token_id=tokens.eos_token_id,
        pad_token_id=tokens.pad_token_id,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = LlamaForCausalLM(config)
        with torch.no_grad():
            for weight in network.parameters():
                if weight.ndim == 2:
                    weight.normal_(0, weight.shape[1] ** -0.5)
            network.lm_head.weight.mul_(3)
            for layer in network.model.layers:  # so that what was read decides what is said
                for projection in ("q_proj", "k_proj", "o_proj"):
                    getattr(layer.self_attn, projection).weight.mul_(2)
    network.save_pretrained(folder)
    return folder


def adapter(model: Path, folder: Path, *, rank: int = 8, seed: int = 1) -> Path:
    """A LoRA adapter of all projections, random on both sides so that it has an effect."""
    config = LoraConfig(
        r=rank,
        lora_alpha=2 * rank,
        target_modules=PROJECTIONS,
        task_type="CAUSAL_LM",
        init_lora_weights=False,
    )
    with torch.random.fork_rng(), warnings.catch_warnings():
        torch.manual_seed(seed)
        warnings.simplefilter("ignore", FutureWarning)  # PEFT reads a name that transformers gives up
        tuned: Any = get_peft_model(AutoModelForCausalLM.from_pretrained(model), config)
    tuned.save_pretrained(folder)
    return folder


def tokenizer() -> Any:
    """Bytes, the commonest pairs of the lexicons, and the marks of the chat template."""
    tokens = Tokenizer(models.BPE())
    tokens.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokens.decoder = decoders.ByteLevel()
    marks = [BEGIN, END, "<|system|>", "<|user|>", "<|assistant|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=marks,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokens.train([str(file) for file in sorted(WORDS.glob("lexicons/*.yaml"))], trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokens, bos_token=BEGIN, eos_token=END, pad_token=END, chat_template=TEMPLATE
    )
