"""How fast the project's own small models are on one core: each, all three, and the log-mel that they share.

    python -m benchmarks.small MANIFEST --limit 100

What they need (sound, pitch, words) is made before the clock starts; the text and the language are the
manifest's. Medians over rounds in which every contestant annotates all clips.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterator
from itertools import islice

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # before numpy is imported
    os.environ[name] = "1"

from annotators._functionals import functionals
from annotators._mel import heard, log_mel
from annotators.emotion.small import SmallAnnotator as Emotion
from annotators.emphasis.small import SmallAnnotator as Emphasis
from annotators.pitch.dio import DioAnnotator
from annotators.speaker.small import SmallAnnotator as Speaker
from annotators.words.pocketsphinx import PocketsphinxAnnotator
from benchmarks._machine import commit, processor
from pipeline.audio import mono_16k, open_sound, read_all
from pipeline.clip import SAMPLE_RATE_HZ, Clip
from pipeline.rows import Language, Pitch, Transcript, Words
from pipeline.source import open_source
from pipeline.source.base import NOTHING_GIVEN

Contest = Callable[[Clip], object]
_ALL = "all three"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("manifest")
    parser.add_argument("--limit", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    clips = list(islice(_ready(asked.manifest), asked.limit))
    print(table(clips, asked.rounds))


def table(clips: list[Clip], rounds: int) -> str:
    """Markdown: what a clip costs each contestant, as x real time."""
    speech_s = sum(len(clip.speech) for clip in clips) / SAMPLE_RATE_HZ
    contests = _contests()
    took: dict[str, list[float]] = {name: [] for name in contests}
    for _ in range(rounds):
        for name, contest in contests.items():
            start = time.perf_counter()
            for clip in clips:
                contest(clip)
            took[name].append(time.perf_counter() - start)
    took[_ALL] = [
        sum(each) for each in zip(*(took[n] for n in ("speaker", "emotion", "emphasis")), strict=True)
    ]
    head = (
        f"{len(clips)} clips, {speech_s:.0f} s, {processor()}, commit {commit()}, medians of {rounds} rounds."
        "\n\n"
        "| one core | x real time | to pitch, same round |\n|---|---|---|"
    )
    return "\n".join([head, *(_line(name, times, took["pitch"], speech_s) for name, times in took.items())])


def _line(name: str, times: list[float], pitch: list[float], speech_s: float) -> str:
    ratio = statistics.median(own / other for own, other in zip(times, pitch, strict=True))
    return f"| {name} | {speech_s / statistics.median(times):,.0f} | {ratio:.2f} |"


def _contests() -> dict[str, Contest]:
    annotators = {"speaker": Speaker(), "emotion": Emotion(), "emphasis": Emphasis(), "pitch": DioAnnotator()}
    found: dict[str, Contest] = {
        name: lambda clip, one=one: one.annotate([clip])  # type: ignore[misc]
        for name, one in annotators.items()
    }
    return found | {
        "log-mel, once": lambda clip: log_mel(clip.speech),
        "log-mel and functionals, once": lambda clip: functionals(**heard(clip.speech, clip.of(Pitch), 20.0)),
    }


def _ready(manifest: str) -> Iterator[Clip]:
    """Clips with the rows that the models need, and nothing given that they recognise."""
    pitch, words = DioAnnotator(), PocketsphinxAnnotator()
    for item in open_source(manifest):
        with open_sound(item.audio) as recording:
            sound = mono_16k(read_all(recording), recording.info.rate_hz)
        text = item.given.text or ""
        rows = {Language: Language("en", "given", None), Transcript: Transcript(text, text, "given", None)}
        clip = Clip(item.id, item.audio, NOTHING_GIVEN, rows, lambda sound=sound: sound)  # type: ignore[misc]
        spoken, melody = words.annotate([clip])[0], pitch.annotate([clip])[0]
        if isinstance(spoken, Words):
            yield Clip(clip.id, clip.audio, clip.given, {**rows, Words: spoken, Pitch: melody}, clip.listen)


if __name__ == "__main__":
    main()
