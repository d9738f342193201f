"""A real Chromium before the station's page, as on the touchscreen.

Promises: what the page says on its console, and every request it makes, is kept and can be held
against what it may.
Never: a browser's stand-in; without Chromium the tests that need it say so.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

SIZES = ((1280, 800), (1024, 600))
LANGUAGES = ("en", "de", "es", "zh-CN")
PAGES = ("line", "review", "trends", "teach", "challenge", "models", "health")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's own, started once. Skips where it is absent."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("needs chromium (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Screen:
    """One touchscreen: its page, what it said and where it asked."""

    page: Page
    url: str
    said: list[str] = field(default_factory=list)  # errors and warnings of the console
    asked: list[str] = field(default_factory=list)  # every address

    def goto(self, name: str) -> None:
        """Touch the rail."""
        self.page.locator(f'#rail a[data-page="{name}"]').tap()
        self.page.wait_for_selector(f"#page.page-{name}")

    def login(self, name: str, pin: str) -> None:
        """By touch: the name, the digits, the tick."""
        self.page.locator("#bar .person").tap()
        dialog = self.page.locator("dialog")
        dialog.get_by_role("button", name=name).tap()
        for digit in pin:
            dialog.get_by_role("button", name=digit, exact=True).tap()
        dialog.locator(".key.primary").tap()

    def off_the_box(self) -> list[str]:
        """Requests that went anywhere but to the station."""
        own = urlsplit(self.url).netloc
        return [one for one in self.asked if urlsplit(one).netloc not in ("", own)]


@contextmanager
def screen(
    browser: Browser,
    url: str,
    size: tuple[int, int] = SIZES[0],
    page: str = "line",
    language: str = "",
) -> Iterator[Screen]:
    """A touchscreen of this size, with the page open."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, has_touch=True, ignore_https_errors=True
    )
    if language:
        context.add_init_script(f"localStorage.setItem('inspector.language', '{language}')")
    opened = context.new_page()
    one = Screen(opened, url)

    def said(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            one.said.append(message.text)

    opened.on("console", said)
    opened.on("pageerror", lambda error: one.said.append(str(error)))
    opened.on("request", lambda request: one.asked.append(request.url))
    opened.goto(f"{url}/#/{page}")
    opened.wait_for_selector(f"#page.page-{page}")
    try:
        yield one
    finally:
        context.close()
