"""A run directory on object storage is reviewed as a folder is."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestClient, TestServer

from jobs.export.dataset import Dataset
from jobs.output import notice
from jobs.review.apply import apply, pending
from jobs.review.desk import Desk
from jobs.review.gate import Gate
from jobs.review.sample import sample
from jobs.review.server import ReviewServer
from jobs.review.view import Views
from jobs.runs import Run
from pipeline.storage import Store
from tests.jobs.review.serving import JUDGE


def test_a_run_that_is_no_folder_is_heard_judged_and_joined(reviewable: Path, tmp_path: Path) -> None:
    store = Store(f"memory://{tmp_path}/run")
    here = Store(str(reviewable / "run"))
    for name in here.names():
        store.write(name, here.read(name))
    data = Dataset.open(store.url)
    (clip,) = [clip for clip in sample(data, 100, "random", 0) if clip.id == "station"]
    desk = Desk(store, "Ada", [clip])
    server = ReviewServer(desk, Views(Run.open(store.url), desk), Gate("127.0.0.1", None))

    async def visit() -> tuple[str, bytes, Any]:
        async with TestClient(TestServer(server.app)) as client:
            page = await (await client.get("/")).text()
            sound = await (await client.get(f"/clip/{clip.key}/sound.wav")).read()
            told = {"attribute": "emotion", "verdict": "correct", "correction": "sad"}
            return (
                page,
                sound,
                await (await client.post(f"/clip/{clip.key}/judge", json=told, headers=JUDGE)).json(),
            )

    page, sound, said = asyncio.run(visit())
    assert "The next train to the city" in page
    assert sound.startswith(b"RIFF")
    assert said["state"] == "corrected"
    assert pending(store)
    assert apply(store.url, notice)
    assert not pending(store)
    rows = [row for table in Dataset.open(store.url).tables(["id", "emotion"]) for row in table.to_pylist()]
    assert {"id": "station", "emotion": "sad"} in rows
