"""Laws of recognition by Whisper; whisper's own decoding of the same tiny weights is the oracle."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
import whisper

from annotators import _whisper, load
from annotators.transcript import _whisper_decode
from annotators.transcript._whisper_decode import decode, drawn_by
from annotators.transcript._whisper_fallback import TEMPERATURES, Attempt
from annotators.transcript._whisper_windows import windows
from annotators.transcript.whisper import WhisperAnnotator
from pipeline.annotator import Skip
from pipeline.clip import Clip, Given, Samples
from pipeline.rows import Language, Transcript
from tests.make import clip_of, noise, silence, tone
from tests.tiny.whisper import make, syllables

pytestmark = pytest.mark.filterwarnings(  # whisper.tokenizer never closes its vocabulary
    "ignore:Exception ignored in. <_io.FileIO name=.*tiktoken:pytest.PytestUnraisableExceptionWarning"
)

SOUNDS = [syllables(seconds, seed) for seed, seconds in enumerate((1.2, 30.0, 7.5))]


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("whisper"))


@pytest.fixture(scope="module")
def oracle(file: Path) -> whisper.model.Whisper:
    return whisper.load_model(str(file), device="cpu")


@pytest.fixture(scope="module")
def greedy(file: Path) -> WhisperAnnotator:
    return WhisperAnnotator(model=str(file), device="cpu", temperatures=(0.0,))


@pytest.fixture(scope="module")
def features(greedy: WhisperAnnotator) -> torch.Tensor:
    with torch.inference_mode():
        return _whisper.encoded(greedy._network, [_whisper.log_mels(sound, 128) for sound in SOUNDS])


def in_language(code: str | None) -> Language:
    return Language(code, "given", None)


def transcripts(outcomes: Sequence[object]) -> list[Transcript]:
    assert all(isinstance(outcome, Transcript) for outcome in outcomes)
    return [outcome for outcome in outcomes if isinstance(outcome, Transcript)]


def attempt(
    text: str = "a b",
    avg_logprob: float = -0.5,
    no_speech_prob: float = 0.0,
    compression_ratio: float = 1.0,
    temperature: float = 0.0,
    n_tokens: int = 3,
) -> Attempt:
    return Attempt(text, (0,) * n_tokens, avg_logprob, no_speech_prob, compression_ratio, temperature)


def test_greedy_decoding_is_whispers_own_token_for_token(
    greedy: WhisperAnnotator, oracle: whisper.model.Whisper
) -> None:
    clips = [clip_of(sound, id=str(i)) for i, sound in enumerate(SOUNDS)]
    for sound, row in zip(SOUNDS, transcripts(greedy.annotate(clips)), strict=True):
        mels = whisper.log_mel_spectrogram(whisper.pad_or_trim(sound), n_mels=128)
        one = oracle.decode(mels, whisper.DecodingOptions(without_timestamps=True, fp16=False))
        assert row.transcript_verbatim == one.text
        assert row.avg_logprob == pytest.approx(one.avg_logprob, abs=1e-5)
        assert row.no_speech_prob == pytest.approx(one.no_speech_prob, rel=1e-3)
        assert row.compression_ratio == one.compression_ratio
        assert row.transcript_confidence == pytest.approx(math.exp(one.avg_logprob), abs=1e-5)
        assert row.transcript_source == "whisper"


def test_tokens_are_whispers_own_in_every_language_of_a_mixed_batch(
    greedy: WhisperAnnotator, features: torch.Tensor, oracle: whisper.model.Whisper
) -> None:
    languages = ["zh", "en", "yue"]
    with torch.inference_mode():
        ours = decode(greedy._network, features, languages, ["a", "b", "c"], (0.0,))
    for mine, sound, language in zip(ours, SOUNDS, languages, strict=True):
        options = whisper.DecodingOptions(language=language, without_timestamps=True, fp16=False)
        assert list(mine.tokens) == oracle.decode(_whisper.log_mels(sound, 128), options).tokens


def test_a_full_window_is_what_transcribe_gives(
    greedy: WhisperAnnotator, oracle: whisper.model.Whisper
) -> None:
    whole = oracle.transcribe(
        SOUNDS[1], temperature=0.0, without_timestamps=True, condition_on_previous_text=False, fp16=False
    )
    (row,) = transcripts(greedy.annotate([clip_of(SOUNDS[1])]))
    assert row.transcript_verbatim == whole["text"].strip()
    assert row.avg_logprob == pytest.approx(whole["segments"][0]["avg_logprob"], abs=1e-3)


def test_a_batch_equals_its_clips_one_by_one_also_where_text_is_drawn(file: Path) -> None:
    annotator = WhisperAnnotator(model=str(file), device="cpu", temperatures=(0.0, 0.4))
    clips = [
        clip_of(syllables(1.5, 3), id="a"),
        clip_of(syllables(31, 1), id="b", rows=[in_language("zh")]),
        clip_of(silence(1), id="c"),
        clip_of(syllables(4, 5), id="d", rows=[in_language(None)]),
    ]
    for together, clip in zip(annotator.annotate(clips), clips, strict=True):
        (alone,) = annotator.annotate([clip])
        assert type(together) is type(alone)
        if isinstance(together, Transcript) and isinstance(alone, Transcript):
            assert together.transcript_verbatim == alone.transcript_verbatim
            assert together.avg_logprob == pytest.approx(alone.avg_logprob, abs=1e-5)


def heard_as(greedy: WhisperAnnotator, *rows: Language) -> str:
    (row,) = transcripts(greedy.annotate([clip_of(SOUNDS[0], rows=rows)]))
    return row.transcript_verbatim


def test_the_language_of_the_clip_is_whispers_where_it_knows_it(
    greedy: WhisperAnnotator, oracle: whisper.model.Whisper
) -> None:
    def reference(language: str | None) -> str:
        options = whisper.DecodingOptions(language=language, without_timestamps=True, fp16=False)
        text: str = oracle.decode(_whisper.log_mels(SOUNDS[0], 128), options).text
        return text

    assert reference("de") != reference(None) != reference("jw")
    assert heard_as(greedy, in_language("de")) == reference("de")
    assert heard_as(greedy, in_language("jv")) == reference("jw")
    assert heard_as(greedy) == heard_as(greedy, in_language(None)) == reference(None)
    assert heard_as(greedy, in_language("eo")) == reference(None)


def test_an_english_only_model_hears_english_and_skips_the_rest(tmp_path: Path) -> None:
    annotator = WhisperAnnotator(model=str(make(tmp_path, n_vocab=51864, n_mels=80)), device="cpu")
    annotator._temperatures = (0.0,)
    clips = [clip_of(SOUNDS[0], rows=[in_language(code)]) for code in ("en", None, "zh")]
    english, unknown, chinese = annotator.annotate(clips)
    assert isinstance(english, Transcript)
    assert english == unknown
    assert chinese == Skip("The model knows only English, not zh.")


def test_given_text_wins_and_text_without_a_word_does_not(greedy: WhisperAnnotator) -> None:
    spoken = clip_of(SOUNDS[0], given=Given(text="As given."))
    assert greedy.annotate([spoken]) == [Transcript("As given.", "As given.", "given", None)]
    (row,) = transcripts(greedy.annotate([clip_of(SOUNDS[0], given=Given(text="..."))]))
    assert row.transcript_source == "whisper"


@pytest.mark.parametrize(
    "sound",
    [silence(2), silence(0), silence(40), tone(440, 2), noise(3), syllables(0.05)],
    ids=["silence", "nothing", "long silence", "tone", "noise", "0.05 s"],
)
def test_sound_without_speech_is_never_decoded(greedy: WhisperAnnotator, sound: Samples) -> None:
    batch = greedy.prepare([clip_of(sound)])
    assert batch.windows == []
    assert greedy.infer([clip_of(sound)], batch) == [Skip("No speech was found in the sound.")]


def test_a_clip_in_which_whisper_hears_nobody_is_skipped(
    greedy: WhisperAnnotator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(*_: object) -> list[Attempt]:
        return [attempt("Thank you.", avg_logprob=-1.5, no_speech_prob=0.9)]

    monkeypatch.setattr("annotators.transcript.whisper.decode", nobody)
    assert greedy.annotate([clip_of(SOUNDS[0])]) == [Skip("No speech was recognised.")]


def test_only_windows_that_do_not_stand_are_decoded_again(
    greedy: WhisperAnnotator, features: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[tuple[float, list[str]]] = []

    class Scripted:
        def __init__(self, _: object, temperature: float, languages: list[str], seeds: list[str]) -> None:
            decoded.append((temperature, seeds))
            self._found = [
                attempt(avg_logprob=-0.5 if float(seed) <= temperature else -2.0, temperature=temperature)
                for seed in seeds
            ]

        def run(self, features: torch.Tensor) -> list[Attempt]:
            assert len(features) == len(self._found)
            return self._found

    monkeypatch.setattr(_whisper_decode, "_Task", Scripted)
    found = decode(greedy._network, features, ["en"] * 3, ["0.4", "0", "9"], TEMPERATURES)
    assert [window.temperature for window in found] == [0.4, 0.0, 0.0]
    assert decoded == [
        (0.0, ["0.4", "0", "9"]), (0.2, ["0.4", "9"]), (0.4, ["0.4", "9"]), (0.6, ["9"]), (0.8, ["9"]),
        (1.0, ["9"]),
    ]  # fmt: skip


def test_what_is_drawn_depends_on_the_seed_alone(greedy: WhisperAnnotator, features: torch.Tensor) -> None:
    def drawn(order: list[int], seeds: str) -> list[Attempt]:
        with torch.inference_mode():
            return decode(greedy._network, features[order], ["en"] * len(order), list(seeds), (0.8,))

    first, second = drawn([0, 1], "ab"), drawn([1, 0], "ba")
    assert [a.tokens for a in first] == [a.tokens for a in reversed(second)]
    assert first[0].tokens == drawn([0], "a")[0].tokens != drawn([0], "c")[0].tokens


def test_tokens_are_drawn_as_often_as_they_are_likely() -> None:
    shares = torch.tensor([0.0, 0.5, 0.0, 0.2, 0.3, 0.0], dtype=torch.float64)
    chances = (torch.arange(1000, dtype=torch.float64)) / 1000
    drawn = drawn_by(shares.expand(1000, -1), chances)
    assert torch.bincount(drawn, minlength=6).tolist() == pytest.approx([0, 500, 0, 200, 300, 0], abs=1)


def test_a_long_clip_is_its_windows_joined(greedy: WhisperAnnotator) -> None:
    long = np.concatenate([syllables(24, 1), silence(3), syllables(18, 4), silence(1)])
    pieces = windows(long)
    assert [(s.start // 16000, s.stop // 16000) for s in pieces] == [(0, 25), (26, 46)]
    (whole,) = transcripts(greedy.annotate([clip_of(long, rows=[in_language("en")])]))
    parts = transcripts(greedy.annotate([clip_of(long[piece], rows=[in_language("en")]) for piece in pieces]))
    assert whole.transcript_verbatim == " ".join(part.transcript_verbatim for part in parts)
    assert whole.no_speech_prob == pytest.approx(max(part.no_speech_prob or 0 for part in parts), rel=1e-3)


def test_a_long_clip_is_in_one_language_that_of_its_first_window(
    greedy: WhisperAnnotator, oracle: whisper.model.Whisper
) -> None:
    long = np.concatenate([syllables(24, 6), silence(3), syllables(18, 1)])
    first = windows(long)[0]
    _, probabilities = oracle.detect_language(_whisper.log_mels(long[first], 128))
    found = max(probabilities, key=probabilities.__getitem__)
    detected = greedy.annotate([clip_of(long)])
    assert detected == greedy.annotate([clip_of(long, rows=[in_language(_whisper.iso_code(found))])])


def test_the_registry_knows_it() -> None:
    assert load("transcript", "whisper") is WhisperAnnotator
    clip: Clip = clip_of(SOUNDS[0], given=Given(text="Given."))
    assert WhisperAnnotator.from_given(clip) == Transcript("Given.", "Given.", "given", None)
