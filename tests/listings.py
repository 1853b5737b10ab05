"""Which folders of a store are listed, and how often."""

from __future__ import annotations

import pytest

from pipeline.storage import Store


def listings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The folder of every listing from now on, as they come."""
    listed: list[str] = []
    files = Store.files

    def counted(self: Store, folder: str = "") -> set[str]:
        listed.append(folder)
        return files(self, folder)

    monkeypatch.setattr(Store, "files", counted)
    return listed
