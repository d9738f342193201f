"""Nothing but the closed types leaves the station, by one way, bounded in size and rate."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import leaving

import inspector
from inspector.core.clock import SECOND
from inspector.core.live import AlarmWord, LineState, LineStatus, ServiceWord
from inspector.core.terms import Mode, Severity
from inspector.domain.alarms import CODES
from inspector.domain.egress.letter import (
    CREDIT,
    MAX_BYTES,
    MESSAGES_PER_S,
    Leaving,
    allowance,
    letter,
)
from inspector.domain.egress.state import Outgoing, state_of
from inspector.domain.egress.topics import Topics
from inspector.domain.egress.words import Online

PROGRAM = Path(inspector.__file__).parent


@settings(max_examples=300)
@given(leaving.anything)
def test_whatever_the_station_says_can_leave_in_4_kilobytes(message: Leaving) -> None:
    """Words that may not leave become hashes or `other`, so that what they belong to does."""
    made = letter(message, leaving.topic_of(message))
    assert len(made.payload) == made.bytes <= MAX_BYTES
    assert made.text == made.payload.decode(), "the log shows what leaves, word for word"
    assert json.loads(made.text)["schema"] == 1


def test_the_state_of_the_largest_station_can_leave() -> None:
    cameras = [f"capture-{number:02}-{'x' * 53}" for number in range(16)]
    services = (*cameras, "record", "gate", "detect", "publish", "workshop", "ui", "update")
    status = LineStatus(
        wall_ns=0,
        state=LineState.DEGRADED,
        why="one_camera_silent",
        mode=Mode.CHALLENGE,
        recipe="r" * 64,
        lot="L" * 32,
        model="m" * 64 + "@0123456789ab",
        services=tuple(ServiceWord(service=name, state="degraded") for name in services),
        alarms=tuple(
            AlarmWord(
                code=max(CODES, key=len),
                service=camera,
                severity=Severity.WARNING,
                raised_wall_ns=0,
                acknowledged=False,
            )
            for camera in cameras[:10]
        ),
    )
    outgoing = Outgoing(waiting=10**12, set_aside=10**6, events=10**9)
    device = "/".join(["d" * 64] * 5)
    known = status, outgoing, leaving.VERSIONS, "f" * 32
    message = state_of(device, "0" * 32, Online.ONLINE, 0, *known)  # its box does not fit in
    assert len(letter(message, Topics(device).state).payload) <= MAX_BYTES


def test_no_more_leaves_than_the_credit_and_so_many_a_second() -> None:
    limit, seconds = allowance(0), 10
    assert sum(limit.take(0) for _ in range(CREDIT + 5)) == CREDIT
    steps = range(0, seconds * SECOND + 1, SECOND // 1000)
    assert sum(limit.take(now) for now in steps) == seconds * MESSAGES_PER_S


@given(st.text() | leaving.NAMES)
def test_answers_go_below_the_stations_own_reply_alone(asked: str) -> None:
    topics = Topics(leaving.DEVICE)
    for topic in (asked, f"{topics.reply}/{asked}", f"{topics.root}/{asked}"):
        found = topics.reply_to(topic)
        assert found is None or (found == topics.reply or found.startswith(f"{topics.reply}/"))
        assert found is None or not set(found) & set("+#\0 ")


@pytest.mark.parametrize(
    "asked", ["$SYS/x", "#", "reply", "a/b/c/d/e/vision/v1/totals", "a/b/c/d/e/vision/v1/reply/x/y"]
)
def test_a_foreign_response_topic_is_not_used(asked: str) -> None:
    assert Topics("a/b/c/d/e").reply_to(asked) is None


def sources() -> Iterator[tuple[str, ast.AST]]:
    for path in PROGRAM.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            yield path.relative_to(PROGRAM).as_posix(), node


def test_one_function_makes_what_leaves() -> None:
    """`Payload(...)` of bytes stands once in the program (and once of no bytes, for trials);
    `Letter(...)` in this package alone."""
    makers, writers = [], []
    for path, node in sources():
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2]
            if name == "Payload" and node.args:
                makers.append((path, ast.unparse(node.args[0])))
            writers += [path] * (name == "Letter")
    assert sorted(makers) == [
        ("domain/egress/letter.py", "b''"),
        ("domain/egress/letter.py", "data"),
    ]
    assert set(writers) == {"domain/egress/letter.py", "domain/egress/sparkplug.py"}


def test_one_room_of_a_station_talks_to_brokers() -> None:
    """And the receiver's, which is no part of a station: nothing but its command uses it."""
    talkers, users = set(), set()
    for path, node in sources():
        if isinstance(node, ast.Import | ast.ImportFrom):
            text = ast.unparse(node)
            talkers |= {path.rpartition("/")[0]} if "paho" in text else set()
            users |= {path} if "devices.receiver" in text else set()
    assert talkers == {"devices/broker", "devices/receiver"}
    assert {path.partition("/")[0] for path in users} == {"cli", "devices"}
    assert {path for path in users if path.startswith("devices/")} <= {
        "devices/receiver/__init__.py"
    }
