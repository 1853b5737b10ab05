"""The paper's profile from end to end, on tiny checkpoints in the published layouts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.commands.models import run_check
from jobs.jobfile import build_job, read_profile
from pipeline.engine.flow import annotate
from pipeline.engine.inline import InlineEngine
from pipeline.engine.ray_engine import RayEngine
from pipeline.errors import UsageError
from pipeline.job import Job
from pipeline.source import open_source
from pipeline.storage import Store
from tests.command import dataset
from tests.fakes import Silent
from tests.tiny import shelf

CLIPS = Path(__file__).parents[2] / "examples" / "clips"
COLUMNS = {
    "sound": "duration_s native_rate_hz channels codec peak_dbfs clipped_share bandwidth_hz sound_hash",
    "quality": "snr_db noise_dbfs stoi pesq_mos si_sdr_db",
    "enhance": "enhanced enhance_reason",
    "language": "language language_source",
    "transcript": "transcript transcript_verbatim transcript_source",
    "words": "words words_source words_confidence",
    "pitch": "f0_median_hz f0_spread_semitones f0_low_hz f0_high_hz voiced_share",
    "energy": "rms_dbfs loudness_lufs",
    "speed": "syllables_per_s speech_s pause_share",
    "speaker": "age_years age_source child_probability",
    "affect": "arousal dominance valence",
    "topic": "topic_source",
    "labels": "pitch_label pitch_label_basis energy_label speed_label age_group",
    "caption": "description instruction caption_language caption_source caption_attributes",
}
ENGLISH = "emotion emotion_source emotion_scores emphasis_word emphasis_index words_per_s"
CHINESE = "emotion_source emotion_caption characters_per_s"


@pytest.fixture(scope="module", autouse=True)
def _shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPEECHCRAFT_MODELS", str(shelf.make(tmp_path_factory.mktemp("shelf"))))
        patch.setenv("HF_HUB_OFFLINE", "1")
        yield


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Example clips of both languages: with text, without it, and one from an audiobook."""
    wanted = ("forecast", "recipe", "station", "bedtime", "zh-weather", "zh-station")
    lines = [json.loads(line) for line in (CLIPS / "manifest.jsonl").read_text().splitlines()]
    path = tmp_path_factory.mktemp("manifest") / "manifest.jsonl"
    with path.open("w") as file:
        for line in lines:
            if line["id"] in wanted:
                kept = {k: line[k] for k in ("id", "text", "language", "title", "category") if k in line}
                kept |= {"audio": str(CLIPS / line["audio"])}
                if line["id"] == "recipe":
                    kept["domain"] = "audiobook"
                file.write(json.dumps(kept) + "\n")
    return path


def job() -> Job:
    return build_job(read_profile("speechcraft"), ["emphasis.min_probability=0"], shard_size=3)


def on_cpu(job: Job) -> Job:
    return replace(job, pools=tuple(replace(pool, gpus=0.0) for pool in job.pools))


def test_every_model_of_the_profile_is_found_and_whole() -> None:
    assert run_check("speechcraft", as_json=True)


def test_without_a_gpu_it_says_what_it_needs(manifest: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"asks for 1 GPU a process and there is none.*--cpu"):
        annotate(open_source(str(manifest)), job(), Store(str(tmp_path)), InlineEngine(), Silent())


def test_the_profile_fills_every_column_of_every_language_it_serves(manifest: Path, tmp_path: Path) -> None:
    engine = RayEngine(actors=1)
    try:
        outcome = annotate(open_source(str(manifest)), on_cpu(job()), Store(str(tmp_path)), engine, Silent())
    finally:
        engine.stop()
    assert outcome.given_up == []
    rows = {r["id"]: r for r in dataset(tmp_path)}
    assert len(rows) == 6
    for name, row in rows.items():
        if name == "bedtime":
            continue
        assert row["status"] == "ok", row["error"]
        own = CHINESE if name.startswith("zh") else ENGLISH
        for column in (*" ".join(COLUMNS.values()).split(), *own.split()):
            assert row[column] is not None, f"{name}: {column}"
    assert rows["bedtime"]["transcript_source"] == "whisper" or "no speech" in str(rows["bedtime"]["skipped"])
    assert rows["recipe"]["emotion"] == "neutral"
    assert rows["recipe"]["emotion_source"] == "domain"
    assert rows["recipe"]["enhanced"] is False
    assert rows["zh-weather"]["emotion_source"] == "secap"
    assert rows["forecast"]["emotion_source"] == "emotion2vec"
    assert rows["forecast"]["emotion_confidence"] is not None
