"""What people do at the touchscreen of a running line, and what nobody may do past it."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from msgspec import json as encoder
from playwright.sync_api import Browser, Page
from support.at_line import (
    Station,
    dialog,
    operator_at,
    sample_line,
    typed,
    wait_text,
)
from support.browser import Screen, screen
from support.line import wait_for
from support.people import PINS, ROLES
from support.recording import until

from inspector.core import orders
from inspector.core.live import Live
from inspector.core.orders import AnyOrder, Role
from inspector.core.terms import Kind, Mode
from inspector.devices.ledger import LedgerReader
from inspector.devices.ledger.chain import entries, newest
from inspector.domain.audit import Entry, first_break
from inspector.domain.lockout import FREE
from inspector.domain.permissions import NEEDS, RANK

pytestmark = pytest.mark.line

MARKUP = "<img src=x onerror=hit=1>"  # as short as a class of defects may be
SCRIPT = "<script>hit=1</script>"


@pytest.fixture(scope="module")
def station() -> Iterator[Station]:
    with sample_line(alarms={"consecutive_rejects": 2}) as one:
        yield one


@pytest.fixture(scope="module")
def at(browser: Browser, station: Station) -> Iterator[Screen]:
    """The operator's screen, for all tests here."""
    with operator_at(browser, station) as one:
        yield one


def noted(station: Station, action: str) -> list[Entry]:
    """The newest entries of this kind in the audit chain."""
    return [one for one in newest(station.paths.ledger, 60) if one.action == action]


def nothing_ran(page: Page) -> bool:
    return bool(
        page.evaluate("typeof hit === 'undefined' && !document.querySelector('img[src=x]')")
    )


def test_pause_and_resume_by_touch_and_two_screens_agree(
    browser: Browser, station: Station, at: Screen
) -> None:
    at.goto("line")
    with screen(browser, station.url) as other:
        at.page.locator(".controls .pause").tap()
        dialog(at.page).locator(".button.primary").tap()
        for one in (at, other):
            one.page.wait_for_selector('#bar[data-state="paused"]')
            one.page.wait_for_selector(".controls .pause.primary")
        assert wait_for(station.paths, lambda live: live.shift.paused > 0).mode is Mode.PAUSED
        at.page.locator(".controls .pause").tap()
        for one in (at, other):
            one.page.wait_for_selector('#bar:not([data-state="paused"])')
    wait_for(station.paths, lambda live: live.last is not None and live.last.kind is Kind.PASS)
    assert {one.who for one in noted(station, "pause") + noted(station, "resume")} == {"otto"}


def test_lot_by_touch(station: Station, at: Screen) -> None:
    at.goto("line")
    at.page.locator(".controls .named").nth(1).tap()
    keys = dialog(at.page)
    for _ in "A-1047":
        keys.get_by_role("button", name="Erase").tap()
    for key in "B7":
        keys.get_by_role("button", name=key, exact=True).tap()
    keys.locator(".key.primary").tap()
    wait_text(at.page.locator("#bar .made"), "B7")
    live = wait_for(station.paths, lambda live: live.lot == "B7" and bool(live.last))
    assert live.lot_tally.inspected <= live.committed
    (entry,) = [one for one in noted(station, "set_recipe") if '"B7"' in one.detail]
    assert json.loads(entry.detail)["lot_before"] == "A-1047"


def test_lot_of_markup_is_text_on_every_page(station: Station, at: Screen) -> None:
    at.goto("line")
    at.page.locator(".controls .named").nth(1).tap()
    typed(at.page, SCRIPT)
    wait_text(at.page.locator("#bar .made"), SCRIPT)
    wait_for(station.paths, lambda live: live.last is not None and live.last.lot == SCRIPT)
    wait_text(at.page.locator(".controls .named"), SCRIPT)
    part = station.client().get("/api/parts?limit=1").json["parts"][0]["outcome"]
    assert part["lot"] == SCRIPT
    at.page.locator(".recent .thumb").first.tap()
    wait_text(at.page.locator("dialog dl"), SCRIPT)
    dialog(at.page).locator("header .away").tap()
    at.page.evaluate("location.hash = '#/health/audit'")
    wait_text(at.page.locator("#page td.detail"), SCRIPT)
    for name in ("trends", "review", "challenge", "line"):
        at.goto(name)
    assert nothing_ran(at.page)


@pytest.mark.parametrize("name", [SCRIPT, "../../etc/passwd", "", "no_such", "a/b", "\u202eevil"])
def test_recipe_of_an_odd_name_is_refused(station: Station, at: Screen, name: str) -> None:
    recipe = wait_for(station.paths, lambda _: True).recipe
    order = {"order": "set_recipe", "recipe": name, "lot": "L"}
    reply = at.page.evaluate(
        """(order) => fetch("/order", { method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ order, reason: "" }) }).then((answer) => answer.json())""",
        order,
    )
    assert (reply["ok"], reply["code"]) == (False, "refused")
    assert "\n" not in reply["text"]
    assert wait_for(station.paths, lambda _: True).recipe == recipe


def test_recipe_file_of_an_odd_name_is_shown_as_text_and_cannot_be_chosen(
    station: Station, at: Screen
) -> None:
    odd = station.paths.recipes / f"{MARKUP}.toml"
    odd.write_text("schema = 1\n")
    try:
        at.goto("line")
        at.page.locator(".controls .named").first.tap()
        dialog(at.page).locator(".wide-button").first.wait_for()
        assert dialog(at.page).get_by_role("button", name=MARKUP, disabled=False).count() == 0
        assert nothing_ran(at.page)
        dialog(at.page).locator("header .away").tap()
    finally:
        odd.unlink()


def ready(page: Page) -> str:
    """The part in front, once it may be decided."""
    page.locator(".review .finding.good:not([disabled])").wait_for()
    part = page.locator(".review").get_attribute("data-part")
    assert part
    return part


def finding(station: Station, part: str) -> tuple[str | None, str | None]:
    told = station.client().get(f"/part/{part}").json
    return told["finding"], told["defect_class"]


def test_review_by_touch_with_undo_and_a_class_of_markup(station: Station, at: Screen) -> None:
    def waits(live: Live) -> bool:
        return live.to_review >= 3

    wait_for(station.paths, waits)
    at.goto("review")
    good = ready(at.page)
    at.page.locator(".review .finding.good").tap()
    until(lambda: finding(station, good)[0] == "pass")
    bad = ready(at.page)
    assert bad != good
    at.page.wait_for_timeout(250)  # as a glove that bounces is ignored
    at.page.locator(".review .finding.bad").tap()
    until(lambda: finding(station, bad)[0] == "fail")
    at.page.wait_for_timeout(250)
    at.page.locator(".review .undo").tap()
    until(lambda: finding(station, bad)[0] is None)
    at.page.wait_for_selector(f'.review[data-part="{bad}"]')
    ready(at.page)
    at.page.wait_for_timeout(250)
    more = at.page.locator(".review .classes .button").last
    more.tap()
    if dialog(at.page).locator("input").count() == 0:  # a list of all classes first
        dialog(at.page).locator(".all-classes .button").last.tap()
    typed(at.page, MARKUP)
    until(lambda: finding(station, bad) == ("fail", MARKUP))
    wait_text(at.page.locator(".review .undo small"), MARKUP)
    assert nothing_ran(at.page)
    assert {one.who for one in noted(station, "review")} == {"otto"}


def test_class_of_markup_is_text_where_it_is_counted(station: Station, at: Screen) -> None:
    """The one that the test above has given, once its window is counted."""

    def counted() -> bool:
        return MARKUP in station.client().get("/api/trends?span=shift").body.decode()

    until(counted)
    at.goto("trends")
    at.page.get_by_role("button", name="Pareto").tap()
    wait_text(at.page.locator("#page"), MARKUP.split()[0])  # folded into two lines
    assert nothing_ran(at.page)


def test_alarm_is_acknowledged_by_touch(station: Station, at: Screen) -> None:
    at.goto("line")
    alarm = at.page.locator(".alarms .alarm.grave", has=at.page.locator(".ack:not([hidden])")).first
    alarm.wait_for(timeout=30_000)
    assert alarm.locator(".title").inner_text().strip()
    assert alarm.locator(".remedy").inner_text().strip()
    alarm.locator(".ack").tap()
    until(lambda: noted(station, "acknowledge"))
    assert noted(station, "acknowledge")[0].who == "otto"


def test_challenge_run_by_touch(station: Station, at: Screen) -> None:
    at.goto("challenge")
    at.page.locator("#page .button.primary.big").tap()
    for step in (1, 2):
        at.page.locator(f".steps li.on:nth-child({step})").wait_for()
        at.page.locator(".do .lies").tap()
    at.page.wait_for_selector(".panel.now")
    live = wait_for(station.paths, lambda live: live.mode is Mode.INSPECT)
    assert live.challenge
    assert live.challenge.last_result in ("passed", "failed")
    at.page.locator(".history .entry").first.wait_for()
    reader = LedgerReader(station.paths.ledger)
    (test,) = reader.challenges(5)
    reader.close()
    assert (test.who, len(test.steps)) == ("otto", 2)
    assert test.result == live.challenge.last_result


# Past the page

EXAMPLES: tuple[AnyOrder, ...] = (
    orders.SetRecipe(recipe="cap", lot="X"),
    orders.Pause(),
    orders.Resume(),
    orders.AcknowledgeAlarm(alarm=1),
    orders.ReviewPart(stream="0" * 32, seq=0, verdict="pass"),
    orders.BeginChallenge(),
    orders.PresentGolden(step=1),
    orders.AbandonChallenge(),
    orders.MakeBackup(),
    orders.CollectParts(product="x", label="good", parts=5),
    orders.AddReviewed(product="x"),
    orders.StopWork(),
    orders.TeachProduct(product="x"),
    orders.TryInShadow(product="x", review=1.0, fail=2.0),
    orders.DiscardProduct(product="x"),
    orders.AdoptProduct(product="x", review=1.0, fail=2.0),
    orders.ProveModel(name="x", version="0" * 12),
    orders.UseModel(name="x", version="0" * 12),
    orders.BackModel(name="x"),
)


def form(order: AnyOrder) -> dict[str, object]:
    return {"order": json.loads(encoder.encode(order)), "reason": "because"}


def refused(station: Station, who: str, code: str) -> set[str]:
    """The orders that the audit chain says were refused to them."""
    details = [json.loads(one.detail) for one in noted(station, "refused") if one.who == who]
    return {detail.get("order", "") for detail in details if detail["code"] == code}


def test_every_order_without_a_session_is_refused_and_noted(station: Station) -> None:
    assert {type(one) for one in EXAMPLES} == set(NEEDS)
    client = station.client()
    for order in EXAMPLES:
        answer = client.post("/order", form(order)).json
        assert (answer["ok"], answer["code"]) == (False, "no_session"), order
    tags = {str(type(one).__struct_config__.tag) for one in EXAMPLES}
    assert refused(station, "", "no_session") == tags
    assert wait_for(station.paths, lambda _: True).mode is Mode.INSPECT


@pytest.mark.parametrize("name", ["otto", "tina"])
def test_every_order_of_too_low_a_role_is_refused_and_noted(station: Station, name: str) -> None:
    client = station.logged_in(name)
    too_high = [one for one in EXAMPLES if RANK[NEEDS[type(one)]] > RANK[Role(ROLES[name])]]
    assert too_high
    for order in too_high:
        answer = client.post("/order", form(order)).json
        assert (answer["ok"], answer["code"]) == (False, "low_role"), order
    tags = {str(type(one).__struct_config__.tag) for one in too_high}
    assert refused(station, name, "low_role") == tags


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """Another page on the same box: for cookies the same site, another origin."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


class Elsewhere(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<title>elsewhere</title>")

    def log_message(self, *_: object) -> None:
        pass


POST = """([url, type, mode]) => fetch(url, { method: "POST", mode, credentials: "include",
  headers: { "Content-Type": type }, body: '{"order": {"order": "pause"}}' })
  .then((answer) => answer.status || "unreadable", () => "refused")"""


def test_order_from_a_foreign_page_is_refused_with_the_cookie_of_somebody_there(
    station: Station, at: Screen, elsewhere: str
) -> None:
    """A page that is open beside, in the browser in which the operator is logged in."""
    paused = len(noted(station, "pause"))
    page = at.page.context.new_page()
    page.goto(elsewhere)
    url = f"{station.url}/order"
    said = [
        page.evaluate(POST, [url, kind, mode])
        for kind in ("text/plain", "application/json")
        for mode in ("no-cors", "cors")
    ]
    seen = page.evaluate("(url) => fetch(url).then(() => 'read', () => 'refused')", station.url)
    page.close()
    assert set(said) <= {"refused", "unreadable"}
    assert seen == "refused"
    assert len(noted(station, "pause")) == paused
    assert wait_for(station.paths, lambda _: True).mode is Mode.INSPECT
    assert "otto" in at.page.locator("#bar .person").inner_text()


def test_pin_guessing_is_locked_out_and_the_page_says_how_long(
    browser: Browser, station: Station
) -> None:
    wrong = "0000"
    assert wrong not in PINS.values()
    with screen(browser, station.url) as one:
        one.page.locator("#bar .person").tap()
        dialog(one.page).get_by_role("button", name="emma").tap()
        problem = dialog(one.page).locator(".bad-text")
        for guess in range(FREE + 1):
            for digit in wrong:
                dialog(one.page).get_by_role("button", name=digit, exact=True).tap()
            with one.page.expect_response("**/login") as answer:
                dialog(one.page).locator(".key.primary").tap()
            told = answer.value.json()
            assert told["code"] == ("wrong_pin" if guess < FREE else "locked")
            problem.filter(has_text=".").or_(problem.filter(has_text="PIN")).first.wait_for()
        assert told["wait_s"] > 0
        wait_text(problem, "Locked")
        assert any(sign.isdigit() for sign in problem.inner_text())
        answer_json = station.client().post("/login", {"name": "emma", "pin": PINS["emma"]}).json
        assert answer_json["code"] == "locked"  # the right one does not help for so long
    until(lambda: any(one.who == "emma" for one in noted(station, "login_refused")))


def test_audit_chain_of_all_this_is_whole(station: Station, at: Screen) -> None:
    assert first_break(entries(station.paths.ledger)) is None
    assert at.off_the_box() == []
