"""A real Chromium, looked at and led over its pipe."""

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from inspector.devices.chromium import Chromium
from inspector.domain.kiosk import NOTICE

CHROMIUM = shutil.which("chromium")
PAGE = "data:text/html,<h1>the page</h1>"
# No compositor, and no sandbox for a test that may be root's.
HERE = ("--ozone-platform=headless", "--headless", "--no-sandbox", "--disable-gpu")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    if CHROMIUM is None:
        pytest.skip("needs chromium (apt-get install chromium)")
    one = Chromium(CHROMIUM, tmp_path_factory.mktemp("profile") / "browser", HERE)
    until(lambda: one.look() is not None)
    yield one
    one.close()
    assert one.ended


def test_page_that_was_opened_is_seen(browser: Chromium) -> None:
    browser.open(PAGE)
    until(lambda: letters(browser) == len("the page"))


def test_words_are_seen_where_there_is_no_page(browser: Chromium) -> None:
    browser.write("<p>waiting</p>")
    sight = browser.look()
    assert sight
    assert (sight.url, sight.letters) == (NOTICE, len("waiting"))


def test_crashed_page_gives_no_answer_and_comes_back_when_opened(browser: Chromium) -> None:
    browser.open(PAGE)
    until(lambda: letters(browser) > 0)
    for renderer in renderers(browser):
        renderer.send_signal(signal.SIGSEGV)
    until(lambda: browser.look() is None)
    until(lambda: browser.open(PAGE) is None and letters(browser) > 0)


def test_hung_browser_gives_no_answer_and_holds_nobody_up(browser: Chromium) -> None:
    """And it is the same browser again when it goes on."""
    browser.open(PAGE)
    main = main_process()
    main.send_signal(signal.SIGSTOP)
    try:
        assert browser.look() is None
        browser.open(PAGE)
    finally:
        main.send_signal(signal.SIGCONT)
    until(lambda: letters(browser) > 0)


def test_browser_opens_no_port(browser: Chromium) -> None:
    main = main_process()
    numbers = {main.pid, *(one.pid for one in main.children(recursive=True))}
    found = [one for one in psutil.net_connections() if one.status == "LISTEN"]
    assert not [one for one in found if one.pid in numbers]


def test_browser_that_is_killed_has_ended_and_answers_nothing(tmp_path: Path) -> None:
    if CHROMIUM is None:
        pytest.skip("needs chromium (apt-get install chromium)")
    one = Chromium(CHROMIUM, tmp_path / "browser", HERE)
    until(lambda: one.look() is not None)
    for child in psutil.Process().children():
        if str(tmp_path) in " ".join(child.cmdline()):
            os.kill(child.pid, signal.SIGKILL)
    until(lambda: one.ended)
    assert one.look() is None
    one.close()


def test_browser_that_is_not_there_has_ended(tmp_path: Path) -> None:
    one = Chromium(str(tmp_path / "none"), tmp_path / "browser")
    until(lambda: one.ended)
    one.close()


def main_process() -> psutil.Process:
    children = psutil.Process().children()
    return next(one for one in children if "--remote-debugging-pipe" in one.cmdline())


def letters(browser: Chromium) -> int:
    sight = browser.look()
    return sight.letters if sight else 0


def renderers(browser: Chromium) -> list[psutil.Process]:
    found = psutil.Process().children(recursive=True)
    return [one for one in found if "--type=renderer" in one.cmdline()]


def until(done: Callable[[], bool], timeout: float = 60) -> None:
    end = time.monotonic() + timeout
    while not done():
        assert time.monotonic() < end
        time.sleep(0.05)
