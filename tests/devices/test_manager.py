"""What systemd says of the station's units."""

from pathlib import Path

from inspector.devices.manager import parsed, units

SAID = """Id=inspector-record.service
LoadState=loaded
ActiveState=active
SubState=running
Result=success
NRestarts=2
MainPID=412
MemoryCurrent=18446744073709551615
UnitFileState=static

Id=inspector-gate.service
LoadState=loaded
ActiveState=failed
SubState=failed
Result=start-limit-hit
NRestarts=8
MainPID=0
MemoryCurrent=[not set]
UnitFileState=static

Id=inspector-old.service
LoadState=not-found
ActiveState=inactive
SubState=dead

Id=inspector.target
LoadState=loaded
ActiveState=active
SubState=active
UnitFileState=enabled
"""


def test_units_are_told_by_name_with_why_one_failed() -> None:
    gate, record, target = parsed(SAID)
    assert (gate.name, gate.failed, gate.result) == (
        "inspector-gate.service",
        True,
        "start-limit-hit",
    )
    assert (record.failed, record.pid, record.restarts, record.memory) == (False, 412, 2, None)
    assert (target.pid, target.restarts, target.enabled) == (0, 0, "enabled")


def test_unit_between_two_attempts_has_failed() -> None:
    trying = SAID.replace("SubState=running", "SubState=auto-restart")
    assert [unit.failed for unit in parsed(trying)] == [True, True, False]


def test_nothing_is_asked_where_systemd_does_not_run(root: Path) -> None:
    assert units(runs=root / "absent") == []


def test_nothing_comes_of_nothing() -> None:
    assert parsed("") == []
