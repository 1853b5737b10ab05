"""`speechcraft train`: the models that are the project's own. PyTorch is needed here only (extra `train`)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Train the project's own models; needs the extra `train`.", no_args_is_help=True)


@app.command("emphasis-data")
def emphasis_data(
    run: Annotated[str, typer.Argument(help="A finished run with word times.", show_default=False)],
    out: Annotated[str, typer.Argument(help="The folder to write to.", show_default=False)],
    strength: Annotated[
        list[float] | None,
        typer.Option(help="How strongly, taken in turns; 1 is 3.5 semitones, 4 dB, 35 % longer."),
    ] = None,
    per_clip: Annotated[int, typer.Option(min=1, max=100, help="Stressed clips per recording.")] = 3,
    limit: Annotated[int | None, typer.Option(min=1, help="Use the first N recordings only.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, other words and amounts.")] = 0,
    backend: Annotated[
        str, typer.Option(help="world: the recording itself; fastspeech2: its words in another voice.")
    ] = "world",
    engine: Annotated[str, typer.Option(help="ray, or inline: in this process.")] = "ray",
    actors: Annotated[int | None, typer.Option(min=1, help="Processes.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON for a machine.")] = False,
) -> int:
    """Regenerate the clips of a run with one word stressed. Run it again to go on after an interruption."""
    from jobs.train.emphasis_data.command import STRENGTHS, Request
    from jobs.train.emphasis_data.command import run as regenerate

    request = Request(run, out, tuple(strength or STRENGTHS), per_clip, seed, limit, engine, actors, backend)
    return regenerate(request, as_json=json_)


@app.command()
def rewriter(
    model: Annotated[
        str,
        typer.Argument(
            help="A causal language model: a folder, or a hub id that is here.", show_default=False
        ),
    ],
    out: Annotated[Path, typer.Argument(help="The folder of the adapter.", show_default=False)],
    run: Annotated[
        list[str] | None, typer.Option("--run", help="A run whose captions to learn from; several times.")
    ] = None,
    examples: Annotated[
        list[Path] | None, typer.Option(help="Examples you wrote, as JSON lines; several times.")
    ] = None,
    prompt: Annotated[
        str, typer.Option(help="As caption.prompt: a name, or a path with {language}.")
    ] = "caption",
    few_shot: Annotated[
        bool, typer.Option(help="Learn with the prompt's examples before every clip.")
    ] = False,
    held_out: Annotated[float, typer.Option(min=0.01, max=0.5, help="Share kept for the test.")] = 0.1,
    orders: Annotated[int, typer.Option(min=1, max=20, help="Orders of the attributes of a pair.")] = 2,
    synonyms: Annotated[int, typer.Option(min=0, max=20, help="Variants of a pair with other words.")] = 1,
    endpoint: Annotated[
        str | None, typer.Option(help="An OpenAI-compatible server for other wordings.")
    ] = None,
    endpoint_model: Annotated[str | None, typer.Option(help="Its model; none: the first it has.")] = None,
    api_key_env: Annotated[str | None, typer.Option(help="The environment variable with its key.")] = None,
    rounds: Annotated[
        int, typer.Option(min=0, max=10, help="With --endpoint: rounds of paraphrase and of translation.")
    ] = 2,
    limit: Annotated[int | None, typer.Option(min=1, help="Learn from the first N sound pairs only.")] = None,
    epochs: Annotated[float, typer.Option(min=0.01, help="How often each chat is seen.")] = 3.0,
    rank: Annotated[int, typer.Option(min=1, max=512, help="Of the adapter; it is scaled by 2.")] = 16,
    dropout: Annotated[float, typer.Option(min=0.0, max=0.9, help="In the adapter.")] = 0.05,
    lr: Annotated[float, typer.Option(min=0.0, help="The rate at its height; it falls as a cosine.")] = 2e-4,
    batch: Annotated[int, typer.Option(min=1, help="Chats at once.")] = 4,
    accumulate: Annotated[int, typer.Option(min=1, help="Batches to a step.")] = 4,
    save_steps: Annotated[int, typer.Option(min=1, help="Steps from one checkpoint to the next.")] = 100,
    max_length: Annotated[int, typer.Option(min=64, help="Tokens; longer chats are left out.")] = 4096,
    generate: Annotated[
        int | None, typer.Option(min=0, help="Answers to judge at the end; none: 100, 4 without a GPU.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, another test part and adapter.")] = 0,
    cpu: Annotated[bool, typer.Option("--cpu", help="On the processor, though there is a GPU.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON for a machine.")] = False,
) -> int:
    """Tune a language model to write captions. Run it again to go on after an interruption."""
    from jobs.train.rewriter.command import Request
    from jobs.train.rewriter.command import run as tune
    from jobs.train.rewriter.data import Wanted
    from jobs.train.rewriter.rewording import Endpoint
    from jobs.train.rewriter.schedule import Schedule

    asked = Endpoint(endpoint, endpoint_model, api_key_env) if endpoint else None
    data = Wanted(
        runs=tuple(run or ()),
        files=tuple(examples or ()),
        held_out=held_out,
        synonyms=synonyms,
        rounds=rounds,
        endpoint=asked,
        limit=limit,
        seed=seed,
    )
    schedule = Schedule(epochs, rank, 2 * rank, dropout, lr, batch, accumulate, save_steps)
    request = Request(model, out, data, prompt, few_shot, orders, schedule, max_length, generate, cpu)
    return tune(request, as_json=json_)


@app.command("emphasis")
def emphasis(
    out: Annotated[str, typer.Argument(help="The folder to write the weights to.", show_default=False)],
    regenerated: Annotated[
        list[str] | None, typer.Option(help="A folder that 'train emphasis-data' wrote; any number of them.")
    ] = None,
    run: Annotated[str | None, typer.Option(help="A run whose clips people listened to.")] = None,
    labels: Annotated[
        Path | None, typer.Option(help="The manifest with their marks: 'emphasis', a prominence per word.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, another network.")] = 0,
    members: Annotated[int, typer.Option(min=1, max=8, help="Networks that learn from listeners.")] = 2,
    regenerated_epochs: Annotated[int, typer.Option(min=1, help="Over the regenerated clips.")] = 6,
    listened_epochs: Annotated[int, typer.Option(min=1, help="Over the clips listened to.")] = 25,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON for a machine.")] = False,
) -> None:
    """Train the detector of the stressed word, measure it on speakers left out, and export it."""
    from jobs.train.emphasis.command import Request
    from jobs.train.emphasis.command import run as train
    from jobs.train.emphasis.learning import Settings

    settings = Settings(regenerated_epochs=regenerated_epochs, listened_epochs=listened_epochs)
    request = Request(out, tuple(regenerated or ()), run, labels, seed, members, settings)
    train(request, as_json=json_)


Labelled = Annotated[
    Path,
    typer.Argument(
        help="Folders of labelled speech, each with a manifest.jsonl: speechocean762, librispeech, vctk, "
        "ljspeech, emodb; timit, fda and voicebank are only tested on.",
        show_default=False,
    ),
]
Weights = Annotated[Path, typer.Argument(help="The folder to write the weights to.", show_default=False)]
Work = Annotated[
    Path | None, typer.Option(help="Where features are kept between runs; none: the user's cache.")
]
Seed = Annotated[int, typer.Option(min=0, help="Another seed, other networks.")]
Steps = Annotated[int, typer.Option(min=1, help="Batches that each network over log-mel learns from.")]
Readers = Annotated[int, typer.Option(min=1, max=16, help="Networks over functionals.")]
Listeners = Annotated[int, typer.Option(min=1, max=16, help="Networks over log-mel.")]
Json = Annotated[bool, typer.Option("--json", help="Print the lines of all tables as JSON.")]


@app.command("speaker")
def speaker(
    data: Labelled,
    out: Weights,
    work: Work = None,
    seed: Seed = 0,
    steps: Steps = 500,
    readers: Readers = 4,
    listeners: Listeners = 2,
    folds: Annotated[int, typer.Option(min=2, max=10, help="Of cross-validation by speaker.")] = 3,
    leave_out: Annotated[
        bool, typer.Option(help="Also train without each corpus in turn, and test on it.")
    ] = True,
    json_: Json = False,
) -> None:
    """Train the networks of age, measure them on speakers left out, and export them."""
    from jobs.train._corpora import TRAINED_ON
    from jobs.train._report import cache, printed
    from jobs.train.speaker import Request, run

    left_out = TRAINED_ON if leave_out else ()
    request = Request(data, out, work or cache(), seed, steps, readers, listeners, folds, left_out)
    printed(lambda say: run(request, say), as_json=json_)


@app.command("gender")
def gender(
    data: Labelled,
    out: Weights,
    work: Work = None,
    folds: Annotated[int, typer.Option(min=2, max=10, help="Of cross-validation by speaker.")] = 5,
    leave_out: Annotated[
        bool, typer.Option(help="Also train without each corpus in turn, and test on it.")
    ] = True,
    json_: Json = False,
) -> None:
    """Train the model of gender, measure it on speakers left out, and export it. Nothing is drawn."""
    from jobs.train._corpora import TRAINED_ON
    from jobs.train._report import cache, printed
    from jobs.train.gender import Request, run

    request = Request(data, out, work or cache(), folds, TRAINED_ON if leave_out else ())
    printed(lambda say: run(request, say), as_json=json_)


@app.command("emotion")
def emotion(
    data: Labelled,
    out: Weights,
    work: Work = None,
    seed: Seed = 0,
    steps: Annotated[int, typer.Option(min=1, help="Batches that each network learns from.")] = 300,
    readers: Readers = 8,
    json_: Json = False,
) -> None:
    """Train the networks of the mood, measure them on every speaker left out in turn, and export them."""
    from jobs.train._report import cache, printed
    from jobs.train.emotion import Request, run

    request = Request(data, out, work or cache(), seed, steps, readers)
    printed(lambda say: run(request, say), as_json=json_)
