"""What comes in over the network is one of two closed types, or nothing; and changes nothing that
it may not."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fuzz import fuzzed
from support.mqtt_schemas import examples
from support.totals_stream import Sender, message, payload, topic, void

from inspector.core.terms import Kind
from inspector.domain.egress.topics import Topics
from inspector.domain.egress.words import Lot, Name
from inspector.domain.ingress import (
    MAX_BYTES,
    Ack,
    Command,
    RequestState,
    SetRecipe,
    read_ack,
    read_command,
)
from inspector.domain.receipts import Receipts
from inspector.domain.receiving import read_row

STREAM, OTHER = "0" * 32, "f" * 32
MANY = 100_000
HEAD = b'{"schema":1,"id":"o-1","issued":"2025-12-01T08:00:00Z","order":'
REAL_COMMANDS = [
    examples()["command"],
    HEAD + b'{"order":"request_state"}}',
    HEAD + b'{"order":"set_recipe","recipe":"cap","lot":""},"reason":"x"}',
]
REAL_ACKS = [
    msgspec.json.encode(Ack(schema=1, stream=stream, through_seq=through))
    for stream in (STREAM, OTHER)
    for through in (0, 5, 40, 41, 10**6)
]


def test_100_000_fuzzed_acknowledgements_change_nothing_they_may_not() -> None:
    """Only what is exactly one, for this stream and of rows that were sent, moves anything."""
    receipts = Receipts(1)
    receipts.begin(STREAM, sent=40, received=0, now=0)
    read = best = 0
    for data in fuzzed(REAL_ACKS, MANY):
        ack = read_ack(data)
        if ack is None:
            continue
        read += 1
        assert json.loads(data) == msgspec.to_builtins(ack)
        if ack.stream == STREAM and ack.through_seq <= 40:
            best = max(best, ack.through_seq)
        receipts.hear(ack.stream, ack.through_seq, now=0)
        assert (receipts.ledger, receipts.sent) == (STREAM, 40)
        assert receipts.through == best <= 40
    assert 1000 < read < MANY / 2


def test_100_000_fuzzed_commands_are_exact_or_nothing() -> None:
    read = 0
    for data in fuzzed(REAL_COMMANDS, MANY):
        command = read_command(data)
        if command is None:
            continue
        read += 1
        assert len(data) <= MAX_BYTES
        assert isinstance(command.order, SetRecipe | RequestState)
        assert msgspec.convert(command.id, Name)
        assert len(command.reason) <= 200
        if isinstance(command.order, SetRecipe):
            assert msgspec.convert(command.order.recipe, Name)
            assert msgspec.convert(command.order.lot, Lot) is not None
        assert json.loads(data).keys() <= set(Command.__struct_fields__)
    assert 1000 < read < MANY / 2


def test_100_000_fuzzed_totals_are_exact_or_nothing_to_a_receiver() -> None:
    sender = Sender()
    sender.window(0, [Kind.PASS, Kind.FAIL, Kind.FAULT, Kind.REVIEW])
    sender.window(0, [Kind.PASS, Kind.PASS])
    rows = [message(row) for row in sender.rows]
    real = [*map(payload, rows), payload(void(sender.rows[0]))]
    read = 0
    for data in fuzzed(real, MANY):
        row = read_row(topic(), data)
        if row is not None:
            read += 1
            assert Topics(row.device).totals == topic()
    assert 1000 < read < MANY / 2


@given(st.binary(max_size=200) | st.text().map(str.encode))
def test_any_bytes_are_read_or_nothing(data: bytes) -> None:
    assert read_ack(data) is None
    assert read_command(data) is None
    assert read_row(topic(), data) is None


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 4096,
        b'{"schema":' * 400,
        b'{"a":' + b"[" * 2000 + b"]" * 2000 + b"}",
        b"\xff\xfe{\x00}\x00",
        b"\xef\xbb\xbf{}",
        b'{"schema":1e999}',
        b'{"schema":' + b"9" * 4000 + b"}",
        b'"' + b"\\ud800" * 100 + b'"',
        b" " * 4097,
        examples()["ack"] + b" " * 4096,
        examples()["command"] + b" " * 4096,
    ],
)
def test_what_would_hurt_a_parser_is_nothing(data: bytes) -> None:
    assert read_ack(data) is None
    assert read_command(data) is None
    assert read_row(topic(), data) is None


@pytest.mark.parametrize(
    "order",
    [
        b'{"order":"pause"}',
        b'{"order":"resume"}',
        b'{"order":"use_model","name":"cap","version":"0123456789ab"}',
        b'{"order":"review_part","stream":"x","seq":1,"verdict":"pass"}',
        b'{"order":"set_recipe","recipe":"cap"}',
        b'{"order":"set_recipe","recipe":"../cap","lot":""}',
        b'{"order":"set_recipe","recipe":"cap","lot":"a b"}',
        b'{"order":"set_recipe","recipe":"cap","lot":"%s"}' % (b"x" * 33),
        b'{"order":"request_state","recipe":"cap"}',
        b'"request_state"',
        b"{}",
    ],
)
def test_no_other_order_can_be_spelled(order: bytes) -> None:
    assert read_command(HEAD + order + b"}") is None


def test_an_acknowledgement_of_more_than_all_is_none() -> None:
    for through in (-1, 2**53, 1.5, "5", None, True):
        said = {"schema": 1, "stream": STREAM, "through_seq": through}
        assert read_ack(json.dumps(said).encode()) is None
    assert read_ack(REAL_ACKS[1]) == Ack(schema=1, stream=STREAM, through_seq=5)
