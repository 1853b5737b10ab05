"""SECap: what the released code hears and writes, word for word; one sentence of eight stands.

The golden values are those of the released modules (Qformer.py, transformers 4.29.0) on the small
checkpoint, given the sound below; LLaMA in single precision.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

from annotators.emotion._secap_selection import N_DROPPED, chosen
from annotators.emotion.secap import N_SENTENCES, PROMPT, SecapAnnotator
from pipeline.clip import Given, Samples
from pipeline.rows import Emotion
from tests.make import buzz, clip_of, noise, silence
from tests.tiny._secap_formulas import frames, written_out
from tests.tiny.secap import TINY, make, settings

pytestmark = pytest.mark.usefixtures("one_thread")

SECONDS = np.arange(16000) / 16000
SOUND: Samples = (0.3 * np.sin(440 * np.pi * SECONDS) * np.sin(6 * np.pi * SECONDS)).astype(np.float32)
HE_IS_GLAD = [271, 292, 294, 260]  # tokens of 他很高兴

SUMMARY = [  # [::8, ::6]
    [-0.459201, -0.402444, -0.514169, -0.246247],
    [-1.236226, -0.163762, -0.980456, 0.677025],
    [-0.910502, 0.056842, -1.327421, 0.743630],
    [-0.548792, -0.890128, -0.507514, -0.223982],
]
LOGITS = [  # [::11, ::64], of the opening and HE_IS_GLAD
    [-1.996680, 4.275655, 3.045961, 2.010561, -1.967042, 4.734921],
    [1.557150, -0.060135, 0.383454, 2.202852, 1.462944, 1.608750],
    [1.795201, 0.568889, 0.875590, 2.046913, 1.436244, 2.885538],
    [2.828047, 2.527519, 0.138529, -1.539829, 2.226837, -0.106612],
    [1.166086, -0.173260, 2.682735, -0.725915, 0.085458, 2.610977],
]
GREEDY = (
    "276 313 167 122 227 77 175 312 34 149 156 241 285 161 6 91 147 22 126 274 259 39 232 217 3 164 205 165 "
    "264 286 315 70 278 261 289 86 177 237 79 260 263 248 154 50 252 78 243 14 291 251"
)
BEAMS = (
    "276 313 167 122 227 77 175 312 34 149 156 241 285 10 165 161 6 77 232 195 9 315 286 164 3 187 189 274 "
    "91 147 22 248 237 79 191 155 188 28 176 211 198 116 8 199 299 319 267 243 225 264"
)
SAMPLED = (  # after torch.manual_seed(0)
    "285 77 91 227 312 313 167 122 6 77 175 312 34 149 156 241 203 232 195 129 205 165 264 286 315 28 299 9 "
    "164 3 187 291 276 147 312 267 243 181 258 14 79 22 248 237 161 37 125 49 182 173"
)
ENDED = {  # by seed, where the weights of the end are sixfold, so that texts end early
    0: "251 122 227 312 285 2",
    2: "251 241 285 2",
    4: "285 77 91 227 37 198 312 313 2",
    8: "285 77 91 227 312 34 149 156 241 161 195 2",
    14: "285 77 91 227 312 34 8 2",
}
SENTENCES = ["他很高兴", "她很悲伤，语气带着失望", "她愤怒而且激动", "请用中文"]
LIKENESS = [
    [1.000000, 0.966754, 0.967237, 0.978450],
    [0.966754, 1.000000, 0.982434, 0.958854],
    [0.967237, 0.982434, 1.000000, 0.985953],
    [0.978450, 0.958854, 0.985953, 1.000000],
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("secap"))


@pytest.fixture(scope="module")
def annotator(folder: Path) -> SecapAnnotator:
    return SecapAnnotator(model=str(folder), device="cpu", half=False)


@pytest.fixture(scope="module")
def opening(annotator: SecapAnnotator) -> torch.Tensor:
    with torch.inference_mode():
        return annotator._network.opening(_summary(annotator, SOUND), annotator._prompt)


def _summary(annotator: SecapAnnotator, *sounds: Samples) -> torch.Tensor:
    batch = annotator.prepare([clip_of(sound) for sound in sounds])
    with torch.inference_mode():
        return annotator._network.summary(batch.values, batch.mask)


def _settings(annotator: SecapAnnotator, **changes: object) -> GenerationConfig:
    return GenerationConfig(**{**annotator._sampling.to_dict(), **changes})


def _tokens(text: str) -> list[int]:
    return [int(token) for token in text.split()]


def _caption(outcome: object) -> str:
    assert isinstance(outcome, Emotion)
    assert outcome.emotion_caption
    return outcome.emotion_caption


class TestHearing:
    def test_equals_the_released_code(self, annotator: SecapAnnotator) -> None:
        found = _summary(annotator, SOUND)[0]
        assert torch.allclose(found[::8, ::6], torch.tensor(SUMMARY), atol=1e-4)

    def test_equals_its_formulas_written_out(self, annotator: SecapAnnotator, folder: Path) -> None:
        state = torch.load(folder / "model.ckpt", weights_only=True)
        assert torch.allclose(
            _summary(annotator, SOUND)[0], written_out(state, frames(state, SOUND)), atol=1e-4
        )

    def test_clips_of_different_lengths_together_equal_one_by_one(self, annotator: SecapAnnotator) -> None:
        sounds = [SOUND, noise(0.05), buzz(140, 2.3) + noise(2.3), 0.3 * buzz(90, 3.1) + 0.1]
        together = _summary(annotator, *sounds)
        alone = torch.cat([_summary(annotator, sound) for sound in sounds])
        assert torch.allclose(together, alone, atol=1e-5)
        assert (alone[1:] - alone[:-1]).abs().amax(dim=(1, 2)).min() > 1e-2

    def test_only_the_middle_of_a_long_clip_is_heard(self, annotator: SecapAnnotator) -> None:
        long = np.concatenate([noise(5.0, seed=1), buzz(120, 30.0), noise(5.0, seed=2)])
        assert torch.equal(_summary(annotator, long), _summary(annotator, buzz(120, 30.0)))


class TestWriting:
    def test_the_opening_is_begin_sound_begin_prompt(
        self, annotator: SecapAnnotator, opening: torch.Tensor
    ) -> None:
        pieces = annotator._tokenizer.id_to_piece(annotator._prompt)
        embed = annotator._network.llama_model.get_input_embeddings()
        assert PROMPT == "请用一句中文简述音频里说话者的情感表现："
        assert pieces[0] == "<s>"
        assert "".join(pieces[1:]) == "▁" + PROMPT
        assert opening.shape == (1, 1 + 32 + len(pieces), TINY.llama)
        assert torch.equal(opening[0, 0], embed.weight[1])
        assert torch.equal(opening[0, 33:], embed(torch.tensor(annotator._prompt)))

    def test_logits_equal_the_released_code(self, annotator: SecapAnnotator, opening: torch.Tensor) -> None:
        found = _logits(annotator._network.llama_model, opening)
        assert torch.allclose(found[::11, ::64], torch.tensor(LOGITS), atol=1e-4)

    def test_logits_equal_a_plain_llama_of_the_same_tensors(
        self, annotator: SecapAnnotator, opening: torch.Tensor, folder: Path
    ) -> None:
        plain = LlamaForCausalLM(LlamaConfig.from_dict(settings(TINY)["llama"])).eval()
        state = torch.load(folder / "model.ckpt", weights_only=True)
        inner = {k.removeprefix("llama_model."): v for k, v in state.items() if k.startswith("llama_model.")}
        plain.load_state_dict({k: v.float() for k, v in inner.items() if "inv_freq" not in k})
        found = _logits(annotator._network.llama_model, opening)
        assert torch.allclose(found, _logits(plain, opening), atol=1e-4)

    @pytest.mark.parametrize(
        ("written", "changes"),
        [
            (GREEDY, {"do_sample": False, "num_beams": 1, "early_stopping": False}),
            (BEAMS, {"do_sample": False}),
            (SAMPLED, {}),
        ],
        ids=["greedy", "beams", "sampled beams"],
    )
    def test_tokens_equal_the_released_code(
        self, annotator: SecapAnnotator, opening: torch.Tensor, written: str, changes: dict[str, object]
    ) -> None:
        if changes:
            changes = {**changes, "top_k": None, "top_p": None}
        torch.manual_seed(0)
        with torch.inference_mode():
            found = annotator._network.write(opening, _settings(annotator, **changes))
        assert found == [_tokens(written)]

    def test_sampled_texts_end_where_those_of_the_released_code_end(
        self, annotator: SecapAnnotator, opening: torch.Tensor
    ) -> None:
        weights = annotator._network.llama_model.lm_head.weight
        with torch.inference_mode():
            weights.data[2] *= 6
            try:
                for seed, written in ENDED.items():
                    torch.manual_seed(seed)
                    assert annotator._network.write(opening, annotator._sampling) == [_tokens(written)]
            finally:
                weights.data[2] /= 6

    def test_sampling_is_as_released(self, annotator: SecapAnnotator) -> None:
        released = {
            "do_sample": True,
            "top_k": 10,
            "top_p": 0.95,
            "num_beams": 5,
            "repetition_penalty": 10.0,
            "no_repeat_ngram_size": 2,
            "min_new_tokens": 3,
            "max_new_tokens": 50,
            "early_stopping": True,
            "eos_token_id": 2,
            "pad_token_id": 0,
        }
        assert released.items() <= annotator._sampling.to_dict().items()
        assert N_SENTENCES == 8

    def test_texts_written_together_are_drawn_one_by_one(
        self, annotator: SecapAnnotator, opening: torch.Tensor
    ) -> None:
        torch.manual_seed(0)
        with torch.inference_mode():
            found = annotator._network.write(opening.repeat(N_SENTENCES, 1, 1), annotator._sampling)
        assert len({tuple(tokens) for tokens in found}) == N_SENTENCES


class TestSelection:
    LIKENESS = np.array(  # sentence 5 is most like the rest, 0, 2 and 7 least
        [
            [1.0, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1],
            [0.1, 1.0, 0.2, 0.6, 0.6, 0.9, 0.6, 0.3],
            [0.1, 0.2, 1.0, 0.2, 0.2, 0.2, 0.2, 0.2],
            [0.1, 0.6, 0.2, 1.0, 0.7, 0.9, 0.7, 0.3],
            [0.1, 0.6, 0.2, 0.7, 1.0, 0.9, 0.7, 0.3],
            [0.1, 0.9, 0.2, 0.9, 0.9, 1.0, 0.9, 0.3],
            [0.1, 0.6, 0.2, 0.7, 0.7, 0.9, 1.0, 0.3],
            [0.1, 0.3, 0.2, 0.3, 0.3, 0.3, 0.3, 1.0],
        ],
        dtype=np.float32,
    )

    def test_the_first_that_is_left_stands(self) -> None:
        assert chosen(self.LIKENESS, "first") == 1

    def test_or_the_one_most_like_the_rest(self) -> None:
        assert chosen(self.LIKENESS, "best") == 5

    def test_the_three_least_like_the_rest_never_stand(self) -> None:
        assert N_DROPPED == 3
        for order in (np.random.RandomState(seed).permutation(8) for seed in range(20)):
            shuffled = self.LIKENESS[np.ix_(order, order)]
            assert order[chosen(shuffled, "best")] == 5
            first = next(i for i, sentence in enumerate(order) if sentence not in {0, 2, 7})
            assert chosen(shuffled, "first") == first

    def test_of_equal_sentences_the_first_are_dropped(self) -> None:
        assert chosen(np.ones((8, 8), np.float32), "first") == N_DROPPED
        assert chosen(np.ones((8, 8), np.float32), "best") == N_DROPPED

    def test_likeness_equals_the_released_code(self, annotator: SecapAnnotator) -> None:
        assert np.allclose(annotator._similarity(SENTENCES), LIKENESS, atol=1e-5)


class TestRows:
    def test_a_sentence_without_a_class(self, annotator: SecapAnnotator) -> None:
        (row,) = annotator.annotate([clip_of(SOUND)])
        assert row == Emotion(None, "secap", None, _caption(row))

    def test_a_clip_reads_the_same_whatever_is_beside_it(self, annotator: SecapAnnotator) -> None:
        a, b = clip_of(SOUND, id="a"), clip_of(buzz(120, 2.0), id="b")
        assert annotator.annotate([b, a]) == [*annotator.annotate([b]), *annotator.annotate([a])]

    def test_the_id_decides_what_is_drawn_and_nothing_else_is_drawn_from(
        self, annotator: SecapAnnotator
    ) -> None:
        torch.manual_seed(5)
        rows = annotator.annotate([clip_of(SOUND, id=name) for name in ("a", "b", "c")])
        after = torch.rand(1)
        torch.manual_seed(5)
        assert torch.equal(after, torch.rand(1))
        assert len({_caption(row) for row in rows}) > 1

    def test_what_is_given_or_implied_stands_unheard(self, annotator: SecapAnnotator) -> None:
        given = clip_of(given=Given(emotion="高兴"))
        book = clip_of(given=Given(domain="audiobook"))
        rows = annotator.annotate([given, clip_of(SOUND), book])
        assert rows[0] == Emotion("happy", "given", None, None) == annotator.from_given(given)
        assert rows[2] == Emotion("neutral", "domain", None, None)
        assert _caption(rows[1])
        assert annotator.annotate([given, book]) == [rows[0], rows[2]]

    def test_silence_and_a_blink_of_sound_are_errors_and_a_short_clip_is_not(
        self, annotator: SecapAnnotator
    ) -> None:
        outcomes = annotator.annotate(
            [clip_of(silence(1.0)), clip_of(noise(0.02)), clip_of(noise(0.05)), clip_of(buzz(150, 40.0))]
        )
        assert [getattr(outcome, "code", None) for outcome in outcomes] == ["silent", "too_short", None, None]

    def test_it_serves_chinese_alone(self) -> None:
        assert SecapAnnotator.languages == {"zh"}

    def test_in_half_precision_only_llama_is_halved(self, folder: Path) -> None:
        halved = SecapAnnotator(model=str(folder), device="cpu", half=True)
        kinds = {k.split(".")[0]: v.dtype for k, v in halved._network.named_parameters()}
        assert kinds.pop("llama_model") is torch.bfloat16
        assert set(kinds.values()) == {torch.float32}
        assert _caption(halved.annotate([clip_of(SOUND)])[0])


def _logits(llama: Any, opening: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        said = llama.get_input_embeddings()(torch.tensor([HE_IS_GLAD]))
        found: torch.Tensor = llama(inputs_embeds=torch.cat([opening, said], dim=1)).logits[0]
    return found
