"""Other projects over the same requests, in an environment of their own.

Imports nothing of this project: it is not installed there.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

WORKERS = 2
"""As many processes as ours uses, where the project can."""


def datatrove(url: str, bodies: Path, out: Path, in_flight: int) -> None:
    """InferenceRunner with checkpoints, over an endpoint that is there already."""
    from datatrove.executor.local import LocalPipelineExecutor
    from datatrove.pipeline.inference.run_inference import InferenceConfig, InferenceRunner
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers import JsonlWriter

    async def rollout(document: Any, generate: Any) -> str:
        result = await generate(json.loads(document.text))
        return str(json.loads(result.text)["description"])

    lines = bodies.read_text("utf-8").splitlines()
    for rank in range(WORKERS):
        part = [
            json.dumps({"id": f"{rank}-{n}", "text": line}) for n, line in enumerate(lines[rank::WORKERS])
        ]
        (out / "in").mkdir(parents=True, exist_ok=True)
        (out / "in" / f"{rank}.jsonl").write_text("\n".join(part), "utf-8")
    config = InferenceConfig(
        server_type="endpoint",
        endpoint_url=url,
        model_name_or_path="rewriter",
        max_concurrent_generations=in_flight // WORKERS,
    )
    runner = InferenceRunner(
        rollout_fn=rollout,
        config=config,
        output_writer=JsonlWriter(str(out / "out"), output_filename="${rank}_${chunk_index}.jsonl"),
        checkpoints_local_dir=str(out / "checkpoints"),
    )
    LocalPipelineExecutor(
        pipeline=[JsonlReader(str(out / "in")), runner],
        logging_dir=str(out / "logs"),
        tasks=WORKERS,
        workers=WORKERS,
    ).run()


def distilabel(url: str, bodies: Path, out: Path, in_flight: int) -> None:
    """A pipeline of one generation, with its cache of batches."""
    from distilabel.models import OpenAILLM
    from distilabel.pipeline import Pipeline
    from distilabel.steps import LoadDataFromDicts
    from distilabel.steps.tasks import ChatGeneration

    lines = bodies.read_text("utf-8").splitlines()
    data = [{"messages": json.loads(line)["messages"]} for line in lines]
    with Pipeline("captions", cache_dir=str(out / "cache")) as pipeline:
        load = LoadDataFromDicts(data=data, batch_size=in_flight)
        model = OpenAILLM(
            model="rewriter",
            base_url=f"{url}/v1",
            api_key="none",
            generation_kwargs={"temperature": 0.7, "top_p": 0.95, "max_new_tokens": 768},
        )
        task = ChatGeneration(llm=model, input_batch_size=in_flight)
        load >> task
    pipeline.run(use_cache=True)


PEERS = {"datatrove": datatrove, "distilabel": distilabel}

if __name__ == "__main__":
    name, *given = sys.argv[1:]
    if given:
        PEERS[name](given[0], Path(given[1]), Path(given[2]), int(given[3]))
    else:
        print(version(name))
