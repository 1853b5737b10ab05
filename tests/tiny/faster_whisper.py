"""A tiny Whisper with random weights, converted to CTranslate2 as `Systran/faster-whisper-large-v3` is.

Sizes are small, but the vocabulary, the languages, the 128 mel bands and the files are the published
ones. The weights are drawn wide, so that its words depend on the sound and it is sure of them; its end
of text grows more likely with every position, so that it says about a dozen tokens.
"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
import whisper
from ctranslate2.converters import TransformersConverter  # type: ignore[import-untyped]  # ships no types
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration
from transformers.convert_slow_tokenizer import TikTokenConverter
from whisper.tokenizer import LANGUAGES

END, START, TRANSLATE, NO_TIMESTAMPS = 50257, 50258, 50359, 50364
SIZE, TOKENS = 64, 51866
FILES = ("preprocessor_config.json", "tokenizer.json")


def make(folder: Path) -> Path:
    """The checkpoint, in `folder`."""
    with TemporaryDirectory() as temporary:
        huggingface = Path(temporary) / "model"
        _model().save_pretrained(huggingface)
        WhisperFeatureExtractor(feature_size=128).save_pretrained(huggingface)
        _tokenizer().save(str(huggingface / "tokenizer.json"))
        (huggingface / "tokenizer_config.json").write_text(json.dumps(_TOKENIZER_CONFIG))
        converter = TransformersConverter(str(huggingface), copy_files=list(FILES))
        converter.convert(str(folder), quantization="float16", force=True)
    return folder


_TOKENIZER_CONFIG = {
    "tokenizer_class": "WhisperTokenizer",
    "add_prefix_space": False,
    **{f"{role}_token": "<|endoftext|>" for role in ("bos", "eos", "unk", "pad")},
}


def _tokenizer() -> Tokenizer:
    """The 51866 tokens of large-v3, from the ranks in the wheel of openai-whisper."""
    ranks = Path(whisper.__file__).parent / "assets" / "multilingual.tiktoken"
    vocabulary, merges = TikTokenConverter().extract_vocab_merges_from_model(str(ranks))
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tasks = ("translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps")
    special = [f"<|{name}|>" for name in ("endoftext", "startoftranscript", *LANGUAGES, *tasks)]
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in special])
    times = [AddedToken(f"<|{step * 0.02:.2f}|>", special=False, normalized=False) for step in range(1501)]
    tokenizer.add_tokens(times)
    return tokenizer


def _model() -> WhisperForConditionalGeneration:
    torch.manual_seed(0)
    model = WhisperForConditionalGeneration(
        WhisperConfig(
            vocab_size=TOKENS,
            num_mel_bins=128,
            d_model=SIZE,
            encoder_layers=2,
            decoder_layers=4,
            encoder_attention_heads=2,
            decoder_attention_heads=2,
            encoder_ffn_dim=2 * SIZE,
            decoder_ffn_dim=2 * SIZE,
            pad_token_id=50256,
            bos_token_id=END,
            eos_token_id=END,
            decoder_start_token_id=START,
            init_std=0.15,
        )
    )
    decoder = model.model.decoder
    with torch.no_grad():
        decoder.layer_norm.weight.fill_(7.0)
        end = torch.nn.functional.normalize(torch.randn(SIZE), dim=0)
        decoder.embed_tokens.weight[END] = 1.2 * end
        decoder.embed_positions.weight.mul_(4).add_(torch.linspace(0, 600, 448)[:, None] * end)
    for name, value in _GENERATION.items():
        setattr(model.generation_config, name, value)
    model.generation_config._from_model_config = False  # else what is not a default is not saved
    return model


_GENERATION = {
    "is_multilingual": True,
    "lang_to_id": {f"<|{code}|>": START + 1 + i for i, code in enumerate(LANGUAGES)},
    "task_to_id": {"translate": TRANSLATE, "transcribe": TRANSLATE + 1},
    "no_timestamps_token_id": NO_TIMESTAMPS,
    "prev_sot_token_id": 50362,
    "alignment_heads": [[2, 0], [3, 1]],
    "max_initial_timestamp_index": 50,
    "begin_suppress_tokens": [220, END],
    "suppress_tokens": [],
}
