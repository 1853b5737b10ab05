"""The report in a browser without a network: it is all there, it plays, and nothing in it acts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser import Opened, opened, until
from tests.jobs.report.conftest import ATTACK

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def shown(chromium: Browser, page: Path) -> Iterator[Opened]:
    with opened(chromium, page.as_uri()) as found:
        yield found


def test_it_opens_without_a_complaint_and_without_the_network(shown: Opened) -> None:
    assert shown.complaints == []
    assert shown.requests == []


def test_every_plot_is_drawn(shown: Opened) -> None:
    boxes = [plot.bounding_box() for plot in shown.page.query_selector_all(".drawn > svg")]
    assert len(boxes) > 12
    assert all(box is not None and box["width"] > 200 and box["height"] > 80 for box in boxes)
    assert shown.page.locator(".drawn > svg:has(path, text)").count() == len(boxes)
    assert shown.page.locator(".drawn:not([aria-label])").count() == 0


def test_clips_play_and_the_playhead_follows(shown: Opened) -> None:
    audio = shown.page.locator("audio").first
    before = shown.page.locator(".clip-figure .head").first.get_attribute("x1")
    audio.evaluate("sound => sound.play()")
    until(shown.page, "document.querySelector('audio').currentTime > 0.3")
    assert shown.page.locator(".clip-figure .head").first.get_attribute("x1") != before
    audio.evaluate("sound => sound.pause()")
    told = float(shown.page.locator(".clip-figure").first.get_attribute("data-seconds") or 0)
    assert audio.evaluate("sound => sound.duration") == pytest.approx(told, abs=0.15)
    assert shown.page.locator("audio").evaluate_all("all => all.every(a => !a.error)")


def test_a_click_on_a_drawing_plays_from_there_and_stops_the_others(shown: Opened) -> None:
    sounds = shown.page.locator("audio")
    sounds.nth(0).evaluate("sound => sound.play()")
    shown.page.locator(".clip-figure").nth(1).click()
    until(shown.page, "!document.querySelectorAll('audio')[1].paused")
    half = sounds.nth(1).evaluate("sound => sound.duration") / 2
    assert sounds.nth(1).evaluate("sound => sound.currentTime") == pytest.approx(half, rel=0.4)
    assert sounds.nth(0).evaluate("sound => sound.paused")
    sounds.nth(1).evaluate("sound => sound.pause()")


def test_a_text_that_attacks_is_read_and_does_nothing(shown: Opened) -> None:
    assert shown.page.evaluate("window.hurt") is None
    assert shown.page.locator("script").count() == 1
    assert shown.page.locator("img").count() == 0
    text = shown.page.locator("body").inner_text()
    assert ATTACK.partition("\u202e")[0] in text
    assert "{{7*7}}" in text
    assert "\u202e" not in text


def test_a_script_that_got_in_would_not_run(shown: Opened) -> None:
    shown.page.evaluate(
        "() => { const s = document.createElement('script'); s.textContent = 'window.ran = 1';"
        " document.body.append(s); s.remove(); }"
    )
    assert shown.page.evaluate("window.ran") is None
    shown.complaints.clear()


@pytest.mark.parametrize("width", [360, 768])
def test_a_narrow_screen_need_not_be_scrolled_sideways(chromium: Browser, page: Path, width: int) -> None:
    with opened(chromium, page.as_uri(), width=width) as found:
        wide = found.page.evaluate("document.documentElement.scrollWidth")
        assert wide == width
        sizes = found.page.locator(".plots:not(.two) .drawn > svg text").evaluate_all(
            "all => all.map(t => t.getBoundingClientRect().height)"
        )
        assert min(sizes) > 7


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_what_stands_in_a_bar_is_not_cut(chromium: Browser, page: Path, width: int) -> None:
    with opened(chromium, page.as_uri(), width=width) as found:
        cut = "all => all.filter(p => p.scrollWidth > p.clientWidth).map(p => p.textContent)"
        assert found.page.locator(".split-bar i").evaluate_all(cut) == []
        assert found.page.locator(".split-bar i:not([title])").count() == 0


def test_a_drawing_that_scrolls_has_a_shadow_at_its_edge(chromium: Browser, page: Path) -> None:
    with opened(chromium, page.as_uri(), width=390) as found:
        first = found.page.locator(".clip-scroll").first
        assert first.evaluate("it => it.scrollWidth > it.clientWidth")
        attached = first.evaluate("it => getComputedStyle(it).backgroundAttachment")
        assert attached.split(", ")[:4] == ["local", "local", "scroll", "scroll"]


def test_a_clip_has_no_chip_that_says_nothing(shown: Opened) -> None:
    chips = shown.page.locator(".labels li").all_inner_texts()
    assert any(chip.startswith("emotion ") for chip in chips)
    assert not any(chip.startswith("emotion other") for chip in chips)


def test_plots_and_drawings_follow_the_dark(chromium: Browser, page: Path) -> None:
    colours = []
    for dark in (False, True):
        with opened(chromium, page.as_uri(), dark=dark) as found:
            ask = "name => getComputedStyle(document.querySelector(name)).fill"
            colours.append([found.page.evaluate(ask, s) for s in (".drawn svg text", ".clip-figure .word")])
            back = found.page.evaluate("getComputedStyle(document.body).backgroundColor")
            colours[-1].append(back)
    assert all(light != dark for light, dark in zip(*colours, strict=True))
