"""What the page tells in words and numbers, each text from the corpus made harmless and short."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobs.captions.render import percent
from jobs.captions.report import PLACES, Figures
from jobs.languages import language_name
from jobs.pages import shortened
from jobs.report.bars import Bar, Part, bars, levels, ranked
from jobs.report.columns import UNKNOWN, lasting
from jobs.report.gather import MEASURED
from jobs.report.parts import Parts
from pipeline.counting import counted

LISTED_WORDS = 40
"""Of a language that has no cloud."""
MOST_CAUSES, MOST_TOPICS, MOST_ORIGINS = 20, 30, 6
ORIGINS = {
    "language": "Language",
    "source": "Source",
    "licence": "Licence",
    "transcript_source": "Transcript by",
}


@dataclass(frozen=True, slots=True)
class Tile:
    """A number that is seen first."""

    name: str
    value: str
    unit: str = ""
    note: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Language:
    """The captions of a language."""

    name: str
    figures: Figures

    @property
    def omission(self) -> str:
        """Captions that leave something out."""
        return percent(self.figures.kinds.get("omission", 0), self.figures.captions)

    @property
    def distortion(self) -> str:
        """Captions that say something else."""
        return percent(self.figures.kinds.get("distortion", 0), self.figures.captions)

    @property
    def places(self) -> list[Part]:
        """Where the transcript stands in instructions."""
        counts = self.figures.places
        return [Part(p, 100 * counts[p] / sum(counts.values())) for p in PLACES if counts.get(p)]

    @property
    def places_alt(self) -> str:
        """The same in words."""
        return ", ".join(f"{p.name} {p.share:.1f} %" for p in self.places)

    @property
    def sources(self) -> list[tuple[str, int]]:
        """Who wrote how many."""
        return [(shortened(s, 60), n) for s, n in self.figures.sources.items()]

    @property
    def variety(self) -> list[tuple[str, list[str]]]:
        """Rows of the table of diversity: a name, and a value for each kind of caption."""
        found = list(self.figures.diversity.values())
        rows = [
            (f"distinct-{n + 1}", [_told(d.distinct and d.distinct[n], 3) for d in found]) for n in range(3)
        ]
        alike = [None if d.near_duplicates is None else 100 * d.near_duplicates for d in found]
        rows.append(("near duplicates, %", [_told(share, 1) for share in alike]))
        if any(d.self_bleu is not None for d in found):
            rows.append(("self-BLEU", [_told(d.self_bleu, 1) for d in found]))
        rows.append(("texts compared", [f"{d.sampled:,}" for d in found]))
        return rows


def facts_of(parts: Parts) -> dict[str, Any]:
    """Every variable of the template but those of its looks."""
    found = parts.found
    shown = [*parts.varied, *parts.unsure, *parts.failed]
    topics = {v: n for v, n in found.counts.get("topic", {}).items() if v != UNKNOWN}
    return {
        "source": _name(parts.run.record["source"]),
        "tiles": _tiles(parts),
        "hero": parts.varied[0] if parts.varied else None,
        "origins": _origins(parts),
        "people": parts.people,
        "measures": parts.measures,
        "sampled": MEASURED if found.clips > MEASURED else 0,
        "levels": levels(found),
        "topics": [(shortened(topic, 60), n) for topic, n in ranked(topics)[:MOST_TOPICS]],
        "topics_lead": _topics_lead(topics),
        "captions": [Language(language_name(code), f) for code, f in parts.captions.languages.items()],
        "checked": parts.captions.clips if parts.captions.clips < found.clips else 0,
        "captioned": parts.captions.clips - parts.captions.without,
        "uncaptioned": parts.captions.without,
        "lengths": parts.lengths,
        "clouds": parts.clouds,
        "listed": _listed(parts),
        "examples": parts.varied[1:],
        "unsure": parts.unsure,
        "failed": parts.failed,
        "causes": _causes(parts),
        "skipped": bars(found.skipped, found.clips),
        "clips": found.clips,
        "failed_clips": found.failed,
        "costs": _costs(parts),
        "made": _made(parts),
        "shards": len(parts.run.shards),
        "sounds": sum(c.audio is not None for c in shown),
    }


def _told(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _name(source: object) -> str:
    """The last parts of a path or address: the rest tells of the machine it was made on."""
    pieces = [p for p in str(source).replace("\\", "/").split("/") if p]
    return shortened("/".join(pieces[-2:]), 80) or "speech"


def _tiles(parts: Parts) -> list[Tile]:
    found, clips = parts.found, parts.found.clips or 1
    spoken = [(v, n) for v, n in ranked(found.counts.get("language", {})) if v != UNKNOWN]
    names = ", ".join(language_name(shortened(code, 12)) for code, _ in spoken[:3])
    speakers, causes = len(found.speakers), len(parts.dataset.index["causes"])
    ok = found.clips - found.failed
    return [
        Tile("Clips", f"{found.clips:,}", note=f"{found.seconds / clips:.1f} s on average"),
        Tile("Speech", *lasting(found.seconds).split()),
        Tile("Speakers", f"{speakers:,}" if speakers else "–", note="" if speakers else "none named"),
        Tile("Languages", f"{len(spoken):,}" if spoken else "–", note=names),
        Tile("Annotated in full", f"{100 * ok / clips:.1f}", "%", counted(ok, "clip")),
        Tile(
            "Failed",
            f"{found.failed:,}",
            note=counted(causes, "cause") if found.failed else "",
            kind="bad" if found.failed else "",
        ),
    ]


def _origins(parts: Parts) -> list[tuple[str, list[Bar]]]:
    """Languages, corpora, licences, and who wrote the words, where any is known."""
    found, shown = parts.found, []
    for column, title in ORIGINS.items():
        counts: Mapping[str, int] = found.counts.get(column, {})
        if any(value != UNKNOWN for value in counts):
            named = language_name if column == "language" else str
            spoken = found.seconds_by[column].items() if column == "language" else ()
            times = {named(value): lasting(seconds) for value, seconds in spoken}
            by_name = {named(value): n for value, n in counts.items()}
            shown.append((title, bars(by_name, found.clips, MOST_ORIGINS, times)))
    return shown


def _topics_lead(topics: Mapping[str, int]) -> str:
    most = f"; the {MOST_TOPICS} commonest:" if len(topics) > MOST_TOPICS else ":"
    return f"{counted(len(topics), 'topic')} in {counted(sum(topics.values()), 'clip')}{most}"


def _causes(parts: Parts) -> list[tuple[Bar, str]]:
    """Each cause of failure with the first clip of it."""
    index = parts.dataset.index
    examples = {shortened(cause, 80): shortened(text, 240) for cause, text in index["examples"].items()}
    shown = bars(index["causes"], parts.found.clips, MOST_CAUSES)
    return [(bar, examples.get(bar.name, "")) for bar in shown]


def _listed(parts: Parts) -> list[dict[str, Any]]:
    """The commonest words of languages without a cloud."""
    drawn = {plot.name for plot in parts.clouds}
    return [
        {
            "code": code,
            "name": language_name(code),
            "words": [(shortened(w, 40), n) for w, n in ranked(counts)[:LISTED_WORDS]],
        }
        for code, counts in parts.words.items()
        if counts and f"words-{code}" not in drawn
    ]


def _costs(parts: Parts) -> list[tuple[Bar, str, str]]:
    """Time at work of each annotator over all calls, its speed and peak memory; the dearest first."""
    spent = {key: cost for key, cost in parts.costs.items() if cost.compute_s}
    total = sum(cost.compute_s for cost in spent.values())
    longest = max((cost.compute_s for cost in spent.values()), default=1.0)
    rows = []
    for key, cost in sorted(spent.items(), key=lambda kv: (-kv[1].compute_s, kv[0])):
        share, length = 100 * cost.compute_s / total, 100 * cost.compute_s / longest
        name = shortened(key.partition("@")[0], 80)
        bar = Bar(name, cost.ok + cost.failed + cost.skipped, share, length, lasting(cost.compute_s))
        speed = f"{cost.speech_s / cost.compute_s:,.0f}" if cost.speech_s else "–"
        memory = f"{cost.peak_rss_bytes / 2**20:,.0f}" if cost.peak_rss_bytes else "–"
        rows.append((bar, speed, memory))
    return rows


def _made(parts: Parts) -> list[dict[str, str]]:
    return [
        {
            "family": family,
            "use": shortened(entry["use"], 60),
            "version": str(entry["version"]),
            "fingerprint": str(entry["fingerprint"]),
            "models": ", ".join(shortened(m["name"], 80) for m in entry["models"]) or "–",
        }
        for family, entries in parts.run.record["annotators"].items()
        for entry in entries
    ]
