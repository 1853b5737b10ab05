"""No speech is lost, no utterance is too long, and memory does not grow with the recording."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from annotators.cut.vad import Piece, VadAnnotator
from pipeline.clip import AudioRef, Clip, Given, Samples
from pipeline.errors import ClipError, OptionError
from pipeline.rows import Cut, Span
from tests.make import buzz, noise, silence


def cut(path: Path, **audio: float) -> Cut:
    found = VadAnnotator().annotate([Clip("a", AudioRef(str(path), **audio), Given())])[0]  # type: ignore[arg-type]
    assert isinstance(found, Cut), found
    return found


def syllables(seconds: float, seed: int = 0) -> Samples:
    """Voice that swells and fades four times a second."""
    rng = np.random.default_rng(seed)
    beats = [np.hanning(4000) * buzz(rng.uniform(90, 200), 0.25) for _ in range(round(seconds * 4))]
    return np.concatenate(beats).astype(np.float32)


@pytest.fixture(scope="module")
def an_hour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hour") / "hour.flac"
    pattern = np.concatenate([silence(2), syllables(6), silence(2), syllables(5, 1), silence(5)])
    pattern += noise(20, rms=0.001)
    with soundfile.SoundFile(path, "w", 16_000, 1) as file:
        for _ in range(180):
            file.write(pattern)
    return path


def test_an_hour_is_cut_at_its_pauses_in_bounded_memory(an_hour: Path) -> None:
    tracemalloc.start()
    found = cut(an_hour)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 120e6  # all of it at once is 230 MB as float32, before anything is computed
    assert found.recording_s == 3600
    assert len(found.spans) == 360
    for i, span in enumerate(found.spans):
        start, end = (2, 8) if i % 2 == 0 else (10, 15)
        assert span.offset_s == pytest.approx(i // 2 * 20 + start - 0.15, abs=0.12)
        assert span.offset_s + span.span_s == pytest.approx(i // 2 * 20 + end + 0.15, abs=0.12)


def test_a_short_recording_is_one_span(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", noise(29), 16_000)
    assert cut(tmp_path / "a.wav") == Cut(29.0, (Span(0.0, 29.0),))


def test_a_given_span_stands_and_no_file_is_opened(tmp_path: Path) -> None:
    assert cut(tmp_path / "gone.wav", offset_s=5.0, span_s=90.0).spans == (Span(5.0, 90.0),)


def test_a_given_offset_reaches_to_the_end(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", noise(40), 16_000)
    assert cut(tmp_path / "a.wav", offset_s=5.0).spans == (Span(5.0, 35.0),)


def test_a_recording_without_speech_has_no_spans(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", silence(40), 16_000)
    assert cut(tmp_path / "a.wav") == Cut(40.0, ())


def test_what_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    found = VadAnnotator().annotate([Clip("a", AudioRef(str(tmp_path / "gone.wav")), Given())])[0]
    assert isinstance(found, ClipError)
    assert found.code == "not_found"


def test_a_truncated_recording_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, syllables(80), 16_000)
    path.write_bytes(path.read_bytes()[:2_000_000])
    found = VadAnnotator().annotate([Clip("a", AudioRef(str(path)), Given())])[0]
    assert isinstance(found, ClipError)
    assert found.code == "truncated"


def test_unbroken_speech_is_cut_at_its_quietest_point() -> None:
    levels = np.ones(3000, dtype=np.float32)
    levels[1190:1210] = 0.1
    found = VadAnnotator().pieces(np.ones(3000, dtype=bool), levels)
    assert [p.end for p in found[:-1]] == pytest.approx([1200], abs=6)


runs = st.lists(st.tuples(st.integers(1, 4000), st.integers(1, 400)), min_size=1, max_size=20)


@settings(deadline=None)
@given(runs=runs, seed=st.integers(0, 9))
def test_pieces_hold_all_speech_in_order_and_none_is_too_long(runs: list[tuple[int, int]], seed: int) -> None:
    speech = np.concatenate([np.repeat([True, False], run) for run in runs])
    levels = np.random.default_rng(seed).random(len(speech)).astype(np.float32)
    found = VadAnnotator().pieces(speech, levels)
    held = np.zeros(len(speech), dtype=bool)
    for piece in found:
        assert not held[piece.start : piece.end].any()
        held[piece.start : piece.end] = True
        assert piece.end - piece.start <= 2000
    assert (held | ~speech).all()
    assert [p.start for p in found] == sorted(p.start for p in found)


@given(before=st.integers(0, 500), after=st.integers(0, 500), length=st.integers(1, 1900))
def test_a_span_holds_its_piece_and_takes_no_more_silence_than_is_its_own(
    before: int, after: int, length: int
) -> None:
    piece = Piece(1000, 1000 + length, before, after)
    span = VadAnnotator()._span(piece, 1e6)
    assert 10 - before / 100 - 1e-6 <= span.offset_s <= 10 + 1e-6
    end_s = span.offset_s + span.span_s
    assert 10 + length / 100 - 1e-6 <= end_s <= 10 + (length + after) / 100 + 1e-6
    assert span.span_s <= 20 + 1e-6


def test_bounds_that_exclude_each_other_are_refused() -> None:
    with pytest.raises(OptionError, match="max_s"):
        VadAnnotator(min_s=5.0, max_s=6.0)
