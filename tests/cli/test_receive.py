"""The reference receiver before a real broker: every row once, whatever happens on the way."""

import json
import random
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.commands import INSPECTOR
from support.mosquitto import Mosquitto, Subscriber, mosquitto, needs_mosquitto
from support.receiving import KEEPING, Publisher, receiving, shown
from support.totals_stream import DEVICE, STREAM, Sender, message, payload, topic, void

from inspector.core.terms import Kind
from inspector.domain.egress.topics import Topics
from inspector.domain.ingress import Ack, read_ack

pytestmark = needs_mosquitto

OTHER = "acme/lyon/press/l1/c8"


@pytest.fixture
def broker(root: Path) -> Iterator[Mosquitto]:
    with mosquitto(root, KEEPING) as broker:
        yield broker


def named(counts: dict[Kind, int]) -> dict[str, int]:
    return {str(kind): count for kind, count in counts.items()}


def test_duplicates_and_revisions_are_counted_once(root: Path, broker: Mosquitto) -> None:
    sender = Sender()
    sender.windows(30)
    for number in (3, 7, 3):  # corrected, one of them twice
        sender.window(number, [Kind.PASS, Kind.FAIL])
    rows = [message(row) for row in sender.rows]
    with (
        receiving(broker.port, root / "totals.db") as receiver,
        Publisher(broker.port) as publisher,
    ):
        random.Random(1).shuffle(rows)
        publisher.send([*rows, *rows, *rows[:10]])
        found = receiver.through(33)
        assert receiver.stop() == 0
    assert found["counts"] == found["cumulative"] == named(sender.counts())
    assert not found["contradicts"]
    assert found["clashes"] == 0


def test_a_restart_gets_what_came_meanwhile(root: Path, broker: Mosquitto) -> None:
    sender = Sender()
    rows = [message(row) for row in sender.windows(3000)]
    with (
        receiving(broker.port, root / "totals.db") as receiver,
        Publisher(broker.port) as publisher,
    ):
        publisher.send(rows[:10])
        receiver.through(10)
        assert receiver.stop() == 0
        publisher.send(rows[10:])
        receiver.start()
        assert "which had kept our session" in receiver.text()
        assert receiver.through(3000)["counts"] == named(sender.counts())


def test_kill_9_in_the_middle_loses_and_doubles_nothing(root: Path, broker: Mosquitto) -> None:
    sender = Sender()
    rows = [message(row) for row in sender.windows(6000)]
    with (
        receiving(broker.port, root / "totals.db", "--ack") as receiver,
        Publisher(broker.port) as publisher,
    ):
        sending = threading.Thread(target=publisher.send, args=(rows,))
        sending.start()
        for kill in range(4):
            known = receiver.through(300 * (kill + 1))["through"]
            receiver.kill()
            assert shown(receiver.db)["streams"][0]["through"] >= known
            receiver.start()
        sending.join()
        found = receiver.through(6000)
    assert found["counts"] == found["cumulative"] == named(sender.counts())
    assert not found["gaps"]


def test_a_gap_is_told_and_its_end_too(root: Path, broker: Mosquitto) -> None:
    rows = [message(row) for row in Sender().windows(9)]
    with (
        receiving(broker.port, root / "totals.db", "--ack") as receiver,
        Publisher(broker.port) as publisher,
        Subscriber(broker.port, Topics(DEVICE).ack) as station,
    ):
        publisher.send(row for row in rows if row.seq not in (3, 4, 7))
        receiver.until(lambda: "3 rows are missing, 3-4, 7" in receiver.text())
        (one,) = receiver.standing()
        assert (one["through"], one["highest"], one["gaps"]) == (2, 9, [[3, 4], [7, 7]])
        before = [read_ack(data) for data in station.take(9, timeout_s=1)]
        publisher.send(rows[2:7])
        receiver.until(lambda: "nothing is missing any more" in receiver.text())
        receiver.stop()
        after = [read_ack(data) for data in station.take(9, timeout_s=1)]
    assert {ack.through_seq for ack in before if ack} <= {0, 1, 2}, "never beyond a gap"
    assert before[-1] == Ack(schema=1, stream=STREAM, through_seq=2)
    assert after[-1] == Ack(schema=1, stream=STREAM, through_seq=9)


def test_an_acknowledgement_is_kept_for_a_station_that_is_away(
    root: Path, broker: Mosquitto
) -> None:
    with (
        receiving(broker.port, root / "totals.db", "--ack") as receiver,
        Publisher(broker.port) as publisher,
    ):
        publisher.send(message(row) for row in Sender().windows(5))
        receiver.through(5)
        time.sleep(0.5)
        with Subscriber(broker.port, Topics(DEVICE).ack) as station:
            (data,) = station.take(1)
    ack = read_ack(data)
    assert ack
    assert (ack.stream, ack.through_seq) == (STREAM, 5)


def test_a_station_that_goes_back_to_an_earlier_ledger_is_acknowledged(
    root: Path, broker: Mosquitto
) -> None:
    """A damaged ledger was mended and put back: its rows would go again for ever."""
    old, new = Sender(), Sender(stream="f" * 32)
    ack, seen = Topics(DEVICE).ack, set[tuple[str, int]]()
    with (
        receiving(broker.port, root / "totals.db", "--ack") as receiver,
        Publisher(broker.port) as publisher,
    ):
        for rows in (old.windows(2), new.windows(3), old.windows(2, seed=1)):
            publisher.send(map(message, rows))
            time.sleep(0.5)
        receiver.stop()
        receiver.start()
        time.sleep(0.5)
        with Subscriber(broker.port, ack) as station:
            seen |= {(one.stream, one.through_seq) for one in map(read_ack, station.take(1)) if one}
    assert seen == {(STREAM, 4)}


def test_a_station_that_has_not_heard_its_acknowledgement_is_told_again(
    root: Path, broker: Mosquitto
) -> None:
    rows = Sender().windows(3)
    with (
        receiving(broker.port, root / "totals.db", "--ack") as receiver,
        Publisher(broker.port) as publisher,
        Subscriber(broker.port, Topics(DEVICE).ack) as station,
    ):
        publisher.send(map(message, rows))
        receiver.through(3)
        time.sleep(0.5)
        station.take(9, timeout_s=1)
        publisher.send(map(message, rows))
        (data,) = station.take(1)
    assert read_ack(data) == Ack(schema=1, stream=STREAM, through_seq=3)


def test_void_rows_are_known_and_not_waited_for(root: Path, broker: Mosquitto) -> None:
    rows = Sender().windows(4)
    with (
        receiving(broker.port, root / "totals.db") as receiver,
        Publisher(broker.port) as publisher,
    ):
        publisher.send([message(rows[0]), void(rows[1]), message(rows[2]), message(rows[3])])
        found = receiver.through(4)
        receiver.until(lambda: "1 rows could not leave the station" in receiver.text())
    assert (found["voids"], found["gaps"], found["contradicts"]) == (1, [], False)
    assert found["difference"] == named({kind: rows[1].totals.counts.get(kind, 0) for kind in Kind})


def test_two_stations_keep_apart(root: Path, broker: Mosquitto) -> None:
    one, two = Sender(), Sender(OTHER, "b" * 32)
    one.windows(20, seed=1)
    two.windows(25, seed=2)
    with (
        receiving(broker.port, root / "totals.db") as receiver,
        Publisher(broker.port) as publisher,
    ):
        for first, second in zip(one.rows, two.rows[:20], strict=True):
            publisher.send([message(first), message(second, OTHER)])
        publisher.send(message(row, OTHER) for row in two.rows[20:])
        receiver.until(lambda: sum(one["through"] for one in receiver.standing()) == 45)
        found = {one["device"]: one["counts"] for one in receiver.standing()}
    assert found == {DEVICE: named(one.counts()), OTHER: named(two.counts())}


def test_two_stations_with_one_identity_are_told(root: Path, broker: Mosquitto) -> None:
    one, two = Sender(), Sender()  # as from a copied disk
    one.windows(3, seed=1)
    two.windows(3, seed=2)
    with (
        receiving(broker.port, root / "totals.db") as receiver,
        Publisher(broker.port) as publisher,
    ):
        publisher.send(message(row) for row in [*one.rows, *two.rows])
        receiver.until(lambda: "do two stations share one identity?" in receiver.text())
        (found,) = receiver.standing()
    assert found["counts"] == named(one.counts())


def test_garbage_and_foreign_messages_change_nothing(root: Path, broker: Mosquitto) -> None:
    rows = Sender().windows(3)
    good = payload(message(rows[0]))
    garbage = [
        b"\xff\xd8\xff\xe0" * 100,
        b"{}",
        b"[" * 3000,
        b"null",
        good[:-2],
        good + b"x" * 9000,
    ]
    foreign = [
        good.replace(b'"seq":1', b'"seq":0'),
        good.replace(b'"schema":1', b'"schema":2'),
        good.replace(b"/c7", b"/c9"),  # another device than its topic
        good.replace(b'"first_pass"', b'"picture":"iVBORw0KGgo=","first_pass"'),
    ]
    with (
        receiving(broker.port, root / "totals.db") as receiver,
        Publisher(broker.port) as publisher,
    ):
        publisher.put((topic(), data) for data in [b"", *garbage, *foreign])
        publisher.put([("acme/lyon/press/l1/c7/vision/v1/state", good)])
        publisher.send(message(row) for row in rows)
        found = receiver.through(3)
        receiver.until(lambda: "10 messages were no totals, and not counted" in receiver.text())
    assert found["counts"] == found["cumulative"]
    assert len(shown(root / "totals.db")["streams"]) == 1


def test_rows_that_nobody_has_any_more_can_be_given_up(root: Path, broker: Mosquitto) -> None:
    rows = Sender().windows(6)
    with (
        receiving(broker.port, root / "totals.db", "--ack") as receiver,
        Publisher(broker.port) as publisher,
    ):
        publisher.send(message(row) for row in rows[3:])
        receiver.until(lambda: "3 rows are missing, 1-3" in receiver.text())
        receiver.stop()
    found = shown(root / "totals.db", "--give-up", DEVICE)["streams"][0]
    assert (found["through"], found["gaps"], found["given_up"]) == (6, [], 3)


def test_a_broker_that_dies_is_waited_for(root: Path, broker: Mosquitto) -> None:
    sender = Sender()
    rows = [message(row) for row in sender.windows(40)]
    with receiving(broker.port, root / "totals.db", "--ack") as receiver:
        with Publisher(broker.port) as publisher:
            publisher.send(rows[:20])
            receiver.through(20)
        broker.kill()
        receiver.until(lambda: "the connection broke" in receiver.text())
        broker.start()
        receiver.until(lambda: receiver.text().count("connected to") == 2)
        with Publisher(broker.port) as publisher:  # as a station does that was not answered
            publisher.send(rows[10:])
        assert receiver.through(40)["counts"] == named(sender.counts())


def test_it_ends_by_itself_when_nothing_comes(root: Path, broker: Mosquitto) -> None:
    with Publisher(broker.port) as publisher:
        first = run(broker, root, "--idle", "0.5", "--json")
        publisher.send(message(row) for row in Sender().windows(5))
        second = run(broker, root, "--idle", "1", "--json")
    assert json.loads(first.stdout)["streams"] == []
    assert json.loads(second.stdout)["came"] == {"counted": 5}
    assert first.returncode == second.returncode == 0


def test_two_receivers_with_one_identity_are_told(root: Path, broker: Mosquitto) -> None:
    with (
        receiving(broker.port, root / "one.db", "--client-id", "mes") as one,
        receiving(broker.port, root / "two.db", "--client-id", "mes") as two,
    ):
        one.until(lambda: "does another receiver use the same identity?" in one.text())
        two.until(lambda: "does another receiver use the same identity?" in two.text())


def test_an_acknowledgement_that_is_refused_is_told_once(root: Path) -> None:
    # Not KEEPING: without a limit in flight Mosquitto 2.0.11 hangs up where it denies.
    (root / "access").write_text("topic read #\ntopic write +/+/+/+/+/vision/v1/totals\n")
    with (
        mosquitto(root, f"allow_anonymous true\nacl_file {root / 'access'}") as broker,
        receiving(broker.port, root / "totals.db", "--ack") as receiver,
        Publisher(broker.port) as publisher,
    ):
        for row in Sender().windows(5):
            publisher.send([message(row)])
            time.sleep(0.25)
        receiver.through(5)
        receiver.until(lambda: "refuses our acknowledgements (Not authorized)" in receiver.text())
        assert receiver.text().count("refuses our acknowledgements") == 1


def run(broker: Mosquitto, root: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    command = [*INSPECTOR, "receive", "--db", root / "totals.db", "--host", "127.0.0.1"]
    return subprocess.run(
        [*command, "--port", str(broker.port), "--no-tls", *options],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
