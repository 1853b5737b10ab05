"""Settings every test shares."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

REAL_SPEECH = "SPEECHCRAFT_REAL_SPEECH"

settings.register_profile("speechcraft", deadline=None, derandomize=True)
settings.load_profile("speechcraft")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests on real speech are skipped, and listed with the reason, where there is none."""
    if os.environ.get(REAL_SPEECH):
        return
    for item in items:
        if item.get_closest_marker("real"):
            item.add_marker(pytest.mark.skip(reason=f"{REAL_SPEECH} names no folder of real speech"))
