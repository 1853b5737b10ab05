"""Settings every test shares."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.browser import chromium
from tests.s3.server import S3, serving

REAL_SPEECH = "SPEECHCRAFT_REAL_SPEECH"
VLLM_PYTHON = "SPEECHCRAFT_VLLM_PYTHON"
NEEDS = {
    "real": (os.environ.get(REAL_SPEECH), f"{REAL_SPEECH} names no folder of real speech"),
    "vllm": (os.environ.get(VLLM_PYTHON), f"{VLLM_PYTHON} names no Python that has vLLM: make vllm"),
    "browser": (chromium(), "no Chromium is installed: apt-get install chromium"),
}
"""What tests with a marker need, empty where it is not here, and what is said then."""

os.environ["RAY_AUTH_MODE"] = "disabled"
"""Without it Ray asks for tokens from the moment one is found at home, in the midst of a test even."""

LONG = (
    "jobs/serving/test_real_vllm.py",
    "chaos/test_chaos.py",
    "jobs/serving/test_engine.py",
    "jobs/clusters/test_slurm.py",
    "jobs/train/test_rewriter_serves.py",
    "engine/test_ray.py",
    "engine/test_asking.py",
    "engine/test_cluster.py",
    "jobs/test_metrics.py",
    "jobs/test_cli_ends.py",
)
"""Modules that come first, the longest at the head: of two processes none is left with one at the end."""

settings.register_profile("speechcraft", deadline=None, derandomize=True)
settings.load_profile("speechcraft")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long modules come first; tests that need what is not there are skipped, and listed with the reason."""
    first = {Path(__file__).parent / name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: first.get(item.path, len(first)))
    for marker, (there, reason) in NEEDS.items():
        if not there:
            for item in items:
                if item.get_closest_marker(marker):
                    item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    """A real S3 server on loopback, for the whole session."""
    with serving() as server:
        yield server
