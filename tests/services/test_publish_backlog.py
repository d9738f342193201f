"""A backlog on its way out: what is new goes first, what does not fit leaves as void."""

import json
from pathlib import Path
from typing import Any

from support.mosquitto import Mosquitto, mosquitto, needs_mosquitto
from support.publishing import Plant, Record, plant, publishing

from inspector.core.live import AlarmWord
from inspector.core.terms import Severity

pytestmark = needs_mosquitto
CLASSES = [f"defect-class-with-a-rather-long-name-{number:02}" for number in range(30)]


def make_large(record: Record, row: int) -> None:
    """So many defects that the row's message has far more than 1,300 bytes."""
    counts = json.dumps(dict.fromkeys(CLASSES, 1))
    record.ledger.write(
        lambda db: db.execute(
            "UPDATE window_total SET defect_classes = ? WHERE row = ?", (counts, row)
        )
    )


def test_new_windows_go_before_the_backlog(record: Record, server: Mosquitto, mes: Plant) -> None:
    record.windows(400)
    with publishing(record.paths, server.port, backlog_per_s=100):
        record.until(lambda: len(mes.rows()) > 20)
        record.windows(3)
        record.until(lambda: record.pending() == 0)
        record.until(lambda: len(mes.rows()) == 403)
    rows = mes.rows()
    assert sorted(rows) == list(range(1, 404))
    assert [row for row in rows if row <= 400] == list(range(1, 401))
    assert [row for row in rows if row > 400] == [401, 402, 403]
    assert rows.index(403) < 350


def test_backlog_goes_in_its_order_and_no_row_twice(
    record: Record, server: Mosquitto, mes: Plant
) -> None:
    record.windows(1500)
    with publishing(record.paths, server.port):
        record.until(lambda: record.pending() == 0)
        record.for_s(0.5)
    assert mes.rows() == list(range(1, 1501))
    assert sorted(record.marked()) == list(range(1, 1501))


def test_row_larger_than_the_broker_says_it_takes_leaves_as_void(
    record: Record, tmp_path: Path
) -> None:
    record.windows(5)
    make_large(record, 3)
    lines = "allow_anonymous true\nmax_packet_size 1300"
    with (
        mosquitto(tmp_path, lines) as server,
        plant(server.port) as mes,
        publishing(record.paths, server.port, defect_classes=CLASSES),
    ):
        record.until(lambda: record.pending() == 0)
        record.until(lambda: len(mes.rows()) == 5)
    assert record.marked("quarantined") == [3]
    assert {one.json["seq"] for one in mes.of("totals") if one.json.get("void")} == {3}
    assert "1300" in record.said("totals_set_aside")[0]


def test_row_that_breaks_the_connection_each_time_leaves_as_void(
    record: Record, tmp_path: Path
) -> None:
    """This limit is not announced: mosquitto hangs up over what is larger."""
    record.windows(5)
    make_large(record, 3)
    lines = "allow_anonymous true\nmessage_size_limit 1300"
    with (
        mosquitto(tmp_path, lines) as server,
        plant(server.port) as mes,
        publishing(record.paths, server.port, defect_classes=CLASSES),
    ):
        record.until(lambda: record.pending() == 0)
        record.until(lambda: len(set(mes.rows())) == 5)
    assert record.marked("quarantined") == [3]
    assert {one.json["seq"] for one in mes.of("totals") if one.json.get("void")} == {3}


def test_state_that_breaks_the_connection_sets_no_row_aside(record: Record, tmp_path: Path) -> None:
    """It is told in brief from then on; the rows beside it are not to blame."""
    record.windows(5)
    what: Any = {"severity": Severity.ALARM, "raised_wall_ns": 0, "acknowledged": False}
    alarm = AlarmWord(code="consecutive_rejects", service="record", **what)
    lines = "allow_anonymous true\nmessage_size_limit 1000"
    with (
        mosquitto(tmp_path, lines) as server,
        plant(server.port) as mes,
        publishing(record.paths, server.port),
    ):
        record.tell(alarms=(alarm,) * 10)
        record.until(lambda: mes.of("state") and record.pending() == 0)
        record.until(lambda: len(mes.of("state")[-1].json["alarms"]) == 1)
    assert sorted(record.marked()) == [1, 2, 3, 4, 5]
    assert not record.said("totals_set_aside")


def test_row_whose_entry_record_does_not_commit_does_not_leave(
    record: Record, server: Mosquitto, mes: Plant
) -> None:
    with publishing(record.paths, server.port):
        record.until(lambda: mes.states() == ["online"])
        record.for_s(0.5)
        record.logging = False
        record.windows(3)
        record.for_s(2.5)
        assert mes.rows() == []
        record.logging = True
        record.until(lambda: record.pending() == 0)
        record.until(lambda: mes.rows() == [1, 2, 3])


def test_broker_that_flaps_gets_every_row_and_the_marks_are_right(
    record: Record, server: Mosquitto, tmp_path: Path
) -> None:
    """Rows that a killed broker had acknowledged are gone with it; all others arrive."""
    with publishing(record.paths, server.port):
        for number in range(3):
            record.windows(100)
            record.until(lambda number=number: len(record.said("broker_up")) > number)
            record.until(lambda number=number: len(record.marked()) > 100 * number)
            server.kill()
            record.until(lambda number=number: len(record.said("broker_down")) > number)
            server.start()
        record.until(lambda: record.pending() == 0)
    assert sorted(set(record.marked())) == list(range(1, 301))
    assert not record.marked("quarantined")


def test_ledger_that_is_set_aside_meanwhile_begins_a_new_stream(
    record: Record, server: Mosquitto, mes: Plant
) -> None:
    record.windows(3)
    first = record.ledger.id
    with publishing(record.paths, server.port):
        record.until(lambda: record.pending() == 0)
        record.begin_anew()
        record.windows(2)
        record.until(lambda: record.pending() == 0)
        record.until(lambda: len(mes.rows()) == 5)
    streams = [(one.json["stream"], one.json["seq"]) for one in mes.of("totals")]
    second = record.ledger.id
    assert streams == [(first, 1), (first, 2), (first, 3), (second, 1), (second, 2)]
