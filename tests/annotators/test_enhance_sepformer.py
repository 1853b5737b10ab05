"""SepFormer: SpeechBrain's sound, at the level it had, in windows where it is long."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from speechbrain.inference.separation import SepformerSeparation
from speechbrain.utils.fetching import LocalStrategy

from annotators.enhance.sepformer import SepformerAnnotator, joined, window_starts
from pipeline.clip import Clip, Given, Samples
from pipeline.models import ModelError
from pipeline.rows import Quality
from pipeline.vad import HOP_SAMPLES, speech_frames
from tests.make import buzz, clip_of, noise, silence
from tests.tiny.sepformer import make

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("sepformer"))


@pytest.fixture(scope="module")
def annotator(folder: Path) -> SepformerAnnotator:
    return SepformerAnnotator(model=str(folder), window_s=2.0)


@pytest.fixture(scope="module")
def library(folder: Path) -> SepformerSeparation:
    return SepformerSeparation.from_hparams(
        source=str(folder), savedir=str(folder), local_strategy=LocalStrategy.NO_LINK
    )


def noisy(seconds: float, seed: int = 0) -> Samples:
    spoken = buzz(120 + 30 * seed, seconds / 3)
    between = silence((seconds - len(spoken) / 16_000) / 2)
    sound = np.concatenate([between, spoken, silence(seconds)])[: round(seconds * 16_000)]
    return sound + noise(seconds, rms=0.03, seed=seed)


def clip(sound: Samples, snr_db: float | None = 5.0, domain: str | None = None) -> Clip:
    return clip_of(sound, given=Given(domain=domain), rows=[Quality(snr_db, -30.0)])


def expected(library: SepformerSeparation, sound: Samples) -> Samples:
    with torch.no_grad():
        return np.asarray(library.separate_batch(torch.from_numpy(sound)[None])[0, :, 0])


def same(one: Samples, other: Samples) -> bool:
    """Within 1e-4 of the peak."""
    return one.shape == other.shape and bool(np.max(np.abs(one - other)) < 1e-4 * np.max(np.abs(other)))


@pytest.mark.parametrize("n_samples", [16, 800, 16_000, 16_007, 32_000])
def test_the_sound_of_a_window_is_that_of_the_library(
    annotator: SepformerAnnotator, library: SepformerSeparation, n_samples: int
) -> None:
    sound = noisy(3)[:n_samples]
    (clean,) = annotator.denoised([sound])
    assert same(clean, expected(library, sound))
    assert np.any(clean)


def test_longer_sound_is_that_of_its_windows_faded_into_each_other(
    annotator: SepformerAnnotator, library: SepformerSeparation
) -> None:
    sound = noisy(4.3)
    starts = window_starts(len(sound), 32_000)
    windows = [expected(library, sound[start : start + 32_000]) for start in starts]
    (clean,) = annotator.denoised([sound])
    assert same(clean, joined(windows, starts, len(sound)))
    assert same(clean[: starts[1]], windows[0][: starts[1]])


def test_a_clip_does_not_hear_its_neighbours(annotator: SepformerAnnotator) -> None:
    sounds = [noisy(seconds, seed) for seed, seconds in enumerate((1, 2.6, 0.6, 1, 3.1))]
    for sound, clean in zip(sounds, annotator.denoised(sounds), strict=True):
        assert same(clean, annotator.denoised([sound])[0])


@given(st.integers(1, 500_000), st.integers(48_000, 200_000))
def test_windows_cover_the_sound_and_overlap_by_a_second(n_samples: int, window: int) -> None:
    starts = window_starts(n_samples, window)
    assert starts[0] == 0
    assert starts[-1] == max(0, n_samples - window)
    assert all(after - before <= window - 16_000 for before, after in pairwise(starts))
    assert (len(starts) == 1) == (n_samples <= window)


@given(st.integers(1, 300_000), st.integers(48_000, 100_000))
def test_windows_of_a_sound_join_to_that_sound(n_samples: int, window: int) -> None:
    sound = noise(n_samples / 16_000)
    starts = window_starts(n_samples, window)
    whole = joined([sound[start : start + window] for start in starts], starts, n_samples)
    assert np.allclose(whole, sound, atol=1e-6)


@pytest.mark.parametrize("loudness", [0.01, 1.0])
def test_the_speech_keeps_its_level(annotator: SepformerAnnotator, loudness: float) -> None:
    raw = (loudness * noisy(2)).astype(np.float32)
    noise_dbfs = float(20 * np.log10(0.03 * loudness))
    (heard,) = annotator.hear([clip_of(raw, rows=[Quality(5.0, noise_dbfs)])])
    assert heard.samples is not None
    spoken = np.repeat(speech_frames(raw), HOP_SAMPLES)[: len(raw)]
    power = np.mean(heard.samples[spoken] ** 2) / (np.mean(raw[spoken] ** 2) - (0.03 * loudness) ** 2)
    assert abs(10 * np.log10(power)) < 1
    assert len(heard.samples) == len(raw)


@pytest.mark.parametrize(
    ("snr_db", "domain", "is_enhanced"),
    [(5.0, None, True), (40.0, None, False), (None, None, False), (5.0, "studio", False)],
)
def test_only_noisy_clips_of_open_domains_are_enhanced(
    annotator: SepformerAnnotator, snr_db: float | None, domain: str | None, is_enhanced: bool
) -> None:
    (heard,) = annotator.hear([clip(noisy(2), snr_db, domain)])
    assert heard.row.enhanced is is_enhanced
    assert (heard.samples is not None) is is_enhanced


@pytest.mark.parametrize("sound", [silence(1), silence(0), noise(0.05)], ids=["silence", "empty", "short"])
def test_sound_without_speech_is_left_as_it_is(annotator: SepformerAnnotator, sound: Samples) -> None:
    (heard,) = annotator.hear([clip(sound)])
    assert not heard.row.enhanced
    assert heard.samples is None


def without_a_layer(folder: Path) -> None:
    file = folder / "masknet.ckpt"
    state = torch.load(file, weights_only=True)
    torch.save({k: v for k, v in state.items() if "inter_mdl.mdl.layers.0.norm1" not in k}, file)


def of_another_size(folder: Path) -> None:
    torch.save({"conv1d.weight": torch.zeros(16, 1, 20)}, folder / "encoder.ckpt")


def cut_short(folder: Path) -> None:
    file = folder / "masknet.ckpt"
    file.write_bytes(file.read_bytes()[:-10_000])


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (
            without_a_layer,
            r"masknet.ckpt\) does not fit: keys 4 missing \(dual_mdl.0.inter_mdl.mdl.layers.0.n",
        ),
        (of_another_size, r"encoder.ckpt\) does not fit: conv1d.weight is \(16, 1, 20\), not \(16, 1, 16\)"),
        (cut_short, "cannot be read"),
        (lambda folder: (folder / "decoder.ckpt").unlink(), "lacks decoder.ckpt"),
        (lambda folder: torch.save({"x": torch.zeros(1)}, folder / "masknet.ckpt"), "lacks conv1d.weight"),
    ],
    ids=["keys", "shape", "cut short", "no file", "other model"],
)
def test_a_checkpoint_that_is_not_whole_is_named_before_it_is_used(
    tmp_path: Path, spoil: Callable[[Path], object], complaint: str
) -> None:
    options = {"model": str(make(tmp_path))}
    SepformerAnnotator.check(options)
    spoil(tmp_path)
    with pytest.raises(ModelError, match=complaint):
        SepformerAnnotator.check(options)


def test_the_table_of_sines_need_not_be_stored(tmp_path: Path) -> None:
    make(tmp_path)
    state = torch.load(tmp_path / "masknet.ckpt", weights_only=True)
    torch.save({k: v for k, v in state.items() if not k.endswith("pos_enc.pe")}, tmp_path / "masknet.ckpt")
    SepformerAnnotator.check({"model": str(tmp_path)})
