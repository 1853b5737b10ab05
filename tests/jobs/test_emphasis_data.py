"""One word is moved as asked and no other; what is made is a run, and a dataset others can load."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from annotators.emphasis._units import Unit, units
from jobs.train.emphasis_data.keywords import keywords
from jobs.train.emphasis_data.known import f0_of
from jobs.train.emphasis_data.moved import measured
from jobs.train.emphasis_data.variants import id_of, parted, variant
from jobs.train.emphasis_data.world import HOP_S, Stress, analyse, stressed, timing
from pipeline.rows import Word
from tests.command import example, sidecars, speechcraft, write_manifest
from tests.make import buzz

RATE = 16_000
JOB = (
    "annotators: {sound: decode, language: script, transcript: pocketsphinx, words: pocketsphinx, "
    "pitch: dio, speaker: given}\n"
)
SPANS = [(0.1, 0.5), (0.5, 0.9), (0.9, 1.3)]
WORD = SPANS[1]
STRESS = Stress(pitch=1.25, amplitude=1.5, duration=1.4)


def spoken_units(text: str, language: str, seconds: float = 0.3) -> tuple[Unit, ...]:
    tokens = text.split() if language == "en" else list(text)
    words = [Word(w, i * seconds, (i + 1) * seconds, 1, 1, "test") for i, w in enumerate(tokens)]
    return units(words, text, language)


@pytest.fixture(scope="module")
def voice() -> np.ndarray:
    """Three buzzes side by side at three heights, between two short silences."""
    gap = np.zeros(round(0.1 * RATE), np.float32)
    buzzes = [buzz(f0_hz, 0.4, peak=0.3) for f0_hz in (120, 150, 130)]
    return np.concatenate([gap, *buzzes, gap]).astype(np.float64)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with word times over three clips, one of which has no sound."""
    folder = tmp_path_factory.mktemp("recorded")
    lines = [example("brother"), example("zh-neighbour"), example("later", id="gone", audio="gone.wav")]
    source = write_manifest(folder / "clips.jsonl", *lines)
    (folder / "job.yaml").write_text(JOB)
    ended = speechcraft(
        "annotate", source, "--out", folder / "run", "--job", folder / "job.yaml", "--engine", "inline"
    )
    assert ended.code == 0, ended.err
    return folder / "run"


@pytest.fixture(scope="module")
def made(recorded: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made") / "made"
    ended = speechcraft("train", "emphasis-data", recorded, out, "--per-clip", 2, "--engine", "inline")
    assert ended.code == 0, ended.err
    return out


def lines_of(made: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (made / "stressed/manifest.jsonl").read_text("utf-8").splitlines()]


# --- WORLD


def test_the_word_moves_as_asked_and_its_neighbours_do_not(voice: np.ndarray) -> None:
    analysis = analyse(voice, RATE, f0_of(voice, RATE))
    sound, _ = stressed(analysis, *WORD, STRESS)
    later = 0.4 * (STRESS.duration - 1)
    after = [SPANS[0], (0.5, 0.9 + later), (0.9 + later, 1.3 + later)]
    was = measured(voice, RATE, analysis.f0_hz, SPANS)
    now = measured(sound, RATE, f0_of(sound, RATE), after)
    assert len(sound) == pytest.approx(len(voice) + later * RATE, abs=HOP_S * RATE)
    assert now[1].f0_hz / was[1].f0_hz == pytest.approx(STRESS.pitch, rel=0.1)
    assert now[1].rms / was[1].rms == pytest.approx(STRESS.amplitude, rel=0.1)
    for other in (0, 2):
        assert now[other].f0_hz == pytest.approx(was[other].f0_hz, rel=0.03)
        assert now[other].rms == pytest.approx(was[other].rms, rel=0.03)


def test_without_stress_only_the_vocoder_is_heard(voice: np.ndarray) -> None:
    analysis = analyse(voice, RATE, f0_of(voice, RATE))
    sound, _ = stressed(analysis, 0.0, analysis.seconds, Stress())
    was, now = (measured(s, RATE, f0_of(s, RATE), SPANS) for s in (voice, sound))
    for one, two in zip(was, now, strict=True):
        assert two.f0_hz == pytest.approx(one.f0_hz, rel=0.03)
        assert two.rms == pytest.approx(one.rms, rel=0.03)


@given(
    st.floats(0.0, 1.0), st.floats(0.12, 1.0), st.floats(1.0, 2.0), st.floats(0.0, 0.2), st.floats(0.0, 0.2)
)
def test_time_runs_on_and_only_the_word_takes_longer(
    start_s: float, length_s: float, duration: float, before_s: float, after_s: float
) -> None:
    end_s, total = start_s + length_s, start_s + length_s + 0.5
    stress = Stress(duration=duration, pause_before_s=before_s, pause_after_s=after_s)
    found = timing(total, start_s, end_s, stress)
    source = found.source_s[~found.pauses()]
    assert found.seconds == pytest.approx(total + length_s * (duration - 1) + before_s + after_s)
    assert np.all(np.diff(source) >= -1e-9)
    assert np.all((source >= 0) & (source <= total))
    outside = (found.inside == 0) & ~found.pauses()
    steps = np.diff(found.source_s)[outside[1:] & outside[:-1]]
    assert np.median(steps) == pytest.approx(HOP_S) if len(steps) else True


# --- which word, and how much


def test_keywords_are_nouns_verbs_and_numerals() -> None:
    english = spoken_units("the two wolves slowly vanished into a beautiful village", "en")
    assert [english[i].text for i in keywords(english, "en")] == ["two", "wolves", "vanished", "village"]
    chinese = spoken_units("我们的邻居买了三只猫", "zh")
    assert {"邻居", "买"} <= {chinese[i].text for i in keywords(chinese, "zh")}
    assert "的" not in {chinese[i].text for i in keywords(chinese, "zh")}
    assert keywords(english, "de") == []


@given(st.text(max_size=20), st.integers(0, 99))
def test_an_id_comes_back_from_its_variants(clip: str, number: int) -> None:
    assert parted(id_of(clip, number)) == (clip, number)


def test_every_variant_stresses_another_word_while_there_are_any() -> None:
    words = spoken_units("wolves walked into villages", "en")
    found = [variant("a", n, words, (0, 1, 3), (0.6, 1.5), [0.3] * 4, 0) for n in range(4)]
    assert found[0].unit is None
    assert found[0].stress == Stress()
    assert {v.unit for v in found[1:]} == {0, 1, 3}
    assert found == [variant("a", n, words, (0, 1, 3), (0.6, 1.5), [0.3] * 4, 0) for n in range(4)]
    assert found != [variant("a", n, words, (0, 1, 3), (0.6, 1.5), [0.3] * 4, 1) for n in range(4)]


def test_a_loud_word_is_not_raised_beyond_full_scale() -> None:
    words = spoken_units("wolves walked into villages", "en")
    found = variant("a", 1, words, (0,), (3.0,), [0.9] * 4, 0)
    assert 0.9 * found.stress.amplitude <= 1.0


# --- the run


def test_every_clip_has_a_row_for_each_variant(made: Path) -> None:
    lines = lines_of(made)
    assert [line["id"] for line in lines] == [
        f"{clip}~{n}" for clip in ("brother", "zh-neighbour", "gone") for n in range(3)
    ]
    assert all(line["error"] for line in lines if line["made_from"] == "gone")
    assert {line["status"] for line in lines if line["made_from"] == "brother"} == {"ok"}


def test_the_unstressed_one_names_no_word_and_the_others_name_theirs(made: Path) -> None:
    for line in lines_of(made):
        if line["status"] != "ok":
            continue
        if line["id"].endswith("~0"):
            assert line["emphasis_word"] is None
            assert line["strength"] == 0
        else:
            assert line["emphasis_word"] in line["instruction"]
            words = [w["word"] for w in line["words"]]
            assert line["emphasis_word"].startswith(words[line["emphasis_index"]])
            assert line["duration_factor"] > 1


def test_sound_has_the_rate_and_the_length_that_are_told(made: Path) -> None:
    for line in lines_of(made):
        if line["status"] == "ok":
            info = soundfile.info(made / "stressed" / line["audio"])
            source = soundfile.info(example(line["made_from"])["audio"])
            assert info.samplerate == line["rate_hz"] == source.samplerate
            assert info.duration == pytest.approx(line["duration_s"], abs=0.01)
            assert line["words"][-1]["end_s"] <= line["duration_s"] + 0.01


def test_captions_are_in_the_language_of_the_clip(made: Path) -> None:
    told = {line["made_from"]: line["instruction"] for line in lines_of(made) if line["status"] == "ok"}
    assert told["brother"].isascii() or "“" in told["brother"]
    assert any("\u4e00" <= c <= "\u9fff" for c in told["zh-neighbour"])


def test_to_go_on_computes_nothing_again(recorded: Path, made: Path) -> None:
    before = sidecars(made)
    ended = speechcraft("train", "emphasis-data", recorded, made, "--per-clip", 2, "--engine", "inline")
    assert ended.code == 0
    assert sidecars(made) == before


def test_the_same_seed_gives_the_same_bytes_and_ray_the_same_as_inline(
    recorded: Path, made: Path, tmp_path: Path
) -> None:
    ended = speechcraft(
        "train", "emphasis-data", recorded, tmp_path / "again", "--per-clip", 2, "--actors", 1
    )
    assert ended.code == 0, ended.err
    for file in sorted((made / "stressed").rglob("*.*")):
        assert (
            file.read_bytes()
            == (tmp_path / "again/stressed" / file.relative_to(made / "stressed")).read_bytes()
        )


def test_it_loads_with_hugging_face_and_with_annotate(made: Path, tmp_path: Path) -> None:
    loaded = datasets.load_dataset(str(made / "stressed"), split="train", cache_dir=str(tmp_path / "cache"))
    assert loaded["id"] == [line["id"] for line in lines_of(made)]
    assert isinstance(loaded.features["audio"], datasets.Audio)
    sound = loaded.cast_column("audio", datasets.Audio(decode=False))[0]["audio"]
    assert sound["bytes"] == (made / "stressed" / sound["path"]).read_bytes()
    (tmp_path / "job.yaml").write_text("annotators: {sound: decode, emphasis: given}\n")
    ended = speechcraft(
        "annotate", made / "stressed/manifest.jsonl", "--job", tmp_path / "job.yaml",
        "--out", tmp_path / "run", "--engine", "inline", "--json",
    )  # fmt: skip
    assert ended.json["ok"] >= 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere"], "holds no run"),
        (["RUN", "--backend", "vocoder"], "There is: fastspeech2, world"),
        (["RUN", "--strength", "9"], "must lie in 0.1..3.0"),
        (["RUN", "--engine", "spark"], "There is: inline, ray"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    arguments: list[str], sentence: str, recorded: Path, tmp_path: Path
) -> None:
    run = [str(recorded) if a == "RUN" else a for a in arguments]
    ended = speechcraft("train", "emphasis-data", run[0], tmp_path / "out", *run[1:])
    assert ended.code == 2
    assert sentence in ended.err


# --- real speech


@pytest.mark.real
@pytest.mark.timeout(600)
def test_real_speech_moves_as_asked_and_still_aligns(tmp_path: Path) -> None:
    from benchmarks.emphasis_moved import moved

    data = Path(os.environ["SPEECHCRAFT_REAL_SPEECH"])
    (tmp_path / "job.yaml").write_text(JOB)
    run, out = tmp_path / "run", tmp_path / "made"
    source, job = data / "vctk/manifest.jsonl", tmp_path / "job.yaml"
    speechcraft("annotate", source, "--out", run, "--job", job, "--engine", "inline")
    speechcraft("train", "emphasis-data", run, out, "--per-clip", 1, "--engine", "inline")
    found = list(moved(str(run), out, 20))
    assert len(found) >= 18
    for one in found:
        assert one.pitch == pytest.approx(1, abs=0.1, nan_ok=True) or np.isnan(one.pitch)
        assert one.level == pytest.approx(1, abs=0.1)
        assert one.length == pytest.approx(1, abs=0.1)
    pitches = np.array([p for one in found for p in one.other_pitch if np.isfinite(p)])
    levels = np.array([v for one in found for v in one.other_level])
    assert np.mean(np.abs(pitches - 1) <= 0.03) >= 0.85
    assert np.mean(np.abs(levels - 1) <= 0.03) >= 0.95
    assert {round(v, 3) for one in found for v in one.other_length} == {1.0}
    edges = np.array([e for one in found for e in one.edges_s])
    assert np.mean(edges <= 0.05) >= 0.9
