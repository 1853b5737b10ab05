"""What is said is kept before it is answered; nobody else may say it, and nothing else can be read."""

from __future__ import annotations

import io
import json
import re
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile

from jobs.export.dataset import Dataset
from jobs.review.desk import Desk
from jobs.review.sample import sample
from jobs.review.view import Views
from jobs.runs import Run
from pipeline.review.judgements import read
from pipeline.storage import Store
from tests.command import speechcraft
from tests.jobs.review.serving import JUDGE, Served, served


@pytest.fixture(scope="module")
def page(reviewable: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(reviewable / "run", "--reviewer", "Ada") as found:
        yield found


@pytest.fixture(scope="module")
def clip(page: Served) -> str:
    """The address of a clip."""
    return page.ask("/").headers["Location"]


@pytest.mark.parametrize(
    "path",
    [
        "/job.yaml",
        "/clip/forecast",
        "/clip/..%2f..%2fjob.yaml",
        "/clip/../job.yaml",
        "/clip/%2e%2e/job.yaml/sound.wav",
        "/clip/0000000000000000/sound.wav",
        "/assets/..%2fserver.py",
        "/assets/../server.py",
        "/assets/page.html.j2",
        "/assets/%2fetc%2fpasswd",
        "//etc/passwd",
        "/reviews/",
    ],
)
def test_nothing_is_read_but_the_clips_of_the_sample(page: Served, path: str) -> None:
    found = page.ask(path)
    assert found.status == 404
    assert b"root:" not in found.body
    assert b"annotators" not in found.body


def test_a_port_in_use_is_one_sentence_with_the_way_out(page: Served, reviewable: Path) -> None:
    port = page.address.rstrip("/").rpartition(":")[2]
    ended = speechcraft("review", reviewable / "run", "--port", port)
    assert ended.code == 2
    assert "the port is in use; --port 0 takes one that is free." in " ".join(ended.err.split())


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"emotion": None, "emotion_source": "small", "emotion_confidence": 0.3}, "small: unsure · 0.30"),
        (
            {"emotion": None, "emotion_source": "small: a language it did not learn"},
            "small: a language it did not learn",
        ),
        ({"emotion": "sad", "emotion_source": "small", "emotion_confidence": 0.9}, "by small · 0.90"),
        ({"emotion": "sad", "emotion_source": "given"}, "given"),
    ],
)
def test_of_a_value_it_is_told_who_found_it_and_of_none_why(
    reviewable: Path, row: dict[str, object], told: str
) -> None:
    run = str(reviewable / "run")
    (clip,) = sample(Dataset.open(run), 1, "random", 0)
    shown = replace(clip, row={**clip.row, "emotion_confidence": None, **row})
    desk = Desk(Store(run), "Ada", [shown])
    (line,) = [one for one in Views(Run.open(run), desk).view(clip.key).lines if one.name == "emotion"]
    assert line.tells == told


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "192.168.0.7:80", "", "[::2]"])
def test_a_foreign_name_is_turned_away(page: Served, clip: str, host: str) -> None:
    assert page.ask(clip, headers={"Host": host}).status == 403


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:99", "127.0.0.1", "[::1]:8765"])
def test_names_of_this_machine_are_known(page: Served, clip: str, host: str) -> None:
    assert page.ask(clip, headers={"Host": host}).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "application/json"},
        {"Content-Type": "text/plain", "X-Speechcraft-Review": "1"},
        {**JUDGE, "Origin": "http://evil.example"},
        {**JUDGE, "Origin": "null"},
        {**JUDGE, "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_another_page_cannot_judge(
    page: Served, clip: str, reviewable: Path, headers: dict[str, str]
) -> None:
    body = {"attribute": "gender", "verdict": "accept"}
    assert page.ask(f"{clip}/judge", body, headers).status == 403
    assert page.ask("/undo", {}, headers).status == 403
    assert read(Store(str(reviewable / "run"))) == []


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"attribute": "words", "verdict": "accept"},
        {"attribute": "gender", "verdict": "praise"},
        {"attribute": "gender", "verdict": ["accept"]},
        {"attribute": "gender", "verdict": "correct"},
        {"attribute": "gender", "verdict": "correct", "correction": "feline"},
        {"attribute": "gender", "verdict": "accept", "correction": "male"},
        {"attribute": "description", "verdict": "correct", "correction": "  "},
        {"attribute": "description", "verdict": "correct", "correction": "x" * 10_001},
        {"attribute": "description", "verdict": "correct", "correction": "x" * 200_000},
    ],
)
def test_what_says_nothing_is_not_kept(page: Served, clip: str, reviewable: Path, body: object) -> None:
    assert page.ask(f"{clip}/judge", body, JUDGE).status in (400, 413, 422)
    assert read(Store(str(reviewable / "run"))) == []


def test_sound_comes_whole_and_in_ranges(page: Served, clip: str) -> None:
    whole = page.ask(f"{clip}/sound.wav")
    assert (whole.status, whole.headers["Accept-Ranges"]) == (200, "bytes")
    assert soundfile.info(io.BytesIO(whole.body)).samplerate == 16_000
    part = page.ask(f"{clip}/sound.wav", headers={"Range": "bytes=100-199"})
    assert (part.status, part.body) == (206, whole.body[100:200])
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(whole.body)}"
    assert page.ask(f"{clip}/sound.wav", headers={"Range": "bytes=-10"}).body == whole.body[-10:]
    assert page.ask(f"{clip}/sound.wav", headers={"Range": "bytes=44-"}).body == whole.body[44:]
    assert page.ask(f"{clip}/sound.wav", headers={"Range": f"bytes={len(whole.body)}-"}).status == 416


def test_every_answer_forbids_what_the_page_does_not_need(page: Served, clip: str) -> None:
    for path in ("/", clip, f"{clip}/sound.wav", "/assets/review.js", "/nothing"):
        headers = page.ask(path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert (headers["X-Frame-Options"], headers["Referrer-Policy"]) == ("DENY", "no-referrer")
    text = page.ask(clip).body.decode()
    assert not re.search(r"<script(?![^>]* src=)|\son\w+=|\sstyle=|https?://", text)


def test_a_judgement_outlives_the_server(folder: Path) -> None:
    with served(folder / "run", "--reviewer", "Ada Lovelace") as first:
        clip = first.ask("/").headers["Location"]
        body = {"attribute": "emotion", "verdict": "correct", "correction": "sad"}
        said = first.ask(f"{clip}/judge", body, JUDGE)
        assert json.loads(said.body)["state"] == "corrected"
        first.process.send_signal(signal.SIGKILL)
        first.process.wait(60)
    (kept,) = read(Store(str(folder / "run")))
    assert (kept.reviewer, kept.attribute, kept.correction) == ("Ada Lovelace", "emotion", "sad")
    with served(folder / "run", "--reviewer", "Ada Lovelace") as second:
        assert second.ask("/").headers["Location"] != clip
        assert 'data-state="corrected"' in second.ask(clip).body.decode()


def test_from_elsewhere_a_token_is_needed_once(reviewable: Path) -> None:
    with served(reviewable / "run", "--host", "0.0.0.0") as page:
        address, _, token = page.address.partition("/?token=")
        here = Served(page.process, address.replace("0.0.0.0", "127.0.0.1"))
        assert len(token) >= 32
        assert here.ask("/").status == 401
        assert here.ask("/?token=").status == 401
        assert here.ask(f"/?token={token[:-1]}").status == 401
        assert here.ask("/undo", {}, JUDGE).status == 401
        assert here.ask(f"/?token={token}", headers={"Host": "evil.example"}).status == 403
        welcome = here.ask(f"/?token={token}")
        cookie = welcome.headers["Set-Cookie"]
        assert welcome.status == 200
        assert all(part in cookie for part in ("HttpOnly", "SameSite=Strict", "Path=/"))
        known = {"Cookie": cookie.partition(";")[0]}
        assert here.ask("/", headers=known).status == 303
        assert here.ask("/undo", {}, {**known, **JUDGE}).status == 409
        assert here.ask("/", headers={"Cookie": "speechcraft_review=guess"}).status == 401


def test_here_no_token_is_asked_for(page: Served) -> None:
    assert "token" not in page.address
