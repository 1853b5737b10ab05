"""What the page shows of a clip: its sound, its curves, and each attribute with what may be said of it."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import rjieba
import soundfile
from markupsafe import Markup

from jobs.export.sound import ShardSounds, sound_keys
from jobs.pages import drawing, figure_of, harmless, shortened
from jobs.review.desk import Desk, Said
from jobs.review.sample import Sampled
from jobs.runs import Run
from pipeline.clip import SAMPLE_RATE_HZ, Samples
from pipeline.errors import ClipError
from pipeline.manifest import read_shard
from pipeline.review.corrections import ATTRIBUTES, MOST_CHARACTERS, REVIEW, Attribute
from pipeline.rows import Emphasis, Pitch, Row, Word, Words
from pipeline.text import words

KEYS = {"transcript": "t", "description": "d", "instruction": "i"}
_BY = "by {}"
_TELLS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "transcript": (("transcript_source", _BY), ("transcript_confidence", "{:.2f}")),
    "language": (("language_source", _BY), ("language_confidence", "{:.2f}")),
    "gender": (("gender_source", _BY), ("gender_confidence", "{:.2f}")),
    "age_group": (("age_years", "{:.0f} years"), ("age_source", _BY), ("age_confidence", "{:.2f}")),
    "pitch_label": (("f0_median_hz", "{:.0f} Hz"), ("pitch_label_basis", "among {} voices")),
    "energy_label": (("rms_dbfs", "{:.0f} dBFS"),),
    "speed_label": (("syllables_per_s", "{:.1f} syllables/s"), ("characters_per_s", "{:.1f} characters/s")),
    "emotion": (("emotion_source", _BY), ("emotion_confidence", "{:.2f}")),
    "emphasis_word": (("emphasis_source", _BY), ("emphasis_confidence", "{:.2f}")),
    "topic": (("topic_source", _BY),),
    "description": (("caption_source", _BY),),
    "instruction": (("caption_source", _BY),),
}
"""What an attribute is known by: columns, and how they are told."""

LONGEST_S = 600.0
"""Of the sound that is played, and drawn."""


@dataclass(frozen=True, slots=True)
class Line:
    """An attribute on the page. Texts are harmless, not yet escaped. `choices` are value, name and place;
    without any, text is written, `text` to begin with."""

    name: str
    title: str
    key: str
    value: str | None
    tells: str
    said: Said
    choices: tuple[tuple[str, str, int | None], ...]
    text: str
    long: bool
    language: str


@dataclass(frozen=True, slots=True)
class View:
    """A clip on the page. `drawing` is SVG; None, with the reason in `silent`, where there is no sound."""

    key: str
    id: str
    number: int
    why: str
    length: str
    drawing: Markup | None
    silent: str
    lines: tuple[Line, ...]
    before: str | None
    after: str | None


class Views:
    """Reads clips from the run as they are asked for. Safe to call from several threads."""

    def __init__(self, run: Run, desk: Desk) -> None:
        self._run, self._desk = run, desk
        self._sounds = lru_cache(maxsize=16)(self._read_sound)
        self._waves = lru_cache(maxsize=16)(self._encoded)

    def view(self, key: str) -> View:
        """The page of a clip."""
        clip = self._desk.clips[key]
        at = self._desk.order.index(key)
        order = self._desk.order
        samples = self._sounds(key)
        lines = self._lines(clip)
        return View(
            key=key,
            id=shortened(clip.id, 120),
            number=at + 1,
            why=shortened(clip.why, 200),
            length="" if isinstance(samples, str) else f"{len(samples) / SAMPLE_RATE_HZ:.1f} s",
            drawing=None if isinstance(samples, str) or not len(samples) else self._drawn(clip, samples),
            silent=shortened(samples, 200) if isinstance(samples, str) else "",
            lines=lines,
            before=order[at - 1] if at else None,
            after=order[at + 1] if at + 1 < len(order) else None,
        )

    def value(self, clip: Sampled, attribute: str) -> str | None:
        """What is judged: what the dataset says, or the run itself where people said otherwise."""
        if attribute not in self._desk.overruled(clip):
            found = clip.row.get(attribute)
            return None if found is None else str(found)
        rows = self._rows(clip, {ATTRIBUTES[attribute].row})
        return ATTRIBUTES[attribute].value(rows.get(ATTRIBUTES[attribute].row))

    def sound(self, key: str) -> bytes | None:
        """The clip as a WAV file; None where it has no sound."""
        return self._waves(key)

    def _lines(self, clip: Sampled) -> tuple[Line, ...]:
        lines = []
        digits = iter("1234567890")
        for attribute in self._desk.attributes(clip):
            key = KEYS.get(attribute.name) or next(digits, "")
            lines.append(self._line(clip, attribute, key))
        return tuple(lines)

    def _line(self, clip: Sampled, attribute: Attribute, key: str) -> Line:
        name = attribute.name
        value, said = self.value(clip, name), self._desk.said(clip, name)
        row = clip.row
        tells = [
            _told(how, row[column], value)
            for column, how in _TELLS[name]
            if row.get(column) not in (None, REVIEW)
        ]
        caption = "caption_language" if name in ("description", "instruction") else "language"
        return Line(
            name=name,
            title=attribute.title,
            key=key,
            value=None if value is None else shortened(value, MOST_CHARACTERS),
            tells=" · ".join(shortened(t, 60) for t in tells),
            said=Said(said.state, shortened(said.correction, MOST_CHARACTERS)),
            choices=_choices(attribute, row),
            text=harmless((said.correction or value or "")[:MOST_CHARACTERS]),
            long=name not in ("topic", "language"),
            language=_tag(row.get(caption)) if name in ("transcript", "description", "instruction") else "",
        )

    def _drawn(self, clip: Sampled, samples: Samples) -> Markup:
        row = clip.row
        spoken = [Word(**{n: w[n] for n in Word.__slots__}) for w in row.get("words") or ()]
        found = Words(tuple(spoken), (), "", None) if spoken else None
        stressed = Emphasis(row.get("emphasis_word"), row.get("emphasis_index"), None, None)
        pitch = self._rows(clip, {Pitch}).get(Pitch)
        figure = figure_of(samples, pitch if isinstance(pitch, Pitch) else None, found, stressed)
        label = (
            f"Waveform, F0 and level over {figure.duration_s:.1f} s, {len(figure.words)} words under them."
        )
        return drawing(figure, label)

    def _rows(self, clip: Sampled, kinds: set[type[Row]]) -> dict[type[Row], Row]:
        """What the run found, of several ways the first."""
        rows: dict[type[Row], Row] = {}
        for way in self._run.ways:
            if way.row in kinds and way.row not in rows:
                found = self._run.found(clip.shard, way)[clip.number]
                if isinstance(found, Row):
                    rows[way.row] = found
        return rows

    def _read_sound(self, key: str) -> Samples | str:
        clip = self._desk.clips[key]
        run = self._run
        sounds = ShardSounds(run.store, sound_keys(dict(run.record)), run.names, clip.shard)
        try:
            item = read_shard(run.store, clip.shard)[clip.number]
            return sounds.samples(clip.number, item)[: round(LONGEST_S * SAMPLE_RATE_HZ)]
        except ClipError as error:
            return str(error)

    def _encoded(self, key: str) -> bytes | None:
        samples = self._sounds(key)
        if isinstance(samples, str) or not len(samples):
            return None
        file = io.BytesIO()
        soundfile.write(file, samples.clip(-1.0, 1.0), SAMPLE_RATE_HZ, format="WAV", subtype="PCM_16")
        return file.getvalue()


def _told(how: str, said: object, value: str | None) -> str:
    """What a column says; of an annotator that found no value that it was unsure, or why, if it says why."""
    if how == _BY and value is None:
        return str(said) if ": " in str(said) else f"{said}: unsure"
    return "given" if how == _BY and said == "given" else how.format(said)


def _choices(attribute: Attribute, row: Mapping[str, Any]) -> tuple[tuple[str, str, int | None], ...]:
    if attribute.name == "emphasis_word":
        return tuple(_spoken(row.get("transcript") or "", row.get("language")))
    return tuple((name, name, None) for name in attribute.choices)


def _spoken(transcript: str, language: str | None) -> Iterator[tuple[str, str, int | None]]:
    """The words that may be stressed, with their place; Chinese ones whole, at their first character."""
    if language == "zh":
        place = 0
        for word in rjieba.cut(transcript):
            tokens = words(word, language)
            if tokens:
                yield "".join(tokens), shortened("".join(tokens), 40), place
            place += len(tokens)
        return
    for place, word in enumerate(words(transcript, language)):
        yield word, shortened(word, 40), place


def _tag(language: object) -> str:
    """A language tag that is safe in an attribute; empty where it is not one."""
    text = str(language or "")
    return text if text.replace("-", "").isalnum() and text.isascii() else ""
