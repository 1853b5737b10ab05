"""How far `speechcraft train emphasis-data` moves the stressed word and how little the others, measured.

    python benchmarks/emphasis_moved.py RUN MADE [--clips 100]

RUN is the run that MADE was regenerated from. Pitch is `pitch=dio` on the new sound, a geometric mean over
the word; level is RMS; both against the recording. The pitch of other words is compared over the frames that
are voiced in both, too: where a word has few voiced frames, one more at its edge moves its mean, and says
nothing of those that are there. Lengths are by `words=pocketsphinx` on the new sound.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from annotators.words.pocketsphinx import PocketsphinxAnnotator
from jobs.train.emphasis_data.known import f0_of, sound_of
from jobs.train.emphasis_data.moved import Measure, measured
from jobs.train.emphasis_data.recorded import Recorded
from jobs.train.emphasis_data.stressed import FOLDER
from jobs.train.emphasis_data.world import HOP_S, Doubles
from pipeline.audio import mono_16k
from pipeline.clip import AudioRef, Clip
from pipeline.rows import Language, Transcript, Words
from pipeline.source.base import NOTHING_GIVEN

_FEWEST_VOICED = 6  # frames, as where the words are made
_STEP_S = 0.01  # of the aligner


@dataclass(frozen=True, slots=True)
class Moved:
    """One regenerated clip: found over asked for the stressed word, found over before for the others."""

    pitch: float
    level: float
    length: float
    other_pitch: tuple[float, ...]
    same_pitch: tuple[float, ...]
    """Of the other words, over the frames voiced in both; NaN of fewer than six."""
    other_level: tuple[float, ...]
    other_length: tuple[float, ...]
    """By the word times written."""
    other_realigned_length: tuple[float, ...]
    """As the aligner hears both."""
    other_realigned_s: tuple[float, ...]
    """The same as a difference."""
    edges_s: tuple[float, ...]
    """Distance of every word's start and end, aligned anew, from where the dataset says it is."""
    realigned_length: float
    """Length of the stressed word over what was asked, both as the aligner hears them."""


def moved(run: str, made: Path, clips: int) -> Iterator[Moved]:
    """The first `clips` regenerated clips with a stressed word, spread evenly over the dataset."""
    recorded, aligner = Recorded(run), PocketsphinxAnnotator()
    for line in _spread(made, clips, stressed=True):
        yield _moved(line, recorded.clip(line["made_from"]), made / FOLDER / line["audio"], aligner)


def unmoved(run: str, made: Path, clips: int) -> Iterator[float]:
    """Length of every word of clips made without stress over that of before, as the aligner hears both."""
    recorded, aligner = Recorded(run), PocketsphinxAnnotator()
    for line in _spread(made, clips, stressed=False):
        source = recorded.clip(line["made_from"])
        found = _realigned(source, made / FOLDER / line["audio"], aligner)
        for word, span in zip(source.of(Words).words, found, strict=True):
            yield _length(span) / _length((word.start_s, word.end_s))


def _spread(made: Path, clips: int, *, stressed: bool) -> list[dict[str, Any]]:
    """So many of the clips with a stressed word, or without, spread evenly over the dataset."""
    lines = [json.loads(line) for line in (made / FOLDER / "manifest.jsonl").read_text("utf-8").splitlines()]
    some = [
        line for line in lines if line["status"] == "ok" and (line["emphasis_word"] is not None) == stressed
    ]
    return [some[i] for i in np.unique(np.linspace(0, len(some) - 1, clips).astype(int))]


def _moved(line: dict[str, Any], source: Clip, file: Path, aligner: PocketsphinxAnnotator) -> Moved:
    before_spans = [(w.start_s, w.end_s) for w in source.of(Words).words]
    after_spans = [(w["start_s"], w["end_s"]) for w in line["words"]]
    mine = _stressed(before_spans, after_spans, line["emphasis_index"], line["duration_factor"])
    before_span = before_spans[mine[0]][0], before_spans[mine[-1]][1]
    after_span = after_spans[mine[0]][0], after_spans[mine[-1]][1]
    before = _measures(source.audio, [before_span, *before_spans])
    after = _measures(AudioRef(str(file)), [after_span, *after_spans])
    others = [i + 1 for i in range(len(before_spans)) if i not in mine]
    found = _realigned(source, file, aligner)
    edges = [
        abs(a - b) for one, two in zip(found, after_spans, strict=True) for a, b in zip(one, two, strict=True)
    ]
    heard = found[mine[-1]][1] - found[mine[0]][0]
    asked = (before_span[1] - before_span[0]) * line["duration_factor"]
    return Moved(
        after[0].f0_hz / before[0].f0_hz / line["pitch_factor"],
        after[0].rms / before[0].rms / line["amplitude_factor"],
        (after_span[1] - after_span[0]) / asked,
        tuple(after[i].f0_hz / before[i].f0_hz for i in others),
        _same_frames(
            source.audio, AudioRef(str(file)), [(before_spans[i - 1], after_spans[i - 1]) for i in others]
        ),
        tuple(after[i].rms / before[i].rms for i in others),
        tuple(_length(after_spans[i - 1]) / _length(before_spans[i - 1]) for i in others),
        tuple(_length(found[i - 1]) / _length(before_spans[i - 1]) for i in others),
        tuple(_length(found[i - 1]) - _length(before_spans[i - 1]) for i in others),
        tuple(edges),
        heard / asked,
    )


def _length(span: tuple[float, float]) -> float:
    return max(span[1] - span[0], 1e-6)


def _stressed(
    before: Sequence[tuple[float, float]], after: Sequence[tuple[float, float]], first: int, factor: float
) -> list[int]:
    """The tokens of the stressed word: those from its first on whose length changed by the factor."""
    found = [first]
    for i in range(first + 1, len(before)):
        ratio = (after[i][1] - after[i][0]) / max(before[i][1] - before[i][0], 1e-6)
        if abs(ratio - factor) > 1e-6:
            break
        found.append(i)
    return found


def _measures(audio: AudioRef, spans: Sequence[tuple[float, float]]) -> list[Measure]:
    sound, rate_hz = sound_of(audio)
    return measured(sound, rate_hz, f0_of(sound, rate_hz), spans)


def _same_frames(
    before: AudioRef, after: AudioRef, words: Sequence[tuple[tuple[float, float], tuple[float, float]]]
) -> tuple[float, ...]:
    """The geometric mean of F0 after over F0 before, frame by frame, of words as long as they were."""
    old, new = f0_of(*sound_of(before)), f0_of(*sound_of(after))
    return tuple(
        _ratio(old, new, start_s, end_s, moved_s - start_s) for (start_s, end_s), (moved_s, _) in words
    )


def _ratio(old: Doubles, new: Doubles, start_s: float, end_s: float, later_s: float) -> float:
    frames = np.arange(np.ceil(start_s / HOP_S), np.floor(end_s / HOP_S) + 1).astype(np.intp)
    frames = frames[frames < len(old)]
    at = np.clip(frames + later_s / HOP_S, 0, len(new) - 1.001)
    low = at.astype(np.intp)
    voiced = (old[frames] > 0) & (new[low] > 0) & (new[low + 1] > 0)
    if voiced.sum() < _FEWEST_VOICED:
        return float("nan")
    found = np.interp(at[voiced], np.arange(len(new)), new)
    return float(np.exp(np.log(found / old[frames][voiced]).mean()))


def _realigned(source: Clip, file: Path, aligner: PocketsphinxAnnotator) -> list[tuple[float, float]]:
    sound, rate_hz = sound_of(AudioRef(str(file)))
    heard = mono_16k(sound[:, None].astype(np.float32), rate_hz)
    rows = {Transcript: source.of(Transcript), Language: source.of(Language)}
    found = aligner.annotate([Clip(source.id, source.audio, NOTHING_GIVEN, rows, lambda: heard)])[0]
    assert isinstance(found, Words), found
    return [(w.start_s, w.end_s) for w in found.words]


def table(found: Sequence[Moved], lengths: Sequence[float]) -> str:
    """Shares within the law, and the middle of what was found; `lengths` are those of `unmoved`."""
    rows = [
        ("stressed word, pitch / asked", [m.pitch for m in found], 0.10),
        ("stressed word, level / asked", [m.level for m in found], 0.10),
        ("stressed word, length / asked", [m.length for m in found], 0.10),
        ("stressed word, length as aligned anew / asked", [m.realigned_length for m in found], 0.10),
        ("other words, pitch / before", [v for m in found for v in m.other_pitch], 0.03),
        (
            "other words, pitch / before, frames voiced in both",
            [v for m in found for v in m.same_pitch],
            0.03,
        ),
        ("other words, level / before", [v for m in found for v in m.other_level], 0.03),
        ("other words, length / before", [v for m in found for v in m.other_length], 0.03),
        (
            "other words, length as aligned anew / before",
            [v for m in found for v in m.other_realigned_length],
            0.03,
        ),
        ("the same of every word where none was stressed", list(lengths), 0.03),
    ]
    lines = ["| what | n | median | within | share within |", "|---|---|---|---|---|"]
    for name, values, within in rows:
        known = np.array([v for v in values if np.isfinite(v)])
        share = np.mean(np.abs(known - 1) <= within)
        lines.append(f"| {name} | {len(known)} | {np.median(known):.3f} | {within:.0%} | {share:.1%} |")
    edges = np.array([e for m in found for e in m.edges_s])
    steps = np.abs([v for m in found for v in m.other_realigned_s])
    lines.append(
        f"\nOther words' length aligned anew: {np.mean(steps < 0.001):.1%} as before, "
        f"{np.mean(steps < _STEP_S + 0.001):.1%} within one step of the aligner."
    )
    near = [f"{np.mean(edges <= limit):.1%} within {1000 * limit:.0f} ms" for limit in (0.02, 0.05, 0.1)]
    lines.append(
        f"\nWord edges aligned anew: median {1000 * np.median(edges):.0f} ms off, {', '.join(near)}."
    )
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run")
    parser.add_argument("made", type=Path)
    parser.add_argument("--clips", type=int, default=100)
    asked = parser.parse_args()
    found = list(moved(asked.run, asked.made, asked.clips))
    print(table(found, list(unmoved(asked.run, asked.made, asked.clips))))


if __name__ == "__main__":
    main()
