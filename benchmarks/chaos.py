"""A long storm: workers, a node, the driver, the endpoint and requests to S3 fail while a run goes on.

    python benchmarks/chaos.py --seeds 1,2,3

Each seed is a run of its own over a cluster of two raylets on this machine, into S3 (moto's server) or,
with `--local`, a folder; it ends when its dataset is there. The dataset is then compared, byte for byte,
with that of a run that nothing happened to, and every computation with a log that only grows.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from pathlib import Path

if not __package__:  # run as a file: `import pipeline` would find this very file
    sys.path[0] = str(Path(__file__).parents[1])

from benchmarks._machine import commit, processor
from tests.chaos.report import Outcome, weather_the_storm
from tests.chaos.storm import Forecast

COLUMNS = (
    "seed | dataset | seconds | workers killed | node lost | driver killed | endpoint dead, connections "
    "turned away | 503 from S3 | shards tried again | in flight | computed again | answers asked again"
)


def main() -> None:
    """Run and print; exit code 1 if any dataset differs or more was computed again than was in flight."""
    asked = _arguments()
    print(
        f"{asked.shards} shards; {os.cpu_count()} cores, {processor()}, Python {platform.python_version()}, "
        f"commit {commit()}\n"
    )
    print(f"| {COLUMNS} |\n|{'---|' * (COLUMNS.count('|') + 1)}", flush=True)
    broken = False
    for seed in map(int, asked.seeds.split(",")):
        forecast = Forecast(seed, workers=asked.workers, outages=asked.outages, outage_s=5.0)
        with tempfile.TemporaryDirectory() as folder:
            one_in = None if asked.local else asked.one_in
            found = weather_the_storm(Path(folder), forecast, asked.shards, one_in=one_in)
        broken |= found.stormy != found.calm or sum(found.again.values()) > found.weather.in_flight
        print(_line(seed, found), flush=True)
    sys.exit(broken)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", default="1,2,3", help="with commas between")
    parser.add_argument("--shards", type=int, default=300)
    parser.add_argument("--workers", type=int, default=15, help="how many are killed")
    parser.add_argument("--outages", type=int, default=3, help="of the endpoint")
    parser.add_argument("--one-in", type=int, default=10, help="requests to S3 end in 503")
    parser.add_argument("--local", action="store_true", help="a folder instead of S3")
    return parser.parse_args()


def _line(seed: int, found: Outcome) -> str:
    weather = found.weather
    fired = weather.fired
    cells = (
        seed,
        "the same bytes" if found.stormy == found.calm else "DIFFERS",
        f"{weather.seconds:.0f}",
        fired["worker killed"],
        fired["node lost"],
        fired["driver killed"],
        f"{fired['endpoint dead']}, {weather.turned_away}",
        f"{found.s3.get('slow', 0)} of {found.s3['requests']}" if found.s3 else "",
        weather.tried_again,
        weather.in_flight,
        sum(found.again.values()),
        found.asked_again,
    )
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    main()
