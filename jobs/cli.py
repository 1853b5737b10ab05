"""`speechcraft`: the command line. Exit codes:

0  done; clips that failed are rows with a reason
1  an error in speechcraft itself
2  the request cannot be carried out: one sentence says why
3  finished, but some shards were given up; their clips are rows with status failed
130  interrupted; the same command goes on from there
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from jobs.commands.train import app as train_app
from pipeline.errors import UsageError

GIVEN_UP = 3
INTERRUPTED = 130

app = typer.Typer(
    name="speechcraft",
    help="Speech in, a captioned dataset out.",
    epilog="Exit codes: 0 done (clips that failed are rows with a reason); 1 an error in speechcraft itself; "
    "2 the request cannot be carried out; 3 finished, but some shards were given up; 130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

RunDir = Annotated[
    str, typer.Argument(help="A run directory: a folder or any fsspec URL.", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a machine.")]


@app.command()
def annotate(
    source: Annotated[
        str,
        typer.Argument(
            help="A folder of sound, a manifest (jsonl, csv, tsv, parquet), tar shards, a Hugging Face "
            "dataset, a Kaldi folder or a Lhotse cut manifest.",
            show_default=False,
        ),
    ],
    out: Annotated[str, typer.Option(help="The run directory.", show_default=False)],
    profile: Annotated[str | None, typer.Option(help="A set of annotators that ships.")] = None,
    job: Annotated[Path | None, typer.Option(help="A job file, instead of a profile.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="annotator.option=value, annotator=way or annotator=off."),
    ] = None,
    shard_size: Annotated[int | None, typer.Option(min=1, help="Clips in a shard.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Annotate the first N clips only.")] = None,
    engine: Annotated[
        str, typer.Option(help="ray, or inline: in this process, one shard at a time.")
    ] = "ray",
    actors: Annotated[int | None, typer.Option(min=1, help="Processes per pool.")] = None,
    ray_address: Annotated[str | None, typer.Option(help="A running Ray cluster.")] = None,
    cpu: Annotated[bool, typer.Option("--cpu", help="Run pools that ask for GPUs on the processor.")] = False,
    speaker_from: Annotated[
        str | None, typer.Option(help="'folder': the first folder below SOURCE names the speaker.")
    ] = None,
    ignore_given: Annotated[
        bool, typer.Option("--ignore-given", help="Recognise what the source already says (for evaluation).")
    ] = False,
    keep_given: Annotated[
        str, typer.Option(help="With --ignore-given: what may be used all the same, e.g. text,language.")
    ] = "",
    json_: AsJson = False,
) -> int:
    """Annotate speech. Run it again to go on after an interruption: what exists is not computed again."""
    from jobs.commands.annotate import Request, run

    request = Request(
        source=source,
        out=out,
        profile=profile,
        job_file=job,
        sets=tuple(set_ or ()),
        shard_size=shard_size,
        limit=limit,
        engine=engine,
        actors=actors,
        ray_address=ray_address,
        cpu=cpu,
        speaker_from=speaker_from,
        ignore_given=ignore_given,
        keep_given=tuple(n.strip() for n in keep_given.split(",") if n.strip()),
    )
    return run(request, as_json=json_)


@app.command()
def status(directory: RunDir, json_: AsJson = False) -> None:
    """What is done, what failed and why."""
    from jobs.commands.status import run

    run(directory, as_json=json_)


@app.command()
def show(
    directory: RunDir,
    clip_id: Annotated[str, typer.Argument(help="The clip's id; without one, a table of clips.")] = "",
    rows: Annotated[int, typer.Option(min=1, help="Clips in the table.")] = 30,
    json_: AsJson = False,
) -> None:
    """One clip with every column and where it came from, or a table of clips."""
    from jobs.commands.show import run

    run(directory, clip_id, rows, as_json=json_)


@app.command("annotators")
def annotators_(json_: AsJson = False) -> None:
    """Every annotator with its columns, options, models and licences."""
    from jobs.commands.annotators import run

    run(as_json=json_)


@app.command()
def calibrate(directory: RunDir, json_: AsJson = False) -> None:
    """Take the thresholds of labels anew, from every clip measured so far; the next annotate uses them."""
    from jobs.commands.calibrate import run

    run(directory, as_json=json_)


@app.command()
def evaluate(
    directory: RunDir,
    labels: Annotated[Path, typer.Option(help="A manifest with human labels.", show_default=False)],
    json_: AsJson = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown for a page.")] = False,
    plot: Annotated[Path | None, typer.Option(help="Draw the tables as well: a .png, .svg or .pdf.")] = None,
) -> None:
    """Compare a run with human labels."""
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
def serve(
    model: Annotated[str, typer.Argument(help="A folder, or a hub id that is here.", show_default=False)],
    lora: Annotated[
        list[str] | None, typer.Option(help="name=folder of a LoRA adapter; may be given several times.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What requests call the model without adapter.")] = None,
    python: Annotated[str | None, typer.Option(help="The Python that has vLLM, if not this one.")] = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    gpus: Annotated[int, typer.Option("--gpus", "--tensor-parallel", min=1, help="GPUs to spread over.")] = 1,
    max_model_len: Annotated[int | None, typer.Option(min=16, help="Most tokens of a request.")] = None,
    start_s: Annotated[float, typer.Option(min=1, help="How long it may take to come up.")] = 1800.0,
    extra: Annotated[str, typer.Option(help="More arguments for vLLM, as one text.")] = "",
    json_: AsJson = False,
) -> int:
    """Serve a language model with vLLM until Ctrl-C; prints the endpoint when it is up."""
    from jobs.commands.serve import run, settings
    from jobs.serving.settings import read_adapters

    asked = settings(
        model,
        name=name,
        lora=read_adapters(lora or []),
        python=python,
        gpus=gpus,
        max_model_len=max_model_len,
        extra=extra,
        start_s=start_s,
    )
    return run(asked, host, port, as_json=json_)


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
    run(directory, path, request, as_json=json_)


@app.command()
def forget(
    directory: RunDir,
    speaker: Annotated[str | None, typer.Option(help="Every clip of this speaker.")] = None,
    clip: Annotated[str | None, typer.Option(help="This clip, or this recording and its clips.")] = None,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Make the exports of this run anew as well.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json_: AsJson = False,
) -> None:
    """Take clips out of every file of a run; no later run brings them back or computes the others again."""
    from jobs.commands.forget import run

    run(
        directory,
        speaker=speaker,
        clip=clip,
        rebuild=rebuild,
        as_json=json_,
        agree=lambda text: yes or typer.confirm(text, err=True),
    )


models_app = typer.Typer(help="The published models that annotators load.", no_args_is_help=True)
app.add_typer(models_app, name="models")
app.add_typer(train_app, name="train")


@models_app.command("list")
def models_list(json_: AsJson = False) -> None:
    """Every model with licence, size and where it is."""
    from jobs.commands.models import run_list

    run_list(as_json=json_)


@models_app.command("pull")
def models_pull(profile: Annotated[str, typer.Argument(help="A profile.", show_default=False)]) -> None:
    """Download the models of a profile that are not here yet."""
    from jobs.commands.models import run_pull

    run_pull(profile)


@models_app.command("check")
def models_check(
    profile: Annotated[str, typer.Argument(help="A profile.", show_default=False)], json_: AsJson = False
) -> None:
    """Whether every model of a profile is here and whole. Exit code 2 if not."""
    from jobs.commands.models import run_check

    raise typer.Exit(0 if run_check(profile, as_json=json_) else 2)


def main() -> None:
    """The entry point: errors in one sentence, a clean end on Ctrl-C."""
    try:
        code = app(standalone_mode=False) or 0
    except UsageError as error:
        _complain(str(error))
        sys.exit(2)
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except Exception as error:
        if type(error).__module__.startswith(("click", "typer")) and hasattr(error, "exit_code"):
            _complain(error.format_message() if hasattr(error, "format_message") else str(error))
            sys.exit(2)
        raise
    if code == INTERRUPTED:
        _complain("Interrupted. What is written stays; the same command goes on from there.")
    sys.exit(code)


def _complain(message: str) -> None:
    if message:
        Console(stderr=True, soft_wrap=True).print(message, style="red", markup=False, highlight=False)


if __name__ == "__main__":
    main()
