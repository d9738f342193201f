"""Every page as it looks: at both sizes, in all four languages, on the running line.

Promises: the pages are reached by touch, and the language is chosen by touch.
Never: looks at a page that shows nothing.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from msgspec import structs
from playwright.sync_api import Browser, Page
from support.at_line import Station, dialog, operator_at, sample_line, wait_text
from support.browser import LANGUAGES, PAGES, SIZES, Screen, screen
from support.fit import problems
from support.outcomes import WALL, outcome
from support.screen import ScreenStation, line_state, made

from inspector.core.live import Alarm, LineState
from inspector.core.terms import Cause, Kind, Mode, Severity
from inspector.domain.alarms import CODES, rule_of
from inspector.domain.linestate import WHY

pytestmark = pytest.mark.line

SHEETS = ("box", "departures", "audit")  # of Health, besides the first
LOGOUT_S = 30  # the least
SIZED = pytest.mark.parametrize("size", SIZES, ids=lambda size: "x".join(map(str, size)))


@pytest.fixture(scope="module")
def station() -> Iterator[Station]:
    with sample_line(takt_ms=500, ui={"logout_s": LOGOUT_S}) as one:
        yield one


@dataclass
class People:
    """One who has gone away from the screen, and one who touches it now and then."""

    away: Screen
    there: Screen
    since: float

    def touch(self) -> None:
        self.there.page.locator("#page").tap(position={"x": 3, "y": 3})

    def wait_out(self) -> None:
        while time.monotonic() - self.since < LOGOUT_S + 2:
            self.touch()
            self.there.page.wait_for_timeout(500)


@pytest.fixture(scope="module")
def people(browser: Browser, station: Station) -> Iterator[People]:
    with operator_at(browser, station) as away, operator_at(browser, station, "emma") as there:
        away.page.evaluate(TOASTS)
        yield People(away, there, time.monotonic())


@contextmanager
def clean(browser: Browser, url: str, size: tuple[int, int]) -> Iterator[Screen]:
    """A screen that asks nobody else for anything and has nothing to complain of."""
    with screen(browser, url, size) as one:
        yield one
        assert one.said == []
        assert one.off_the_box() == []


def speak(page: Page, language: str) -> None:
    page.locator("#bar .tongue").tap()
    dialog(page).locator(f'button[data-value="{language}"]').tap()
    page.wait_for_selector(f'html[lang="{language}"]')
    page.wait_for_selector("dialog", state="detached")


# What was said in passing, as it comes.
TOASTS = """() => {
  window.toasts = [];
  new MutationObserver((all) => {
    for (const one of all) for (const node of one.addedNodes) window.toasts.push(node.textContent);
  }).observe(document.getElementById("toasts"), { childList: true });
}"""

# True once nothing but a verdict has changed for a while.
CALM = """() => new Promise((done) => {
  let timer = setTimeout(() => done(true), 200);
  const limit = setTimeout(() => done(true), 1500);
  new MutationObserver((all) => {
    if (!all.some((one) => one.type === "childList")) return;
    clearTimeout(timer);
    timer = setTimeout(() => { clearTimeout(limit); done(true); }, 200);
  }).observe(document.getElementById("page"), { childList: true, subtree: true });
})"""


def walk(one: Screen) -> Iterator[str]:
    """Every page and sheet, by touch, once it stands still."""
    for name in PAGES:
        one.goto(name)
        one.page.evaluate(CALM)
        yield name
        if name == "health":
            for sheet in SHEETS:
                one.page.locator(f'#page button[data-value="{sheet}"]').tap()
                one.page.wait_for_url(f"**/#/health/{sheet}")
                one.page.evaluate(CALM)
                yield f"health/{sheet}"


def found(one: Screen, where: str) -> list[str]:
    assert one.page.locator("#page").inner_text().strip(), f"{where} is empty"
    return [f"{where}: {problem}" for problem in problems(one.page)]


@SIZED
def test_every_page_fits_in_every_language(
    browser: Browser, station: Station, people: People, size: tuple[int, int]
) -> None:
    with clean(browser, station.url, size) as one:
        wrong = []
        for language in LANGUAGES:
            speak(one.page, language)
            for where in walk(one):
                wrong += found(one, f"{language} {where}")
                people.touch()
        assert wrong == []


def hindrances(one: Screen, where: str) -> list[str]:
    """What axe-core calls serious or critical."""
    answer: dict[str, Any] = Axe().run(one.page).response
    return [
        f"{where}: {each['id']} {[node['target'] for node in each['nodes']]}"
        for each in answer["violations"]
        if each["impact"] in ("serious", "critical")
    ]


@SIZED
def test_no_page_and_no_dialog_has_a_serious_finding_by_axe(
    browser: Browser, station: Station, people: People, size: tuple[int, int]
) -> None:
    with clean(browser, station.url, size) as one:
        wrong = []
        for where in walk(one):
            wrong += hindrances(one, where)
            people.touch()
        for where, at in opened(one):
            wrong += found(one, f"{at} {where}")
            people.touch()
            if at == "de" and size == SIZES[1]:
                wrong += hindrances(one, where)
        assert wrong == []


def opened(one: Screen) -> Iterator[tuple[str, str]]:
    """Each dialog that an operator sees, in the longest and the densest language."""
    page = one.page
    for language in ("de", "zh-CN"):
        one.goto("line")
        speak(page, language)
        openers = {
            "login": "#bar .person",
            "part": ".recent .thumb:first-child",
            "recipe": ".controls .named >> nth=0",
            "lot": ".controls .named >> nth=1",
            "pause": ".controls .pause",
            "language": "#bar .tongue",
        }
        for where, opener in openers.items():
            page.locator(opener).tap()
            dialog(page).locator(".body > *").first.wait_for()
            if where == "part":
                page.wait_for_selector("dialog .facts dl")
            page.wait_for_timeout(100)  # a picture is laid out
            yield f"dialog {where}", language
            if where == "login":
                dialog(page).get_by_role("button", name="tina").tap()
                dialog(page).locator(".keys").wait_for()
                yield "dialog PIN", language
            dialog(page).locator("header .away").tap()
            page.wait_for_selector("dialog", state="detached")


def test_who_goes_away_is_logged_out_by_itself_and_who_touches_is_not(
    people: People, station: Station
) -> None:
    """Both have been at their screens since the first test here; the one was seen to now and
    then by the tests above."""
    people.wait_out()
    people.away.page.wait_for_function("window.toasts.some((words) => words.includes('otto'))")
    assert "otto" not in people.away.page.locator("#bar .person").inner_text()
    assert "emma" in people.there.page.locator("#bar .person").inner_text(), station.line.log


def alarms() -> tuple[Alarm, ...]:
    """One of each that there is, and one that this version does not know."""
    return tuple(
        Alarm(
            id=number,
            code=code,
            service="capture-cam0",
            severity=rule_of(code).severity if code in CODES else Severity.ALARM,
            text="no frame for 2.4 s from /dev/video0: the device is gone",
            raised_wall_ns=WALL,
            active=number % 2 == 0,
            acknowledged_by="otto" if number % 3 == 0 else "",
        )
        for number, code in enumerate([*CODES, "none_of_these"])
    )


def states(size: tuple[int, int]) -> Iterator[tuple[str, dict[str, object]]]:
    """Everything that the line may say of itself; causes on the smaller screen alone, where the
    room for them is less."""
    for why in WHY:
        state, mode = LineState.STOPPED, Mode.INSPECT
        if why in ("starting", "running", "paused"):
            state = LineState(why)
        elif why in ("challenge", "output", "faults", "one_camera_silent"):
            state = LineState.RUNNING if why == "challenge" else LineState.DEGRADED
        if why in ("paused", "challenge"):
            mode = Mode(why)
        yield why, {"state": state, "why": why, "mode": mode, "alarms": ()}
    yield "alarms", {"state": LineState.DEGRADED, "why": "faults", "alarms": alarms()}
    note = tuple(one for one in alarms() if one.severity is Severity.WARNING)
    yield "notes", {"state": LineState.RUNNING, "why": "running", "alarms": note}
    for cause in Cause if size == SIZES[1] else ():
        fault = outcome(7, Kind.FAULT, cause=cause, reason="x " * 30)
        shown = made(fault)
        yield f"cause {cause}", {"last": fault, "recent": shown.recent, "alarms": ()}


@SIZED
def test_every_state_alarm_and_cause_fits_in_every_language(
    browser: Browser, shared: ScreenStation, size: tuple[int, int]
) -> None:
    wrong = []
    with clean(browser, shared.url, size) as one:
        for language in LANGUAGES:
            shared.record.state = line_state(to_review=1234, lot="W" * 64, recipe="W" * 64)
            speak(one.page, language)
            for committed, (where, changes) in enumerate(states(size)):
                shared.record.state = structs.replace(
                    shared.record.state, committed=committed, **{"mode": Mode.INSPECT, **changes}
                )
                shared.record.rush = iter([shared.record.state])  # now
                heard(one.page, committed)
                wrong += found(one, f"{language} {where}")
                if where == "alarms":
                    wrong += hindrances(one, where)
    assert wrong == []


def heard(page: Page, committed: int) -> None:
    """Until the page has drawn that state."""
    page.evaluate(
        """async (committed) => {
          const { state } = await import("/static/live.js");
          const frame = () => new Promise(requestAnimationFrame);
          while (state.live?.committed !== committed) await frame();
          await new Promise((done) => setTimeout(done, 40));
          await frame();
        }""",
        committed,
    )


def test_old_state_is_said_to_be_old_in_every_language(
    browser: Browser, shared: ScreenStation
) -> None:
    """The banner over what is greyed fits the smaller screen."""
    shared.record.state = line_state()
    with clean(browser, shared.url, SIZES[1]) as one:
        heard(one.page, 0)
        shared.record.silent = True
        try:
            one.page.wait_for_selector("body.is-old")
            for language in LANGUAGES:
                one.page.evaluate(f"localStorage.setItem('inspector.language', '{language}')")
                one.page.reload()
                one.page.locator("#old").wait_for()
                words = json.loads(shared.client().get(f"/static/i18n/{language}.json").body)
                wait_text(one.page.locator("#old"), words["old.record"])
                assert problems(one.page) == []
        finally:
            shared.record.silent = False
        one.page.wait_for_selector("body:not(.is-old)")
