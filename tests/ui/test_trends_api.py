"""Trends as the page asks for them, over HTTP, and as it shows them."""

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from support.browser import LANGUAGES, SIZES, chromium, screen
from support.outcomes import STREAM, outcome
from support.screen import ScreenStation, showing

from inspector.core.clock import SECOND
from inspector.core.orders import ReviewPart
from inspector.core.terms import Cause, Kind
from inspector.ui.trends import POINTS, STEPS, step_of

NOW = time.time_ns()
BAD_S = 4 * 3600  # so long ago many parts failed


@pytest.fixture
def station(root: Path) -> Iterator[ScreenStation]:
    with showing(root) as running:
        yield running


def fill(station: ScreenStation, parts: int = 4000) -> None:
    """A day of parts, every fifth of which failed for half an hour, and some reviews."""
    every = 80_000 * SECOND // parts  # all of the last day, however late in the run this is asked
    made = []
    for seq in range(parts):
        wall = NOW - 300 * SECOND - (parts - seq) * every
        bad = abs(NOW - wall - BAD_S * SECOND) < 900 * SECOND
        kind = Kind.FAIL if seq % 40 == 7 or (bad and seq % 5 < 2) else Kind.PASS
        kind = Kind.FAULT if seq % 97 == 50 else kind
        score = None if kind is Kind.FAULT else 1.4 if kind is Kind.FAIL else 0.2 + seq % 50 / 200
        cause = (Cause.LATE, Cause.CAMERA)[seq % 2] if kind is Kind.FAULT else None
        made.append(outcome(seq, kind, trigger_wall_ns=wall, score=score, cause=cause))
    station.keep(*made)
    assert station.ledger
    for seq in range(7, min(parts, 2000), 40):
        defect = "<b>scratch</b>" if seq % 3 else "dent"
        review = ReviewPart(stream=STREAM, seq=seq, verdict="fail", defect_class=defect)
        station.ledger.review(review, "anna", "", NOW)
    while station.ledger.close_windows(NOW + 3600 * SECOND, 1.5):
        pass


def asked(station: ScreenStation, **query: object) -> dict[str, object]:
    answer = station.client().get(f"/api/trends?{urlencode(query)}")
    assert answer.status == 200, answer.body
    found: dict[str, object] = answer.json
    return found


def behind(station: ScreenStation, **query: object) -> list[dict[str, object]]:
    answer = station.client().get(f"/api/trends/parts?{urlencode(query)}")
    assert answer.status == 200, answer.body
    found: list[dict[str, object]] = answer.json["parts"]
    return found


def test_day_has_points_chart_pareto_and_scores(station: ScreenStation) -> None:
    fill(station)
    found = asked(station, span="day")
    points, chart = found["points"], found["chart"]
    assert 0 < len(points) <= POINTS
    assert len(chart["points"]) == len(points)
    assert sum(point["parts"] for point in points) == 4000
    failing = sum(point["parts"] - point["first_pass"] for point in points)
    assert chart["centre"] == pytest.approx(failing / 4000)
    broken = {one["rule"] for one in chart["breaks"]}
    assert "nelson_1" in broken
    out = chart["points"][next(one["last"] for one in chart["breaks"] if one["rule"] == "nelson_1")]
    assert out["proportion"] > out["upper"]
    assert [bar["name"] for bar in found["classes"]["bars"]] == ["<b>scratch</b>", "dent"]
    assert found["causes"]["total"] == sum(bar["count"] for bar in found["causes"]["bars"])
    scores = found["scores"]
    assert sum(scores["bins"]["now"]) == scores["parts_now"] > 3900
    assert scores["limits"]["fail"] > 0
    assert found["deadline_ms"] > 0


@pytest.mark.parametrize("span", ["shift", "lot", "day", "week"])
def test_station_that_has_made_nothing_shows_nothing(station: ScreenStation, span: str) -> None:
    station.keep()
    found = asked(station, span=span)
    assert found["chart"]["centre"] is None
    assert found["scores"] is None
    assert len(found["points"]) <= POINTS
    assert all(point["parts"] == 0 for point in found["points"])


def test_lot_is_the_one_that_is_made(station: ScreenStation) -> None:
    wall = NOW - 3600 * SECOND
    station.keep(*(outcome(seq, trigger_wall_ns=wall, lot="L1") for seq in range(5)))
    station.keep(outcome(9, trigger_wall_ns=wall - 86_400 * SECOND, lot="other"))
    assert station.ledger
    station.ledger.close_windows(NOW, 1.5)
    found = asked(station, span="lot")
    assert found["lot"] == "L1"
    assert sum(point["parts"] for point in found["points"]) == 5
    assert found["points"][0]["start_s"] >= wall // SECOND - 3600


def test_parts_behind_a_point_are_those_it_counted(station: ScreenStation) -> None:
    fill(station, 1000)
    found = asked(station, span="day")
    for point in found["points"]:
        parts = behind(station, start=point["start_s"], end=point["end_s"], limit=100)
        assert len(parts) == point["parts"] - point["first_pass"]
        walls = [part["trigger_wall_ns"] // SECOND for part in parts]
        assert all(point["start_s"] <= wall < point["end_s"] for wall in walls)
    span = {"start": found["start_s"], "end": found["end_s"], "limit": 100}
    named = behind(station, of="class", name="dent", **span)
    assert {part["defect_class"] for part in named} == {"dent"}
    assert {part["cause"] for part in behind(station, of="cause", name="late", **span)} == {"late"}


def test_what_is_asked_wrongly_is_told(station: ScreenStation) -> None:
    station.keep()
    client = station.client()
    wrong = ["?span=year", "/parts?of=all", "/parts?of=score&low=nan", "/parts?start=x"]
    wrong += ["/parts?limit=0", "/parts?limit=1000000", "/parts?of=score&high=one"]
    for query in wrong:
        answer = client.get(f"/api/trends{query}")
        assert answer.status == 400, query
        assert answer.error
    assert client.get("/api/trends/parts?of=class&name=%27;DROP+TABLE+span--").status == 200


def test_ledger_missing_or_newer_is_said_and_the_page_lives(station: ScreenStation) -> None:
    client = station.client()
    assert client.get("/api/trends?span=day").status == 503
    station.keep(outcome(0))
    assert client.get("/api/trends?span=day").status == 200
    assert station.ledger
    station.ledger.write(lambda db: db.execute("PRAGMA user_version=99"))
    answer = client.get("/api/trends?span=week")
    assert answer.status == 503
    assert "version" in answer.error


def test_recipe_deleted_leaves_the_scores_without_limits(station: ScreenStation) -> None:
    fill(station, 200)
    station.paths.recipe("plain").unlink()
    assert asked(station, span="day")["scores"]["limits"] is None


def test_steps_are_round_and_at_most_sixty() -> None:
    assert step_of(8 * 3600, 60) == 600
    assert step_of(86_400, 60) == 1800
    assert step_of(7 * 86_400, 60) == 10_800
    assert step_of(60, 10) == 10
    for length in (1, 59, 3600, 10**5, 10**6, 10**8, 10**10):
        for window in (1, 60, 86_400):
            step = step_of(length, window)
            assert step >= window
            assert length / step <= POINTS
            assert step in STEPS or step % STEPS[-1] == 0


def test_page_shows_every_chart_and_the_parts_behind(station: ScreenStation) -> None:
    fill(station)
    with chromium() as browser:
        for size, language in zip(SIZES, ("en", "de"), strict=True):
            with screen(browser, station.url, size, "trends", language) as one:
                page = one.page
                page.locator('[data-value="day"]').tap()
                for tab in ("yield", "control", "pareto", "scores", "latency"):
                    page.locator(f'[data-value="{tab}"]').tap()
                    page.wait_for_selector("#page .chart svg text")
                    assert page.locator(".chart svg").first.get_attribute("aria-label")
                    assert not spilt(page), (size, tab)
                    reach = page.locator(".reach").first.bounding_box()
                    assert reach
                    assert min(reach["width"], reach["height"]) >= 64
                page.locator('[data-value="pareto"]').tap()
                assert page.locator(".chart b").count() == 0  # a name is text
                page.locator(".reach").first.focus()
                for _ in range(3):
                    page.keyboard.press("ArrowRight")
                page.keyboard.press("ArrowLeft")
                page.keyboard.press("ArrowLeft")
                page.locator(".behind").first.wait_for()
                assert page.locator(".side h2").inner_text() == "<b>scratch</b>"
                page.locator(".behind").first.tap()
                page.locator("dialog[open]").wait_for()
                page.keyboard.press("Escape")
                assert not one.off_the_box()


@pytest.mark.parametrize("language", LANGUAGES)
def test_rule_that_is_broken_is_named_and_shown(station: ScreenStation, language: str) -> None:
    fill(station)
    with (
        chromium() as browser,
        screen(browser, station.url, SIZES[1], "trends", language) as one,
    ):
        for value in ("day", "control"):
            one.page.locator(f"[data-value={value}]").tap()
        rule = one.page.locator(".rule", has_text="1 = ").first
        rule.tap()
        one.page.wait_for_selector(".chart .band", state="attached")
        assert one.page.locator(".chart .abnormal").count() > 0
        assert rule.get_attribute("aria-pressed") == "true"
        assert not spilt(one.page)


def spilt(page: object) -> list[str]:
    """Texts of the charts that lie upon each other or beside the chart."""
    found: list[str] = page.evaluate(  # type: ignore[attr-defined]
        """() => [...document.querySelectorAll(".chart")].flatMap((chart) => {
          const room = chart.getBoundingClientRect();
          const all = [...chart.querySelectorAll("text")].map(
            (one) => [one.textContent, one.getBoundingClientRect()]);
          const out = all.filter(([, one]) => one.left < room.left - 1 || one.right > room.right + 1
            || one.bottom > room.bottom + 1).map(([name]) => `outside: ${name}`);
          const upon = all.flatMap(([name, one], at) => all.slice(at + 1).filter(([, two]) =>
            one.left < two.right - 1 && two.left < one.right - 1 &&
            one.top < two.bottom - 3 && two.top < one.bottom - 3).map(([other]) =>
            `${name} upon ${other}`));
          return [...out, ...upon];
        })"""
    )
    return found
