"""A run and how it goes: annotate, status, retry, plan."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jobs.cli.common import AsJson, RunDir
from jobs.cli.options import (
    Actors,
    Engine,
    JobFile,
    LogJson,
    MaxFailedClips,
    MaxFailedShards,
    OnCpu,
    Profile,
    RayAddress,
    RayRuntimeEnv,
    Sets,
    ShardSize,
    Source,
    SourceOptions,
    SpeakerFrom,
    TakeOver,
    WorkingDir,
)

app = typer.Typer(rich_markup_mode="rich")


def limits(max_failed_clips: str | None, max_failed_shards: str | None) -> list[str]:
    """The limits as `--set` takes them."""
    asked = {"max_failed_clips": max_failed_clips, "max_failed_shards": max_failed_shards}
    return [f"limits.{name}={value}" for name, value in asked.items() if value is not None]


@app.command()
def annotate(
    source: Source,
    out: Annotated[str, typer.Option(help="The run directory.", show_default=False)],
    profile: Profile = None,
    job: JobFile = None,
    set_: Sets = None,
    shard_size: ShardSize = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Annotate the first N clips only.")] = None,
    engine: Engine = "ray",
    actors: Actors = None,
    ray_address: RayAddress = None,
    working_dir: WorkingDir = None,
    ray_runtime_env: RayRuntimeEnv = None,
    cpu: OnCpu = False,
    speaker_from: SpeakerFrom = None,
    source_option: SourceOptions = None,
    ignore_given: Annotated[
        bool, typer.Option("--ignore-given", help="Recognise what the source already says (for evaluation).")
    ] = False,
    keep_given: Annotated[
        str, typer.Option(help="With --ignore-given: what may be used all the same, e.g. text,language.")
    ] = "",
    max_failed_clips: MaxFailedClips = None,
    max_failed_shards: MaxFailedShards = None,
    log_json: LogJson = None,
    take_over: TakeOver = False,
    replace_source: Annotated[
        bool,
        typer.Option("--replace-source", help="Have the dataset in DIR replaced by that of another SOURCE."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be computed and why; write nothing.")
    ] = False,
    json_: AsJson = False,
) -> int:
    """Annotate speech. Run it again to go on after an interruption: what exists is not computed again."""
    from jobs.commands.annotate import Request, run

    request = Request(
        source=source,
        out=out,
        profile=profile,
        job_file=job,
        sets=(*(set_ or ()), *limits(max_failed_clips, max_failed_shards)),
        shard_size=shard_size,
        limit=limit,
        engine=engine,
        actors=actors,
        ray_address=ray_address,
        working_dir=working_dir,
        ray_runtime_env=ray_runtime_env,
        cpu=cpu,
        speaker_from=speaker_from,
        source_options=tuple(source_option or ()),
        ignore_given=ignore_given,
        keep_given=tuple(n.strip() for n in keep_given.split(",") if n.strip()),
        log_json=log_json,
        take_over=take_over,
        replace_source=replace_source,
        dry_run=dry_run,
    )
    return run(request, as_json=json_)


@app.command()
def status(
    directory: RunDir,
    all_: Annotated[
        bool, typer.Option("--all", help="Name every failed clip, not a few of each cause.")
    ] = False,
    json_: AsJson = False,
) -> None:
    """What is done, what is running, what failed and why, what it has cost."""
    from jobs.commands.status import run

    run(directory, as_json=json_, all_=all_)


@app.command()
def retry(
    directory: RunDir,
    failed: Annotated[
        bool, typer.Option("--failed", help="Every failed row: what is done where nothing else is said.")
    ] = False,
    annotator: Annotated[str | None, typer.Option(help="Rows of this annotator only.")] = None,
    shard: Annotated[int | None, typer.Option(min=0, help="Rows of this shard only.")] = None,
    clip: Annotated[str | None, typer.Option(help="Rows of this clip only.")] = None,
    code: Annotated[
        str | None, typer.Option(help="Rows that failed for this cause only, such as oom.")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Of those, the rows that went well too.")] = False,
    mark_only: Annotated[
        bool, typer.Option("--mark-only", help="Leave the computing to the next annotate command.")
    ] = False,
    engine: Engine = "ray",
    actors: Actors = None,
    ray_address: RayAddress = None,
    cpu: OnCpu = False,
    job: Annotated[
        Path | None, typer.Option(help="The job file, if it serves the model that its annotators ask.")
    ] = None,
    max_failed_clips: MaxFailedClips = None,
    max_failed_shards: MaxFailedShards = None,
    log_json: LogJson = None,
    take_over: TakeOver = False,
    json_: AsJson = False,
) -> int:
    """Compute failed rows again, and what was made from them; all other rows stay as they are."""
    from jobs.commands.retry import Request, run
    from jobs.retry import Selection

    if failed and all_:
        raise typer.BadParameter("Give --failed or --all, not both.")
    request = Request(
        directory,
        Selection(annotator, shard, clip, code, all_),
        mark_only=mark_only,
        engine=engine,
        actors=actors,
        ray_address=ray_address,
        cpu=cpu,
        job_file=job,
        limits=(("max_failed_clips", max_failed_clips), ("max_failed_shards", max_failed_shards)),
        log_json=log_json,
        take_over=take_over,
    )
    return run(request, as_json=json_)


@app.command()
def plan(
    source: Source,
    hours: Annotated[
        float | None, typer.Option(min=0.001, help="Hours of sound to forecast; none: all of SOURCE.")
    ] = None,
    sample: Annotated[int, typer.Option(min=2, help="Files or recordings that are really annotated.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, another sample.")] = 0,
    profile: Profile = None,
    job: JobFile = None,
    set_: Sets = None,
    shard_size: ShardSize = None,
    engine: Engine = "inline",
    actors: Actors = None,
    ray_address: RayAddress = None,
    cpu: OnCpu = False,
    speaker_from: SpeakerFrom = None,
    source_option: SourceOptions = None,
    json_: AsJson = False,
) -> None:
    """What annotating so much would take: hours, cores, GPUs, bytes; from a sample that is annotated here."""
    from jobs.commands.annotate import Request as Asked
    from jobs.commands.plan import Request, run

    asked = Asked(
        source=source,
        out="",
        profile=profile,
        job_file=job,
        sets=tuple(set_ or ()),
        shard_size=shard_size,
        engine=engine,
        actors=actors,
        ray_address=ray_address,
        cpu=cpu,
        speaker_from=speaker_from,
        source_options=tuple(source_option or ()),
    )
    run(Request(asked, hours, sample, seed), as_json=json_)
