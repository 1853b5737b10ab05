"""Out of a run: export, forget, gc."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jobs.cli.common import AsJson, RunDir, asking
from jobs.cli.options import TakeOver

app = typer.Typer(rich_markup_mode="rich")


@app.command()
def export(
    directory: RunDir,
    path: Annotated[
        str, typer.Argument(help="Where to: a new folder or any fsspec URL.", show_default=False)
    ],
    to: Annotated[str, typer.Option(help="hf, parquet, webdataset, jsonl, lhotse or paper.")] = "hf",
    audio: Annotated[
        str, typer.Option(help="embed the sound, give the path of the source's file, or none.")
    ] = "embed",
    sound: Annotated[
        str,
        typer.Option(help="native: the source's own; raw: mono 16 kHz; enhanced: what annotators heard."),
    ] = "native",
    split: Annotated[
        str, typer.Option(help="Such as by=speaker,test=0.05: by speaker, recording or clip.")
    ] = "",
    filter_: Annotated[
        str | None, typer.Option("--filter", help="Such as \"snr_db > 15 and emotion == 'sad'\".")
    ] = None,
    columns: Annotated[str, typer.Option(help="These columns only, e.g. transcript,description.")] = "",
    dedupe: Annotated[
        str, typer.Option(help="Any of sound, sound-near, transcript, transcript-near; the first stays.")
    ] = "",
    drop: Annotated[str, typer.Option(help="hallucinated: recognised words nobody can have said.")] = "",
    licence: Annotated[str, typer.Option(help="Clips under these licences only: CC0*,CC-BY-4.0.")] = "",
    commercial_only: Annotated[
        bool, typer.Option("--commercial-only", help="No column that a non-commercial model had a hand in.")
    ] = False,
    accuracy: Annotated[
        Path | None, typer.Option(help="What `speechcraft evaluate --json` printed, for the card.")
    ] = None,
    push: Annotated[
        str | None, typer.Option(help="Then send it to this dataset repository of the hub: org/name.")
    ] = None,
    private: Annotated[
        bool, typer.Option("--private", help="With --push: make the repository a private one.")
    ] = False,
    json_: AsJson = False,
) -> None:
    """Write the dataset in a form people load, with its sound. Run it again to go on where it ended."""
    from jobs.commands.export import names, run
    from jobs.export.accuracy import read_accuracy
    from jobs.export.request import Request
    from jobs.export.splits import SplitSpec

    request = Request(
        to=to,
        audio=audio,
        sound=sound,
        split=SplitSpec.parse(split) if split else None,
        filter=filter_,
        columns=names(columns),
        dedupe=names(dedupe),
        drop=names(drop),
        licence=names(licence),
        commercial_only=commercial_only,
        accuracy=None if accuracy is None else read_accuracy(accuracy),
    )
    run(directory, path, request, push, private=private, as_json=json_)


@app.command()
def forget(
    directory: RunDir,
    speaker: Annotated[str | None, typer.Option(help="Every clip of this speaker.")] = None,
    clip: Annotated[str | None, typer.Option(help="This clip, or this recording and its clips.")] = None,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Make the exports of this run anew as well.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    take_over: TakeOver = False,
    json_: AsJson = False,
) -> None:
    """Take clips out of every file of a run; no later run brings them back or computes the others again."""
    from jobs.commands.forget import run

    run(
        directory,
        speaker=speaker,
        clip=clip,
        rebuild=rebuild,
        take_over=take_over,
        as_json=json_,
        agree=asking("Nothing was forgotten", yes=yes),
    )


@app.command()
def gc(
    directory: RunDir,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go; remove nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    take_over: TakeOver = False,
    json_: AsJson = False,
) -> None:
    """Remove what the run's present job has no use for: files of other options, of clips that went away."""
    from jobs.commands.gc import run

    run(
        directory,
        dry_run=dry_run,
        take_over=take_over,
        as_json=json_,
        agree=asking("Nothing was removed", yes=yes),
    )
