"""The accuracy page, from reports of `speechcraft evaluate --json`."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from string import Template
from typing import Any

from jobs.evaluate import Report
from jobs.evaluate.labels import speaker
from jobs.evaluate.manifest import Line
from jobs.evaluate.render import number, pipes

GIVEN, RECOGNISED = "given", "recognised"
_TEMPLATE = Path(__file__).with_suffix(".md")
_ONCE = frozenset({"f0", "snr", "enhancement", "gender", "age", "captions"})
"""Metrics that the words do not change: their figures are those of the run with the text given."""
_FINE = ("start_within", "end_within")  # figures too many for a page; evaluate shows them
_SPEECH = frozenset({"emodb", "librispeech", "ljspeech", "speechocean762", "vctk"})
_TAUGHT: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("gender", "age", "emotion"), _SPEECH),
    "emphasis": _SPEECH - {"speechocean762"},
}
"""By metric: the corpora whose development part taught the project's own network (its card says how)."""
_PACKAGES = ("pyworld", "pocketsphinx", "pyrnnoise", "pesq")


@dataclass(frozen=True, slots=True)
class Measured:
    """A run over a corpus: its labels, what `annotate` and `evaluate` said of it, and clips enhanced."""

    corpus: str
    text: str
    labels: Mapping[str, Line]
    facts: Mapping[str, Any]
    report: Mapping[str, Any]
    enhanced: int

    def called(self, table: str) -> str:
        """The corpus as the table of a metric names it."""
        return f"{self.corpus} (taught)" if self.corpus in _TAUGHT.get(table, ()) else self.corpus

    def table(self, name: str) -> Mapping[str, Any] | None:
        """The table of a metric; None where nothing carries its labels, or another run shows it."""
        if name in _ONCE and self.text != GIVEN:
            return None
        return next((t for t in self.report["tables"] if t["name"] == name), None)

    def result(self, name: str, figure: str) -> Mapping[str, Any] | None:
        """One figure."""
        table = self.table(name)
        return next((r for r in table["results"] if r["name"] == figure), None) if table else None


@dataclass(frozen=True, slots=True)
class Aim:
    """A main figure, and the least and the most it should be."""

    table: str
    figure: str
    what: str
    bounds: tuple[float, float] | None = None
    shown: str = ""
    text: str = ""  # of which runs; empty: of all

    def missed(self, value: float | None) -> bool:
        """Whether the value lies outside the bounds; one that is not there does."""
        if self.bounds is None:
            return False
        return value is None or not self.bounds[0] <= value <= self.bounds[1]


def _most(most: float) -> tuple[tuple[float, float], str]:
    return (float("-inf"), most), f"at most {most:g}"


def _least(least: float) -> tuple[tuple[float, float], str]:
    return (least, float("inf")), f"at least {least:g}"


def _within(most: float) -> tuple[tuple[float, float], str]:
    return (-most, most), f"within {most:g}"


MAIN = (
    Aim("f0", "gross_error", "F0: gross errors", *_most(0.5)),
    Aim("f0", "voicing_error", "F0: voicing errors", *_most(5)),
    Aim("f0", "fine_error", "F0: fine error, median"),
    Aim("words", "boundary_error", "Word times: median error", *_most(15), text=GIVEN),
    Aim("words", "boundary_within_50_ms", "Word times: within 50 ms", *_least(86), text=GIVEN),
    Aim("words", "boundary_error", "Word times: median error, words recognised right", text=RECOGNISED),
    *(
        aim
        for unit in ("words", "syllables", "phones")
        for aim in (
            Aim("rate", f"{unit}_per_s_error", f"{unit.capitalize()} per second: median error", *_most(5)),
            Aim("rate", f"{unit}_per_s_bias", f"{unit.capitalize()} per second: median bias", *_within(2)),
        )
    ),
    Aim("snr", "error", "SNR: mean absolute error"),
    Aim("snr", "bias", "SNR: mean bias"),
    Aim("enhancement", "pesq_gain", "Enhancement: PESQ gain", *_least(0)),
    Aim("enhancement", "si_sdr_gain", "Enhancement: SI-SDR gain", *_least(0)),
    Aim("enhancement", "speech_level_bias", "Enhancement: level of the speech", *_within(0.5)),
    Aim("text", "wer", "Recognised text: word error rate"),
    Aim("text", "cer", "Recognised text: character error rate"),
    Aim("gender", "unweighted_recall", "Gender: unweighted recall"),
    Aim("age", "error", "Age: mean absolute error"),
)
_LAWS = (
    Aim("captions", "both_captions", "Captions: clips with both", *_least(100)),
    Aim("captions", "verbatim", "Captions: transcript verbatim in the instruction", *_least(100)),
    Aim("captions", "leak", "Captions: transcript in the description", *_most(0)),
)
"""Held to in every run; the table of corpora shows them."""


def page(
    measured: Sequence[Measured],
    others: Mapping[str, Mapping[str, Report]],
    failed: Sequence[str],
    folder: str,
) -> str:
    """The page; `others` are the reports of baselines by corpus and program, `failed` the runs that ended."""
    return Template(_TEMPLATE.read_text("utf-8")).substitute(
        folder=folder,
        provenance=_provenance(),
        main=pipes(_MAIN, [line for aim in MAIN for line in _main_lines(aim, measured, others)]),
        missed=_missed(measured, failed),
        corpora=pipes(_CORPUS, [_corpus_line(m) for m in measured]),
        details="\n\n".join(_details(measured)),
    )


_MAIN = (
    *("figure", "corpus", "text", "value", "95 % interval", "lowest, highest speaker", "n", "clips", "drawn"),
    *("aimed at", "others, on these clips"),
)


def _main_lines(
    aim: Aim, measured: Sequence[Measured], others: Mapping[str, Mapping[str, Report]]
) -> Iterator[tuple[str, ...]]:
    for m in measured:
        result = m.result(aim.table, aim.figure)
        if result and aim.text in ("", m.text):
            beside = others.get(m.corpus, {}) if m.text == GIVEN else {}
            verdict = (
                f"{aim.shown}: {'missed' if aim.missed(result['value']) else 'met'}" if aim.bounds else ""
            )
            yield (
                *(aim.what, m.called(aim.table), m.text),
                *(_value(result), _interval(result), _speakers(result)),
                *(str(result["n"]), str(result["n_clips"]), f"{result['n_clusters']} {result['clusters']}"),
                *(verdict, _beside(aim, beside)),
            )


def _value(result: Mapping[str, Any]) -> str:
    return f"{number(result['value'], result['unit'])} {result['unit']}".rstrip()


def _interval(result: Mapping[str, Any]) -> str:
    ends = (result["low"], result["high"])
    return "" if None in ends else " .. ".join(number(end, result["unit"]) for end in ends)


def _speakers(result: Mapping[str, Any]) -> str:
    values = [s["value"] for s in result["splits"].get("speaker", {}).values() if s["value"] is not None]
    return " .. ".join(number(end, result["unit"]) for end in (min(values), max(values))) if values else ""


def _beside(aim: Aim, reports: Mapping[str, Report]) -> str:
    found = []
    for name, report in reports.items():
        for table in report.tables:
            found += [
                f"{name} {number(r.value, r.unit)}"
                for r in table.results
                if (table.name, r.name) == (aim.table, aim.figure)
            ]
    return ", ".join(found)


def _missed(measured: Sequence[Measured], failed: Sequence[str]) -> str:
    """The aims that were missed, one line each."""
    lines = [
        f"- Missed: {aim.what}, {m.corpus}, text {m.text}: {_value(result)} ({aim.shown})."
        for aim in (*MAIN, *_LAWS)
        for m in measured
        if aim.text in ("", m.text) and (result := m.result(aim.table, aim.figure))
        if aim.missed(result["value"])
    ]
    lines += [f"- Not measured, as the command failed: {name}." for name in failed]
    return "\n".join(lines) or "- No aim was missed on these clips."


_CORPUS = (
    *("corpus", "text", "clips", "hours", "speakers known", "rows ok", "enhanced"),
    *("both captions", "transcript verbatim", "transcript leaks"),
)


def _corpus_line(m: Measured) -> tuple[str, ...]:
    captions: dict[str, Any] = next((t for t in m.report["tables"] if t["name"] == "captions"), {})
    found = {r["name"]: number(r["value"], r["unit"]) for r in captions.get("results", ())}
    return (
        m.corpus,
        m.text,
        str(m.facts["clips"]),
        f"{m.facts['speech_s'] / 3600:.2f}",
        str(len({s for line in m.labels.values() if (s := speaker(line))})),
        str(m.facts["ok"]),
        str(m.enhanced),
        *(f"{found[name]} %" if name in found else "" for name in ("both_captions", "verbatim", "leak")),
    )


def _details(measured: Sequence[Measured]) -> Iterator[str]:
    """Every metric: figures under one another, corpora side by side."""
    names = {t["name"]: t for m in measured for t in m.report["tables"] if t["name"] != "captions"}
    silent = []
    for name, any_table in names.items():
        tables = [(m, t) for m in measured if (t := m.table(name)) and t["n_measured"]]
        if not tables:
            counts = [f"{m.corpus} {_coverage(t)}" for m in measured if (t := m.table(name))]
            silent.append(f"- {any_table['title']}: {'. '.join(counts)}.")
            continue
        yield f"### {any_table['title']}\n\n{any_table['definition']}"
        yield (
            "Clips measured, of those labelled. "
            + ". ".join(f"{m.corpus}, {m.text}: {_coverage(t)}" for m, t in tables)
            + "."
        )
        head = ("figure", "meaning", *(f"{m.called(name)}, {m.text}" for m, _ in tables))
        yield pipes(head, list(_figure_lines([t for _, t in tables])))
    if silent:
        yield "### Labelled, and not measured"
        yield "\n".join(silent)


def _figure_lines(tables: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    by_name = [{r["name"]: r for r in table["results"]} for table in tables]
    meanings = {
        name: r["definition"]
        for results in by_name
        for name, r in results.items()
        if not name.startswith(_FINE)
    }
    for name, meaning in meanings.items():
        yield name, meaning, *(_cell(results.get(name)) for results in by_name)


def _cell(result: Mapping[str, Any] | None) -> str:
    if result is None:
        return ""
    bounds = _interval(result)
    return f"{_value(result)} ({bounds}), n {result['n']}" if bounds else f"{_value(result)}, n {result['n']}"


def _coverage(table: Mapping[str, Any]) -> str:
    """How many clips; how they split where the run treated some otherwise; and what is missing."""
    groups = [
        f"; {name} {', '.join(f'{group} {n}' for group, n in counts.items())}"
        for name, counts in table["groups"].items()
        if len(counts) > 1
    ]
    lacks = [f"; {reason} {n}" for reason, n in table["missing"].items()]
    return f"{table['n_measured']} of {table['n_labelled']}" + "".join(groups + lacks)


def _provenance() -> str:
    asked = ["git", "describe", "--always", "--dirty"]
    commit = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip() or "unknown"
    return f"Commit {commit}; " + ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
