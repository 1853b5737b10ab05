"""README.md of an export: what it is, how it was made, its numbers, its limits, whose it is, how to cite it.

Every word that comes from a corpus is escaped and on one line: a title cannot end the front matter, open
a tag or break a table.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

import annotators
from jobs.evaluate.render import pipes
from jobs.export.accuracy import lines_of
from jobs.export.cite import CITE
from jobs.export.dataset import Dataset
from jobs.export.frontmatter import front_matter
from jobs.export.judged import CORPUS, ORIGINS, Judged, judged, sentence
from jobs.export.meanings import meanings
from jobs.export.plain import plain
from jobs.export.plan import Plan
from jobs.export.request import Request
from jobs.export.statistics import UNKNOWN, Statistics
from pipeline.counting import counted
from pipeline.errors import OptionError
from pipeline.options import defaults_of, identifying, options_of

CARD = "README.md"
_TOLD = ("model", "prompt", "language", "seed")
"""Options a stranger asks for first."""
MOST_LINES = 50
"""Of a table of origins; `attribution` of every clip tells them all."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All a card is made from."""

    dataset: Dataset
    request: Request
    plan: Plan
    schema: pa.Schema
    numbers: Statistics
    silent: Mapping[str, int]
    left_out: Mapping[str, str]


def write_card(facts: Facts) -> str:
    """The card. The same export, the same text."""
    sections = (
        ("", _opening(facts)),
        ("Loading", _loading(facts.request)),
        ("Numbers", _numbers(facts)),
        ("Splits", _splits(facts.plan)),
        ("What was left out", _left_out(facts)),
        ("How it was made", _made(facts)),
        ("Thresholds of labels", _thresholds(facts)),
        ("Accuracy", _accuracy(facts.request)),
        ("Limits", _limits(facts)),
        ("Licences and attribution", _origins(facts.numbers)),
        ("Columns", _columns(facts)),
        ("How to cite", CITE),
    )
    parts = [f"## {title}\n\n{text}" if title else text for title, text in sections if text]
    return front_matter(facts.request.to, facts.plan, facts.numbers) + "\n\n".join(parts) + "\n"


def _opening(facts: Facts) -> str:
    n = facts.numbers
    speakers = f" of {counted(len(n.speakers), 'known speaker')}" if n.speakers else ""
    captions = [c for c in ("description", "instruction") if c in facts.schema.names]
    told = f" Each is told in words: {' and '.join(f'`{c}`' for c in captions)}." if captions else ""
    return (
        f"# Annotated speech\n\n{counted(n.clips, 'clip')}, {n.seconds / 3600:.2f} hours of speech{speakers}."
        f"{told} Transcripts, measures, labels and captions were made by machines, where the source did "
        "not give them; the columns that end in `_source` say which."
    )


def _loading(request: Request) -> str:
    code = {
        "hf": "from datasets import load_dataset\n\ndata = load_dataset(FOLDER)",
        "parquet": "import pyarrow.dataset\n\ndata = pyarrow.dataset.dataset(FOLDER + '/data').to_table()",
        "jsonl": "import json, pathlib\n\nlines = pathlib.Path(FOLDER, 'data').glob('*.jsonl')\n"
        "data = [json.loads(line) for file in sorted(lines) for line in file.open()]",
        "webdataset": "import glob, webdataset\n\n"
        "data = webdataset.WebDataset(sorted(glob.glob(FOLDER + '/data/*.tar')), shardshuffle=False)",
        "lhotse": "import glob\nfrom lhotse import CutSet\n\nfiles = sorted(glob.glob(FOLDER + '/cuts/*'))\n"
        "data = CutSet.from_files(files, shuffle_iters=False).with_recording_path_prefix(FOLDER)",
        "paper": "import json, pathlib\n\nlines = pathlib.Path(FOLDER).glob('*/descriptions/*')\n"
        "data = [json.loads(line) for file in sorted(lines) for line in file.open()]",
    }[request.to]
    sound = {
        "native": "the source's own bytes where a clip is a whole file, else FLAC at the source's rate",
        "raw": "FLAC, mono, 16 kHz",
        "enhanced": "FLAC, mono, 16 kHz, enhanced where `enhanced` says so",
    }[request.sound]
    held = {
        "embed": f"The sound is {sound}.",
        "path": "The sound is not here: `audio`, `audio_part` and `offset_s` say where it was.",
        "none": "The sound is not here.",
    }[request.audio]
    return f"```python\n{code}\n```\n\n{held}"


def _numbers(facts: Facts) -> str:
    lines = [
        (column, plain(value), f"{clips:,}", f"{clips / facts.numbers.clips:.1%}", f"{seconds / 3600:.2f}")
        for column, shares in facts.numbers.shares.items()
        for value, (clips, seconds) in sorted(shares.items(), key=lambda kv: (-kv[1][0], kv[0]))
        if set(shares) != {UNKNOWN}
    ]
    blocks = [pipes(("column", "value", "clips", "share", "hours"), lines)] if lines else []
    lengths = [
        (c, f"{n:,}", f"{mean:.1f}", str(low), str(middle), str(high))
        for c in facts.numbers.lengths
        if facts.numbers.lengths[c]
        for n, mean, low, middle, high in [facts.numbers.quantiles(c)]
    ]
    if lengths:
        head = ("length in words or Chinese characters", "texts", "mean", "5 %", "median", "95 %")
        blocks.append(pipes(head, lengths))
    return "\n\n".join(blocks)


def _splits(plan: Plan) -> str:
    totals = {s: [p for p in plan.parts if p.split == s] for s in plan.splits}
    lines = [
        (s, f"{sum(p.rows for p in parts):,}", f"{sum(p.seconds for p in parts) / 3600:.2f}", str(len(parts)))
        for s, parts in totals.items()
    ]
    promise = plan.promise()
    table = pipes(("split", "clips", "hours", "parts"), lines)
    return table if promise is None else f"{table}\n\n{promise}"


def _left_out(facts: Facts) -> str:
    r = facts.request
    asked = {
        "filter": r.filter,
        "licence": ",".join(r.licence),
        "dedupe": ",".join(r.dedupe),
        "drop": ",".join(r.drop),
    }
    lines = [(name, plain(value)) for name, value in asked.items() if value]
    blocks = [pipes(("asked", "for"), lines)] if lines else []
    if facts.plan.dropped:
        counts = [(kind, f"{n:,}") for kind, n in facts.plan.dropped.items()]
        blocks.append(pipes(("cause", "clips"), counts) + "\n\n`dropped.jsonl` names each with its reason.")
    if facts.left_out:
        names = ", ".join(f"`{name}`" for name in facts.left_out)
        blocks.append(f"Columns made by, or from the work of, models under non-commercial licences: {names}.")
    return "\n\n".join(blocks)


def _made(facts: Facts) -> str:
    lines = [
        _way(family, entry)
        for family, entries in facts.dataset.record["annotators"].items()
        for entry in entries
    ]
    head = ("annotator", "way", "version", "fingerprint", "options", "models", "licences of the models")
    return pipes(head, lines)


def _way(family: str, entry: Mapping[str, Any]) -> tuple[str, ...]:
    models = entry["models"]
    options = _telling(family, entry)
    return (
        family,
        plain(entry["use"]),
        str(entry["version"]),
        str(entry["fingerprint"]),
        plain("; ".join(f"{k}={v}" for k, v in options.items())),
        plain("; ".join(f"{m['name']} ({m['identity']})" for m in models)),
        plain("; ".join(m["licence"] + ("" if m["commercial"] else " (NON-COMMERCIAL)") for m in models)),
    )


def _telling(family: str, entry: Mapping[str, Any]) -> dict[str, object]:
    """The options its values depend on, where they are not the default, and those a stranger asks for first.

    Thresholds are the corpus's own, and too many to list.
    """
    try:
        cls = annotators.load(family, entry["module"])
    except OptionError:  # of a package that is not here, or of another version
        return {k: v for k, v in entry["options"].items() if k in _TOLD}
    known = {k: v for k, v in entry["options"].items() if k in options_of(cls)}
    defaults = defaults_of(cls)
    return {
        name: value
        for name, value in identifying(cls, known).items()
        if name in _TOLD or (name != "thresholds" and _plain(value) != _plain(defaults.get(name)))
    }


def _plain(value: object) -> str:
    """The value without the difference between lists and tuples, which a record does not keep."""
    return json.dumps(value, default=list, sort_keys=True)


def _judged(facts: Facts) -> list[Judged]:
    return judged(facts.dataset.record, facts.numbers.groups)


def _thresholds(facts: Facts) -> str:
    """What the labels of these clips were judged by, a line a label and group."""
    lines = [
        (j.label, j.among, f"{j.bounds[0]:g}", f"{j.bounds[1]:g}", j.unit, _origin(j), f"{j.clips:,}")
        for j in _judged(facts)
    ]
    head = (
        "label",
        "judged among",
        "low, slow: under",
        "high, fast: above",
        "unit",
        "thresholds of",
        "clips",
    )
    return pipes(head, lines) if lines else ""


def _origin(one: Judged) -> str:
    measured = f" ({counted(one.measured, 'clip')})" if one.origin == CORPUS else ""
    return ORIGINS[one.origin] + measured


def _accuracy(request: Request) -> str:
    if request.accuracy is None:
        return "Not measured: no human labels were at hand when this was exported."
    head = ("attribute", "figure", "value", "95 % interval", "clips")
    return pipes(head, [tuple(map(plain, line)) for line in lines_of(request.accuracy)])


def _have(clips: int) -> str:
    return "has" if clips == 1 else "have"


def _limits(facts: Facts) -> str:
    n, silent, labels = facts.numbers, sum(facts.silent.values()), _judged(facts)
    said = [
        sentence(labels) if labels else "",
        "A null is a value that is not known, never a zero.",
        f"{n.failed:,} of {counted(n.clips, 'clip')} {_have(n.failed)} a failure, named in `error`."
        if n.failed
        else "",
        f"{counted(silent, 'clip')} {_have(silent)} no sound: "
        f"{', '.join(f'{plain(code)} {k:,}' for code, k in facts.silent.items())}."
        if facts.silent
        else "",
        _caution(facts),
    ]
    return "\n".join(f"- {line}" for line in said if line)


def _caution(facts: Facts) -> str:
    if facts.request.commercial_only:
        return ""
    ways = facts.dataset.record["annotators"]
    hit = sorted(
        {f for f, entries in ways.items() for e in entries for m in e["models"] if not m["commercial"]}
    )
    if not hit:
        return ""
    names = ", ".join(hit)
    return f"Made with models under non-commercial licences, and all told from it with them: {names}."


def _origins(numbers: Statistics) -> str:
    ranked = sorted(numbers.origins.items(), key=lambda kv: (-kv[1], kv[0]))
    lines = [(*map(plain, origin), f"{n:,}") for origin, n in ranked[:MOST_LINES]]
    more = len(ranked) - MOST_LINES
    table = pipes(("licence", "source", "attribution", "clips"), lines)
    rest = (
        f"\n\nAnd {more:,} more; `licence`, `source` and `attribution` of each clip name them."
        if more > 0
        else ""
    )
    return (
        f"{table}{rest}\n\nThe clips stay under the licences of their sources, which this table names as the "
        "source stated them; an empty cell is a licence that was not stated."
    )


def _columns(facts: Facts) -> str:
    return pipes(("column", "type", "unit", "meaning"), meanings(facts.schema, facts.request, _judged(facts)))
