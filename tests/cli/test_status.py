"""What a person reads at the bench of the state of the line."""

from rich.console import Console
from support.line_state import line_state
from support.outcomes import outcome

from inspector.cli.status import picture
from inspector.core.live import Alarm, LineState
from inspector.core.terms import Mode, Severity


def alarm(id: int, **changes: object) -> Alarm:
    fields: dict[str, object] = {
        "code": "output",
        "service": "gate",
        "severity": Severity.ALARM,
        "text": "no [PLC] answers",
        "raised_wall_ns": 1_700_000_000 * 10**9,
        "active": True,
    }
    return Alarm(id=id, **(fields | changes))  # type: ignore[arg-type]


def shown(state: LineState, why: str, *alarms: Alarm) -> str:
    live = line_state(
        state=state,
        why=why,
        mode=Mode.PAUSED,
        recipe="cap",
        committed=5,
        last=outcome(4),
        alarms=alarms,
    )
    console = Console(width=200)
    with console.capture() as caught:
        console.print(picture(live))
    return caught.get()


def test_state_mode_and_reason_stand_first() -> None:
    first = shown(LineState.DEGRADED, "detect_silent").splitlines()[0]
    assert first.strip() == "degraded (detect_silent)   mode paused"
    assert shown(LineState.PAUSED, "paused").startswith("paused   mode paused")


def test_alarms_stand_with_time_number_and_who_has_seen_them() -> None:
    text = shown(LineState.RUNNING, "running", alarm(3), alarm(4, active=False))
    lines = [line.strip() for line in text.splitlines() if "PLC" in line]
    assert [line.split()[:2] for line in lines] == [["alarm", "3"], ["alarm", "4"]]
    assert "2023-11-1" in lines[0]
    assert lines[0].endswith("gate: no [PLC] answers [output]")
    assert lines[1].endswith("[output, over]")
    seen = shown(LineState.RUNNING, "running", alarm(3, acknowledged_by="anna"))
    assert "[output, acknowledged by anna]" in seen
