"""An edge node's life: births, sequence numbers, rebirths, and the primary host."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.core.clock import SECOND
from inspector.domain.sparkplug.command import Asked, Judged, judge
from inspector.domain.sparkplug.host import HostState, PrimaryHost, read_state
from inspector.domain.sparkplug.node import REBIRTH_NS, Node, Phase

REBIRTH = Asked("Node Control/Rebirth", True)
ASKED = Judged(rebirth=True, refused=0)


def born(host: PrimaryHost | None = None) -> Node:
    node = Node(host)
    node.line(True)
    node.connected(7)
    if host:
        node.host_says(HostState(True, 100))
    node.birth(0)
    return node


def test_nothing_is_said_without_a_connection() -> None:
    node = Node()
    node.line(True)
    assert node.phase(0) is Phase.AWAY


def test_a_birth_waits_for_the_line() -> None:
    node = Node()
    node.connected(0)
    assert node.phase(0) is Phase.WAITING
    node.line(True)
    assert node.phase(0) is Phase.BIRTH


def test_a_birth_waits_for_the_primary_host() -> None:
    node = Node(PrimaryHost())
    node.line(True)
    node.connected(0)
    assert node.phase(0) is Phase.WAITING
    node.host_says(HostState(False, 100))
    assert node.phase(0) is Phase.WAITING
    node.host_says(HostState(True, 101))
    assert node.phase(0) is Phase.BIRTH


def test_without_a_primary_host_its_state_is_nothing() -> None:
    node = born()
    node.host_says(HostState(False, 2**60))
    assert node.phase(0) is Phase.ONLINE


def test_a_host_that_goes_offline_sends_the_node_away() -> None:
    node = born(PrimaryHost())
    node.host_says(HostState(False, 100))  # the will has the time of the birth
    assert node.phase(0) is Phase.LEAVING


def test_an_offline_older_than_the_last_online_is_left_alone() -> None:
    node = born(PrimaryHost())
    node.host_says(HostState(False, 99))
    assert node.phase(0) is Phase.ONLINE


def test_an_online_older_than_the_last_state_is_left_alone() -> None:
    host = PrimaryHost()
    assert host.says(HostState(False, 200))
    assert not host.says(HostState(True, 199))
    assert not host.online
    assert host.says(HostState(True, 200))
    assert host.online


def test_a_host_that_is_back_counts_again_on_a_new_connection() -> None:
    node = born(PrimaryHost())
    node.host_says(HostState(False, 150))
    node.disconnected()
    node.connected(8)
    assert node.phase(0) is Phase.WAITING
    node.host_says(HostState(True, 151))
    assert node.phase(0) is Phase.BIRTH


def test_a_line_that_falls_silent_sends_the_node_away() -> None:
    node = born()
    node.line(False)
    assert node.phase(0) is Phase.LEAVING
    node.disconnected()
    node.connected(8)
    assert node.phase(0) is Phase.WAITING


def test_sequence_numbers_go_from_0_to_255_and_on_from_0() -> None:
    node = born()
    found = []
    for _ in range(600):
        found.append(node.seq)
        node.spoken()
    assert found == [number % 256 for number in range(600)]


def test_a_rebirth_begins_at_0_with_the_same_bd_seq() -> None:
    node = born()
    node.spoken()
    node.told(ASKED)
    assert node.phase(REBIRTH_NS) is Phase.BIRTH
    node.birth(REBIRTH_NS)
    assert (node.seq, node.bd_seq, node.rebirths) == (0, 7, 1)


def test_a_rebirth_too_soon_is_held_and_done_once() -> None:
    node = born()
    for _ in range(1000):
        node.told(ASKED)
    assert node.phase(REBIRTH_NS - 1) is Phase.HELD
    assert node.phase(REBIRTH_NS) is Phase.BIRTH
    node.birth(REBIRTH_NS)
    assert node.phase(REBIRTH_NS) is Phase.ONLINE


def test_a_rebirth_asked_for_before_the_birth_is_that_birth() -> None:
    node = Node()
    node.line(True)
    node.connected(0)
    node.told(ASKED)
    node.birth(0)
    assert node.phase(10 * REBIRTH_NS) is Phase.ONLINE


def test_a_rebirth_is_forgotten_with_the_connection() -> None:
    node = born()
    node.told(ASKED)
    node.disconnected()
    node.connected(8)
    node.birth(SECOND)
    assert node.phase(10 * REBIRTH_NS) is Phase.ONLINE


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5)), max_size=60))
def test_rebirths_are_ten_seconds_apart_whatever_comes(steps: list[tuple[int, int]]) -> None:
    """Whatever happens in whatever order, two births of one connection are REBIRTH_NS apart."""
    node = Node(PrimaryHost())
    now, births = 0, []
    for what, seconds in steps:
        now += seconds * SECOND
        if what == 0:
            node.connected(1)
            births.clear()
        elif what == 1:
            node.disconnected()
        elif what == 2:
            node.host_says(HostState(True, now))
        elif what == 3:
            node.host_says(HostState(False, now))
        elif what == 4:
            node.line(seconds > 0)
        else:
            node.told(ASKED)
        if node.phase(now) is Phase.BIRTH:
            node.birth(now)
            births.append(now)
        assert all(b - a >= REBIRTH_NS for a, b in pairwise(births))


@pytest.mark.parametrize(
    ("asked", "retained", "wanted"),
    [
        ((REBIRTH,), False, Judged(True, 0)),
        ((REBIRTH, Asked("Line/Recipe", "bolt")), False, Judged(True, 1)),
        ((REBIRTH,), True, Judged(False, 1)),
        ((Asked("Node Control/Rebirth", False),), False, Judged(False, 1)),
        ((Asked("Node Control/Rebirth", 1),), False, Judged(False, 1)),
        ((Asked("Node Control/Rebirth", "true"),), False, Judged(False, 1)),
        ((Asked("Node Control/Rebirth", None),), False, Judged(False, 1)),
        ((Asked("node control/rebirth", True),), False, Judged(False, 1)),
        ((Asked("Node Control/Reboot", True),), False, Judged(False, 1)),
        ((Asked("", True, alias=3),), False, Judged(False, 1)),
        ((), False, Judged(False, 1)),
        (None, False, Judged(False, 1)),
    ],
)
def test_only_a_rebirth_is_heeded(
    asked: tuple[Asked, ...] | None, retained: bool, wanted: Judged
) -> None:
    assert judge(asked, retained) == wanted


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"ONLINE",
        b"{}",
        b'{"online": true}',
        b'{"timestamp": 5}',
        b'{"online": 1, "timestamp": 5}',
        b'{"online": "true", "timestamp": 5}',
        b'{"online": true, "timestamp": "5"}',
        b'{"online": true, "timestamp": 5.5}',
        b'{"online": true, "timestamp": -1}',
        b'{"online": true, "timestamp": 9223372036854775808}',
        b'[{"online": true, "timestamp": 5}]',
        b'{"online": true, "timestamp": 5, "x": "' + b"y" * 2000 + b'"}',
        b"\xff\xfe",
    ],
)
def test_what_is_no_state_is_nothing(data: bytes) -> None:
    assert read_state(data) is None


def test_a_state_with_more_keys_is_a_state() -> None:
    assert read_state(b'{"online":true,"timestamp":5,"version":"x"}') == HostState(True, 5)
