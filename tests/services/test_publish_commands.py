"""What the plant's MES orders, through mosquitto, publish and the real record."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.mosquitto import Mosquitto, mosquitto, needs_mosquitto
from support.publishing import ROOT, Message, Plant, plant, started
from support.recording import Station, prepare, running, until

from inspector.core.config import Line
from inspector.core.current import Current, read_current
from inspector.core.paths import Paths

pytestmark = needs_mosquitto
ALLOWED = {"allow": ["set_recipe", "request_state"]}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path) as begun:
        yield begun


class Mes:
    """Who orders, and hears the answers."""

    def __init__(self, paths: Paths, station: Station, wire: Plant) -> None:
        self.paths = paths
        self.station = station
        self.wire = wire

    def order(self, id: str, order: dict[str, Any], age_s: float = 0, **how: Any) -> dict[str, Any]:
        """What is answered to this command, which is so old."""
        reply = self.send(command(id, order, age_s), **how)
        assert reply.json["id"] == id
        return {key: reply.json[key] for key in ("status", "why")}

    def send(self, payload: bytes, to: str = "reply", **how: Any) -> Message:
        before = len(self.wire.of(to))
        self.wire.say("command", payload, **how)
        until(lambda: len(self.wire.of(to)) > before)
        return self.wire.of(to)[before]

    @property
    def current(self) -> Current:
        return read_current(self.paths.current, Line(deadline_ms=1, recipe="plain"))

    def audit(self) -> list[dict[str, Any]]:
        """The details of what is noted of the MES in the audit chain."""
        return [json.loads(one.detail) for one in self.station.reader.audit() if one.who == "mes"]


Begin = Callable[..., Mes]


@pytest.fixture
def begin(root: Path, server: Mosquitto) -> Iterator[Begin]:
    """Starts a station with these [publish.commands]."""
    with ExitStack() as stack:

        def start(**commands: Any) -> Mes:
            broker = {"host": "127.0.0.1", "tls": False, "port": server.port}
            paths = prepare(root, publish=broker | {"commands": ALLOWED | commands})
            station = stack.enter_context(running(paths))
            wire = stack.enter_context(plant(server.port))
            stack.enter_context(started(paths))
            until(lambda: "online" in wire.states())
            return Mes(paths, station, wire)

        yield start


def command(id: str, order: dict[str, Any], age_s: float = 0, **more: Any) -> bytes:
    issued = (datetime.now(UTC) - timedelta(seconds=age_s)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return json.dumps({"schema": 1, "id": id, "issued": issued, "order": order} | more).encode()


def lot(name: str, recipe: str = "plain") -> dict[str, Any]:
    return {"order": "set_recipe", "recipe": recipe, "lot": name}


STATE = {"order": "request_state"}
DONE = {"status": "done", "why": ""}


def refused(why: str) -> dict[str, str]:
    return {"status": "refused", "why": why}


def test_change_of_lot_is_done_audited_and_answered_with_the_senders_own_correlation(
    begin: Begin,
) -> None:
    mes = begin()
    reply = mes.send(command("c1", lot("L77")), CorrelationData=b"\x00\xff7")
    assert (reply.json["status"], reply.json["id"]) == ("done", "c1")
    assert (reply.correlation, reply.retained) == (b"\x00\xff7", False)
    assert 0 < (reply.expiry_s or 0) <= 60
    assert mes.current.lot == "L77"
    assert [(one["id"], one["lot"]) for one in mes.audit()] == [("c1", "L77")]


def test_change_of_recipe_is_accepted_while_its_model_is_loaded(begin: Begin) -> None:
    """No detect is there to load it."""
    mes = begin()
    assert mes.order("c1", lot("L2", "other")) == {"status": "accepted", "why": ""}


def test_answer_goes_where_it_is_asked_for_below_the_stations_own_reply(begin: Begin) -> None:
    mes = begin()
    reply = mes.send(command("c1", STATE), "reply/line7", ResponseTopic=f"{ROOT}/reply/line7")
    assert reply.json["status"] == "done"


@pytest.mark.parametrize("topic", ["elsewhere", f"{ROOT}/totals", f"{ROOT}/reply/a/b"])
def test_answer_that_should_go_elsewhere_is_none(begin: Begin, topic: str) -> None:
    mes = begin()
    reply = mes.send(command("c1", lot("L9")), ResponseTopic=topic)
    assert (reply.json["status"], reply.json["why"]) == ("refused", "malformed")
    assert mes.current.lot == "L1"


def test_state_that_is_asked_for_is_told(begin: Begin) -> None:
    mes = begin()
    time.sleep(1.5)
    before = len(mes.wire.of("state"))
    assert mes.order("c1", STATE) == DONE
    until(lambda: len(mes.wire.of("state")) > before)


def test_command_is_carried_out_once_however_often_it_comes(begin: Begin) -> None:
    mes = begin()
    assert mes.order("c1", lot("L2")) == DONE
    assert mes.order("c2", lot("L3")) == DONE
    assert mes.order("c1", lot("L2")) == refused("replayed")
    assert mes.order("c3", STATE) == DONE
    assert mes.order("c3", STATE) == refused("replayed")
    assert mes.current.lot == "L3"


def test_replay_is_refused_after_record_and_publish_have_begun_anew(
    root: Path, server: Mosquitto
) -> None:
    broker = {"host": "127.0.0.1", "tls": False, "port": server.port}
    paths = prepare(root, publish=broker | {"commands": ALLOWED | {"expires_s": 3600.0}})
    words = command("c1", lot("L2"))
    answers = []
    with plant(server.port) as wire:
        for _ in range(2):
            with running(paths) as station, started(paths):
                births = len(wire.states())
                until(lambda births=births: "online" in wire.states()[births - 1 :])
                until(paths.plant_key.exists)
                answers.append(Mes(paths, station, wire).send(words).json["why"])
    assert answers == ["", "replayed"]


@pytest.mark.parametrize("age_s", [40, -100])
def test_command_that_is_too_old_or_from_the_future_is_refused(begin: Begin, age_s: int) -> None:
    mes = begin()
    assert mes.order("c1", lot("L2"), age_s) == refused("expired")
    assert mes.order("c2", STATE, age_s) == refused("expired")
    assert mes.current.lot == "L1"


def test_command_that_the_broker_kept_is_refused(root: Path, server: Mosquitto) -> None:
    broker = {"host": "127.0.0.1", "tls": False, "port": server.port}
    paths = prepare(root, publish=broker | {"commands": ALLOWED})
    with plant(server.port) as wire, running(paths) as station:
        wire.say("command", command("c1", lot("L2")), retain=True)
        with started(paths):
            until(lambda: wire.of("reply"))
        assert wire.of("reply")[0].json["why"] == "retained"
        assert Mes(paths, station, wire).current.lot == "L1"


def test_what_is_not_on_the_stations_list_is_refused(begin: Begin) -> None:
    mes = begin(allow=["set_recipe"], recipes=["plain"])
    assert mes.order("c1", STATE) == refused("not_allowed")
    assert mes.order("c2", lot("L2", "other")) == refused("not_allowed")
    assert mes.order("c3", lot("L2")) == DONE
    assert (mes.current.recipe, mes.current.lot) == ("plain", "L2")


def test_recipe_that_there_is_not_and_the_lot_of_golden_parts_are_refused(begin: Begin) -> None:
    mes = begin()
    assert mes.order("c1", lot("L2", "no-such-recipe")) == refused("refused")
    assert mes.order("c2", lot("challenge")) == refused("refused")
    assert mes.current.lot == "L1"


@pytest.mark.parametrize(
    "payload",
    [
        b"{",
        b"\xff\xfe",
        b"[" * 5000,
        b'{"schema":1}',
        command("c1", {"order": "pause"}),
        command("c1", lot("L2"), schema=2),
        command("c1", lot("L2"), more=1),
        command("c1", lot("a lot with spaces")),
        command("../c1", lot("L2")),
        command("c1", lot("L2"), issued="2026-99-99T00:00:00Z"),
        command("c1", lot("L2"), reason="x" * 201),
    ],
    ids=[f"{number}" for number in range(11)],  # not the command: it bears the time
)
def test_what_is_no_command_is_refused_and_changes_nothing(begin: Begin, payload: bytes) -> None:
    mes = begin()
    reply = mes.send(payload)
    assert (reply.json["status"], reply.json["why"], reply.json["id"]) == (
        "refused",
        "malformed",
        "",
    )
    assert mes.current.lot == "L1"
    assert mes.order("c2", lot("L2")) == DONE


def test_empty_message_that_clears_a_retained_command_is_passed_over(begin: Begin) -> None:
    mes = begin()
    mes.wire.say("command", b"", retain=True)
    assert mes.order("after", STATE) == DONE
    assert len(mes.wire.of("reply")) == 1


def test_long_correlation_does_not_come_back(begin: Begin) -> None:
    mes = begin()
    assert mes.send(command("c1", STATE), CorrelationData=b"x" * 64).correlation == b"x" * 64
    assert mes.send(command("c2", STATE), CorrelationData=b"x" * 65).correlation == b""


def test_flood_of_commands_is_answered_a_bounded_number_of_times(begin: Begin) -> None:
    mes = begin()
    for number in range(60):
        mes.wire.say("command", command(f"c{number}", lot(f"L{number}")))
    until(lambda: len(mes.wire.of("reply")) >= 20)
    time.sleep(1.0)
    answers = [one.json["status"] for one in mes.wire.of("reply")]
    assert 10 <= answers.count("done") <= 12
    assert len(answers) <= 24
    assert len(mes.audit()) == answers.count("done")
    assert {one.json["why"] for one in mes.wire.of("reply")} == {"", "busy"}


def test_record_that_is_away_leaves_a_command_busy(begin: Begin) -> None:
    """The answer itself goes once record is back: nothing leaves unlogged."""
    mes = begin()
    mes.station.kill()
    mes.wire.say("command", command("c1", lot("L2")))
    time.sleep(4.0)
    assert not mes.wire.of("reply")
    mes.station.start()
    until(lambda: mes.wire.of("reply"))
    assert mes.wire.of("reply")[0].json["why"] == "busy"
    assert mes.current.lot == "L1"


def test_without_commands_in_the_configuration_nothing_is_heard(
    root: Path, server: Mosquitto
) -> None:
    broker = {"host": "127.0.0.1", "tls": False, "port": server.port}
    paths = prepare(root, publish=broker)
    with running(paths) as station, plant(server.port) as wire, started(paths):
        until(lambda: "online" in wire.states())
        wire.say("command", command("c1", lot("L2")))
        time.sleep(1.0)
        assert not wire.of("reply")
        assert Mes(paths, station, wire).current.lot == "L1"
