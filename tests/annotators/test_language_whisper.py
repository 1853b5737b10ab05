"""Laws of telling the language by Whisper; whisper's own detection on the same tiny weights is the oracle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
import whisper
from whisper.tokenizer import LANGUAGES

from annotators import _whisper, load
from annotators.language.whisper import WhisperAnnotator, _head
from annotators.transcript.whisper import WhisperAnnotator as Recogniser
from pipeline.annotator import Skip
from pipeline.clip import SAMPLE_RATE_HZ, Given, Samples
from pipeline.languages import language_code
from pipeline.models import ModelError
from pipeline.rows import Language
from tests.make import clip_of, noise, silence, tone
from tests.tiny.whisper import make, syllables

pytestmark = pytest.mark.filterwarnings(  # whisper.tokenizer never closes its vocabulary
    "ignore:Exception ignored in. <_io.FileIO name=.*tiktoken:pytest.PytestUnraisableExceptionWarning"
)

SOUNDS = [syllables(seconds, seed) for seed, seconds in enumerate((1.2, 30.0, 7.5, 3.0))]


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
def annotator(file: Path) -> WhisperAnnotator:
    return WhisperAnnotator(model=str(file), device="cpu")


def rows(annotator: WhisperAnnotator, sounds: list[Samples]) -> list[Language]:
    outcomes = annotator.annotate([clip_of(sound) for sound in sounds])
    assert all(isinstance(outcome, Language) for outcome in outcomes)
    return [outcome for outcome in outcomes if isinstance(outcome, Language)]


def test_the_language_and_its_probability_are_whispers_own(file: Path, annotator: WhisperAnnotator) -> None:
    oracle = whisper.load_model(str(file), device="cpu")
    found = rows(annotator, SOUNDS)
    for sound, row in zip(SOUNDS, found, strict=True):
        mels = whisper.log_mel_spectrogram(whisper.pad_or_trim(sound), n_mels=128)
        _, probabilities = oracle.detect_language(mels)
        code = max(probabilities, key=probabilities.__getitem__)
        assert (row.language, row.language_source) == (_whisper.iso_code(code), "whisper")
        assert row.language_confidence == pytest.approx(probabilities[code], abs=1e-5)
    assert len({row.language for row in found}) > 1


def test_a_batch_equals_its_clips_one_by_one(annotator: WhisperAnnotator) -> None:
    for together, sound in zip(rows(annotator, SOUNDS), SOUNDS, strict=True):
        (alone,) = rows(annotator, [sound])
        assert together.language == alone.language
        assert together.language_confidence == pytest.approx(alone.language_confidence, abs=1e-5)


def test_a_given_language_wins_in_any_spelling(annotator: WhisperAnnotator) -> None:
    given = [clip_of(SOUNDS[0], given=Given(language=name)) for name in ("zh-CN", "English", "unknown")]
    chinese, english, heard = annotator.annotate(given)
    assert (chinese, english) == (Language("zh", "given", None), Language("en", "given", None))
    assert heard == rows(annotator, [SOUNDS[0]])[0]


@pytest.mark.parametrize(
    "sound",
    [silence(2), silence(0), silence(40), tone(440, 2), noise(3), syllables(0.05)],
    ids=["silence", "nothing", "long silence", "tone", "noise", "0.05 s"],
)
def test_sound_without_speech_has_no_language(annotator: WhisperAnnotator, sound: Samples) -> None:
    assert annotator.annotate([clip_of(sound)]) == [Skip("No speech was found in the sound.")]


def test_a_long_clip_is_heard_from_where_speech_begins(annotator: WhisperAnnotator) -> None:
    speech = syllables(45, 2)
    late = np.concatenate([silence(60), speech])
    long, short = rows(annotator, [speech, speech[:480_000]])
    assert long.language == short.language
    head = _head(late)
    assert head is not None
    assert len(head) == 480_000
    assert 0.4 < int(np.flatnonzero(head)[0]) / SAMPLE_RATE_HZ < 0.6


def test_every_language_of_whisper_has_its_code_in_our_rows_and_comes_back() -> None:
    assert {code: _whisper.iso_code(code) for code in LANGUAGES} == {
        code: language_code(code) for code in LANGUAGES
    }
    network = _whisper._bare(whisper.model.ModelDimensions(128, 1500, 64, 2, 1, 51866, 64, 64, 2, 1))
    codes = [_whisper.whisper_code(network, _whisper.iso_code(code)) for code in LANGUAGES]
    assert codes == list(LANGUAGES)
    assert _whisper.whisper_code(network, "nb") == "no"
    assert _whisper.whisper_code(network, "eo") is None


def test_a_network_of_99_languages_does_not_know_cantonese() -> None:
    network = _whisper._bare(whisper.model.ModelDimensions(80, 1500, 64, 2, 1, 51865, 64, 64, 2, 1))
    assert _whisper.whisper_code(network, "yue") is None
    assert _whisper.whisper_code(network, "su") == "su"


def test_an_english_only_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="knows only English"):
        WhisperAnnotator.check({"model": str(make(tmp_path, n_vocab=51864))})


def test_a_truncated_checkpoint_is_one_clear_error(file: Path, tmp_path: Path) -> None:
    (tmp_path / "cut.pt").write_bytes(file.read_bytes()[:100_000])
    with pytest.raises(ModelError, match=r"cut\.pt cannot be read"):
        WhisperAnnotator.check({"model": str(tmp_path / "cut.pt")})


def test_it_shares_its_network_with_the_recogniser(file: Path, annotator: WhisperAnnotator) -> None:
    same = WhisperAnnotator(model=str(file), device="cpu")._network
    assert Recogniser(model=str(file), device="cpu")._network is same


def test_the_registry_knows_it(file: Path) -> None:
    assert load("language", "whisper") is WhisperAnnotator
    WhisperAnnotator.check({"model": str(file)})
