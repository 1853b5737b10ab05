"""The models: serve one, list, pull and check those that annotators load."""

from __future__ import annotations

from typing import Annotated

import typer

from jobs.cli.common import AsJson

app = typer.Typer(rich_markup_mode="rich")
models_app = typer.Typer(help="The published models that annotators load.", no_args_is_help=True)
app.add_typer(models_app, name="models")


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
