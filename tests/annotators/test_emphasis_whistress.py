"""WhiStress: the released computation, step by step, in batches; the word as the transcript has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import whisper
from hypothesis import given as sampled
from hypothesis import strategies as st
from safetensors.torch import load_file
from transformers import WhisperForConditionalGeneration

from annotators.emphasis.whistress import ENCODING, END, PROMPT, Text, WhistressAnnotator, merged, read
from pipeline.annotator import Skip
from pipeline.clip import Clip, Given, Samples
from pipeline.errors import ClipError
from pipeline.options import resolve
from pipeline.rows import Emphasis, Transcript
from pipeline.text import clean, words
from tests.make import buzz, clip_of, noise, silence
from tests.tiny.whistress import make

pytestmark = pytest.mark.usefixtures("one_thread")

SAID = [
    (buzz(120, 2.0), "I didn't say he stole the money."),
    (0.1 * buzz(210, 1.1) + noise(1.1), "Twenty-five naïve cows"),
    (noise(3.0), "No, you said that it was yours, and I believed you; then he left."),
    (buzz(90, 0.05), "Stop"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("whistress"))


@pytest.fixture(scope="module")
def annotator(folder: Path) -> WhistressAnnotator:
    return built(folder, min_probability=0.0)


def options(folder: Path, **more: object) -> dict[str, object]:
    named = {"model": str(folder), "backbone": str(folder / "backbone"), "device": "cpu", **more}
    return resolve(WhistressAnnotator, "emphasis=whistress", named)


def built(folder: Path, **more: object) -> WhistressAnnotator:
    return WhistressAnnotator(**options(folder, **more))  # type: ignore[arg-type]


def clip(sound: Samples | None, text: str, given: Given | None = None) -> Clip:
    return clip_of(sound, given=given, rows=[Transcript(text, text, "given", None)])


def chances(annotator: WhistressAnnotator, *clips: Clip) -> list[list[float]]:
    """The chance of every word of every clip."""
    batch = annotator.prepare(clips)
    assert all(isinstance(text, Text) for text in batch.texts)
    return [
        merged(text, row)
        for text, row in zip(batch.texts, annotator._stress(batch), strict=True)
        if isinstance(text, Text)
    ]


def attend(
    state: dict[str, torch.Tensor], name: str, x: torch.Tensor, memory: torch.Tensor, causal: bool
) -> Any:
    """Multi-head attention from the tensors of a file, two heads, in plain operations."""

    def heads(which: str, values: torch.Tensor) -> torch.Tensor:
        bias = state.get(f"{name}.{which}.bias")
        return F.linear(values, state[f"{name}.{which}.weight"], bias).unflatten(-1, (2, 16)).transpose(0, 1)

    logits = heads("q_proj", x) @ heads("k_proj", memory).transpose(1, 2) / 16**0.5
    if causal:
        later = torch.ones(len(x), len(x), dtype=torch.bool).triu(1)
        logits = logits.masked_fill(later, float("-inf"))
    mixed = (logits.softmax(-1) @ heads("v_proj", memory)).transpose(0, 1).flatten(1)
    return F.linear(mixed, state[f"{name}.out_proj.weight"], state[f"{name}.out_proj.bias"])


def block(state: dict[str, torch.Tensor], x: torch.Tensor, memory: torch.Tensor) -> Any:
    """A layer of Whisper's decoder from the tensors of a file: [n_tokens, n_features] in and out."""

    def norm(name: str, values: torch.Tensor) -> torch.Tensor:
        return F.layer_norm(values, (32,), state[f"{name}.weight"], state[f"{name}.bias"])

    inner = norm("self_attn_layer_norm", x)
    x = x + attend(state, "self_attn", inner, inner, True)
    x = x + attend(state, "encoder_attn", norm("encoder_attn_layer_norm", x), memory, False)
    inner = F.gelu(F.linear(norm("final_layer_norm", x), state["fc1.weight"], state["fc1.bias"]))
    return x + F.linear(inner, state["fc2.weight"], state["fc2.bias"])


@torch.inference_mode()
def released(folder: Path, sound: Samples, text: str) -> list[float]:
    """The probability of stress of each token of the text, as the model's makers compute it."""
    backbone = WhisperForConditionalGeneration.from_pretrained(folder / "backbone").eval().model
    mels = whisper.log_mel_spectrogram(whisper.pad_or_trim(sound / np.abs(sound).max()), n_mels=80)[None]
    tokens = torch.tensor([[50257, 50362, *ENCODING.encode(text), 50256]])

    x = F.gelu(backbone.encoder.conv2(F.gelu(backbone.encoder.conv1(mels)))).transpose(1, 2)
    x = x + backbone.encoder.embed_positions.weight
    heard = [x]
    for layer in backbone.encoder.layers:
        heard.append(layer(heard[-1], None))
    memory = backbone.encoder.layer_norm(heard[-1])[0]

    decoder = backbone.decoder
    x = (decoder.embed_tokens(tokens) + decoder.embed_positions.weight[: tokens.shape[1]])[0]
    tensors = load_file(folder / "backbone" / "model.safetensors")
    for i in range(9):
        prefix = f"model.decoder.layers.{i}."
        x = block({k.removeprefix(prefix): t for k, t in tensors.items() if k.startswith(prefix)}, x, memory)
    x = block(torch.load(folder / "additional_decoder_block.pt"), x, heard[9][0])

    head = torch.load(folder / "classifier.pt")
    x = F.relu(F.linear(x, head["fc1.weight"], head["fc1.bias"]))
    probability = F.linear(x, head["fc2.weight"], head["fc2.bias"]).softmax(-1)[:, 1]
    right_shifted = torch.cat((probability[-1:], probability[:-1]))
    found: list[float] = right_shifted[2:-1].tolist()
    return found


def test_the_probabilities_are_those_of_the_released_computation(
    folder: Path, annotator: WhistressAnnotator
) -> None:
    batch = annotator.prepare([clip(*said) for said in SAID])
    for found, text, said in zip(annotator._stress(batch), batch.texts, SAID, strict=True):
        assert isinstance(text, Text)
        expected = released(folder, *said)
        assert found[: len(text.tokens)] == pytest.approx(expected, abs=1e-5)
        assert len(expected) == 1 or max(expected) - min(expected) > 1e-3


def test_a_batch_gives_what_each_clip_gives_alone(annotator: WhistressAnnotator) -> None:
    clips = [clip(*said) for said in SAID]
    for together, one in zip(chances(annotator, *clips), clips, strict=True):
        assert together == pytest.approx(chances(annotator, one)[0], abs=1e-5)


def test_no_token_sees_a_later_one(annotator: WhistressAnnotator) -> None:
    (short,), (long,) = (
        chances(annotator, clip(SAID[0][0], text)) for text in ("I said he", "I said he left us there")
    )
    assert long[:3] == pytest.approx(short, abs=1e-6)


def test_loudness_does_not_matter(annotator: WhistressAnnotator) -> None:
    quiet, loud = (chances(annotator, clip(gain * SAID[0][0], SAID[0][1]))[0] for gain in (0.05, 1.0))
    assert quiet == pytest.approx(loud, abs=1e-5)


def test_the_row_names_the_likeliest_word_as_it_stands(annotator: WhistressAnnotator) -> None:
    for said in SAID:
        row = annotator.annotate([clip(*said)])[0]
        by_word = chances(annotator, clip(*said))[0]
        assert isinstance(row, Emphasis)
        place = int(np.argmax(by_word))
        assert (row.emphasis_word, row.emphasis_index) == (words(said[1], "en")[place], place)
        assert (row.emphasis_confidence, row.emphasis_source) == (by_word[place], "whistress")


def test_under_the_least_probability_no_word_is_named(folder: Path) -> None:
    annotator = built(folder, min_probability=1.0)
    assert annotator.annotate([clip(*SAID[0])]) == [Emphasis(None, None, "whistress", None)]


def test_the_ids_are_those_of_english_only_whisper() -> None:
    names = ("<|startoftranscript|>", "<|notimestamps|>")
    assert tuple(ENCODING.encode_single_token(name) for name in names) == PROMPT
    assert ENCODING.encode_single_token("<|endoftext|>") == END


def test_a_word_takes_the_highest_chance_of_its_tokens_and_punctuation_none() -> None:
    text = read("I didn't, no.")
    assert text.words == ("I", "didn't", "no")
    assert text.owners == (0, 1, 1, None, 2, None)
    assert merged(text, [0.1, 0.2, 0.6, 0.9, 0.3, 0.95, 0.99]) == [0.1, 0.6, 0.3]


def test_parts_of_a_hyphenated_word_are_words_of_their_own() -> None:
    assert read("twenty-five").words == ("twenty", "five")
    assert merged(read("twenty-five"), [0.1, 0.1, 0.1, 0.8])[1] > 0.5


@sampled(st.text())
def test_every_word_is_spelt_by_some_token_and_the_tokens_spell_the_text(text: str) -> None:
    text = clean(text)
    found = read(text)
    assert list(found.words) == words(text, "en")
    assert ENCODING.decode(list(found.tokens)) == text
    assert {owner for owner in found.owners if owner is not None} == set(range(len(found.words)))


def test_a_text_that_names_a_special_token_is_but_text() -> None:
    assert max(read("<|endoftext|> he said").tokens) < END


def test_a_given_word_stands_with_its_place() -> None:
    row = WhistressAnnotator.from_given(clip(None, "He said No to me", Given(emphasis_word=" no ")))
    assert row == Emphasis("No", 2, "given", None)


@pytest.mark.parametrize("text", ["no, I said no", "He said it"])
def test_a_given_word_without_a_single_place_has_none(text: str) -> None:
    row = WhistressAnnotator.from_given(clip(None, text, Given(emphasis_word="no")))
    assert row == Emphasis("no", None, "given", None)


def test_where_no_word_is_given_one_is_heard() -> None:
    assert WhistressAnnotator.from_given(clip(None, "he said")) is None
    assert WhistressAnnotator.from_given(clip(None, "he said", Given(emphasis_word=" "))) is None


@pytest.mark.parametrize(
    ("sound", "text", "code"),
    [
        (silence(1.0), "he said", "silent"),
        (noise(0.02), "he said", "too_short"),
        (silence(0.0), "he said", "too_short"),
        (noise(1.0), "so " * 500, "too_many_words"),
    ],
)
def test_what_cannot_be_heard_is_an_error_of_its_clip(
    annotator: WhistressAnnotator, sound: Samples, text: str, code: str
) -> None:
    bad, good = annotator.annotate([clip(sound, text), clip(*SAID[0])])
    assert isinstance(bad, ClipError)
    assert bad.code == code
    assert isinstance(good, Emphasis)


def test_a_clip_over_the_window_is_skipped(annotator: WhistressAnnotator) -> None:
    long, fitting = annotator.annotate([clip(noise(40.0), "he said"), clip(noise(30.0), "he said")])
    assert isinstance(long, Skip)
    assert isinstance(fitting, Emphasis)


def test_a_transcript_without_words_is_skipped(annotator: WhistressAnnotator) -> None:
    assert isinstance(annotator.annotate([clip(noise(1.0), "...")])[0], Skip)


def test_as_many_tokens_as_the_model_has_places_are_read(annotator: WhistressAnnotator) -> None:
    row = annotator.annotate([clip(noise(1.0), " ".join(["so"] * 446))])[0]
    assert isinstance(row, Emphasis)


def test_only_english_is_served() -> None:
    assert WhistressAnnotator.languages == {"en"}
