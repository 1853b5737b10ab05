"""Into a run and against labels: show, calibrate, evaluate, captions; and which annotators there are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jobs.cli.common import AsJson, RunDir
from jobs.cli.options import TakeOver

app = typer.Typer(rich_markup_mode="rich")


@app.command()
def show(
    directory: RunDir,
    clip_id: Annotated[str, typer.Argument(help="The clip's id; without one, a few clips.")] = "",
    rows: Annotated[int, typer.Option(min=1, help="Clips, spread over the run.")] = 4,
    json_: AsJson = False,
) -> None:
    """One clip with every column and where it came from, or a few clips with labels and captions."""
    from jobs.commands.show import run

    run(directory, clip_id, rows, as_json=json_)


@app.command("annotators")
def annotators_(
    name: Annotated[
        str, typer.Argument(help="A family such as pitch, or one way to fill it: pitch-dio. None: all.")
    ] = "",
    json_: AsJson = False,
) -> None:
    """Every annotator, or one, with its columns, options, models and licences."""
    from jobs.commands.annotators import run

    run(name, as_json=json_)


@app.command()
def calibrate(directory: RunDir, take_over: TakeOver = False, json_: AsJson = False) -> None:
    """Take the thresholds of labels anew, from every clip measured so far; the next annotate uses them."""
    from jobs.commands.calibrate import run

    run(directory, take_over=take_over, as_json=json_)


@app.command()
def evaluate(
    directory: RunDir,
    labels: Annotated[Path | None, typer.Option(help="A manifest with human labels.")] = None,
    json_: AsJson = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown for a page.")] = False,
    plot: Annotated[Path | None, typer.Option(help="Draw the tables as well: a .png, .svg or .pdf.")] = None,
) -> None:
    """Compare a run with human labels, and with what `speechcraft review` kept."""
    from jobs.commands.evaluate import run

    run(directory, labels, as_json=json_, as_markdown=markdown, plot=plot)


@app.command()
def captions(
    directory: RunDir,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, another sample for diversity.")] = 0,
    json_: AsJson = False,
) -> None:
    """What the captions of a run are like: omissions, distortions and other faults, length, variety."""
    from jobs.commands.captions import run

    run(directory, as_json=json_, seed=seed)


@app.command()
def report(
    directory: RunDir,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, other examples.")] = 0,
    json_: AsJson = False,
) -> None:
    """Write report/index.html into a run: what is in it, at a glance, with clips to listen to."""
    from jobs.commands.report import run

    run(directory, seed=seed, as_json=json_)


@app.command()
def review(
    directory: RunDir,
    sample: Annotated[int, typer.Option(min=1, help="Clips at most.")] = 100,
    by: Annotated[
        str,
        typer.Option(help="random, label=COLUMN:VALUE, low-confidence or failed-check."),
    ] = "random",
    seed: Annotated[int, typer.Option(min=0, help="Another seed, other clips.")] = 0,
    reviewer: Annotated[
        str | None, typer.Option(help="Who judges; none: the user's name. It stays in the run directory.")
    ] = None,
    host: Annotated[
        str, typer.Option(help="The address to listen on. From elsewhere than here a token is needed.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any that is free.")] = 8765,
    json_: AsJson = False,
) -> None:
    """Serve a page on which a person hears clips, and accepts, rejects or corrects what was found of them."""
    from jobs.commands.review import Request, run

    run(Request(directory, sample, by, seed, reviewer, host, port), as_json=json_)
