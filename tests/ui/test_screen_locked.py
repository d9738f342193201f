"""Where one has to be logged in to see anything: what the page does with what it has shown."""

from pathlib import Path

from playwright.sync_api import Browser
from support.people import PINS
from support.screen import made, showing

LOGIN = """pin => fetch("/login", {method: "POST", headers: {"Content-Type": "application/json"},
    body: JSON.stringify({name: "otto", pin})}).then((answer) => answer.json())"""
LOGOUT = """() => import("/static/api.js").then((api) => api.logout())"""


def test_what_was_shown_leaves_the_screen_with_the_session(root: Path, browser: Browser) -> None:
    with showing(root, ui={"login_to_view": True}) as station:
        station.record.state = made(station.part(7))
        page = browser.new_page()
        page.goto(station.url)
        page.locator("dialog[open]").wait_for()
        assert page.evaluate(LOGIN, PINS["otto"])["ok"] is True
        page.reload()
        page.locator(".thumb:not([disabled])").first.wait_for()
        page.evaluate(LOGOUT)
        page.locator(".thumb:not([disabled])").first.wait_for(state="detached")
        page.locator("dialog[open]").wait_for()
        assert page.locator(".verdict .word").inner_text() == ""
        assert page.locator("img[src]").count() == 0
        page.close()
