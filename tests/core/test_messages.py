"""Messages are strict: what is not exactly one of ours is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.core.errors import EngineerError
from inspector.core.messages import Settled, Trigger
from inspector.core.terms import Cause
from inspector.core.wire import decode, encode

TRIGGER = Trigger(
    camera="cam0", stream="s", seq=3, trigger_ns=1, wall_ns=2, cause=Cause.CAMERA, reason="gone"
)


def test_message_survives_the_way() -> None:
    assert decode(encode(TRIGGER)) == TRIGGER


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x81\xa4type\xa4none",
        encode(TRIGGER)[:-1],
        encode(TRIGGER) + b"x",
        encode(TRIGGER).replace(b"cam0", b"cam\xff"),
        encode(TRIGGER).replace(b"camera\xa4", b"kamera\xa4"),
        encode(Settled(stream="s" * 65, seq=1)),
    ],
)
def test_rubbish_is_refused(data: bytes) -> None:
    with pytest.raises(EngineerError):
        decode(data)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_refused(data: bytes) -> None:
    try:
        decode(data)
    except EngineerError:
        return
