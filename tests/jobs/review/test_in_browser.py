"""The page in a browser, worked with the keyboard alone: what is judged is kept, and arrives."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Browser, Page

from pipeline.review.judgements import read
from pipeline.storage import Store
from tests.browser import Opened, opened, until
from tests.command import dataset, speechcraft
from tests.jobs.review.conftest import ATTACK
from tests.jobs.review.serving import Served, served

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def run(reviewable: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run to review, once for all these tests."""
    folder = tmp_path_factory.mktemp("browser")
    shutil.copytree(reviewable / "run", folder / "run")
    return folder / "run"


@pytest.fixture(scope="module")
def server(run: Path) -> Iterator[Served]:
    with served(run, "--reviewer", "Ada") as found:
        yield found


@pytest.fixture
def shown(chromium: Browser, server: Served) -> Iterator[Opened]:
    with opened(chromium, server.address) as found:
        yield found


def find(page: Page, id: str) -> None:
    """To a clip by keyboard: back to the first, then on until it is there."""
    while page.locator("#before").count():
        turn(page, "k")
    while id not in page.locator("h1").inner_text():
        assert page.locator("#after").count(), f"there is no clip {id}"
        turn(page, "j")


def turn(page: Page, key: str) -> None:
    with page.expect_navigation(wait_until="load"):
        page.keyboard.press(key)


def state(page: Page, attribute: str, wanted: str) -> None:
    until(page, f"document.getElementById('a-{attribute}').dataset.state === {wanted!r}")


def test_it_opens_without_a_complaint_and_asks_nobody_else(shown: Opened, server: Served) -> None:
    assert shown.complaints == []
    assert all(request.startswith(server.address) for request in shown.requests)
    assert shown.page.locator(".clip-figure").count() == 1
    assert shown.page.locator(".line").count() == 12
    assert shown.page.locator(".line.chosen").count() == 1


def test_space_plays_and_arrows_seek(shown: Opened) -> None:
    shown.page.keyboard.press("Space")
    until(shown.page, "document.querySelector('audio').currentTime > 0.2")
    until(shown.page, "Number(document.querySelector('.head').getAttribute('x1')) > 46")
    shown.page.keyboard.press("Space")
    assert shown.page.evaluate("document.querySelector('audio').paused")
    before = shown.page.evaluate("document.querySelector('audio').currentTime")
    shown.page.keyboard.press("ArrowRight")
    until(shown.page, f"document.querySelector('audio').currentTime > {before} + 0.5")
    assert shown.page.evaluate("!document.querySelector('audio').error")


def test_a_correction_by_keyboard_arrives_in_the_next_export(shown: Opened, run: Path) -> None:
    page = shown.page
    (before,) = [row for row in dataset(run) if row["id"] == "station"]
    find(page, "station")
    page.keyboard.press("7")
    page.keyboard.press("c")
    page.keyboard.press("3")
    state(page, "emotion", "corrected")
    page.keyboard.press("d")
    page.keyboard.press("c")
    page.keyboard.type("She announces a train, and sounds sad.")
    page.keyboard.press("Enter")
    state(page, "description", "corrected")
    out = run.parent / "export"
    ended = speechcraft("export", run, out, "--to", "parquet", "--audio", "none", "--json")
    assert ended.code == 0, ended.err
    rows = [row for p in out.rglob("*.parquet") for row in pq.ParquetFile(p).read().to_pylist()]
    (row,) = [row for row in rows if row["id"] == "station"]
    assert (row["emotion"], row["emotion_source"]) == ("sad", "review")
    assert row["description"] == "She announces a train, and sounds sad."
    assert row["instruction"] != before["instruction"]


def test_keys_accept_reject_move_and_take_back(shown: Opened, run: Path) -> None:
    page = shown.page
    find(page, "forecast")
    page.keyboard.press("2")
    page.keyboard.press("a")
    state(page, "gender", "accepted")
    assert page.locator(".chosen").get_attribute("data-attribute") == "age_group"
    page.keyboard.press("r")
    state(page, "age_group", "rejected")
    page.keyboard.press("u")
    state(page, "age_group", "")
    said = [(j.attribute, j.verdict) for j in read(Store(str(run))) if j.clip == "forecast"]
    assert said == [("gender", "accept"), ("age_group", "reject"), ("age_group", "withdraw")]
    page.keyboard.press("A")
    until(page, "!document.querySelector('.line[data-state=\"\"]')")


def test_a_stressed_word_is_chosen_by_its_place(shown: Opened, run: Path) -> None:
    page = shown.page
    find(page, "recipe")
    page.keyboard.press("8")
    page.keyboard.press("c")
    page.keyboard.press("3")
    state(page, "emphasis_word", "corrected")
    (said,) = [j for j in read(Store(str(run))) if j.clip == "recipe" and j.attribute == "emphasis_word"]
    assert (said.correction, said.place) == ("onions", 2)


def test_escape_leaves_an_editor_and_the_help(shown: Opened) -> None:
    page = shown.page
    page.keyboard.press("t")
    page.keyboard.press("c")
    page.keyboard.type("jjj")
    page.keyboard.press("Escape")
    assert page.locator(".editor:not([hidden])").count() == 0
    page.keyboard.press("?")
    assert page.evaluate("document.getElementById('help').open")
    page.keyboard.press("j")
    page.keyboard.press("Escape")
    assert not page.evaluate("document.getElementById('help').open")


def test_whoever_cannot_see_is_told(shown: Opened) -> None:
    page = shown.page
    page.keyboard.press("2")
    assert page.evaluate("document.activeElement.dataset.attribute") == "gender"
    assert page.locator("[role=status]").get_attribute("aria-live") == "polite"
    unnamed = "b => !(b.getAttribute('aria-label') || b.textContent.trim())"
    assert page.locator("button, a").evaluate_all(f"all => all.filter({unnamed}).length") == 0


def test_a_text_that_attacks_is_read_and_does_nothing(shown: Opened) -> None:
    page = shown.page
    find(page, "window.hurt")
    page.keyboard.press("t")
    page.keyboard.press("c")
    assert page.evaluate("window.hurt") is None
    assert page.locator("img, main script").count() == 0
    assert ATTACK.partition("\u202e")[0] in page.locator("#v-transcript").inner_text()
    assert page.locator("#a-transcript textarea").input_value().startswith("<script>")
    assert "\u202e" not in page.locator("body").inner_text()
    assert shown.complaints == []


@pytest.mark.parametrize("width", [1180, 1280, 1600])
def test_on_a_wide_screen_the_whole_drawing_is_seen(chromium: Browser, server: Served, width: int) -> None:
    with opened(chromium, server.address, width=width) as found:
        drawing = found.page.locator(".clip-scroll")
        assert drawing.evaluate("d => d.scrollWidth - d.clientWidth") == 0
        assert drawing.evaluate("d => d.clientWidth") >= 480


@pytest.mark.parametrize("width", [375, 768])
def test_a_narrow_screen_need_not_be_scrolled_sideways(chromium: Browser, server: Served, width: int) -> None:
    with opened(chromium, server.address, width=width, dark=width == 375) as found:
        assert found.page.evaluate("document.documentElement.scrollWidth") == width


def test_what_could_not_be_kept_is_told_and_not_shown_as_kept(chromium: Browser, run: Path) -> None:
    with served(run, "--reviewer", "Bob") as server, opened(chromium, server.address) as found:
        page = found.page
        server.process.kill()
        server.process.wait(60)
        page.keyboard.press("2")
        page.keyboard.press("a")
        until(page, "document.getElementById('wrong').textContent.includes('not kept')")
        assert page.locator("#a-gender").get_attribute("data-state") == ""
