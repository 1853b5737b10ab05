"""dataset/README.md: what the dataset is and how it was made, for people and for `datasets`."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any

from pipeline.counting import counted
from pipeline.job import Job
from pipeline.rundir import DATASET
from pipeline.schema import columns_of
from pipeline.storage import Store

CARD = f"{DATASET}/README.md"


def write_card(store: Store, job: Job, joined: Mapping[str, Any]) -> None:
    """Write the card. Depends on the job, the counts and the names of the files alone."""
    lines = [
        "---",
        "configs:",
        "- config_name: default",
        "  data_files:",
        "  - split: train",
        f"    path: {posixpath.dirname(joined['files'][0]['name'])}/train-*.parquet",
        "---",
        "",
        "# Annotated speech",
        "",
        f"{counted(joined['clips'], 'clip')}, {joined['seconds'] / 3600:.2f} hours of speech; "
        f"{joined['ok']:,} fully annotated, {joined['failed']:,} with a failure named in `error`.",
        "",
        "## Columns",
        "",
        "| column | unit | filled | meaning |",
        "|---|---|---|---|",
        *_columns(job, joined),
        "",
        "## How it was made",
        "",
        "| annotator | way | version | fingerprint | model | licence |",
        "|---|---|---|---|---|---|",
        *_ways(job),
        "",
    ]
    store.write(CARD, "\n".join(lines).encode())


def _columns(job: Job, joined: Mapping[str, Any]) -> list[str]:
    filled: Mapping[str, int] = joined["columns"]
    total = max(1, joined["clips"])
    return [
        _line(f"`{c.name}`", c.column.unit, f"{filled.get(c.name, 0) / total:.1%}", c.column.doc)
        for family in job.families
        for c in columns_of(job.of(family)[0].row)
        if c.column.joined
    ]


def _ways(job: Job) -> list[str]:
    rows = []
    for way in job.ways:
        models = way.cls.models(way.options)
        names = "; ".join(f"{m.name} ({m.identity})" for m in models)
        licences = "; ".join(m.licence + ("" if m.commercial else " (non-commercial)") for m in models)
        rows.append(
            _line(way.family, way.name, f"{way.cls.version}", f"`{way.fingerprint}`", names, licences)
        )
    return rows


def _line(*cells: str) -> str:
    """A line of a table, whatever its cells hold."""
    return "| " + " | ".join(" ".join(c.split()).replace("|", "\\|") for c in cells) + " |"
