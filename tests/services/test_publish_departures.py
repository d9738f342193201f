"""What leaves the station is what its log says, byte for byte: record, publish and mosquitto."""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.mosquitto import Mosquitto, Subscriber, needs_mosquitto
from support.outcomes import mixed
from support.publishing import EVENTS, STATE, TOTALS, started
from support.recording import Station, live, prepare, running, until

from inspector.core.clock import SECOND
from inspector.core.paths import Paths

pytestmark = needs_mosquitto
TOPICS = {TOTALS, STATE, EVENTS}
BEGAN = time.time_ns() - 900 * SECOND  # a part of years ago would count as one of a wrong clock


@pytest.fixture
def reader(server: Mosquitto) -> Iterator[Subscriber]:
    """Someone who hears everything that the broker is given."""
    with Subscriber(server.port, "#") as listening:
        yield listening


@pytest.fixture
def paths(root: Path, server: Mosquitto) -> Paths:
    broker = {"host": "127.0.0.1", "tls": False, "port": server.port}
    return prepare(root, publish=broker)


def windows(station: Station, first: int, count: int) -> None:
    """Outcomes of so many windows, one a second, all of them over."""
    station.settle(
        *(
            mixed(seq, trigger_wall_ns=BEGAN + seq * SECOND, lot=f"L{seq % 3}")
            for seq in range(first, first + count)
        )
    )


def all_delivered(station: Station, rows: int) -> bool:
    counted = station.rows("SELECT count(*), sum(status = 'delivered') FROM window_total")
    return counted == [(rows, rows)]


def heard(reader: Subscriber, most: int = 10_000) -> Counter[bytes]:
    return Counter(reader.take(most, timeout_s=1.0))


def logged(station: Station) -> Counter[bytes]:
    return Counter(one.payload.encode() for one in station.reader.departures(10_000))


def is_will(payload: bytes) -> bool:
    """A will is logged and left to the broker, which may have had no reason to tell it."""
    return b'"online":"lost"' in payload


def wills_in(log: Counter[bytes]) -> int:
    """One of each run: a will bears the run's own identifier."""
    return sum(map(is_will, log))


def assert_all_is_logged(station: Station, received: Counter[bytes]) -> None:
    """The log is what was received, but for wills, and its sums are the log's."""
    log = logged(station)
    assert received <= log
    assert all(map(is_will, log - received))
    assert {one.topic for one in station.reader.departures(10_000)} == TOPICS
    sums = station.reader.sums()
    assert sums.departed == log.total()
    assert sums.departed_bytes == sum(len(word) * n for word, n in log.items())


def totals_in(log: Counter[bytes]) -> int:
    return sum(n for word, n in log.items() if b'"cumulative"' in word)


def test_all_that_a_subscriber_hears_is_in_the_log_byte_for_byte(
    paths: Paths, reader: Subscriber
) -> None:
    with running(paths) as station, started(paths):
        windows(station, 0, 40)
        until(lambda: all_delivered(station, 40))
        received = heard(reader)
        assert totals_in(received) == 40
        assert_all_is_logged(station, received)
        assert reader.topics == TOPICS
        log = logged(station)
        state = live(station)
        assert (state.departed, state.departed_bytes) == (
            log.total(),
            sum(len(word) * n for word, n in log.items()),
        )


def test_record_killed_meanwhile_lets_nothing_leave_unlogged(
    paths: Paths, reader: Subscriber
) -> None:
    with running(paths) as station, started(paths):
        received: Counter[bytes] = Counter()
        for turn in range(3):
            windows(station, turn * 40, 40)
            until(lambda turn=turn: totals_in(logged(station)) > turn * 40)
            station.kill()
            received += heard(reader)
            assert received <= logged(station)
            station.start()
        until(lambda: all_delivered(station, 120))
        received += heard(reader)
        assert totals_in(received) == 120
        assert_all_is_logged(station, received)


def test_without_record_nothing_leaves(paths: Paths, reader: Subscriber) -> None:
    with running(paths) as station:
        windows(station, 0, 5)
        until(lambda: station.rows("SELECT count(*) FROM window_total") == [(5,)])
        station.kill()
        with started(paths):
            assert reader.take(1, timeout_s=3.0) == []
            assert station.reader.departures(10) == []
            station.start()
            until(lambda: all_delivered(station, 5))
            assert_all_is_logged(station, heard(reader))


def test_publish_killed_leaves_no_gap_in_the_log(paths: Paths, reader: Subscriber) -> None:
    """The last will of a run that was killed is in the log too, before anything else of it."""
    with running(paths) as station:
        for turn in range(3):
            with started(paths):
                windows(station, turn * 30, 30)
                until(lambda turn=turn: wills_in(logged(station)) > turn)
                until(lambda turn=turn: totals_in(logged(station)) > turn * 30)
        with started(paths):
            until(lambda: all_delivered(station, 90))
        time.sleep(0.2)
        received = heard(reader)
        assert received <= logged(station)
        assert totals_in(received) >= 90
        assert reader.topics == TOPICS
        assert wills_in(logged(station)) == 4
