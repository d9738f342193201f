"""What the plant hears of the station itself: birth, change, farewell, will, and events."""

import json
import signal
import time
from pathlib import Path

from support.mosquitto import Mosquitto, needs_mosquitto
from support.publishing import DEVICE, PATIENCE_S, Plant, Record, plant, publishing, stopped

from inspector import __version__
from inspector.core.live import AlarmWord, LineState
from inspector.core.messages import Event
from inspector.core.metrics import Sample
from inspector.core.paths import under
from inspector.core.terms import Mode, Severity
from inspector.devices.bus import Bus
from inspector.devices.ledger.metrics import add_samples
from inspector.domain.egress.state import State

pytestmark = needs_mosquitto


def retained(server: Mosquitto) -> list[dict[str, object]]:
    """What somebody hears who comes now."""
    with plant(server.port) as late:
        time.sleep(0.3)
        return [one.json for one in late.of("state")]


def test_birth_is_retained_and_an_orderly_end_says_stopped(
    record: Record, server: Mosquitto, mes: Plant
) -> None:
    with publishing(record.paths, server.port) as process:
        record.until(lambda: mes.states() == ["online"])
        (birth,) = retained(server)
        assert (birth["online"], birth["device"]) == ("online", DEVICE)
        assert birth["versions"]["inspector"] == __version__
        assert set(birth) | {"box"} == set(State.__struct_fields__)
        stopped(process, record)
    record.until(lambda: mes.states()[-1] == "stopped")
    time.sleep(0.5)
    assert mes.states()[-1] == "stopped"
    (last,) = retained(server)
    assert (last["online"], last["run"]) == ("stopped", birth["run"])


def test_publish_killed_is_told_by_the_broker(
    record: Record, server: Mosquitto, mes: Plant
) -> None:
    with publishing(record.paths, server.port, will_delay_s=0) as process:
        record.until(lambda: mes.states() == ["online"])
        process.kill()
        record.until(lambda: mes.states()[-1] == "lost")
    birth, will = mes.of("state")[0].json, mes.of("state")[-1].json
    assert will["run"] == birth["run"]
    assert [one["online"] for one in retained(server)] == ["lost"]


def test_every_birth_change_will_and_farewell_is_in_the_log_before_it_leaves(
    record: Record, server: Mosquitto, mes: Plant
) -> None:
    with publishing(record.paths, server.port) as process:
        record.until(lambda: mes.states() == ["online"])
        stopped(process, record)
    record.until(lambda: mes.states()[-1] == "stopped")
    logged = [one.payload.encode() for one in record.departed]
    assert json.loads(logged[0])["online"] == "lost"
    assert {one.payload for one in mes.messages} <= set(logged)


def test_nothing_is_connected_before_the_will_is_in_the_log(
    record: Record, server: Mosquitto, mes: Plant
) -> None:
    record.logging = False
    with publishing(record.paths, server.port):
        record.until(lambda: len(record.beats) >= 3)
        assert not record.said("broker_up")
        assert not mes.messages
        record.logging = True
        record.until(lambda: mes.states() == ["online"])


def test_record_gone_at_the_end_leaves_the_last_word_to_the_broker(
    record: Record, server: Mosquitto, mes: Plant
) -> None:
    """A farewell that is not in the log does not leave; the will is."""
    with publishing(record.paths, server.port, will_delay_s=0) as process:
        record.until(lambda: mes.states() == ["online"])
        record.logging = False
        stopped(process, record)
        record.until(lambda: mes.states()[-1] == "lost")
    assert "stopped" not in mes.states()


def test_birth_comes_again_with_each_connection(
    record: Record, server: Mosquitto, mes: Plant
) -> None:
    with publishing(record.paths, server.port):
        record.until(lambda: mes.states() == ["online"])
        server.kill()
        record.until(lambda: record.said("broker_down"))
        server.start()
        record.until(lambda: len(record.said("broker_up")) == 2)
        record.until(lambda: retained(server))


def test_change_of_the_line_is_told_at_once_and_others_soon(
    record: Record, server: Mosquitto, mes: Plant
) -> None:
    with publishing(record.paths, server.port):
        record.until(lambda: mes.states() == ["online"])
        record.tell(state=LineState.PAUSED, why="paused", mode=Mode.PAUSED)
        record.until(lambda: len(mes.of("state")) == 2)
        record.tell(state=LineState.PAUSED, why="paused", mode=Mode.PAUSED, lot="L2")
        record.until(lambda: len(mes.of("state")) == 3)
    first, paused, lot = (one.json for one in mes.of("state"))
    assert (first["line"], first["lot"]) == (None, "")
    assert (paused["line"], paused["mode"], paused["lot"]) == ("paused", "paused", "L1")
    assert lot["lot"] == "L2"


def test_state_that_does_not_change_is_not_repeated_and_one_that_flaps_not_told_each_time(
    record: Record, server: Mosquitto, mes: Plant
) -> None:
    with publishing(record.paths, server.port):
        record.until(lambda: mes.states() == ["online"])
        for number in range(40):
            record.tell(lot=f"L{number % 2}")
            record.for_s(0.05)
        assert 2 <= len(mes.of("state")) <= 3


def test_state_is_repeated_as_often_as_configured(
    record: Record, server: Mosquitto, mes: Plant
) -> None:
    with publishing(record.paths, server.port, state_s=5):
        record.until(lambda: len(mes.of("state")) >= 2)
    first, second = (one.json for one in mes.of("state")[:2])
    assert first["at"] < second["at"]


def test_alarms_leave_as_codes_without_their_texts(
    record: Record, server: Mosquitto, mes: Plant
) -> None:
    raised = 1_700_000_000 * 10**9
    words = tuple(
        AlarmWord(
            code=code,
            service="gate",
            severity=Severity.ALARM,
            raised_wall_ns=raised,
            acknowledged=False,
        )
        for code in ("output", "no-such-code")
    )
    with publishing(record.paths, server.port):
        record.until(lambda: mes.states() == ["online"])
        record.tell(alarms=words)
        record.until(lambda: len(mes.of("state")) == 2)
    known, unknown = mes.of("state")[-1].json["alarms"]
    assert (known["code"], known["service"], known["since"]) == (
        "output",
        "gate",
        "2023-11-14T22:13:20Z",
    )
    assert unknown["code"] == "other"


def test_state_says_what_waits(record: Record, server: Mosquitto, mes: Plant) -> None:
    """Nobody marks the rows as delivered."""
    record.windows(7)
    with publishing(record.paths, server.port, state_s=5):
        record.until(lambda: len(mes.of("state")) >= 2, marking=False)
    outgoing = mes.of("state")[-1].json["outgoing"]
    assert outgoing["waiting"] == 7
    assert mes.of("state")[-1].json["stream"] == record.ledger.id


def test_events_arrive_once_each_without_gaps_and_without_texts(
    record: Record, server: Mosquitto, mes: Plant
) -> None:
    """Each change of lot from one part to the next is an event."""
    for lot in ("L1", "L2", "L3"):
        record.windows(1, lot)
    with publishing(record.paths, server.port) as process:
        record.until(lambda: len(mes.of("events")) >= 3)
        record.windows(1, "a text that nobody should see")
        record.until(lambda: len(mes.of("events")) >= 4)
        stopped(process, record)
    events = [one.json for one in mes.of("events")]
    assert [one["seq"] for one in events] == [1, 2, 3, 4]
    assert {one["event"] for one in events} == {"making_changed"}
    assert [one["lot"] for one in events[:3]] == ["L1", "L2", "L3"]
    assert events[3]["lot"].startswith("sha256-")
    assert not any(b"nobody should see" in one.payload for one in mes.messages)
    assert [one.rows for one in record.delivered if one.lane == "events"]
    assert all(one.content_type == "application/json" for one in mes.messages)


def test_messages_expire_at_the_broker_but_the_state_does_not(
    record: Record, server: Mosquitto, mes: Plant
) -> None:
    record.windows(1)
    with publishing(record.paths, server.port, expiry_h=1.0):
        record.until(lambda: mes.of("totals") and mes.of("events") and mes.of("state"))
    assert 3590 <= (mes.of("totals")[0].expiry_s or 0) <= 3600
    assert 3590 <= (mes.of("events")[0].expiry_s or 0) <= 3600
    assert mes.of("state")[0].expiry_s is None


def test_two_stations_with_one_identity_are_told_of(
    root: Path, record: Record, server: Mosquitto
) -> None:
    other = under(root / "o")
    other.create()
    with Bus() as bus:
        second = Record(other, bus)
        with publishing(record.paths, server.port):
            record.until(lambda: record.said("broker_up"))
            with publishing(other, server.port):
                second.until(lambda: second.said("broker_up"))
                record.until(lambda: second.turn() or record.said("identity_taken"))
        second.close()
    assert [one.severity for one in record.events if one.code == "identity_taken"] == ["alarm"]


def test_signal_before_anything_is_connected_ends_it_at_once(record: Record) -> None:
    with publishing(record.paths, 1) as process:
        record.until(lambda: record.beats)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0


def looked(record: Record) -> None:
    """Until publish has looked at the ledger once more, as it does before each heartbeat."""
    before = len(record.beats)
    record.until(lambda: len(record.beats) >= before + 2)


def sample(**changes: object) -> Sample:
    fields: dict[str, object] = {
        "wall_ns": time.time_ns(),
        "state": LineState.RUNNING,
        "committed": 5,
        "per_minute": 60.0,
        "counts": {},
        "services": (),
        "state_free_mb": 1234,
        "evidence_free_mb": None,
        "temperature_c": 54.4444444,
        "load": 0.71,
    }
    return Sample(**(fields | changes))  # type: ignore[arg-type]


def test_state_says_how_the_box_is(record: Record, server: Mosquitto, mes: Plant) -> None:
    """As record keeps it; it changes each second and is no reason to send."""
    made = Event(
        service="record",
        severity=Severity.INFO,
        code="backup_made",
        text="x",
        wall_ns=time.time_ns() - 3 * 3600 * 10**9,
    )
    record.ledger.commit((), [made])
    with publishing(record.paths, server.port):
        record.until(lambda: mes.states() == ["online"])
        record.ledger.write(lambda db: add_samples(db, [sample()]))
        looked(record)
        assert len(mes.of("state")) == 1
        record.tell(state=LineState.PAUSED, why="paused", mode=Mode.PAUSED)
        record.until(lambda: len(mes.of("state")) == 2)
    box = mes.of("state")[-1].json["box"]
    assert box == {
        "disk_free_mb": 1234,
        "images_free_mb": None,
        "memory_mb": None,
        "load": 0.71,
        "temperature_c": 54.444,
        "restarts": 0,
        "backup_age_h": 3,
        "clock_ahead_s": 0.0,
    }


def test_figures_of_long_ago_are_not_told_as_those_of_now(
    record: Record, server: Mosquitto, mes: Plant
) -> None:
    old = sample(wall_ns=time.time_ns() - 60 * 10**9)
    record.ledger.write(lambda db: add_samples(db, [old]))
    with publishing(record.paths, server.port):
        record.until(lambda: mes.states() == ["online"])
        looked(record)
        record.tell(state=LineState.PAUSED, why="paused", mode=Mode.PAUSED)
        record.until(lambda: len(mes.of("state")) == 2)
    assert "box" not in mes.of("state")[-1].json
