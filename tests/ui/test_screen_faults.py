"""The screen when something of the station dies or hangs: it tells the truth, and comes back.

Promises: what is killed are the real processes of a running line; when the screen has said so is
noted by an observer in the page, whose clock is the box's own.
Never: takes a number for live that the page itself does not say is fresh.
"""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser
from support.at_line import Station, login, sample_line
from support.browser import Screen, screen
from support.line import account, wait_for
from support.recording import until

from inspector.core.live import Live
from inspector.core.terms import Cause, Kind
from inspector.core.topology import HEARTBEAT_S

pytestmark = pytest.mark.line

PROMISED_MS = 2000  # within which the screen tells the truth
BOUND_MS = PROMISED_MS + 1000 * HEARTBEAT_S  # a heartbeat was due when it happened
BACK_MS = 5000  # from a restart of ui until its page is back

# `seen`: what the page says of the line, whenever it changes: [when, state, sentence, old, words].
# `oldest`: how old the oldest state was that it showed as fresh, in ms.
WATCH = """async () => {
  const { state } = await import("/static/live.js");
  window.seen = [];
  window.oldest = 0;
  let last = "";
  const look = () => {
    const said = (where) => document.querySelector(where)?.textContent ?? "";
    const old = document.body.classList.contains("is-old");
    const word = document.getElementById("bar").dataset.state;
    const is = [word, said("#bar .what"), old, said("#old")];
    if (JSON.stringify(is) !== last) {
      last = JSON.stringify(is);
      window.seen.push([Date.now(), ...is]);
    }
    if (!old) window.oldest = Math.max(window.oldest, Date.now() - state.live.wall_ns / 1e6);
    requestAnimationFrame(look);
  };
  look();
}"""

WELL = '#bar[data-state="running"]'


@pytest.fixture(scope="module")
def station() -> Iterator[Station]:
    line = {"deadline_ms": 3000.0, "recipe": "cap", "lot": "A-1047"}  # a busy box is no fault here
    with sample_line(line=line) as one:
        yield one


@pytest.fixture
def well(browser: Browser, station: Station) -> Iterator[Screen]:
    """A screen that shows a line that runs well, watched."""
    with watched(browser, station) as one:
        yield one


@contextmanager
def watched(browser: Browser, station: Station, page: str = "line") -> Iterator[Screen]:
    with screen(browser, station.url, page=page) as one:
        one.page.wait_for_selector(WELL, timeout=30_000)
        one.page.evaluate(WATCH)
        yield one


def now_ms() -> float:
    return time.time() * 1000


def said_after(one: Screen, since_ms: float, state: str = "", old: bool | None = None) -> Any:
    """The first thing that the page has said since that is not that the line runs well, or of
    this state, or that what it shows is old."""
    for said in one.page.evaluate("window.seen"):
        _, word, _, is_old, _ = said
        if old is not None:
            found = is_old is old
        else:
            found = not is_old and word not in ("running", "unknown") and state in ("", word)
        if found and said[0] >= since_ms:
            return said
    return None


def told(one: Screen, since_ms: float, **what: Any) -> Any:
    """The same, waited for."""
    return until(lambda: said_after(one, since_ms, **what))


def test_first_verdict_is_there_when_the_page_opens(browser: Browser, station: Station) -> None:
    began = now_ms()
    with screen(browser, station.url) as one:
        one.page.wait_for_selector('#page [data-face]:not([data-face="none"])')
        picture = "#page .picture .sheet:not([hidden]) img"
        one.page.wait_for_function(
            f"() => document.querySelector('{picture}')?.complete", timeout=10_000
        )
        assert now_ms() - began < PROMISED_MS + BOUND_MS  # and the browser's own start
        assert one.said == []


def test_ui_killed_the_line_does_not_notice_and_the_page_comes_back_by_itself(
    browser: Browser, station: Station
) -> None:
    line, paths = station.line, station.paths
    with watched(browser, station, "review") as one:
        one.page.evaluate("location.hash = '#/health/box'")
        one.page.wait_for_selector("#page.page-health .cards .card")
        before = wait_for(paths, lambda live: live.last is not None)
        process, killed = line.pid("ui"), now_ms()
        assert line.kill("ui")
        assert told(one, killed, old=True)[0] - killed < BOUND_MS
        new = until(lambda: line.pid("ui") not in (0, process) and line.pid("ui"))
        listening = until(lambda: again_since(station, killed))
        back = told(one, listening, old=False)
        assert back[0] - listening < BACK_MS
        assert new != process
        assert one.page.url.endswith("#/health/box")
        one.page.wait_for_selector("#page.page-health .cards .card")
        after = wait_for(paths, lambda live: live.committed > before.committed + 2)
    assert after.counts.get(Kind.FAULT, 0) == before.counts.get(Kind.FAULT, 0)
    assert after.latency[-1] == before.latency[-1]


def again_since(station: Station, since_ms: float) -> float:
    """When the new server wrote down where it listens, in ms; 0 before."""
    try:
        written = station.paths.screen.stat().st_mtime * 1000
    except OSError:
        return 0
    return written if written > since_ms else 0


def test_ui_hung_is_said_and_its_return_too(well: Screen, station: Station) -> None:
    """The page does not wait for a server that has its connection open and says nothing."""
    began = now_ms()
    assert station.line.kill("ui", signal.SIGSTOP)
    try:
        assert told(well, began, old=True)[0] - began < BOUND_MS
    finally:
        station.line.kill("ui", signal.SIGCONT)
    well.page.wait_for_selector("body:not(.is-old)", timeout=30_000)


def test_record_killed_is_never_covered_up_by_old_numbers(well: Screen, station: Station) -> None:
    killed = now_ms()
    assert station.line.kill("record")
    seen = wait_for(station.paths, lambda live: live.wall_ns / 1e6 > killed and bool(live.last))
    until(lambda: well.page.evaluate(SHOWN) >= seen.wall_ns)
    assert well.page.evaluate("window.oldest") < BOUND_MS


SHOWN = """async () => {
  const { state } = await import("/static/live.js");
  return state.fresh ? state.live.wall_ns : 0;
}"""


def test_record_hung_greys_the_page_and_says_so(well: Screen, station: Station) -> None:
    began = now_ms()
    assert station.line.kill("record", signal.SIGSTOP)
    try:
        said = told(well, began, old=True)
        assert said[0] - began < BOUND_MS
        assert well.page.locator("#old").is_visible()
        grey = "getComputedStyle(document.getElementById('page')).filter"
        assert "grayscale(1)" in well.page.evaluate(grey)
        assert well.page.locator("#bar").get_attribute("data-state") == "unknown"
    finally:
        station.line.kill("record", signal.SIGCONT)
    assert well.page.evaluate("window.oldest") < BOUND_MS
    well.page.wait_for_selector("body:not(.is-old)", timeout=30_000)
    well.page.wait_for_selector(WELL, timeout=30_000)


def restarts(live: Live) -> int:
    """How often detect has begun anew, as the station knows."""
    return next(one.restarts for one in live.services if one.heartbeat.service == "detect")


def test_detector_killed_is_said_and_its_return_too(well: Screen, station: Station) -> None:
    before = restarts(wait_for(station.paths, lambda live: bool(live.services)))
    killed = now_ms()
    assert station.line.kill("detect")
    wait_for(station.paths, lambda live: restarts(live) > before)
    back, said = now_ms(), said_after(well, killed)
    # One that is back before its silence shows needs no word.
    assert (said[0] if said else back) - killed < BOUND_MS
    well.page.wait_for_selector(WELL, timeout=30_000)
    assert well.page.evaluate("window.oldest") < BOUND_MS


def test_hung_detector_is_said(well: Screen, station: Station) -> None:
    began = now_ms()
    assert station.line.kill("detect", signal.SIGSTOP)
    try:
        said = told(well, began)
        assert said[0] - began < BOUND_MS
        assert said[2]  # what to do
    finally:
        station.line.kill("detect", signal.SIGCONT)
    well.page.wait_for_selector(WELL, timeout=30_000)


def test_hung_camera_is_said_and_called_for(well: Screen, station: Station) -> None:
    began = now_ms()
    assert station.line.kill("capture-cam0", signal.SIGSTOP)
    try:
        said = told(well, began, state="stopped")
        assert said[0] - began < BOUND_MS
        assert "camera" in said[2].lower()
    finally:
        station.line.kill("capture-cam0", signal.SIGCONT)
    well.page.wait_for_selector(WELL, timeout=30_000)


def test_camera_without_pictures_is_said_and_its_return_too(well: Screen, station: Station) -> None:
    """As when the cable is pulled: each part is a fault, and the screen names the cause."""
    images = station.paths.config.parent / "images"
    away = images.with_name("away")
    faults = well.page.locator('#page [data-face="fault"]', has_text="No picture from the camera")
    images.rename(away)
    try:
        wait_for(station.paths, lambda live: bool(live.last) and live.last.cause is Cause.CAMERA)
        faults.first.wait_for(timeout=BOUND_MS)
        assert told(well, 0, state="degraded")[2]
    finally:
        away.rename(images)
    well.page.wait_for_selector(WELL, timeout=30_000)


def test_gate_killed_is_said(well: Screen, station: Station) -> None:
    """It may be back before anybody can see that it was gone; nothing old is shown meanwhile."""
    killed = now_ms()
    assert station.line.kill("gate")
    wait_for(station.paths, lambda live: bool(live.last) and made_ms(live) > killed)
    well.page.wait_for_selector(WELL, timeout=30_000)
    assert well.page.evaluate("window.oldest") < BOUND_MS


def made_ms(live: Any) -> float:
    return float(live.last.trigger_wall_ns) / 1e6


def test_session_does_not_outlive_a_killed_record_unsaid(well: Screen, station: Station) -> None:
    """record keeps sessions in memory: after it was killed the page says who is not there."""
    login(well, "otto")
    assert station.line.kill("record")
    well.page.locator("#bar .person", has_text="Log in").wait_for(timeout=30_000)


def test_every_trigger_of_all_this_has_its_outcome(station: Station) -> None:
    """The last one here: it ends the line."""
    station.line.note_count()
    assert station.line.stop() == 0
    account(station.line)
