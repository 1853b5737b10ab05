"""Settings every test shares."""

from __future__ import annotations

import os
from collections.abc import Iterator

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

settings.register_profile("speechcraft", deadline=None, derandomize=True)
settings.load_profile("speechcraft")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that need what is not there are skipped, and listed with the reason."""
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
