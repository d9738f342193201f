"""Who is silent, and that it is said once."""

from typing import Any

from msgspec import structs

from inspector.core.clock import SECOND
from inspector.core.messages import Heartbeat
from inspector.domain.health import START_S, Roster

BEAT = Heartbeat(
    service="gate",
    pid=1,
    number=0,
    sent_ns=0,
    started_ns=0,
    state="running",
    handled=0,
    per_s=0.0,
    queue=0,
    p50_ms=0.0,
    p99_ms=0.0,
)


def beat(**changes: Any) -> Heartbeat:
    return structs.replace(BEAT, **changes)


def test_silent_service_is_told_of_once() -> None:
    roster = Roster([], 0)
    roster.hear(beat(), 0)
    assert roster.survey(3 * SECOND).fell_silent == ()
    silent = roster.survey(4 * SECOND)
    assert silent.fell_silent == ("gate",)
    assert silent.services[0].heartbeat.state == "silent"
    assert silent.services[0].age_ms == 4000
    assert roster.survey(5 * SECOND).fell_silent == ()


def test_service_that_is_back_is_told_of_once() -> None:
    roster = Roster([], 0)
    roster.hear(beat(), 0)
    roster.survey(9 * SECOND)
    roster.hear(beat(number=1), 9 * SECOND)
    assert roster.survey(9 * SECOND).came_back == ("gate",)
    assert roster.survey(9 * SECOND).came_back == ()


def test_service_that_stopped_in_order_is_not_missed() -> None:
    roster = Roster([], 0)
    roster.hear(beat(state="stopping"), 0)
    survey = roster.survey(9 * SECOND)
    assert survey.fell_silent == ()
    assert survey.services[0].heartbeat.state == "stopped"


def test_service_that_never_starts_is_missed() -> None:
    roster = Roster(["detect"], 0)
    assert roster.survey(int(START_S * SECOND)).fell_silent == ()
    assert roster.survey(int(START_S * SECOND) + 1).fell_silent == ("detect",)


def test_screen_sees_a_silent_service_sooner_than_the_alarm_comes() -> None:
    roster = Roster([], 0)
    roster.hear(beat(), 0)
    now = int(1.6 * SECOND)
    (shown,) = roster.services(now)
    assert (shown.heartbeat.state, shown.age_ms) == ("silent", 1600)
    assert roster.survey(now).fell_silent == ()


def test_restarts_are_counted_from_the_first_that_is_heard() -> None:
    roster = Roster(["gate"], 0)
    for number, started in enumerate([5, 5, 9, 9, 12]):
        roster.hear(beat(started_ns=started), number)
    assert roster.services(9)[0].restarts == 2
