"""Makes the report of a run: reads it once, draws, and writes report/ into the run directory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from jobs.calls import costs_of, read_calls
from jobs.captions import Reporter, captioned
from jobs.captions.sample import rank
from jobs.export.dataset import Dataset
from jobs.languages import language_name
from jobs.report.clips import cards
from jobs.report.gather import gather
from jobs.report.page import page
from jobs.report.panels import panels_of
from jobs.report.parts import Parts
from jobs.report.plots import Plot, cloud, lengths, measures, people
from jobs.report.thresholds import age_bounds_years, thresholds_of
from jobs.runs import Run
from pipeline.counting import counted
from pipeline.rundir import REPORT, Shard

PAGE = f"{REPORT}/index.html"
CHECKED = 20_000
"""Clips whose captions are read by the check, about: 2 ms each."""


def write_report(directory: str, *, seed: int, say: Callable[[str], None]) -> str:
    """Write the report of the run in that directory, and say where its page is.

    The same run and seed, the same bytes. RunError where there is no dataset yet, UsageError where a
    plotting library is missing.
    """
    run, dataset = Run.open(directory), Dataset.open(directory)
    parts = gather_parts(run, dataset, seed, say)
    files = {
        f"{REPORT}/plots/{p.name}.{kind}": data
        for p in parts.plots
        for kind, data in (("svg", p.svg), ("png", p.png))
    }
    files[PAGE] = page(parts).encode()
    for old in run.store.names(REPORT) - set(files):
        run.store.remove(old)
    for name, data in files.items():
        run.store.write(name, data)
    return f"{directory.rstrip('/')}/{PAGE}"


def gather_parts(run: Run, dataset: Dataset, seed: int, say: Callable[[str], None]) -> Parts:
    """All that the page tells."""
    say(f"Reading {counted(dataset.clips, 'clip')}.")
    found = gather(dataset, seed)
    say("Checking the captions.")
    reporter = Reporter(seed)
    for one in captioned(run, _some(run.shards, seed)):
        reporter.add(one)
    say("Drawing.")
    bounds_years = age_bounds_years(run.record)
    panels = panels_of(found, thresholds_of(run.record), bounds_years)
    genders = found.genders()
    languages = {code: reporter.lengths[code] for code in reporter.lengths}
    words = {code: cloud.counted(sample.kept, code) for code, sample in sorted(found.texts.items())}
    return Parts(
        run=run,
        dataset=dataset,
        found=found,
        captions=reporter.report(),
        measures=tuple(measures.draw(panel, genders) for panel in panels),
        people=tuple(people.draw(found, bounds_years)),
        lengths=_drawn(lengths.draw(code, language_name(code), n) for code, n in languages.items()),
        clouds=_drawn(cloud.draw(n, code, language_name(code)) for code, n in words.items()),
        words=words,
        varied=tuple(cards(run, found.candidates.varied())),
        unsure=tuple(cards(run, found.candidates.unsure())),
        failed=tuple(cards(run, found.candidates.failed())),
        costs=costs_of(read_calls(run.store)),
    )


def _some(shards: Sequence[Shard], seed: int) -> list[Shard]:
    """Shards in a seeded order until they hold enough clips, in the order of the run; all of a small run."""
    chosen: list[Shard] = []
    for shard in sorted(shards, key=lambda shard: rank(seed, shard.name)):
        if sum(s.clips for s in chosen) >= CHECKED:
            break
        chosen.append(shard)
    return sorted(chosen)


def _drawn(plots: Iterable[Plot | None]) -> tuple[Plot, ...]:
    return tuple(plot for plot in plots if plot is not None)
