"""Notices: each transition of an alarm, each change of what is made or how, once."""

from contextlib import closing
from pathlib import Path

import pytest
from support.outcomes import STREAM, WALL, outcome

from inspector.core.errors import OperatorError
from inspector.core.messages import Event
from inspector.core.terms import Kind, Mode, Severity
from inspector.devices.ledger import CannotWrite, Ledger, LedgerReader
from inspector.devices.ledger.alarms import load_alarms, save_alarms
from inspector.devices.ledger.notices import note_mode
from inspector.domain.alarms import AlarmList
from inspector.domain.notice import Notice, What


def save(ledger: Ledger, alarms: AlarmList) -> None:
    changed = list(alarms.changed.values())
    ledger.write(lambda db: save_alarms(db, changed))
    alarms.changed.clear()


def told(reader: LedgerReader) -> list[tuple[str, str, int]]:
    """What, of which alarm, when."""
    return [(one.what.value, one.code, one.wall_ns) for one in reader.notices()]


def hear(alarms: AlarmList, code: str, service: str, wall: int) -> None:
    said = {"severity": Severity.ALARM, "code": code, "text": "see /srv/x", "wall_ns": wall}
    alarms.hear(Event(service=service, **said))  # type: ignore[arg-type]


def acknowledge(alarms: AlarmList, wall: int) -> None:
    alarms.put(alarms.seen(alarms.shown()[0].id, "anna", wall))


def test_alarm_that_begins_is_acknowledged_and_ends_is_three_notices(
    ledger: Ledger, reader: LedgerReader
) -> None:
    alarms = AlarmList()
    hear(alarms, "output", "gate", 1)
    save(ledger, alarms)
    acknowledge(alarms, 2)
    save(ledger, alarms)
    alarms.end("output", "gate", 3)
    save(ledger, alarms)
    assert told(reader) == [
        ("alarm_raised", "output", 1),
        ("alarm_acknowledged", "output", 2),
        ("alarm_ended", "output", 3),
    ]
    assert {(one.service, one.severity) for one in reader.notices()} == {("gate", Severity.ALARM)}


def test_alarm_that_is_saved_again_is_no_new_notice(ledger: Ledger, reader: LedgerReader) -> None:
    alarms = AlarmList()
    hear(alarms, "camera", "capture-cam0", 1)
    save(ledger, alarms)
    alarms.unknown()
    save(ledger, alarms)
    alarms.raise_("camera", "capture-cam0", Severity.ALARM, "another text", 9)  # it lasts
    save(ledger, alarms)
    assert told(reader) == [("alarm_raised", "camera", 1)]


def test_alarm_that_was_over_before_it_was_saved_is_both_notices(
    ledger: Ledger, reader: LedgerReader
) -> None:
    alarms = AlarmList()
    hear(alarms, "broker_down", "publish", 1)
    hear(alarms, "broker_up", "publish", 2)
    save(ledger, alarms)
    assert [(what, code) for what, code, _ in told(reader)[:2]] == [
        ("alarm_raised", "broker_down"),
        ("alarm_ended", "broker_down"),
    ]


def test_mere_happening_ends_as_it_begins(ledger: Ledger, reader: LedgerReader) -> None:
    alarms = AlarmList()
    for wall in (1, 5):
        hear(alarms, "refused", "gate", wall)
        save(ledger, alarms)
    acknowledge(alarms, 7)
    save(ledger, alarms)
    assert [(what, wall) for what, _, wall in told(reader)] == [
        ("alarm_raised", 1),
        ("alarm_ended", 1),
        ("alarm_raised", 5),
        ("alarm_ended", 5),
        ("alarm_acknowledged", 7),
    ]


def test_alarm_that_comes_back_unseen_is_raised_again(ledger: Ledger, reader: LedgerReader) -> None:
    alarms = AlarmList()
    hear(alarms, "model_refused", "detect", 1)
    save(ledger, alarms)
    alarms.end("model_refused", "detect", 2)
    save(ledger, alarms)
    hear(alarms, "model_refused", "detect", 3)
    save(ledger, alarms)
    assert [(what, wall) for what, _, wall in told(reader)] == [
        ("alarm_raised", 1),
        ("alarm_ended", 2),
        ("alarm_raised", 3),
    ]


def test_restart_tells_of_no_alarm_again(ledger: Ledger, reader: LedgerReader) -> None:
    alarms = AlarmList()
    hear(alarms, "output", "gate", 1)
    save(ledger, alarms)
    again = AlarmList(*ledger.write(load_alarms))
    again.begin(["gate"], 5)
    save(ledger, again)
    assert told(reader) == [("alarm_raised", "output", 1)]


def test_alarm_that_could_not_be_saved_is_no_notice(ledger: Ledger, reader: LedgerReader) -> None:
    alarms = AlarmList()
    hear(alarms, "output", "gate", 1)
    changed = list(alarms.changed.values())

    def fail(db: object) -> None:
        save_alarms(db, changed)  # type: ignore[arg-type]
        raise OperatorError("no")

    with pytest.raises(OperatorError):
        ledger.write(fail)
    assert reader.notices() == []
    save(ledger, alarms)
    assert [one.id for one in reader.notices()] == [1]


def test_change_of_lot_stands_with_its_first_part(ledger: Ledger, reader: LedgerReader) -> None:
    ledger.commit([(outcome(1), False), (outcome(2), False)])
    ledger.commit([(outcome(3, lot="L2"), False), (outcome(4, lot="L2"), False)])
    assert reader.notices() == [
        Notice(
            ledger=ledger.id,
            id=number,
            wall_ns=WALL + seq * 1_000_000,
            what=What.MAKING_CHANGED,
            recipe="plain",
            lot=lot,
            model="tiny@0123456789ab",
        )
        for number, seq, lot in ((1, 1, "L1"), (2, 3, "L2"))
    ]
    assert ledger.model == "tiny@0123456789ab"


def test_part_that_is_sent_again_changes_nothing(ledger: Ledger, reader: LedgerReader) -> None:
    ledger.commit([(outcome(1), False), (outcome(2, lot="L2"), False)])
    ledger.commit([(outcome(1), False)])
    ledger.commit([(outcome(3, lot="L2"), False)])
    assert [one.lot for one in reader.notices()] == ["L1", "L2"]


def test_restart_knows_what_is_made(root: Path) -> None:
    path = root / "ledger.db"
    for seq, lot in ((1, "L1"), (2, "L1"), (3, "L2")):
        with closing(Ledger(path, 10, 0, WALL)) as ledger:
            ledger.commit([(outcome(seq, lot=lot), False)])
    with closing(LedgerReader(path)) as reader:
        assert [(one.id, one.lot) for one in reader.notices()] == [(1, "L1"), (2, "L2")]


def test_restart_within_a_change_does_not_flap(root: Path) -> None:
    """One camera has made it, the other sends a part from before it once record is back."""
    path, other = root / "ledger.db", {"camera": "cam1", "stream": "2" * 32}
    with closing(Ledger(path, 10, 0, WALL)) as ledger:
        ledger.commit([(outcome(1), False), (outcome(1, **other), False)])
        ledger.commit([(outcome(2, lot="L2"), False)])
    with closing(Ledger(path, 10, 0, WALL)) as ledger, closing(LedgerReader(path)) as reader:
        ledger.commit([(outcome(2, **other), False), (outcome(3, lot="L2"), False)])
        ledger.commit([(outcome(3, lot="L2", **other), False)])
        assert [one.lot for one in reader.notices()] == ["L1", "L2"]


def test_failed_commit_leaves_no_notice_and_no_gap(ledger: Ledger, reader: LedgerReader) -> None:
    ledger.commit([(outcome(1), False)])
    broken = outcome(3, score="no number")
    with pytest.raises(CannotWrite):
        ledger.commit([(outcome(2, lot="L2"), False), (broken, False)])
    ledger.commit([(outcome(2, lot="L2"), False)])
    assert [(one.id, one.lot) for one in reader.notices()] == [(1, "L1"), (2, "L2")]


def test_mode_is_told_when_it_is_another(ledger: Ledger, reader: LedgerReader) -> None:
    for wall, mode in enumerate((Mode.INSPECT, Mode.INSPECT, Mode.PAUSED, Mode.INSPECT)):
        ledger.write(lambda db, mode=mode, wall=wall: note_mode(db, mode, wall))
    assert [(one.what, one.mode, one.wall_ns) for one in reader.notices()] == [
        (What.MODE_CHANGED, "inspect", 0),
        (What.MODE_CHANGED, "paused", 2),
        (What.MODE_CHANGED, "inspect", 3),
    ]


def test_notice_holds_no_text(ledger: Ledger, reader: LedgerReader) -> None:
    alarms = AlarmList()
    hear(alarms, "output", "gate", 1)
    save(ledger, alarms)
    ledger.commit([(outcome(1, Kind.FAULT, reason="/srv/x", source="x.png"), False)])
    said = "".join(map(repr, reader.notices()))
    assert "/srv/x" not in said
    assert "x.png" not in said
    assert STREAM not in said
