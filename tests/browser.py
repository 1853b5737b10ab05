"""Chromium, as the tests drive it: headless, with the network off, every complaint kept."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Browser, Page, sync_playwright

LOCAL = ("file:", "data:", "blob:")


def chromium() -> str | None:
    """Where the browser is; None where there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser that plays sound without being clicked."""
    flags = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required", "--mute-audio"]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=flags)
        try:
            yield opened
        finally:
            opened.close()


@dataclass
class Opened:
    """A page, what it complained of, and what it asked of the network."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


def until(page: Page, expression: str, *, seconds: float = 30.0) -> None:
    """Wait until it is true. Playwright's own way needs `eval`, which a strict page forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"{expression} did not come true in {seconds:.0f} s"
        page.wait_for_timeout(50)


@contextmanager
def opened(browser: Browser, url: str, *, width: int = 1280, dark: bool = False) -> Iterator[Opened]:
    """That address in a window so wide, loaded."""
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if dark else "light",
        offline=url.startswith("file:"),
    )
    try:
        found = Opened(context.new_page())
        found.page.on("console", lambda message: found.complaints.append(message.text))
        found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
        found.page.on(
            "request",
            lambda request: None if request.url.startswith(LOCAL) else found.requests.append(request.url),
        )
        found.page.goto(url)
        yield found
    finally:
        context.close()
