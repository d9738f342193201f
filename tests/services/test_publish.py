"""publish as a process, between a real ledger and a real mosquitto."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.mosquitto import (
    Mosquitto,
    Subscriber,
    free_port,
    mosquitto,
    needs_mosquitto,
    passwords,
)
from support.stations import write_station

from inspector.core.clock import SECOND
from inspector.core.messages import Delivered, Departed, Event, Heartbeat, Outcome
from inspector.core.paths import Paths, under
from inspector.core.terms import Cause, Kind, Lane, Timing
from inspector.core.topology import MESSAGES
from inspector.devices.bus import Bus, Inbox
from inspector.devices.ledger import Ledger, LedgerReader

TOPIC = "enterprise/site/area/line/cell/vision/v1/totals"
BEGIN_S = 1_700_000_000
PATIENCE_S = 40.0


class Record:
    """What record is to publish: the ledger's writer and an inbox."""

    def __init__(self, paths: Paths, bus: Bus) -> None:
        self.paths = paths
        self.ledger = Ledger(paths.ledger, 1, 0, BEGIN_S * SECOND)
        self.inbox: Inbox = bus.inbox(paths.socket("record"), depth=MESSAGES)
        self.delivered: list[Delivered] = []
        self.events: list[Event] = []
        self.beats: list[Heartbeat] = []
        self._parts = 0

    def windows(self, count: int, lot: str = "L1") -> None:
        """Commit `count` windows of two parts each, and count them."""
        now = (BEGIN_S + self._parts) * SECOND
        for _ in range(count):
            good = outcome(self._parts, lot, now)
            bad = outcome(self._parts + 1, lot, now, Kind.FAULT, Cause.LATE)
            self.ledger.commit([(good, False), (bad, False)], wall_ns=now)
            self._parts += 2
            now += 2 * SECOND
        while self.ledger.close_windows(now + 60 * SECOND, grace_s=1.0):
            pass

    def turn(self, marking: bool = True) -> None:
        """Take what has come; carry the marks out as record does, unless not `marking`."""
        self.inbox.wait(50)
        for message, _ in self.inbox.drain():
            if isinstance(message, Departed):
                self.ledger.commit([], departed=[message])
            elif isinstance(message, Delivered):
                self.delivered.append(message)
                if marking:
                    self.ledger.commit([], delivered=[message], wall_ns=BEGIN_S * SECOND)
            elif isinstance(message, Event):
                self.events.append(message)
            elif isinstance(message, Heartbeat):
                self.beats.append(message)

    def until(self, reached: Callable[[], object], marking: bool = True) -> None:
        limit = time.monotonic() + PATIENCE_S
        while not reached():
            assert time.monotonic() < limit, (self.events, self.beats[-1:], self.delivered[-3:])
            self.turn(marking)

    def said(self, code: str) -> list[str]:
        return [event.text for event in self.events if event.code == code]

    def pending(self) -> int:
        reader = LedgerReader(self.paths.ledger)
        rows = len(reader.pending(10_000))
        reader.close()
        return rows


@pytest.fixture
def record(root: Path) -> Iterator[Record]:
    paths = under(root)
    paths.create()
    with Bus() as bus:
        yield (record := Record(paths, bus))
        record.ledger.close()


def outcome(
    seq: int, lot: str, wall_ns: int, kind: Kind = Kind.PASS, cause: Cause | None = None
) -> Outcome:
    return Outcome(
        number=seq,
        camera="cam0",
        stream="f" * 32,
        seq=seq,
        trigger_wall_ns=wall_ns,
        kind=kind,
        cause=cause,
        reason="",
        lane=Lane.ACCEPT if kind is Kind.PASS else Lane.REJECT,
        score=0.5,
        boxes=(),
        heatmap=None,
        model="tiny@0123456789ab",
        recipe="plain",
        lot=lot,
        latency_us=12_345,
        timing=Timing(),
        frame=None,
        source="",
    )


@contextmanager
def publishing(
    paths: Paths, port: int | None, **settings: object
) -> Iterator["subprocess.Popen[str]"]:
    """The service as its own process; `port` None: a station without a broker."""
    table: Mapping[str, object] = {"host": "127.0.0.1", "tls": False, "port": port, **settings}
    write_station(paths, {"path": "."}, {"publish": table} if port else {})
    process = subprocess.Popen(
        [sys.executable, "-m", "inspector.services.publish", "--root", str(paths.config.parent)],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def stopped(process: "subprocess.Popen[str]") -> str:
    """What it wrote, after an orderly end."""
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, log
    return log


def rows_of(payloads: list[bytes]) -> list[int]:
    return [json.loads(payload)["seq"] for payload in payloads]


@needs_mosquitto
def test_committed_totals_arrive_and_are_marked(record: Record, tmp_path: Path) -> None:
    record.windows(30)
    with mosquitto(tmp_path) as server, Subscriber(server.port, TOPIC) as reader:
        with publishing(record.paths, server.port) as process:
            record.until(lambda: record.pending() == 0)
            record.until(lambda: record.beats)
            stopped(process)
        seen = [json.loads(payload) for payload in reader.take(30)]
        assert [one["seq"] for one in seen] == list(range(1, 31))
        assert reader.take(1, timeout_s=0.3) == []
    assert [(one.row, one.status) for one in record.delivered] == [
        (row, "delivered") for row in range(1, 31)
    ]
    assert seen[0]["stream"] == record.ledger.id
    assert seen[0]["device"]["line"] == "line"
    assert seen[-1]["counts"] == {"pass": 1, "fail": 0, "review": 0, "fault": 1}
    assert seen[-1]["causes"]["late"] == 1
    assert seen[-1]["cumulative"] == {"pass": 30, "fail": 0, "review": 0, "fault": 30}
    assert seen[-1]["latency"]["max_ms"] == 12.345


@needs_mosquitto
def test_broker_killed_and_restarted_loses_nothing_and_marks_once(
    record: Record, tmp_path: Path
) -> None:
    with (
        mosquitto(tmp_path) as server,
        Subscriber(server.port, TOPIC) as reader,
        publishing(record.paths, server.port),
    ):
        for count in (5, 40, 5):
            record.windows(count)
            marked = len(record.delivered)
            record.until(lambda marked=marked: len(record.delivered) > marked)
            server.kill()
            record.windows(5)
            again = len(record.said("broker_up")) + 1
            server.start()
            reader.subscribed()
            record.until(lambda again=again: len(record.said("broker_up")) >= again)
        record.until(lambda: record.pending() == 0)
        record.windows(1)
        record.until(lambda: record.pending() == 0)
        last = json.loads(reader.take(100, timeout_s=1.0)[-1])
    assert sorted(one.row for one in record.delivered) == list(range(1, 67))
    assert record.said("broker_down")
    # Rows acknowledged by a broker that then died may be missing at the reader, but no part is:
    # every row carries the cumulative counts.
    assert last["seq"] == 66
    assert last["cumulative"] == {"pass": 66, "fail": 0, "review": 0, "fault": 66}


@needs_mosquitto
def test_publish_killed_sends_again_what_was_not_marked(record: Record, tmp_path: Path) -> None:
    record.windows(10)
    with mosquitto(tmp_path) as server, Subscriber(server.port, TOPIC) as reader:
        with publishing(record.paths, server.port) as process:
            record.until(lambda: record.delivered, marking=False)
            process.kill()
        with publishing(record.paths, server.port):
            record.until(lambda: record.pending() == 0)
        assert set(rows_of(reader.take(100, timeout_s=1.0))) == set(range(1, 11))


@needs_mosquitto
def test_mark_lost_by_record_is_told_again_without_sending_the_row_again(
    record: Record, tmp_path: Path
) -> None:
    record.windows(1)
    with mosquitto(tmp_path) as server, Subscriber(server.port, TOPIC) as reader:
        with publishing(record.paths, server.port):
            record.until(lambda: record.delivered, marking=False)
            record.until(lambda: record.pending() == 0)
        assert rows_of(reader.take(5, timeout_s=0.5)) == [1]
    assert {(one.ledger, one.row) for one in record.delivered} == {(record.ledger.id, 1)}


@needs_mosquitto
def test_ledger_unreadable_for_a_while_does_not_send_acknowledged_rows_again(
    record: Record, tmp_path: Path
) -> None:
    record.windows(3)
    away = record.paths.ledger.with_name("away.db")
    with mosquitto(tmp_path) as server, Subscriber(server.port, TOPIC) as reader:
        with publishing(record.paths, server.port):
            record.until(lambda: len(record.delivered) >= 3, marking=False)
            record.paths.ledger.rename(away)
            record.until(lambda: record.said("ledger_unread"), marking=False)
            away.rename(record.paths.ledger)
            told = len(record.delivered)
            record.until(lambda: len(record.delivered) >= told + 3, marking=False)
            record.until(lambda: record.pending() == 0)
        assert rows_of(reader.take(10, timeout_s=0.5)) == [1, 2, 3]


@needs_mosquitto
def test_denied_publish_keeps_the_rows_until_it_is_allowed(record: Record, tmp_path: Path) -> None:
    acl = tmp_path / "acl"
    acl.write_text("topic read #\n")
    record.windows(3)
    lines = f"allow_anonymous true\nacl_file {acl}"
    with mosquitto(tmp_path, lines) as server, publishing(record.paths, server.port):
        record.until(lambda: record.said("publish_refused"))
        assert "0x87" in record.said("publish_refused")[0]
        assert record.pending() == 3
        acl.write_text("topic readwrite #\n")
        restart(server)
        record.until(lambda: record.said("publish_taken") or record.said("publish_unread"))
        record.until(lambda: record.pending() < 3)
    assert all(one.status == "delivered" for one in record.delivered)


@needs_mosquitto
def test_bad_credentials_are_one_clear_line(record: Record, tmp_path: Path) -> None:
    lines = f"allow_anonymous false\npassword_file {passwords(tmp_path, line='right')}"
    (tmp_path / "word").write_text("wrong\n")
    with mosquitto(tmp_path, lines) as server:
        login = {"username": "line", "password_file": str(tmp_path / "word")}
        with publishing(record.paths, server.port, **login) as process:
            record.until(lambda: record.said("broker_down"))
            log = stopped(process)
    (line,) = record.said("broker_down")
    assert "refuses user 'line'" in line
    assert log.count(line) == 1
    assert "Traceback" not in log


def test_no_broker_in_the_configuration_is_said_once(record: Record) -> None:
    record.windows(2)
    with publishing(record.paths, None) as process:
        record.until(lambda: len(record.beats) >= 2)
        log = stopped(process)
    assert {beat.state for beat in record.beats} == {"off"}
    assert log.count("has no [publish]: totals stay on the station") == 1
    assert record.pending() == 2
    assert not record.delivered


def test_broker_that_is_away_is_said_and_the_rows_wait(record: Record) -> None:
    record.windows(2)
    with publishing(record.paths, free_port()) as process:
        record.until(lambda: record.said("broker_down"))
        record.until(lambda: record.beats and record.beats[-1].state == "degraded")
        assert "nobody listens there" in record.beats[-1].note
        stopped(process)
    assert record.pending() == 2


def test_record_that_starts_later_hears_what_was_said_before(root: Path) -> None:
    """Neither a ledger nor record is there when publish starts and finds no broker."""
    paths = under(root)
    paths.create()
    with publishing(paths, free_port()) as process, Bus() as bus:
        assert process.stderr
        while "nobody listens there" not in process.stderr.readline():
            assert process.poll() is None
        record = Record(paths, bus)
        record.until(lambda: record.said("broker_down"))
        record.ledger.close()
        stopped(process)


def test_password_file_that_is_missing_ends_the_start_with_one_line(record: Record) -> None:
    with publishing(record.paths, 1, username="line", password_file="/nonexistent") as process:
        _, log = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 78
    assert log.splitlines() == [
        "inspector publish: publish.password_file /nonexistent: cannot be read "
        "(No such file or directory)"
    ]


def test_the_process_with_the_network_loads_nothing_that_opens_pixels() -> None:
    code = "import sys, inspector.services.publish; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.split()
    rooms = {f"inspector.devices.{room}" for room in ("ring", "evidence", "cameras", "engine")}
    assert not ({"cv2", "openvino"} | rooms) & set(loaded)


def restart(server: Mosquitto) -> None:
    server.kill()
    server.start()
