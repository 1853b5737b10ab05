"""Options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Source = Annotated[
    str,
    typer.Argument(
        help="A folder of sound, a manifest (jsonl, csv, tsv, parquet), tar shards, a Hugging Face "
        "dataset, a Kaldi folder or a Lhotse cut manifest.",
        show_default=False,
    ),
]
Profile = Annotated[str | None, typer.Option(help="A set of annotators that ships.")]
JobFile = Annotated[Path | None, typer.Option("--job", help="A job file, instead of a profile.")]
Sets = Annotated[
    list[str] | None, typer.Option("--set", help="annotator.option=value, annotator=way or annotator=off.")
]
ShardSize = Annotated[int | None, typer.Option(min=1, help="Clips in a shard.")]
SpeakerFrom = Annotated[
    str | None, typer.Option(help="'folder': the first folder below SOURCE names the speaker.")
]
SourceOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--source-option", help="NAME=VALUE for the source, such as audio_root=/data or split=test."
    ),
]
Engine = Annotated[str, typer.Option(help="ray, or inline: in this process, one shard at a time.")]
Actors = Annotated[int | None, typer.Option(min=1, help="Processes per pool.")]
RayAddress = Annotated[str | None, typer.Option(help="A running Ray cluster.")]
WorkingDir = Annotated[
    str | None, typer.Option(help="A folder or archive to send to its nodes: what runs there is this tree.")
]
RayRuntimeEnv = Annotated[Path | None, typer.Option(help="A file with Ray's runtime environment for them.")]
OnCpu = Annotated[bool, typer.Option("--cpu", help="Run pools that ask for GPUs on the processor.")]
MaxFailedClips = Annotated[
    str | None, typer.Option(help="End the run when more clips fail: a number, or a share such as 1%.")
]
MaxFailedShards = Annotated[str | None, typer.Option(help="End it when more shards are given up.")]
TakeOver = Annotated[
    bool,
    typer.Option("--take-over", help="Do not wait for another run in DIR: it is known to have ended."),
]
LogJson = Annotated[
    str | None, typer.Option(help="Log to this file as well, one JSON object a line; - is standard output.")
]
