"""The line as one word: never better than what is known."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from inspector.core.live import LineState, ServiceHealth
from inspector.core.pulse import Pulse
from inspector.core.terms import Mode
from inspector.domain.linestate import SILENT_MS, START_MS, WHY, Facts, line_state

NAMES = ("record", "gate", "detect", "publish", "capture-a", "capture-b")
BEAT = Pulse("x", 1, 1.0).beat(2, "running")


def service(name: str, age_ms: int = 0, **changes: Any) -> ServiceHealth:
    return ServiceHealth(heartbeat=structs.replace(BEAT, service=name, **changes), age_ms=age_ms)


def state(
    mode: Mode = Mode.INSPECT, faults: int = 0, **others: ServiceHealth
) -> tuple[LineState, str]:
    """With all in order but `others`, by name with `_` for `-`."""
    changed = {name.replace("_", "-"): each for name, each in others.items()}
    services = tuple(changed.get(name, service(name)) for name in NAMES)
    return line_state(Facts(mode, services, faults))


def silent(name: str) -> ServiceHealth:
    return service(name, SILENT_MS + 1)


def test_all_in_order_runs() -> None:
    assert state() == (LineState.RUNNING, "running")
    assert state(Mode.CHALLENGE) == (LineState.RUNNING, "challenge")
    assert state(Mode.PAUSED) == (LineState.PAUSED, "paused")


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ({"gate": silent("gate")}, (LineState.STOPPED, "gate_silent")),
        ({"gate": service("gate", state="stopping")}, (LineState.STOPPED, "gate_silent")),
        ({"detect": silent("detect")}, (LineState.DEGRADED, "detect_silent")),
        ({"detect": service("detect", state="degraded")}, (LineState.DEGRADED, "no_model")),
        ({"record": service("record", state="degraded")}, (LineState.DEGRADED, "record_stalled")),
        ({"gate": service("gate", state="degraded")}, (LineState.DEGRADED, "output")),
        ({"capture_a": silent("capture-a")}, (LineState.DEGRADED, "one_camera_silent")),
        ({"publish": silent("publish")}, (LineState.RUNNING, "running")),
        ({"detect": service("detect", pid=0, state="starting")}, (LineState.STARTING, "starting")),
        (
            {"detect": service("detect", START_MS + 1, pid=0, state="starting")},
            (LineState.DEGRADED, "detect_silent"),
        ),
        ({"capture_a": service("capture-a", state="starting")}, (LineState.STARTING, "starting")),
    ],
)
def test_what_one_service_makes_of_the_line(
    others: dict[str, ServiceHealth], expected: tuple[LineState, str]
) -> None:
    assert state(**others) == expected


def test_all_cameras_gone_is_stopped_and_all_at_their_end_too() -> None:
    gone = {"capture_a": silent("capture-a"), "capture_b": silent("capture-b")}
    assert state(**gone) == (LineState.STOPPED, "camera_silent")
    ended = {f"capture_{one}": service(f"capture-{one}", state="ended") for one in "ab"}
    assert state(**ended) == (LineState.STOPPED, "camera_ended")


def test_paused_line_does_not_hide_that_nothing_works() -> None:
    assert state(Mode.PAUSED, gate=silent("gate"))[0] is LineState.STOPPED
    assert state(Mode.PAUSED, detect=silent("detect"))[0] is LineState.PAUSED


def test_faults_in_a_row_degrade_a_line_whose_services_all_speak() -> None:
    assert state(faults=2)[0] is LineState.RUNNING
    assert state(faults=3) == (LineState.DEGRADED, "faults")


def test_station_with_cameras_on_other_hosts_alone_runs() -> None:
    services = tuple(service(name) for name in NAMES[:4])
    assert line_state(Facts(Mode.INSPECT, services))[0] is LineState.RUNNING


AGES = st.integers(0, 20_000)
STATES = st.sampled_from(["starting", "running", "degraded", "stopping", "ended"])


@given(
    st.sampled_from(Mode),
    st.lists(st.tuples(st.sampled_from(NAMES), AGES, STATES, st.sampled_from([0, 7]))),
    st.integers(0, 5),
)
def test_every_why_is_known_and_only_a_sound_line_runs(
    mode: Mode, services: list[tuple[str, int, str, int]], faults: int
) -> None:
    given_services = {name: service(name, age, state=s, pid=p) for name, age, s, p in services}
    found, why = line_state(Facts(mode, tuple(given_services.values()), faults))
    assert why in WHY
    if found is LineState.RUNNING:
        assert mode is not Mode.PAUSED
        assert faults < 3
        for name in ("gate", "detect"):
            one = given_services.get(name)
            assert one is None or (one.age_ms <= SILENT_MS or not one.heartbeat.pid)
