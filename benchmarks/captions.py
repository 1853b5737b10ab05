"""How fast captions are asked for, checked and kept, and what a kill costs.

    python benchmarks/captions.py [--peers PYTHON] [--vllm URL --vllm-python PYTHON]

1. A fake endpoint answers in 50 ms. Ours, with prompt, check, journal and sidecars, is beside a bare loop
   that sends the same requests and keeps nothing (the ceiling), and beside datatrove's InferenceRunner and
   distilabel with their checkpoints, in an environment of their own: `python -m venv ENV && ENV/bin/pip
   install 'datatrove[inference]' distilabel openai`.
2. The driver is killed with -9 at half way and the same command run again.
3. A real vLLM, under its own load generator and under ours.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

if not __package__:  # run as a file: `import pipeline` would find this very folder
    sys.path[0] = str(Path(__file__).parents[1])

from annotators._chat.served import default_model
from benchmarks import _captions_contests as contests
from benchmarks._captions_runs import ACTORS, Timing, bare, drive, job, ours
from benchmarks._machine import commit, processor
from pipeline.engine.flow import annotate
from pipeline.engine.ray_engine import RayEngine
from pipeline.engine.watcher import Watcher
from pipeline.storage import Store
from tests.command import dataset
from tests.endpoint.corpus import items_of
from tests.endpoint.fake import Fake, fake

LATENCY_S = 0.05


def main() -> None:
    """Run what was asked for, and print it."""
    arguments = _arguments()
    if arguments.drive:
        _drive(arguments.drive)
        return
    print(f"{os.cpu_count()} cores, {processor()}, Python {platform.python_version()}, commit {commit()}\n")
    with tempfile.TemporaryDirectory() as folder:
        for part, work in (("speed", _speed), ("kill", _kill)):
            if part in arguments.parts:
                own = Path(folder, part)  # what an endpoint was asked is counted there
                own.mkdir()
                work(arguments, own)
        if arguments.vllm:
            _vllm(arguments, Path(folder))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--clips", type=int, default=20_000)
    parser.add_argument("--in-flight", type=int, default=256)
    parser.add_argument("--shard-size", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--parts", nargs="*", default=["speed", "kill"], choices=["speed", "kill"])
    parser.add_argument("--peers", help="python of an environment with datatrove and distilabel")
    parser.add_argument("--peer-clips", type=int, default=3000)
    parser.add_argument("--vllm", help="address of a vLLM server")
    parser.add_argument("--vllm-python", help="python of the environment that vLLM is in")
    parser.add_argument("--vllm-model", help="which of its models; the first adapter if none")
    parser.add_argument("--vllm-clips", type=int, default=800)
    parser.add_argument("--vllm-in-flight", type=int, default=64)
    parser.add_argument("--drive", nargs=5, metavar=("RUN", "URL", "IN_FLIGHT", "SHARD_SIZE", "CLIPS"))
    return parser.parse_args()


def _speed(arguments: argparse.Namespace, folder: Path) -> None:
    """Rounds of every contestant in turn, so that all meet the same machine."""
    found: dict[str, list[Timing]] = {}
    with fake(folder, latency_s=LATENCY_S) as endpoint:
        bare(endpoint, arguments.in_flight, 2000)
        for number in range(arguments.rounds):
            made = job(endpoint.url, arguments.in_flight, arguments.shard_size)
            timing = bare(endpoint, arguments.in_flight, arguments.clips)
            found.setdefault("bare aiohttp loop, nothing kept", []).append(timing)
            timing = ours(folder / f"run-{number}", endpoint, made, arguments.clips)
            found.setdefault(f"speechcraft, {ACTORS} processes, checked and kept", []).append(timing)
        for name in contests.PEERS if arguments.peers else ():
            version, timing = contests.peer(
                arguments.peers, name, endpoint, arguments.in_flight, arguments.peer_clips, folder / name
            )
            found[f"{name} {version}, kept"] = [timing]
    print(f"{arguments.clips} clips, {arguments.in_flight} in flight, answers after {LATENCY_S:g} s\n")
    print("| | captions/s | rounds | CPU a caption, us | the endpoint's, us |\n|---|---|---|---|---|")
    for name, timings in found.items():
        best = max(timings, key=lambda t: t.per_s)
        rounds = ", ".join(f"{t.per_s:.0f}" for t in timings)
        each, served = (1e6 * s / best.captions for s in (best.cpu_s, best.endpoint_cpu_s))
        own = f"{each:.0f}" if len(timings) > 1 else ""  # peers' processes have ended, and are not counted
        print(f"| {name} | {best.per_s:.0f} | {rounds} | {own} | {served:.0f} |")


def _kill(arguments: argparse.Namespace, folder: Path) -> None:
    """Kill the driver at half way, run the same command again at once, and count."""
    run, count = folder / "killed", arguments.clips
    with fake(folder, latency_s=LATENCY_S) as endpoint:
        where = (run, endpoint.url, arguments.in_flight, arguments.shard_size, count)
        driver = drive(*where)
        while endpoint.answered() < count // 2:
            time.sleep(0.05)
        driver.kill()
        driver.wait()
        at_kill = endpoint.answered()
        if drive(*where).wait():
            raise SystemExit("the second run failed")
        _report_kill(endpoint, run, count, at_kill)


def _vllm(arguments: argparse.Namespace, folder: Path) -> None:
    model = arguments.vllm_model or default_model(arguments.vllm, None, 60.0)
    in_flight, count = arguments.vllm_in_flight, arguments.vllm_clips
    contests.vllm(arguments.vllm, arguments.vllm_python, model, in_flight, count, folder)


def _report_kill(endpoint: Fake, run: Path, count: int, at_kill: int) -> None:
    ids = [row["id"] for row in dataset(run) if row["description"] and row["instruction"]]
    once = len(ids) == len(set(ids)) == count
    again = endpoint.asked_again()
    print(
        f"\nkilled after {at_kill} of {count}: every clip has exactly one caption: {once}; "
        f"{again} requests sent again, {again / count:.2%}"
    )


def _drive(given: list[str]) -> None:
    run, url, in_flight, shard_size, count = given[0], given[1], *map(int, given[2:])
    engine = RayEngine()
    made = job(url, in_flight, shard_size)
    annotate(items_of(count), made, Store(run), engine, Watcher())
    engine.stop()


if __name__ == "__main__":
    main()
