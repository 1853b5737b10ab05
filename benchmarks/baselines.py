"""What other programs make of the same clips, scored by the same metrics as a run.

They are used as they come: WORLD's DIO with StoneMask and Praat's autocorrelation with their own
ranges of F0 (71-800 and 75-600 Hz) every 5 ms; the aligner of pocketsphinx in its two passes, the
times of the first where the second fails. Praat needs the package praat-parselmouth and is left
out without it.
"""

from __future__ import annotations

import importlib
import re
import warnings
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pocketsphinx
import soundfile

from jobs.evaluate import Case, Report, evaluate
from jobs.evaluate.enhancement import read_16k
from jobs.evaluate.labels import curve, marks, text
from jobs.evaluate.manifest import Line, read_labels
from pipeline.clip import SAMPLE_RATE_HZ, Samples
from pipeline.rows import Pitch, Row, Word, Words

with warnings.catch_warnings():  # pyworld 0.3.5 imports pkg_resources, which warns that it is old
    warnings.simplefilter("ignore")
    import pyworld

_HOP_S = 0.005
_SPHINX_FRAME_S = 0.01
_TOKEN = re.compile(r"[a-z']+")

Guess = Callable[[Samples, Line], Row | None]


def baselines(manifest: Path) -> dict[str, Report]:
    """By the program's name, for every corpus whose labels it can be measured on."""
    labels = read_labels(manifest).lines
    found = {}
    for name, (read, guess) in _programs().items():
        lines = {i: line for i, line in labels.items() if read(line) is not None}
        if lines:
            found[name] = evaluate(_case(i, line, manifest.parent, guess) for i, line in lines.items())
    return found


def _programs() -> dict[str, tuple[Callable[[Line], object], Guess]]:
    """What each is measured on, and how it is asked."""
    contour, words = (lambda line: curve(line, "f0_ref_hz")), (lambda line: marks(line, "words"))
    praat = {"Praat": (contour, _praat)} if find_spec("parselmouth") else {}
    return {"DIO": (contour, _dio), **praat, "pocketsphinx": (words, _sphinx)}


def _case(id: str, line: Line, folder: Path, guess: Guess) -> Case:
    try:
        sound = read_16k(folder / (text(line, "audio") or ""))
    except (OSError, soundfile.LibsndfileError):
        return Case(id, line, folder)
    row = guess(sound, line)
    return Case(id, line, folder, frozenset({"text"}), {} if row is None else {type(row): row})


def _dio(samples: Samples, line: Line) -> Pitch:
    sound = samples.astype(np.float64)
    f0_hz, times_s = pyworld.dio(sound, SAMPLE_RATE_HZ, frame_period=1000 * _HOP_S)
    return _pitch(pyworld.stonemask(sound, f0_hz, times_s, SAMPLE_RATE_HZ))


def _praat(samples: Samples, line: Line) -> Pitch:
    sound = importlib.import_module("parselmouth").Sound(samples.astype(np.float64), SAMPLE_RATE_HZ)
    pitch = sound.to_pitch_ac(time_step=_HOP_S, pitch_floor=75.0, pitch_ceiling=600.0)
    times_s = _HOP_S * np.arange(int(len(samples) / SAMPLE_RATE_HZ / _HOP_S) + 1)
    return _pitch(np.nan_to_num([pitch.get_value_at_time(t) for t in times_s]))  # NaN: unvoiced


def _pitch(f0_hz: npt.ArrayLike) -> Pitch:
    return Pitch(None, None, None, None, None, _HOP_S, np.asarray(f0_hz, dtype=np.float32))


@cache
def _decoder() -> pocketsphinx.Decoder:
    return pocketsphinx.Decoder(lm=None, samprate=SAMPLE_RATE_HZ, loglevel="FATAL")


def _sphinx(samples: Samples, line: Line) -> Words | None:
    """None where the dictionary lacks a word, or the text is not found in the sound."""
    decoder, pcm = _decoder(), np.round(samples * 32767).astype("<i2").tobytes()
    try:
        decoder.set_align_text(" ".join(_TOKEN.findall((text(line, "text") or "").lower())))
        _decode(decoder, pcm)
        found = [(s.word, s.start_frame, s.end_frame + 1) for s in decoder.seg()]
    except (RuntimeError, TypeError):  # seg() is None without a hypothesis
        return None
    try:
        decoder.set_alignment()
        _decode(decoder, pcm)
        found = [(w.name, w.start, w.start + w.duration) for w in decoder.get_alignment()]
    except RuntimeError:
        pass
    words = [
        Word(name.partition("(")[0], start * _SPHINX_FRAME_S, end * _SPHINX_FRAME_S, 0, 0, "dictionary")
        for name, start, end in found
        if not name.startswith(("<", "["))
    ]
    return Words(tuple(words), (), "pocketsphinx", None)


def _decode(decoder: pocketsphinx.Decoder, pcm: bytes) -> None:
    decoder.start_utt()
    try:
        decoder.process_raw(pcm, full_utt=True)
    finally:
        decoder.end_utt()
