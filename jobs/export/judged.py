"""By whose thresholds the labels of an export were given: the corpus's own, the built-in ones, or others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotators.labels._bounds import ENERGY, PITCH, SPEED, Bounds
from jobs.languages import language_name
from jobs.report.thresholds import thresholds_of
from pipeline.errors import OptionError

CORPUS, REFERENCE, GIVEN = "corpus", "reference", "given"
ORIGINS = {CORPUS: "this corpus", REFERENCE: "the built-in reference", GIVEN: "what the run was told"}
"""Of thresholds, as a card calls them."""
READS = ("pitch_label", "pitch_label_basis", "energy_label", "speed_label", "language", "characters_per_s")
"""Columns that tell in which group a label was given."""
_WAY = "annotators.labels.thresholds"
_CHARACTERS, _SYLLABLES = "characters", "syllables"
_MEASURES = {"pitch_label": (PITCH, "Hz"), "energy_label": (ENERGY, "dBFS"), "speed_label": (SPEED, "1/s")}
_AMONG = {
    PITCH: {"female": "women", "male": "men", "all": "all voices"},
    ENERGY: {"all": "all voices"},
    SPEED: {_CHARACTERS: "Chinese", _SYLLABLES: "all languages but Chinese"},
}

Groups = Counter[tuple[str, str]]
"""Clips by label and the group they were judged in."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Clips that one pair of thresholds judged. `origin` is one of ORIGINS; `measured` are the clips of the
    corpus that there were to take thresholds from."""

    label: str
    among: str
    bounds: Bounds
    unit: str
    origin: str
    measured: int
    clips: int


def groups_of(rows: Mapping[str, Sequence[Any]], exported: Collection[str]) -> Groups:
    """The groups of these rows, a list a column; of labels that are exported."""
    found: Groups = Counter()
    for label, groups in (
        ("pitch_label", rows.get("pitch_label_basis", ())),
        ("energy_label", ["all"] * len(rows.get("energy_label", ()))),
        ("speed_label", _paces(rows)),
    ):
        if label in exported:
            pairs = zip(rows[label], groups, strict=False)
            found.update((label, group) for value, group in pairs if value is not None and group is not None)
    return found


def _paces(rows: Mapping[str, Sequence[Any]]) -> list[str]:
    """What speed was counted in, or the language it was judged in."""
    n = len(rows.get("speed_label", ()))
    by_character = [v is not None for v in rows.get("characters_per_s", [None] * n)]
    languages = [code or _SYLLABLES for code in rows.get("language", [None] * n)]
    return [_CHARACTERS if c else code for c, code in zip(by_character, languages, strict=True)]


def judged(record: Mapping[str, Any], groups: Groups) -> list[Judged]:
    """The thresholds that judged these clips; none where another way gave the labels."""
    ways = record["annotators"].get("labels", [])
    if [way["module"] for way in ways] != [_WAY]:
        return []
    told = ways[0]["options"].get("thresholds")
    try:
        bounds = thresholds_of(record)
    except OptionError:  # of a file that is no longer there
        return []
    found = []
    for label, (measure, unit) in _MEASURES.items():
        for group, clips in _known(groups, label, bounds[measure]):
            origin, measured = _origin(told, measure, group)
            among = _AMONG[measure].get(group) or language_name(group)
            found.append(Judged(label, among, bounds[measure][group], unit, origin, measured, clips))
    return found


def _known(groups: Groups, label: str, known: Collection[str]) -> Iterator[tuple[str, int]]:
    """The groups of a label, the largest first; languages without thresholds share those of syllables."""
    counts: Counter[str] = Counter()
    for (of, group), clips in groups.items():
        if of == label:
            counts[group if group in known else _SYLLABLES] += clips
    return iter(sorted(counts.items(), key=lambda kv: (-kv[1], kv[0])))


def _origin(told: object, measure: str, group: str) -> tuple[str, int]:
    """Where a group's thresholds come from. A file's are given, whatever corpus it says they are of."""
    if isinstance(told, str):
        return GIVEN, 0
    groups = told.get(measure, {}) if isinstance(told, Mapping) else {}
    if group not in groups:
        return REFERENCE, 0
    return groups[group].get("origin", GIVEN), int(groups[group].get("n", 0))


def sentence(found: Sequence[Judged]) -> str:
    """What the labels are relative to; by label and group where that is not one thing for all."""
    origins = [origin for origin in ORIGINS if any(j.origin == origin for j in found)]
    head = "Labels such as *low* or *fast* are relative"
    if len(origins) == 1:
        return f"{head} to {_THRESHOLDS[origins[0]]}."
    parts = (f"to {_THRESHOLDS[o]}, {_listed([j for j in found if j.origin == o])}" for o in origins)
    return f"{head}: {'; '.join(parts)}."


_THRESHOLDS = {
    CORPUS: "thresholds taken from this corpus",
    REFERENCE: "the built-in reference, as this corpus has too few clips to tell what is usual",
    GIVEN: "thresholds that the run was told",
}


def _listed(those: Sequence[Judged]) -> str:
    labels = {j.label: [k.among for k in those if k.label == j.label] for j in those}
    return ", ".join(f"`{label}` ({', '.join(among)})" for label, among in labels.items())


def meaning(label: str, found: Sequence[Judged]) -> str:
    """By whose thresholds a label was given, to stand behind its values; empty where nothing tells."""
    mine = [j for j in found if j.label == label]
    origins = {o: [j.among for j in mine if j.origin == o] for o in ORIGINS}
    told = [(ORIGINS[o], among) for o, among in origins.items() if among]
    if len(told) == 1:
        return f"by thresholds of {told[0][0]}"
    return "; ".join(
        f"{', '.join(f'among {one}' for one in among)} by thresholds of {whose}" for whose, among in told
    )
