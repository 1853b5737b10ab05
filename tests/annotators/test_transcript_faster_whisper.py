"""Whisper in CTranslate2: what the library hears, for every clip alone or among others."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from faster_whisper import BatchedInferencePipeline, WhisperModel

from annotators.transcript import _whisper_fallback
from annotators.transcript._ctranslate2 import tensors
from annotators.transcript.faster_whisper import FasterWhisperAnnotator
from pipeline.annotator import Skip
from pipeline.clip import SAMPLE_RATE_HZ, Clip, Given, Samples
from pipeline.models import ModelError
from pipeline.rows import Language, Transcript
from tests.make import buzz, clip_of, noise, silence, tone
from tests.tiny.faster_whisper import make

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning"),  # SWIG types in a dependency
]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("whisper"))


@pytest.fixture(scope="module")
def annotator(folder: Path) -> FasterWhisperAnnotator:
    return FasterWhisperAnnotator(model=str(folder))


@pytest.fixture(scope="module")
def first_attempt_only(folder: Path) -> FasterWhisperAnnotator:
    return FasterWhisperAnnotator(model=str(folder), fallback=False)


def speech(seconds: float, seed: int = 0) -> Samples:
    """Syllables of a voice of changing pitch and level, in a quiet room."""
    rng = np.random.default_rng(seed)
    parts: list[Samples] = []
    while sum(map(len, parts)) < seconds * SAMPLE_RATE_HZ:
        syllable = buzz(rng.uniform(90, 250), rng.uniform(0.15, 0.3), peak=rng.uniform(0.1, 0.6))
        parts += [syllable * np.hanning(len(syllable)).astype(np.float32), silence(rng.uniform(0.05, 0.3))]
    sound = np.concatenate(parts)[: round(seconds * SAMPLE_RATE_HZ)]
    return np.asarray(sound + noise(seconds, rms=0.001, seed=seed), dtype=np.float32)


def clip(sound: Samples, language: str | None = "en", text: str | None = None) -> Clip:
    rows = [] if language is None else [Language(language, "given", None)]
    return clip_of(sound, given=Given(text=text), rows=rows)


def transcript(annotator: FasterWhisperAnnotator, *clips: Clip) -> list[Transcript]:
    outcomes = annotator.annotate(clips)
    assert all(isinstance(outcome, Transcript) for outcome in outcomes)
    return [outcome for outcome in outcomes if isinstance(outcome, Transcript)]


def close(one: Transcript, other: Transcript) -> bool:
    same = (one.transcript, one.transcript_verbatim) == (other.transcript, other.transcript_verbatim)
    return same and measures(one) == pytest.approx(measures(other), abs=1e-4)


def measures(row: Transcript) -> list[float | None]:
    return [row.avg_logprob, row.no_speech_prob, row.compression_ratio, row.transcript_confidence]


def test_the_words_and_their_measures_are_those_of_the_library(
    folder: Path, first_attempt_only: FasterWhisperAnnotator
) -> None:
    sounds = [speech(seconds, seed) for seed, seconds in enumerate((2, 11, 5))]
    ends = np.cumsum([len(sound) / SAMPLE_RATE_HZ for sound in sounds])
    spans = [
        {"start": end - len(s) / SAMPLE_RATE_HZ, "end": end} for s, end in zip(sounds, ends, strict=True)
    ]
    library = BatchedInferencePipeline(WhisperModel(str(folder), device="cpu", compute_type="float32"))
    segments, _ = library.transcribe(
        np.concatenate(sounds),
        language="de",
        clip_timestamps=spans,
        batch_size=3,
        beam_size=1,
        temperature=0.0,
    )
    rows = transcript(first_attempt_only, *(clip(sound, "de") for sound in sounds))
    for row, segment in zip(rows, segments, strict=True):
        assert row.transcript_verbatim == segment.text.strip()
        assert row.avg_logprob == pytest.approx(segment.avg_logprob, abs=1e-4)
        assert row.no_speech_prob == pytest.approx(segment.no_speech_prob, abs=1e-4)
        assert row.compression_ratio == pytest.approx(segment.compression_ratio, abs=0.05)
        assert row.transcript_source == "faster_whisper"
    assert len({row.transcript for row in rows}) == 3


def test_a_clip_is_heard_alone_as_among_others(annotator: FasterWhisperAnnotator) -> None:
    codes = ("en", None, "zh", "en", None)
    clips = [
        clip(speech(s, i), code) for i, (s, code) in enumerate(zip((1, 3, 8, 20, 40), codes, strict=True))
    ]
    together = transcript(annotator, *clips)
    assert all(close(row, transcript(annotator, c)[0]) for row, c in zip(together, clips, strict=True))
    assert len({row.transcript for row in together}) == len(clips)


def test_the_language_of_the_clip_is_the_one_written(annotator: FasterWhisperAnnotator) -> None:
    sound = speech(3)
    english, chinese = transcript(annotator, clip(sound, "en"), clip(sound, "zh"))
    assert english.transcript != chinese.transcript


def test_a_language_nobody_knows_is_detected_as_the_library_does(
    folder: Path, annotator: FasterWhisperAnnotator
) -> None:
    sound = speech(4, seed=3)
    code, _, _ = WhisperModel(str(folder), device="cpu", compute_type="float32").detect_language(sound)
    expected = transcript(annotator, clip(sound, code))
    assert transcript(annotator, clip(sound, None)) == expected
    unknown = clip_of(sound, rows=[Language(None, None, None)])
    assert transcript(annotator, unknown) == expected


@pytest.mark.parametrize("code", ["fil", "jv", "nb", "he", "yue"])
def test_every_spelling_of_a_language_whisper_knows_is_served(
    annotator: FasterWhisperAnnotator, code: str
) -> None:
    transcript(annotator, clip(speech(1), code))


def test_a_language_whisper_was_not_taught_is_detected(annotator: FasterWhisperAnnotator) -> None:
    sound = speech(1)
    assert transcript(annotator, clip(sound, "gn")) == transcript(annotator, clip(sound, None))


def test_given_text_needs_no_sound(annotator: FasterWhisperAnnotator) -> None:
    given = clip_of(given=Given(text="HELLO THERE"))
    rows = annotator.annotate([given, clip(speech(2)), given])
    assert rows[0] == rows[2] == Transcript("Hello there", "HELLO THERE", "given", None)
    assert isinstance(rows[1], Transcript)


@pytest.mark.parametrize(
    "sound",
    [silence(2), silence(0), noise(0.05), noise(40), tone(250, 2)],
    ids=["silence", "empty", "short", "long noise", "tone"],
)
def test_no_words_are_heard_where_nobody_speaks(annotator: FasterWhisperAnnotator, sound: Samples) -> None:
    assert annotator.annotate([clip(sound)]) == [Skip("No speech was found in the sound.")]


def test_text_that_whisper_takes_for_silence_is_none(
    annotator: FasterWhisperAnnotator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_whisper_fallback, "_DOUBTS_BELOW", 0.0)
    monkeypatch.setattr(_whisper_fallback, "_SILENT_ABOVE", 0.0)
    assert annotator.annotate([clip(speech(2))]) == [Skip("No speech was recognised.")]


def test_improbable_text_is_decoded_anew_and_the_most_probable_kept(
    annotator: FasterWhisperAnnotator,
    first_attempt_only: FasterWhisperAnnotator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clips = [clip(speech(seconds, seed)) for seed, seconds in enumerate((2, 4, 6))]
    once = transcript(first_attempt_only, *clips)
    monkeypatch.setattr(_whisper_fallback, "_DOUBTS_BELOW", -1e-6)
    best = transcript(annotator, *clips)
    gains = np.array([b.avg_logprob for b in best], float) - np.array([o.avg_logprob for o in once], float)
    assert gains.min() > -1e-4
    assert gains.max() > 1e-3
    assert close(best[1], transcript(annotator, clips[1])[0])


def test_the_tensors_are_those_of_the_published_whisper(folder: Path) -> None:
    FasterWhisperAnnotator.check({"model": str(folder)})
    found = tensors(folder / "model.bin")
    assert found["encoder/conv1/weight"] == (64, 128, 3)
    assert found["decoder/projection/weight"] == (51866, 64)
    assert len(found) == 2 * 12 + 4 * 20 + 2 * 2 + 8  # layers, last norms, embeddings and convolutions


def broken(source: Path, target: Path, spoil: Callable[[Path], object]) -> Path:
    shutil.copytree(source, target)
    spoil(target)
    return target


def cut_short(folder: Path) -> None:
    file = folder / "model.bin"
    file.write_bytes(file.read_bytes()[:-70_000])


def of_80_bands(folder: Path) -> None:
    (folder / "preprocessor_config.json").write_text(json.dumps({"feature_size": 80}))


def renamed(folder: Path) -> None:
    file = folder / "model.bin"
    file.write_bytes(file.read_bytes().replace(b"encoder/conv1/bias", b"encoder/conv9/bias"))


def fewer_words(folder: Path) -> None:
    file = folder / "vocabulary.json"
    file.write_text(json.dumps(json.loads(file.read_text())[:-1]))


def other_numbers(folder: Path) -> None:
    file = folder / "tokenizer.json"
    file.write_text(file.read_text().replace("<|notimestamps|>", "<|other|>"))


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (cut_short, "cut short"),
        (renamed, r"1 missing \(encoder/conv1/bias\) and 1 unexpected \(encoder/conv9/bias\)"),
        (of_80_bands, "hears 128 mel bands; .* 80"),
        (fewer_words, "51866 tokens; its vocabulary.json names 51865"),
        (other_numbers, "belongs to another Whisper"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "lacks tokenizer.json"),
        (lambda folder: (folder / "model.bin").write_bytes(b"PK\3\4" * 100), "no CTranslate2 model"),
    ],
    ids=["cut short", "renamed", "bands", "vocabulary", "tokenizer", "no file", "other file"],
)
def test_a_model_that_is_not_whole_is_named_before_it_is_loaded(
    folder: Path, tmp_path: Path, spoil: Callable[[Path], object], complaint: str
) -> None:
    with pytest.raises(ModelError, match=complaint):
        FasterWhisperAnnotator.check({"model": str(broken(folder, tmp_path / "model", spoil))})


def test_a_gpu_that_is_not_there_is_said_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("annotators.transcript.faster_whisper.get_cuda_device_count", lambda: 0)
    with pytest.raises(ModelError, match="device=cuda"):
        FasterWhisperAnnotator(model=str(folder), device="cuda")
