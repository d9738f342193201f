"""publish as a process, a real mosquitto, and an independent Sparkplug host in JavaScript."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.mosquitto import Mosquitto, mosquitto, needs_mosquitto
from support.publishing import publishing, started, stopped
from support.sparkplug import SPARKPLUG, Peer, SparkplugRecord, host, listening

from inspector.core.live import LineState
from inspector.core.paths import under
from inspector.devices.bus import Bus
from inspector.domain.egress.sparkplug import names_of
from inspector.domain.egress.sparkplug_metrics import Owner

pytestmark = needs_mosquitto


@pytest.fixture
def record(root: Path) -> Iterator[SparkplugRecord]:
    paths = under(root)
    paths.create()
    with Bus() as bus:
        yield (record := SparkplugRecord(paths, bus))
        record.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path) as one:
        yield one


def births(one: Peer) -> list[int]:
    """bdSeq of each NBIRTH."""
    return [line["bdSeq"] for line in one.of("NBIRTH")]


def deaths(one: Peer) -> list[int]:
    """bdSeq of each NDEATH that ends the session that is there; a node that ends in order says it
    itself, and the broker once more."""
    return [line["bdSeq"] for line in one.of("NDEATH") if not line["stale"]]


def test_a_host_sees_birth_and_data(record: SparkplugRecord, server: Mosquitto, peer: Path) -> None:
    record.windows(3)
    with (
        host(peer, server.port) as one,
        publishing(record.paths, server.port, sparkplug=SPARKPLUG),
    ):
        record.until(lambda: len(one.rows(historical=True)) == 3)
        record.windows(2)
        record.until(lambda: len(one.rows(historical=False)) == 2)
        assert [line["verb"] for line in one.lines[:3]] == ["READY", "NBIRTH", "DBIRTH"]
        assert one.rows(historical=True) == [1, 2, 3]
        assert one.rows(historical=False) == [4, 5]
        assert one.value("Totals/Pass") == 5
        assert one.value("Totals/Fault") == 5
        assert one.value("Window/Faults/late") == 1
        assert one.value("Line/State") == "running"
        assert one.wrong() == []


def test_a_host_sees_the_line_change(
    record: SparkplugRecord, server: Mosquitto, peer: Path
) -> None:
    with (
        host(peer, server.port) as one,
        publishing(record.paths, server.port, sparkplug=SPARKPLUG),
    ):
        record.until(lambda: one.value("Line/State") == "running")
        record.line = {"state": LineState.STOPPED, "why": "gate_silent", "lot": "A B C"}
        record.until(lambda: one.value("Line/State") == "stopped")
        assert one.value("Line/Why") == "gate_silent"
        assert one.value("Line/Lot").startswith("sha256-")  # no lot that may leave as it is
        assert one.wrong() == []


def test_what_was_made_during_a_cut_comes_as_history(
    record: SparkplugRecord, server: Mosquitto, peer: Path
) -> None:
    with (
        host(peer, server.port) as one,
        publishing(record.paths, server.port, sparkplug=SPARKPLUG),
    ):
        record.until(lambda: one.of("DBIRTH"))
        record.windows(2)
        record.until(lambda: len(one.rows(historical=False)) == 2)
        server.kill()
        record.until(lambda: record.said("sparkplug_down"))
        record.windows(300)
        server.start()
        # The last rows before the cut may have been lost with it: they come again.
        record.until(lambda: len(one.rows(historical=True)) >= 302)
        assert one.rows(historical=True) == list(range(1, 303))
        assert births(one) == [0, 1]
        record.windows(1)
        record.until(lambda: one.rows(historical=False) == [1, 2, 303])
        assert one.wrong() == []


def test_kill_9_is_a_death_and_the_next_life_has_the_next_number(
    record: SparkplugRecord, server: Mosquitto, peer: Path
) -> None:
    record.windows(2)
    with host(peer, server.port) as one:
        with publishing(record.paths, server.port, sparkplug=SPARKPLUG) as process:
            record.until(lambda: len(one.rows(historical=True)) == 2)
            process.kill()
            record.until(lambda: deaths(one))
        assert (births(one), deaths(one)) == ([0], [0])
        with started(record.paths):
            record.until(lambda: len(births(one)) == 2)
        assert births(one) == [0, 1]
        assert one.wrong() == []


def test_an_orderly_end_is_a_death(record: SparkplugRecord, server: Mosquitto, peer: Path) -> None:
    with (
        host(peer, server.port) as one,
        publishing(record.paths, server.port, sparkplug=SPARKPLUG) as process,
    ):
        record.until(lambda: one.of("DBIRTH"))
        stopped(process, record)
        record.until(lambda: deaths(one))
        assert set(deaths(one)) == {0}
        assert one.wrong() == []


def test_a_rebirth_is_done_on_request_and_not_too_often(
    record: SparkplugRecord, server: Mosquitto, peer: Path
) -> None:
    with (
        host(peer, server.port) as one,
        publishing(record.paths, server.port, sparkplug=SPARKPLUG),
    ):
        record.until(lambda: one.of("DBIRTH"))
        began = time.monotonic()
        for _ in range(20):
            one.order("rebirth")
        record.until(lambda: len(births(one)) == 2)
        record.until(lambda: len(one.of("DBIRTH")) == 2)
        assert time.monotonic() - began > 8
        record.for_s(1)
        assert births(one) == [0, 0]
        assert deaths(one) == []
        record.windows(1)
        record.until(lambda: one.rows(historical=False) == [1])
        assert one.wrong() == []


def test_nothing_is_said_before_the_primary_host_is_there(
    record: SparkplugRecord, server: Mosquitto, peer: Path
) -> None:
    settings = {**SPARKPLUG, "primary_host": "scada"}
    with publishing(record.paths, server.port, sparkplug=settings):
        with host(peer, server.port) as nobody:
            record.until(lambda: record.said("sparkplug_up"))
            record.windows(1)
            record.for_s(1)
            assert nobody.of("NBIRTH") == []
        with host(peer, server.port, "scada") as one:
            record.until(lambda: one.rows(historical=True) == [1])
            assert one.wrong() == []


def test_a_primary_host_that_leaves_is_told_later_as_history(
    record: SparkplugRecord, server: Mosquitto, peer: Path
) -> None:
    settings = {**SPARKPLUG, "primary_host": "scada"}
    with (
        host(peer, server.port, "scada") as one,
        publishing(record.paths, server.port, sparkplug=settings),
    ):
        record.until(lambda: one.of("DBIRTH"))
        one.order("offline")
        record.until(lambda: deaths(one))
        record.windows(5)
        record.for_s(1)
        assert one.of("DDATA") == []
        one.order("online")
        record.until(lambda: one.rows(historical=True) == [1, 2, 3, 4, 5])
        assert births(one) == [0, 1]
        assert one.wrong() == []


def test_a_primary_host_that_crashes_sends_the_node_away(
    record: SparkplugRecord, server: Mosquitto, peer: Path
) -> None:
    settings = {**SPARKPLUG, "primary_host": "scada"}
    with (
        host(peer, server.port, "scada") as one,
        host(peer, server.port) as other,
        publishing(record.paths, server.port, sparkplug=settings),
    ):
        record.until(lambda: other.of("DBIRTH"))
        one.order("crash")  # the broker tells its will; it comes back by itself
        record.until(lambda: births(other) == [0, 1])
        assert set(deaths(other)) == {0}
        assert other.wrong() == []


def test_every_other_command_is_refused_and_counted(
    record: SparkplugRecord, server: Mosquitto, peer: Path
) -> None:
    with (
        host(peer, server.port) as one,
        publishing(record.paths, server.port, sparkplug=SPARKPLUG),
    ):
        record.until(lambda: one.of("DBIRTH"))
        reboot = "12170a134e6f646520436f6e74726f6c2f5265626f6f747001"  # Node Control/Reboot = true
        for topic in ("NCMD/cell7", "DCMD/cell7/vision", "NCMD/cell8"):
            one.order("publish", topic=f"spBv1.0/plant/{topic}", hex=reboot)
        one.order("publish", topic="spBv1.0/plant/NCMD/cell7", hex="ff00ff")
        record.until(lambda: one.value("Node/Commands Refused") == 2)
        assert births(one) == [0]
        assert record.said("sparkplug_command")
        assert one.wrong() == []


def test_the_specifications_own_client_reads_all(
    record: SparkplugRecord, server: Mosquitto, peer: Path
) -> None:
    record.windows(1)
    with (
        listening(peer, "witness.js", server.port, SPARKPLUG["group"]) as one,
        publishing(record.paths, server.port, sparkplug=SPARKPLUG) as process,
    ):
        record.until(lambda: one.of("DDATA"))
        stopped(process, record)
        record.until(lambda: one.of("NDEATH"))
    (birth, *_), (device, *_) = one.of("NBIRTH"), one.of("DBIRTH")
    assert {metric["name"] for metric in birth["metrics"]} == set(names_of(Owner.NODE))
    assert {metric["name"] for metric in device["metrics"]} == set(names_of(Owner.DEVICE))
    assert (birth["seq"], device["seq"]) == (0, 1)


def test_all_that_leaves_is_on_record(
    record: SparkplugRecord, server: Mosquitto, peer: Path
) -> None:
    record.windows(3)
    with (
        host(peer, server.port) as one,
        publishing(record.paths, server.port, sparkplug=SPARKPLUG) as process,
    ):
        record.until(lambda: len(one.rows(historical=True)) == 3)
        stopped(process, record)
        record.until(lambda: deaths(one))
    on_record = {(entry.topic, entry.bytes) for entry in record.departed}
    heard = {(line["topic"], line["bytes"]) for line in one.lines if "topic" in line}
    assert heard <= on_record
    readable = [json.loads(entry.payload) for entry in record.departed if "spBv1" in entry.topic]
    rows = [one["groups"][0]["values"].get("Window/Row") for one in readable]
    assert {1, 2, 3} <= set(rows)
