"""The demonstration clips are what their recipes promise."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
import yaml

with warnings.catch_warnings():  # pyworld 0.3.5 imports pkg_resources, which warns that it is old
    warnings.simplefilter("ignore")
    import pyworld

EXAMPLES = Path(__file__).parents[2] / "examples"
CLIPS = EXAMPLES / "clips"
MANIFEST = {
    row["id"]: row for row in map(json.loads, (CLIPS / "manifest.jsonl").read_text("utf-8").splitlines())
}
RECIPES = yaml.safe_load((EXAMPLES / "recipes.yaml").read_text("utf-8"))["clips"]
SPEECH_DB = 30.0  # a frame is speech if it lies within this of the loudest one

Wave = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sound:
    channels: Wave  # [n_channels, n_samples]
    rate_hz: int
    codec: str

    @property
    def mono(self) -> Wave:
        return np.asarray(self.channels.mean(axis=0))

    @property
    def seconds(self) -> float:
        return float(self.channels.shape[1] / self.rate_hz)


@cache
def sound(id: str) -> Sound:
    with av.open(str(CLIPS / MANIFEST[id]["audio"])) as container:
        stream = container.streams.audio[0]
        planar = av.AudioResampler(format="fltp")
        frames = [out.to_ndarray() for frame in container.decode(stream) for out in planar.resample(frame)]
        return Sound(np.concatenate(frames, axis=1).astype(float), stream.rate, stream.codec_context.name)


def frame_power(wave: Wave, rate_hz: int) -> Wave:
    size = rate_hz // 50
    return np.asarray(np.mean(wave[: wave.size // size * size].reshape(-1, size) ** 2, axis=1))


def speech_frames(wave: Wave, rate_hz: int) -> npt.NDArray[np.bool_]:
    power = frame_power(wave, rate_hz)
    return np.asarray(power > power.max() * 10 ** (-SPEECH_DB / 10))


def level_db(id: str) -> float:
    s = sound(id)
    power = frame_power(s.mono, s.rate_hz)
    return float(10 * np.log10(power[speech_frames(s.mono, s.rate_hz)].mean()))


@cache
def f0(id: str) -> Wave:
    s = sound(id)
    contour, times_s = pyworld.dio(s.mono, s.rate_hz, f0_floor=60, f0_ceil=500, allowed_range=0.05)
    return np.asarray(pyworld.stonemask(s.mono, contour, times_s, s.rate_hz))


def f0_median_hz(id: str) -> float:
    return float(np.median(f0(id)[f0(id) > 0]))


def symbols_per_s(id: str) -> float:
    """Letters or Chinese characters per second of the clip's speech."""
    s = sound(id)
    spoken_s = np.count_nonzero(speech_frames(s.mono, s.rate_hz)) * 0.02
    return sum(map(str.isalpha, RECIPES[id]["text"])) / spoken_s


def test_every_recipe_has_one_line_and_every_line_one_file() -> None:
    assert list(MANIFEST) == list(RECIPES)
    files = sorted(file.name for file in CLIPS.iterdir() if file.name != "manifest.jsonl")
    assert files == sorted(row["audio"] for row in MANIFEST.values())


@pytest.mark.parametrize("id", MANIFEST)
def test_every_clip_decodes_to_a_few_seconds_of_sound(id: str) -> None:
    assert 3 <= sound(id).seconds <= 9
    assert np.isfinite(sound(id).channels).all()
    assert speech_frames(sound(id).mono, sound(id).rate_hz).mean() > 0.3


def test_the_corpus_is_two_to_three_minutes_in_less_than_4_mb() -> None:
    assert 120 <= sum(sound(id).seconds for id in MANIFEST) <= 180
    assert sum(file.stat().st_size for file in CLIPS.iterdir()) < 4_000_000


@pytest.mark.parametrize(
    ("suffix", "codec", "rate_hz", "channels"),
    [
        (".wav", "pcm_mulaw", 8_000, 1),
        (".wav", "pcm_s16le", 8_000, 1),
        (".wav", "pcm_s16le", 16_000, 1),
        (".wav", "pcm_s16le", 44_100, 1),
        (".wav", "pcm_s16le", 48_000, 1),
        (".wav", "pcm_s24le", 24_000, 1),
        (".wav", "pcm_f32le", 16_000, 1),
        (".flac", "flac", 16_000, 1),
        (".flac", "flac", 32_000, 2),
        (".mp3", "mp3float", 44_100, 1),
        (".ogg", "vorbis", 32_000, 1),
        (".opus", "opus", 48_000, 1),
        (".m4a", "aac", 44_100, 1),
    ],
)
def test_there_is_a_clip_in(suffix: str, codec: str, rate_hz: int, channels: int) -> None:
    kinds = {
        (Path(row["audio"]).suffix, sound(id).codec, sound(id).rate_hz, len(sound(id).channels))
        for id, row in MANIFEST.items()
    }
    assert (suffix, codec, rate_hz, channels) in kinds


def test_both_languages_have_both_genders() -> None:
    found = {(row.get("language", "zh"), row.get("gender")) for row in MANIFEST.values()}
    assert found >= {("en", "female"), ("en", "male"), ("zh", "female"), ("zh", "male")}


def test_only_english_clips_lack_a_text() -> None:
    without = [row for row in MANIFEST.values() if "text" not in row]
    assert len(without) >= 6
    assert {row["language"] for row in without} == {"en"}


def test_every_line_says_licence_and_source() -> None:
    assert all(row["licence"] == "CC0-1.0" and row["source"] for row in MANIFEST.values())


@pytest.mark.parametrize("id", [id for id, recipe in RECIPES.items() if "noise" in recipe])
def test_noise_lies_over_its_clean_twin_at_the_promised_snr(id: str) -> None:
    clean, noisy = sound(RECIPES[id]["as"]), sound(id)
    speech = speech_frames(clean.mono, clean.rate_hz)
    noise_power = np.mean((noisy.mono - clean.mono) ** 2)
    snr_db = 10 * np.log10(frame_power(clean.mono, clean.rate_hz)[speech].mean() / noise_power)
    assert snr_db == pytest.approx(RECIPES[id]["noise"]["snr_db"], abs=0.3)


def test_only_the_clipped_clip_is_clipped() -> None:
    at_full_scale = {id: np.mean(np.abs(sound(id).channels) > 0.9999) for id in MANIFEST}
    assert at_full_scale.pop("match-clipped") > 0.01
    assert set(at_full_scale.values()) == {0}


def test_the_two_channels_differ() -> None:
    left, right = sound("station").channels
    assert np.std(left - right) > 0.1 * np.std(left)


@pytest.mark.parametrize(
    ("louder", "quieter"), [("match", "forecast"), ("forecast", "asleep"), ("zh-match", "zh-neighbour")]
)
def test_louder_is_louder(louder: str, quieter: str) -> None:
    assert level_db(louder) - level_db(quieter) > 10


@pytest.mark.parametrize(("faster", "slower"), [("news", "bedtime"), ("zh-station", "zh-story")])
def test_faster_is_faster(faster: str, slower: str) -> None:
    assert symbols_per_s(faster) > 1.4 * symbols_per_s(slower)


@pytest.mark.parametrize(
    ("higher", "lower"), [("bicycle", "bedtime"), ("recipe", "letter"), ("zh-match", "zh-library")]
)
def test_higher_is_higher(higher: str, lower: str) -> None:
    """The same gender on both sides."""
    assert f0_median_hz(higher) > 1.2 * f0_median_hz(lower)


def test_the_stress_falls_on_another_word_in_each_reading() -> None:
    """`red` is near the middle of the sentence, `brother` at its end."""
    middle, end = slice(1400, 2000), slice(2600, 2950)  # ms, where each is stressed
    for id, stressed, unstressed in (("red-book", middle, end), ("brother", end, middle)):
        assert _median_f0(id, stressed) > 1.25 * _median_f0(id, unstressed)


def _median_f0(id: str, span_ms: slice) -> float:
    part = f0(id)[span_ms.start // 5 : span_ms.stop // 5]  # one value every 5 ms
    return float(np.median(part[part > 0]))


def test_the_readme_lists_every_clip() -> None:
    readme = (EXAMPLES / "README.md").read_text("utf-8")
    assert [row["audio"] for row in MANIFEST.values() if f"| `{row['audio']}` |" not in readme] == []
