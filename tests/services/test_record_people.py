"""The running process: who gets past it, and what it goes on doing meanwhile."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
import zmq
from support.outcomes import mixed
from support.people import PINS, let_in
from support.recording import Station, prepare, recorded, running, until

from inspector.core import orders
from inspector.core.config import load_station
from inspector.core.current import read_current
from inspector.core.messages import SwitchRecipe
from inspector.core.orders import AnyOrder, ErrandDone, ErrandOrder, Login
from inspector.core.terms import Mode
from inspector.core.topology import CONTROL
from inspector.core.wire import decode, encode
from inspector.domain.audit import broken_at
from inspector.domain.permissions import NEEDS

pytestmark = pytest.mark.line

EMPTY = {"recipe": "other", "lot": "L2", "alarm": 1, "stream": "s", "seq": 1, "verdict": "pass"}
FIELDS = EMPTY | {"step": 1, "product": "cap", "label": "good", "parts": 9, "review": 0.5}
FIELDS |= {"fail": 1.0, "name": "tiny", "version": "0123456789ab"}


@pytest.fixture
def station(root: Path) -> Iterator[Station]:
    paths = prepare(root)
    let_in(paths)
    with running(paths) as station:
        yield station


def example(kind: type[AnyOrder]) -> AnyOrder:
    wanted = {name: FIELDS[name] for name in kind.__struct_fields__ if name in FIELDS}
    return kind(**wanted)


def mode(station: Station) -> Mode:
    return read_current(station.paths.current, load_station(station.paths.station_file).line).mode


def session(station: Station, name: str) -> str:
    reply = station.login(name, PINS[name])
    assert reply.ok, reply.text
    return reply.session


def test_nothing_gets_past_record_without_a_role(station: Station) -> None:
    """Sent straight to its control socket, as by somebody who goes around the page."""
    operator = session(station, "otto")
    for kind in get_args(AnyOrder):
        reply = station.order(example(kind), session="0" * 64)
        assert reply.code == "no_session", kind
        if NEEDS[kind] is not orders.Role.OPERATOR:
            assert station.order(example(kind), session=operator).code == "low_role", kind
    assert not station.ask(SwitchRecipe(recipe="other", lot="", who="otto")).ok
    entries = station.reader.audit()
    assert {entry.action for entry in entries} == {"login", "refused"}
    assert broken_at(entries) is None
    assert sum("no_session" in entry.detail for entry in entries) == len(get_args(AnyOrder))


def test_rubbish_at_the_control_socket_is_answered_and_noted(station: Station) -> None:
    station.settle(mixed(0))
    socket = station.bus._context.socket(zmq.REQ)
    try:
        socket.linger = 0
        socket.connect(station.paths.socket(CONTROL))
        for rubbish in (b"", b"\x00", b"\xff" * 70_000, b'{"type": "order"}', encode(mixed(1))):
            socket.send(rubbish)
            assert socket.poll(20_000)
            reply = decode(socket.recv())
            assert isinstance(reply, orders.Reply)
            assert not reply.ok
    finally:
        socket.close()
    assert [entry.action for entry in station.reader.audit()] == ["refused"] * 5
    assert len(recorded(station)) == 1


def test_pin_guessing_stays_locked_out_when_record_is_killed(station: Station) -> None:
    for _ in range(3):
        assert station.login("otto", "9999").code == "wrong_pin"
    assert station.login("otto", PINS["otto"]).code == "locked"
    station.kill()
    station.start()
    assert station.login("otto", PINS["otto"]).code == "locked"
    assert station.login("tina", PINS["tina"]).ok


def test_login_does_not_hold_up_commits(station: Station) -> None:
    """Every part that comes while PINs are checked is committed before the last check is done."""
    station.settle(mixed(0))
    people = [station.bus._context.socket(zmq.DEALER) for _ in range(12)]
    try:
        for number, socket in enumerate(people):
            socket.linger = 0
            socket.connect(station.paths.socket(CONTROL))
            socket.send_multipart([b"", encode(Login(name=f"nobody{number}", pin="9999"))])
        until(lambda: people[0].poll(0))
        for seq in range(1, 16):
            station.settle(mixed(seq))
        answered = sum(bool(socket.poll(0)) for socket in people)
        assert len(recorded(station)) == 16
        assert answered < len(people)
        until(lambda: all(socket.poll(0) for socket in people))
    finally:
        for socket in people:
            socket.close()


def test_two_screens_order_at_once(station: Station) -> None:
    first, second = session(station, "otto"), session(station, "emma")
    assert station.order(orders.Pause(), first).ok
    assert mode(station) is Mode.PAUSED
    assert station.order(orders.Resume(), second).ok
    assert mode(station) is Mode.INSPECT
    noted = [(entry.who, entry.action) for entry in station.reader.audit()[-2:]]
    assert noted == [("otto", "pause"), ("emma", "resume")]


def test_pause_outlasts_a_restart_and_a_session_does_not(station: Station) -> None:
    first = session(station, "otto")
    assert station.order(orders.Pause(), first).ok
    station.kill()
    station.start()
    assert station.order(orders.Resume(), first).code == "no_session"
    assert mode(station) is Mode.PAUSED
    assert station.order(orders.Resume(), session(station, "otto")).ok


def test_errand_goes_to_the_workshop_and_its_recipe_to_the_line(station: Station) -> None:
    order = orders.AdoptProduct(product="other", review=0.5, fail=1.0)
    engineer = session(station, "emma")
    refused = station.order(order, engineer)
    assert "workshop" in refused.text
    inbox = station.bus.inbox(station.paths.socket("workshop"), depth=10)
    until(lambda: station.order(order, engineer).ok)
    assert inbox.wait(5000)
    ((message, _),) = list(inbox.drain())
    assert message == ErrandOrder(errand=order, who="emma")
    done = ErrandDone(
        order="adopt_product", product="other", who="emma", ok=True, text="", recipe="other"
    )
    assert station.gate.record.connected(5000)
    assert station.gate.record.send(done)
    until(lambda: [entry.action for entry in station.reader.audit()][-1:] == ["set_recipe"])
    assert [(entry.who, entry.action) for entry in station.reader.audit()[-3:]] == [
        ("emma", "adopt_product"),
        ("emma", "adopt_product_done"),
        ("emma", "set_recipe"),
    ]


def test_errand_that_failed_changes_nothing(station: Station) -> None:
    order = orders.AdoptProduct(product="other", review=0.5, fail=1.0)
    station.bus.inbox(station.paths.socket("workshop"), depth=10)
    until(lambda: station.order(order, session(station, "emma")).ok)
    done = ErrandDone(
        order="adopt_product", product="other", who="emma", ok=False, text="no", recipe="other"
    )
    assert station.gate.record.send(done)
    until(lambda: [entry.action for entry in station.reader.audit()][-1] == "adopt_product_failed")
    time.sleep(0.2)
    assert "set_recipe" not in [entry.action for entry in station.reader.audit()]


def test_end_of_an_errand_that_nobody_ordered_changes_nothing(station: Station) -> None:
    """Whoever may send a heartbeat may write to record's inbox."""
    station.console()  # its ledger is there
    assert station.gate.record.connected(20_000)
    forged = ErrandDone(
        order="adopt_product", product="other", who="emma", ok=True, text="", recipe="other"
    )
    assert station.gate.record.send(forged)
    until(lambda: [event for event in station.reader.events() if event.code == "errand_unknown"])
    assert station.reader.audit() == []
    line = load_station(station.paths.station_file).line
    assert read_current(station.paths.current, line).recipe == "plain"
