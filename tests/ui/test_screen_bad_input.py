"""Bad input under the touchscreen: the page says so in one line, and goes on working.

Promises: a real `ui` and a real browser; the record is the test's own, the ledger is written by the
product's own writer.
Never: takes an error of the page's own code for one of the station's.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from msgspec import structs
from playwright.sync_api import Browser
from support.at_line import dialog, login, wait_text
from support.browser import Screen, screen
from support.outcomes import STREAM, WALL, outcome
from support.people import person
from support.recording import until
from support.screen import Client, ScreenStation, line_state, made, screen_station

from inspector.core.orders import Order, ReviewPart
from inspector.core.paths import Paths
from inspector.core.people import change_people
from inspector.core.terms import Kind
from inspector.devices.ledger import Ledger

pytestmark = pytest.mark.line

MARKUP = "<img src=x onerror=hit=1>"
QUEUES = (100, 100_000)
ASKED = 100
# The browser's own note of an answer that is an error; the page's own words stand on the page.
REFUSED = "Failed to load resource: the server responded with a status of"


@contextmanager
def station(
    root: Path, begin: Callable[[Paths], object] = lambda _: None
) -> Iterator[ScreenStation]:
    """A screen over whatever `begin` has left on the disk."""
    one = ScreenStation(screen_station(root))
    begin(one.paths)
    one.record.begin()
    try:
        one.start()
        yield one
    finally:
        one.close()


@contextmanager
def sane(browser: Browser, url: str, page: str = "line") -> Iterator[Screen]:
    """A screen whose own code has nothing to complain of."""
    with screen(browser, url, page=page) as one:
        yield one
        assert [said for said in one.said if not said.startswith(REFUSED)] == []


def locked(paths: Paths) -> sqlite3.Connection:
    Ledger(paths.ledger, 60, 0, WALL).close()
    held = sqlite3.connect(paths.ledger, isolation_level=None, check_same_thread=False)
    held.execute("PRAGMA locking_mode = EXCLUSIVE")
    held.execute("BEGIN EXCLUSIVE")
    return held


def empty(paths: Paths) -> None:
    paths.ledger.parent.mkdir(parents=True, exist_ok=True)
    paths.ledger.write_bytes(b"")


def newer(paths: Paths) -> None:
    Ledger(paths.ledger, 60, 0, WALL).close()
    with closing(sqlite3.connect(paths.ledger)) as database:
        database.execute("PRAGMA user_version = 999")


LISTS = {
    "review": ".review .empty p, .review .notice",
    "trends": "#page",
    "health/departures": "#page",
}
OTHERS = ("challenge", "models", "teach", "health")


@pytest.mark.parametrize("fault", [locked, empty, newer])
def test_ledger_that_cannot_be_read_is_said_and_the_line_is_still_shown(
    root: Path, browser: Browser, fault: Callable[[Paths], sqlite3.Connection | None]
) -> None:
    held: list[sqlite3.Connection | None] = []
    with (
        station(root, lambda paths: held.append(fault(paths))) as one,
        sane(browser, one.url) as at,
    ):
        answer = one.client().get("/api/review")
        assert answer.status >= 500
        words = answer.error
        for where, place in LISTS.items():
            at.page.evaluate(f"location.hash = '#/{where}'")
            at.page.wait_for_selector(f"#page.page-{where.partition('/')[0]}")
            wait_text(at.page.locator(place), words.split(":")[0])
        for where in OTHERS:
            at.goto(where)
            until(lambda: at.page.locator("#page").inner_text().strip())
        at.goto("line")
        one.record.state = line_state(lot="NEXT")
        wait_text(at.page.locator("#bar .made"), "NEXT")
        assert not at.page.locator("body.is-old").count()
        if held[0] is not None:
            held[0].close()
            at.goto("review")
            wait_text(at.page.locator(".review .empty"), "Nothing to review")


def test_part_without_its_picture_is_reviewed_all_the_same(root: Path, browser: Browser) -> None:
    with station(root) as one:
        frame = one.frame(90)
        for grey in range(8):
            one.frame(grey)  # the ring has gone on, and no evidence was kept
        one.keep(*(outcome(seq, Kind.FAIL, frame=frame) for seq in (1, 2)))
        one.record.state = line_state(to_review=2)
        with sane(browser, one.url) as at:
            login(at, "otto")
            at.goto("review")
            at.page.wait_for_selector(f'.review[data-part="{STREAM}/2"]')
            wait_text(at.page.locator(".review .stage"), "No picture of this part")
            decide(at, "good")
            at.page.wait_for_selector(f'.review[data-part="{STREAM}/1"]')
            until(lambda: given(one))
    (order,) = given(one)
    assert order == ReviewPart(stream=STREAM, seq=2, verdict="pass")


def decide(at: Screen, which: str) -> None:
    """As somebody who has looked: a touch just after the part has changed is a glove's bounce."""
    at.page.locator(f".review .finding.{which}:not([disabled])").wait_for()
    at.page.wait_for_timeout(250)
    at.page.locator(f".review .finding.{which}").tap()


def given(one: ScreenStation) -> list[object]:
    return [each.order for each in one.record.heard if isinstance(each, Order)]


def test_refused_finding_brings_the_part_back(root: Path, browser: Browser) -> None:
    """Nobody is logged in, and nobody does."""
    with station(root) as one, sane(browser, one.url) as at:
        one.keep(*(outcome(seq, Kind.FAIL) for seq in (1, 2)))
        one.record.state = line_state(to_review=2)
        at.goto("review")
        at.page.wait_for_selector(f'.review[data-part="{STREAM}/2"]')
        decide(at, "bad")
        dialog(at.page).locator("header .away").tap()
        at.page.wait_for_selector(f'.review[data-part="{STREAM}/2"]')
        wait_text(at.page.locator(".review .notice"), "Not recorded")


def test_clock_set_back_leaves_the_screen_live(root: Path, browser: Browser) -> None:
    day = 24 * 3600 * 10**9
    with station(root) as one, sane(browser, one.url) as at:
        part = outcome(1, Kind.FAIL, trigger_wall_ns=WALL)
        one.record.state = made(part, wall_ns=WALL, lot="BEFORE")
        wait_text(at.page.locator("#bar .made"), "BEFORE")
        for back, lot in ((-day, "YESTERDAY"), (-WALL, "1970"), (day, "TOMORROW")):
            fields = {"trigger_wall_ns": WALL + back, "seq": back % 1000 + 2}
            one.record.state = made(structs.replace(part, **fields), wall_ns=WALL + back, lot=lot)
            wait_text(at.page.locator("#bar .made"), lot)
            assert not at.page.locator("body.is-old").count()
            for name in ("challenge", "trends", "health", "line"):
                at.goto(name)
                assert at.page.locator("#page").inner_text().strip()


def full_queue(paths: Paths, parts: int) -> None:
    """So many parts to review, by the ledger's own writer."""
    ledger = Ledger(paths.ledger, 60, 0, WALL)
    for first in range(0, parts, 5000):
        some = range(first, min(parts, first + 5000))
        ledger.commit([(outcome(seq, Kind.FAIL), False) for seq in some], wall_ns=WALL)
    ledger.close()


def fastest_ms(client: Client, path: str) -> float:
    """The least of some answers' times: what it takes on a box that does nothing else."""
    took = []
    for _ in range(ASKED):
        began = time.perf_counter()
        assert client.get(path).status == 200
        took.append(1000 * (time.perf_counter() - began))
        time.sleep(0.02)  # over two seconds: other tests beside it are not busy all the time
    return min(took)


def test_hundred_thousand_parts_to_review_are_no_slower_than_a_hundred(
    root: Path, browser: Browser
) -> None:
    took = {}
    for parts in QUEUES:
        with station(root / str(parts), lambda paths, parts=parts: full_queue(paths, parts)) as one:
            one.record.state = line_state(to_review=parts)
            took[parts] = fastest_ms(one.client(), "/api/review?limit=20")
            assert one.client().get("/api/review?limit=20").json["total"] == parts
            with sane(browser, one.url, "review") as at:
                at.page.wait_for_selector(f'.review[data-part="{STREAM}/{parts - 1}"]')
                wait_text(at.page.locator(".review .count"), f"{parts:,}")
                held = at.page.evaluate("document.querySelectorAll('*').length")
                assert held < 1000
    few, many = (took[parts] for parts in QUEUES)
    assert many < 3 * few, took


def test_recipe_deleted_while_on_screen_leaves_the_pages_working(
    root: Path, browser: Browser
) -> None:
    with station(root) as one, sane(browser, one.url) as at:
        one.keep(outcome(1, Kind.FAIL))
        one.record.state = made(outcome(1, Kind.FAIL), to_review=1)
        at.page.wait_for_selector('#page [data-face="fail"]')
        one.paths.recipe("plain").unlink()
        at.page.locator(".controls .named").first.tap()
        dialog(at.page).locator(".body > *").first.wait_for()
        assert "plain" not in dialog(at.page).locator(".body").inner_text()
        dialog(at.page).locator("header .away").tap()
        for name in ("review", "trends", "teach", "challenge", "models", "health", "line"):
            at.goto(name)
            until(lambda: at.page.locator("#page").inner_text().strip())
        at.page.locator(".controls .pause").tap()
        wait_text(dialog(at.page).locator(".body"), "")
        dialog(at.page).locator("header .away").tap()
        one.record.state = structs.replace(one.record.state, lot="NEXT")
        wait_text(at.page.locator("#bar .made"), "NEXT")


def test_session_that_record_ended_is_said_on_the_page(root: Path, browser: Browser) -> None:
    with station(root) as one, sane(browser, one.url) as at:
        login(at, "otto")
        one.record.sessions.clear()
        one.record.begun_anew()
        wait_text(at.page.locator("#toasts"), "otto")
        wait_text(at.page.locator("#bar .person"), "Log in")


def test_name_of_markup_is_text_where_one_logs_in(root: Path, browser: Browser) -> None:
    def begin(paths: Paths) -> None:
        odd = structs.replace(person("otto"), name=MARKUP)
        change_people(paths.people, lambda before: (*before, odd))

    with station(root, begin) as one, sane(browser, one.url) as at:
        at.page.locator("#bar .person").tap()
        dialog(at.page).get_by_role("button", name=MARKUP).tap()
        wait_text(dialog(at.page).locator(".body p"), MARKUP)
        assert at.page.evaluate("typeof hit === 'undefined'")


def test_record_that_answers_no_order_is_said_and_the_page_goes_on(
    root: Path, browser: Browser
) -> None:
    with station(root) as one, sane(browser, one.url) as at:
        login(at, "otto")
        one.record.deaf = True
        at.page.locator(".controls .pause").tap()
        dialog(at.page).locator(".button.primary").tap()
        wait_text(at.page.locator("#toasts .bad"), "does not answer")
        at.goto("health")
        assert not at.page.locator("body.is-old").count()
