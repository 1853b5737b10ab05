"""The clips that are shown, with all a card of one says: sound, drawing, labels, captions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from jobs.export.sound import ShardSounds, sound_keys
from jobs.pages import data_url, drawing, figure_of, shortened
from jobs.report.candidates import Choice
from jobs.report.columns import OTHER
from jobs.runs import Run
from pipeline.clip import SAMPLE_RATE_HZ, Clip, Samples
from pipeline.errors import ClipError
from pipeline.manifest import read_shard
from pipeline.rows import (
    Caption,
    Emotion,
    Emphasis,
    Labels,
    Language,
    Pitch,
    Row,
    Speaker,
    Topic,
    Transcript,
    Words,
)
from pipeline.rundir import Shard
from pipeline.source.base import Item

LONGEST_S = 20.0
"""Of a clip that is embedded; a longer one is cut there, and says so."""


@dataclass(frozen=True, slots=True)
class Card:
    """A clip on the page; texts are harmless but not yet escaped. `audio` is a data URL, None where there
    is no sound; `drawing` is SVG."""

    id: str
    why: str
    length: str
    audio: str | None
    drawing: Markup | None
    transcript: str
    transcript_source: str
    language: str
    labels: tuple[tuple[str, str, str], ...]
    description: str
    instruction: str
    caption_language: str


def cards(run: Run, choices: Sequence[Choice]) -> list[Card]:
    """The cards, in the order of the choices; one shard is held at a time."""
    found: dict[str, Card] = {}
    for number in sorted({c.place.shard for c in choices}):
        shard = run.shards[number]
        wanted = [c for c in choices if c.place.shard == number]
        found.update(_of_shard(run, shard, wanted))
    return [found[c.id] for c in choices]


def _of_shard(run: Run, shard: Shard, wanted: Sequence[Choice]) -> Iterator[tuple[str, Card]]:
    items = read_shard(run.store, shard)
    ways = [(way.row, run.rows(shard, way)) for way in run.ways]
    sounds = ShardSounds(run.store, sound_keys(dict(run.record)), run.names, shard)
    for choice in wanted:
        item = items[choice.place.row]
        rows: dict[type[Row], Row] = {}
        for kind, column in ways:
            row = column[choice.place.row]
            if isinstance(row, Row):
                rows.setdefault(kind, row)
        yield choice.id, _card(choice, item, rows, _samples(sounds, choice, item))


def _samples(sounds: ShardSounds, choice: Choice, item: Item) -> Samples | None:
    try:
        return sounds.samples(choice.place.row, item)
    except ClipError:
        return None


def _card(choice: Choice, item: Item, rows: dict[type[Row], Row], samples: Samples | None) -> Card:
    clip = Clip(item.id, item.audio, item.given, dict(rows))
    whole_s = 0.0 if samples is None else len(samples) / SAMPLE_RATE_HZ
    heard = None if samples is None or not len(samples) else samples[: round(LONGEST_S * SAMPLE_RATE_HZ)]
    caption, transcript, language = clip.maybe(Caption), clip.maybe(Transcript), clip.maybe(Language)
    return Card(
        id=shortened(item.id, 120),
        why=shortened(choice.why, 300),
        length=_length(whole_s),
        audio=None if heard is None else data_url(heard),
        drawing=None if heard is None else _drawn(clip, heard),
        transcript="" if transcript is None else shortened(transcript.transcript),
        transcript_source="" if transcript is None else shortened(transcript.transcript_source, 60),
        language=_tag(language.language if language else None),
        labels=tuple(_labels(clip)),
        description=shortened(caption.description) if caption else "",
        instruction=shortened(caption.instruction or "") if caption else "",
        caption_language=_tag(caption.caption_language if caption else None),
    )


def _drawn(clip: Clip, samples: Samples) -> Markup:
    figure = figure_of(samples, clip.maybe(Pitch), clip.maybe(Words), clip.maybe(Emphasis))
    stressed = " ".join(w.word for w in figure.words if w.stressed)
    label = f"Waveform, F0 and level of the clip over {figure.duration_s:.1f} s"
    label += f", {len(figure.words)} words under them" if figure.words else ""
    return drawing(figure, f"{label}; {stressed} is stressed." if stressed else f"{label}.")


def _labels(clip: Clip) -> Iterator[tuple[str, str, str]]:
    """Name, value, and the confidence of what a model found, of each label there is."""
    speaker, emotion, topic = clip.maybe(Speaker), clip.maybe(Emotion), clip.maybe(Topic)
    labels, emphasis = clip.maybe(Labels), clip.maybe(Emphasis)
    if speaker:
        yield from _label("gender", speaker.gender, speaker.gender_confidence)
        if labels:
            yield from _label("age", labels.age_group, speaker.age_confidence)
    if labels:
        yield from _label("pitch", labels.pitch_label)
        yield from _label("energy", labels.energy_label)
        yield from _label("speed", labels.speed_label)
    if emotion:
        if emotion.emotion != OTHER:
            yield from _label("emotion", emotion.emotion, emotion.emotion_confidence)
        yield from _label("mood", emotion.emotion_caption)
    if emphasis:
        yield from _label("stressed word", emphasis.emphasis_word, emphasis.emphasis_confidence)
    if topic:
        yield from _label("topic", topic.topic)


def _label(name: str, value: str | None, confidence: float | None = None) -> Iterator[tuple[str, str, str]]:
    if value is not None:
        yield name, shortened(value, 80), "" if confidence is None else f"{confidence:.2f}"


def _length(seconds: float) -> str:
    if not seconds:
        return "no sound"
    cut = f", the first {LONGEST_S:.0f} s here" if seconds > LONGEST_S else ""
    return f"{seconds:.1f} s{cut}"


def _tag(language: str | None) -> str:
    """A language tag that is safe in an attribute; empty where it is not one."""
    return language if language and language.replace("-", "").isalnum() and language.isascii() else ""
