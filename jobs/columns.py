"""docs/columns.md from the code: `python -m jobs.columns > docs/columns.md`."""

from __future__ import annotations

import sys

import annotators
from jobs.jobfile import build_job, read_profile
from pipeline.options import describe_type, options_of
from pipeline.schema import arrow_type, columns_of
from pipeline.side_by_side import dataset_schema


def page() -> str:
    """The page."""
    return "\n".join([*_head(), *_families(), *_whole_dataset()]) + "\n"


def _head() -> list[str]:
    return [
        "# Columns",
        "",
        "Made from the code by `make docs`. Every sidecar also holds `id`, `status` (ok, skipped, failed) "
        "and `error`; the dataset holds them joined. A null is a value that is not known, never a zero. "
        "Columns marked *sidecar* are too bulky for the dataset and stay in the run directory.",
        "",
    ]


def _families() -> list[str]:
    lines = []
    for family, names in annotators.ways().items():
        cls = annotators.load(family, names[0])
        doc = (cls.row.__doc__ or "").strip().split("\n")[0]
        lines += [
            f"## {family}",
            "",
            doc,
            "",
            "| column | type | unit | may be null | meaning |",
            "|---|---|---|---|---|",
        ]
        for c in columns_of(cls.row):
            kind = str(arrow_type(c.type)).replace("<", "‹").replace(">", "›")
            where = "" if c.column.joined else " *sidecar*"
            null = "yes" if c.nullable else "no"
            lines.append(f"| `{c.name}`{where} | {kind} | {c.column.unit} | {null} | {c.column.doc} |")
        lines.append("")
        for name in names:
            lines += _way(family, name)
    return lines


def _way(family: str, name: str) -> list[str]:
    cls = annotators.load(family, name)
    infos = options_of(cls)
    about = (sys.modules[cls.__module__].__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")
    lines = [f"**{family}: {name}** (version {cls.version}). {about}", ""]
    if infos:
        lines += ["| option | takes | default | meaning |", "|---|---|---|---|"]
        for option, info in infos.items():
            unit = f" {info.option.unit}" if info.option.unit else ""
            takes = describe_type(info.type)
            lines.append(f"| `{family}.{option}` | {takes} | `{info.default}`{unit} | {info.option.doc} |")
        lines.append("")
    return lines


_REVIEW = (
    "`review` lists what people said of the clip in `speechcraft review`: attribute, verdict (confirmed, "
    "corrected, rejected), and how many reviewers said so; null where nobody judged it. A source column that "
    "says `review` means that a person set the value; what is rejected is null."
)


def _whole_dataset() -> list[str]:
    job = build_job(read_profile("embedded"))
    names = ", ".join(f"`{name}`" for name in dataset_schema(job).names)
    return ["## The dataset of the embedded profile", "", f"In this order: {names}.", "", _REVIEW]


if __name__ == "__main__":
    sys.stdout.write(page())
