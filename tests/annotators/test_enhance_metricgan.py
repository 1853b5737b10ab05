"""MetricGAN+: SpeechBrain's sound, at the level it had."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from speechbrain.inference.enhancement import SpectralMaskEnhancement
from speechbrain.utils.fetching import LocalStrategy

from annotators.enhance.metricgan import MetricganAnnotator
from pipeline.clip import Clip, Given, Samples
from pipeline.models import ModelError
from pipeline.rows import Quality
from pipeline.vad import HOP_SAMPLES, speech_frames
from tests.make import buzz, clip_of, noise, silence
from tests.tiny.metricgan import make

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("metricgan"))


@pytest.fixture(scope="module")
def annotator(folder: Path) -> MetricganAnnotator:
    return MetricganAnnotator(model=str(folder))


def noisy(seconds: float, seed: int = 0) -> Samples:
    spoken = buzz(120 + 30 * seed, seconds / 3)
    between = silence((seconds - len(spoken) / 16_000) / 2)
    sound = np.concatenate([between, spoken, silence(seconds)])[: round(seconds * 16_000)]
    return sound + noise(seconds, rms=0.03, seed=seed)


def clip(sound: Samples, snr_db: float | None = 5.0, domain: str | None = None) -> Clip:
    return clip_of(sound, given=Given(domain=domain), rows=[Quality(snr_db, -30.0)])


def peaked(sound: Samples) -> Samples:
    return np.asarray(sound / np.max(np.abs(sound)), dtype=np.float32)


SOUNDS = [noisy(seconds, seed) for seed, seconds in enumerate((3, 1.2345, 2, 0.05, 6.01))]


def test_the_sound_is_that_of_the_library_but_for_its_peak(
    folder: Path, annotator: MetricganAnnotator
) -> None:
    library = SpectralMaskEnhancement.from_hparams(
        source=str(folder), savedir=str(folder), local_strategy=LocalStrategy.NO_LINK
    )
    for sound, clean in zip(SOUNDS, annotator.denoised(SOUNDS), strict=True):
        with torch.no_grad():
            expected = library.enhance_batch(torch.from_numpy(sound)[None], lengths=torch.ones(1))[0].numpy()
        assert clean.shape == sound.shape
        assert np.max(np.abs(peaked(clean) - expected)) < 1e-4
        assert np.max(np.abs(peaked(sound) - expected)) > 0.01


def test_a_clip_does_not_hear_its_neighbours(annotator: MetricganAnnotator) -> None:
    together = annotator.denoised(SOUNDS)
    for sound, clean in zip(SOUNDS, together, strict=True):
        assert np.max(np.abs(annotator.denoised([sound])[0] - clean)) < 1e-5


@pytest.mark.parametrize("loudness", [0.01, 1.0])
def test_the_speech_keeps_its_level(annotator: MetricganAnnotator, loudness: float) -> None:
    raw = (loudness * noisy(4)).astype(np.float32)
    noise_dbfs = float(20 * np.log10(0.03 * loudness))
    (heard,) = annotator.hear([clip_of(raw, rows=[Quality(5.0, noise_dbfs)])])
    assert heard.samples is not None
    spoken = np.repeat(speech_frames(raw), HOP_SAMPLES)[: len(raw)]
    power = np.mean(heard.samples[spoken] ** 2) / (np.mean(raw[spoken] ** 2) - (0.03 * loudness) ** 2)
    assert abs(10 * np.log10(power)) < 1
    assert len(heard.samples) == len(raw)


@pytest.mark.parametrize(
    ("snr_db", "domain", "is_enhanced"),
    [(5.0, None, True), (5.0, "podcast", True), (40.0, None, False), (None, None, False)]
    + [(5.0, domain, False) for domain in ("studio", "audiobook")],
)
def test_only_noisy_clips_of_open_domains_are_enhanced(
    annotator: MetricganAnnotator, snr_db: float | None, domain: str | None, is_enhanced: bool
) -> None:
    (heard,) = annotator.hear([clip(noisy(3), snr_db, domain)])
    assert heard.row.enhanced is is_enhanced
    assert (heard.samples is not None) is is_enhanced
    assert heard.row.enhance_reason


@pytest.mark.parametrize("sound", [silence(1), silence(0), noise(0.05)], ids=["silence", "empty", "short"])
def test_sound_without_speech_is_left_as_it_is(annotator: MetricganAnnotator, sound: Samples) -> None:
    rows = annotator.annotate([clip(sound), clip(noisy(3))])
    assert [row.enhanced for row in rows] == [False, True]  # type: ignore[union-attr]  # no Skip


def test_long_sound_is_enhanced_as_a_whole(annotator: MetricganAnnotator) -> None:
    (heard,) = annotator.hear([clip(noisy(40))])
    assert heard.samples is not None
    assert len(heard.samples) == 40 * 16_000


def without(key: str) -> Callable[[Path], None]:
    def spoil(file: Path) -> None:
        state = torch.load(file, weights_only=True)
        state["other"] = state.pop(key)
        torch.save(state, file)

    return spoil


def of_another_size(file: Path) -> None:
    state = torch.load(file, weights_only=True)
    torch.save({**state, "linear1.bias": torch.zeros(7)}, file)


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-10_000])


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (without("linear2.bias"), r"1 missing \(linear2.bias\) and 1 unexpected \(other\)"),
        (of_another_size, r"linear1.bias is \(7,\), not \(300,\)"),
        (cut_short, "cannot be read"),
        (Path.unlink, "lacks enhance_model.ckpt"),
    ],
    ids=["keys", "shape", "cut short", "no file"],
)
def test_a_checkpoint_that_is_not_whole_is_named_before_it_is_used(
    tmp_path: Path, spoil: Callable[[Path], object], complaint: str
) -> None:
    options = {"model": str(make(tmp_path))}
    MetricganAnnotator.check(options)
    spoil(tmp_path / "enhance_model.ckpt")
    with pytest.raises(ModelError, match=complaint):
        MetricganAnnotator.check(options)
