"""Sparkplug's bytes: what leaves, and 100,000 messages of strangers."""

import random

from hypothesis import given
from hypothesis import strategies as st

from inspector.core.clock import SECOND
from inspector.devices.sparkplug import decode_command, encode
from inspector.devices.sparkplug.codec import LONGEST_NAME, MAX_BYTES, MOST_METRICS
from inspector.devices.sparkplug.payload_pb2 import Payload
from inspector.domain.egress.sparkplug import Group, SparkplugMessage, Verb, death, names_of
from inspector.domain.egress.sparkplug_metrics import METRICS, Owner
from inspector.domain.sparkplug.command import Asked, judge
from inspector.domain.sparkplug.host import HostState, PrimaryHost, read_state
from inspector.domain.sparkplug.node import REBIRTH_NS, Node, Phase
from inspector.domain.sparkplug.values import node_values

REBIRTH = bytes.fromhex("121a0a144e6f646520436f6e74726f6c2f52656269727468200b7001")


def parsed(message: SparkplugMessage) -> Payload:
    payload = Payload()
    payload.ParseFromString(encode(message))
    return payload


def test_a_birth_names_its_metrics_and_types() -> None:
    values = node_values(3, "e/s/a/l/c", "0.1.0", 0)
    group = Group(at=5, values=values)
    payload = parsed(SparkplugMessage(verb=Verb.NBIRTH, timestamp=6, seq=0, groups=(group,)))
    assert [metric.name for metric in payload.metrics] == list(values)
    for metric in payload.metrics:
        assert metric.datatype == METRICS[metric.name].datatype
        assert metric.timestamp == 5
        assert metric.HasField("alias") is (metric.name != "Node Control/Rebirth")
    assert (payload.timestamp, payload.seq) == (6, 0)


def test_a_value_that_is_not_known_is_null() -> None:
    groups = (Group(at=5, values=dict.fromkeys(names_of(Owner.DEVICE))),)
    payload = parsed(SparkplugMessage(verb=Verb.DBIRTH, timestamp=6, seq=1, groups=groups))
    assert all(metric.is_null and not metric.WhichOneof("value") for metric in payload.metrics)


def test_data_has_aliases_instead_of_names() -> None:
    group = Group(at=5, historical=True, values={"Line/Why": "running"})
    (metric,) = parsed(
        SparkplugMessage(verb=Verb.DDATA, timestamp=6, seq=9, groups=(group,))
    ).metrics
    assert not metric.HasField("name")
    assert metric.alias == METRICS["Line/Why"].alias
    assert metric.is_historical
    assert metric.string_value == "running"


def test_a_death_is_its_number_and_nothing_else() -> None:
    payload = parsed(death(255))
    (metric,) = payload.metrics
    assert (metric.name, metric.long_value) == ("bdSeq", 255)
    assert not payload.HasField("seq")
    assert not payload.HasField("timestamp")
    assert not metric.HasField("timestamp")


def test_what_is_asked_is_read() -> None:
    assert decode_command(REBIRTH) == (Asked("Node Control/Rebirth", True),)
    assert decode_command(b"") == ()


def test_too_much_is_no_command() -> None:
    assert decode_command(REBIRTH * MOST_METRICS) is not None
    assert decode_command(REBIRTH * (MOST_METRICS + 1)) is None
    assert decode_command(b"\x12" + b"\x00" * MAX_BYTES) is None


def test_a_long_name_is_cut_and_what_is_no_text_is_nothing() -> None:
    payload = Payload()
    payload.metrics.add().name = "x" * 1000
    (asked,) = decode_command(payload.SerializeToString()) or ()
    assert len(asked.name) == LONGEST_NAME
    assert decode_command(b"\x12\x04\x0a\x02\xff\xfe") == (Asked("", None),)
    assert decode_command(b"\x12\x04\x7a\x02\xff\xfe") == (Asked("", None),)


def test_what_is_no_scalar_has_no_value() -> None:
    data_set = b"\x12\x07\x0a\x01x\x8a\x01\x01\x08"  # field 17, cut short within
    assert decode_command(data_set) in (None, (Asked("x", None),))


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_not(data: bytes) -> None:
    asked = decode_command(data)
    assert asked is None or len(asked) <= MOST_METRICS
    read_state(data)


def test_100_000_fuzzed_messages_change_nothing_they_may_not() -> None:
    """Commands and states of strangers, mutated from real ones. Only a real rebirth is one, at
    most every 10 s; only a STATE of its form that is not too old moves the host."""
    draw = random.Random(11)
    node = Node(PrimaryHost())
    now = 0
    node.line(True)
    node.connected(7)
    node.host_says(HostState(True, 10**12))
    node.birth(now)
    births = 0
    for number in range(100_000):
        now += SECOND // 100
        data = mutated(draw)
        if number % 2:
            judged = judge(decode_command(data), draw.random() < 0.1)
            assert judged.refused <= MOST_METRICS
            assert not judged.rebirth or b"Node Control/Rebirth" in data
            node.told(judged)
        elif state := read_state(data):
            assert isinstance(state.online, bool)
            if state.online or state.timestamp < 10**12:
                node.host_says(state)
        phase = node.phase(now)
        assert phase in (Phase.ONLINE, Phase.HELD, Phase.BIRTH)
        if phase is Phase.BIRTH:
            node.birth(now)
            births += 1
        assert (node.bd_seq, node.seq) == (7, 0)
    assert births <= now / REBIRTH_NS + 1
    assert node.refused > 10_000


def mutated(draw: random.Random) -> bytes:
    """A real message with a few bytes changed, cut, added or doubled."""
    timestamp = draw.choice((0, 5, 10**12 - 1, 2**63 - 1))
    state = b'{"online":%s,"timestamp":%d}' % (draw.choice((b"true", b"false")), timestamp)
    data = bytearray(draw.choice((REBIRTH, state, REBIRTH + REBIRTH)))
    for _ in range(draw.randint(0, 5)):
        where = draw.randrange(len(data) + 1)
        match draw.randrange(4):
            case 0:
                data[where : where + 1] = bytes([draw.randrange(256)])
            case 1:
                del data[where:]
            case 2:
                data[where:where] = draw.randbytes(draw.randint(1, 9))
            case _:
                data[where:where] = data[:where]
    return bytes(data)
