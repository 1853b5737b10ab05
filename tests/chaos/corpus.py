"""Voices as files, and the job that annotates them exactly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from pipeline.clip import SAMPLE_RATE_HZ
from tests.command import write_manifest
from tests.make import buzz

CLIPS_PER_SHARD = 3
POOLS = {"sound": "cpu", "pitch": "cpu", "caption": "llm"}
"""Where the families run that are noted."""
LLM_ACTORS = 4
IN_FLIGHT = 2
"""Requests of each of them at once."""
LATENCY_S = 0.1
"""Of the endpoint. A shard is at work for a while, so that faults find it."""
_JOB = f"""
annotators:
  sound: tests.chaos.ways.decode
  language: script
  speaker: given
  emotion: given
  pitch: tests.chaos.ways.dio
  energy: levels
  labels: thresholds
  caption: {{use: tests.chaos.ways.llm, model: base, in_flight: {IN_FLIGHT}, wait_s: 60}}
pools:
  - {{name: cpu, cpus: 0.5CPU_ACTORS}}
  - {{name: llm, cpus: 0.25, actors: {LLM_ACTORS}, families: [caption]}}
shard_size: {CLIPS_PER_SHARD}
calibrate_clips: 24
"""


def write_corpus(folder: Path, shards: int, cpu_actors: int | None) -> None:
    """`speech.jsonl`, its sounds, and `job.yaml`; None: as many actors as follow the queue."""
    bound = "" if cpu_actors is None else f", actors: {cpu_actors}"
    (folder / "job.yaml").write_text(_JOB.replace("CPU_ACTORS", bound), "utf-8")
    write_manifest(folder / "speech.jsonl", *(_clip(folder, n) for n in range(shards * CLIPS_PER_SHARD)))


def _clip(folder: Path, number: int) -> dict[str, object]:
    rng = np.random.default_rng(number)
    gender, low_hz = [("female", 170), ("male", 90)][number % 2]
    sound = buzz(rng.uniform(low_hz, 1.5 * low_hz), rng.uniform(0.3, 0.5), peak=rng.uniform(0.05, 0.8))
    soundfile.write(folder / f"{number}.wav", sound, SAMPLE_RATE_HZ)
    emotion = ("neutral", "happy", "sad", "angry")[number // 2 % 4]
    return {
        "id": f"clip-{number:05d}",
        "audio": f"{number}.wav",
        "text": f"This is line {number}.",
        "gender": gender,
        "emotion": emotion,
    }


def shard_of(clip_id: str) -> int:
    """The shard a clip is in."""
    return int(clip_id.rpartition("-")[2]) // CLIPS_PER_SHARD
