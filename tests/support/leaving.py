"""Anything that a station might be made to say: rows, states, notices and answers whose words are
whatever somebody has put into them.
"""

from typing import Any

from hypothesis import strategies as st

from inspector.core.live import AlarmWord, LineState, LineStatus, ServiceWord
from inspector.core.metrics import Sample, ServiceSample
from inspector.core.terms import Cause, Kind, Mode, Severity
from inspector.domain.alarms import CODES
from inspector.domain.egress.event import Event, event_of
from inspector.domain.egress.letter import Leaving
from inspector.domain.egress.reply import Became, CommandReply, Why
from inspector.domain.egress.state import Outgoing, State, box_of, state_of
from inspector.domain.egress.topics import Topics
from inspector.domain.egress.totals import Totals, VoidTotals, totals_of, void_of
from inspector.domain.egress.words import OTHER, Online, rfc3339
from inspector.domain.notice import Notice, What
from inspector.domain.tally import Part, TotalsRow, tally

DEVICE = "acme/lyon/press/l1/c7"
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAA="  # the beginning of a picture, in base64
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01"

HEX32 = st.text("0123456789abcdef", min_size=32, max_size=32)
WALL = st.integers(0, 253_402_300_799 * 10**9)  # 1970 to 9999
SMALL = st.integers(0, 10**9)
NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", fullmatch=True)
WORDS = st.one_of(
    st.text(max_size=80),
    NAMES,
    st.binary(max_size=80).map(lambda data: data.decode("latin-1")),
    st.sampled_from([PNG, JPEG.decode("latin-1"), "", "challenge", "a\n", "\ud800"]),
)
PARTS = st.lists(
    st.builds(
        lambda kind, cause, latency, finding, found: Part(
            kind, cause if kind is Kind.FAULT else None, latency, finding, found
        ),
        st.sampled_from(Kind),
        st.sampled_from(Cause),
        st.integers(0, 10**9),
        st.sampled_from([None, Kind.PASS, Kind.FAIL]),
        WORDS,
    ),
    max_size=12,
)
ROWS = st.builds(
    lambda row, ledger, start, revision, parts, words: TotalsRow(
        ledger=ledger,
        row=row,
        start_s=start,
        end_s=start + 60,
        recipe=words[0],
        lot=words[1],
        model=words[2],
        revision=revision,
        totals=tally(parts),
        cumulative=dict.fromkeys(Kind, len(parts)),
    ),
    st.integers(1, 2**53 - 1),
    HEX32,
    st.integers(0, 253_402_300_000),
    st.integers(1, 10**6),
    PARTS,
    st.tuples(WORDS, WORDS, WORDS),
)
CLASSES = st.lists(NAMES, max_size=5).map(tuple)
STATUSES = st.builds(
    LineStatus,
    wall_ns=WALL,
    state=st.sampled_from(LineState),
    why=WORDS,
    mode=st.sampled_from(Mode),
    recipe=WORDS,
    lot=WORDS,
    model=WORDS,
    services=st.lists(st.builds(ServiceWord, service=WORDS, state=WORDS), max_size=40).map(tuple),
    alarms=st.lists(
        st.builds(
            AlarmWord,
            code=WORDS | st.sampled_from(CODES),
            service=WORDS,
            severity=st.sampled_from(Severity),
            raised_wall_ns=WALL,
            acknowledged=st.booleans(),
        ),
        max_size=12,
    ).map(tuple),
)
OUTGOING = st.builds(Outgoing, waiting=SMALL, set_aside=SMALL, events=SMALL)
MB = st.integers(0, 2**63 - 1) | st.none()
BOXES = st.builds(
    lambda sample, backup: box_of(sample, backup, sample.wall_ns),
    st.builds(
        Sample,
        wall_ns=WALL,
        state=st.sampled_from(LineState),
        committed=SMALL,
        per_minute=st.floats(),
        counts=st.just({}),
        services=st.lists(
            st.builds(
                ServiceSample,
                service=WORDS,
                pid=SMALL,
                state=WORDS,
                restarts=st.integers(0, 2**63 - 1),
                handled=SMALL,
                queue=SMALL,
                per_s=st.floats(),
                p50_ms=st.floats(),
                p99_ms=st.floats(),
                rss_mb=st.floats() | st.none(),
            ),
            max_size=3,
        ).map(tuple),
        state_free_mb=MB,
        evidence_free_mb=MB,
        temperature_c=st.floats() | st.none(),
        load=st.floats() | st.none(),
        clock_ahead_s=st.floats(),
    ),
    WALL | st.none(),
)
NOTICES = st.builds(
    Notice,
    ledger=HEX32,
    id=st.integers(1, 2**53 - 1),
    wall_ns=WALL,
    what=st.sampled_from(What),
    code=WORDS | st.sampled_from(CODES),
    service=WORDS,
    severity=st.sampled_from(Severity),
    recipe=WORDS,
    lot=WORDS,
    model=WORDS,
    mode=st.sampled_from(["", "inspect", "paused", "challenge"]),
)
VERSIONS = {"inspector": "0.5.0", "python": "3.11.2"}

totals = st.builds(totals_of, st.just(DEVICE), ROWS, CLASSES)
voids = st.builds(void_of, st.just(DEVICE), ROWS)
states = st.builds(
    state_of,
    st.just(DEVICE),
    HEX32,
    st.sampled_from(Online),
    WALL,
    STATUSES | st.none(),
    OUTGOING,
    st.just(VERSIONS),
    HEX32 | st.just(""),
    box=BOXES | st.none(),
)
events = st.builds(event_of, st.just(DEVICE), NOTICES)
replies = st.builds(
    CommandReply,
    schema=st.just(1),
    device=st.just(DEVICE),
    id=NAMES | st.just(""),
    at=WALL.map(lambda wall: rfc3339(wall // 10**9)),
    status=st.sampled_from(Became),
    why=st.sampled_from(Why),
)
anything = st.one_of(totals, voids, states, events, replies)


def topic_of(message: Leaving) -> str:
    """Where it goes."""
    topics = Topics(message.device)
    kinds: dict[type, str] = {
        Totals: topics.totals,
        VoidTotals: topics.totals,
        State: topics.state,
        Event: topics.events,
        CommandReply: topics.reply,
    }
    return kinds[type(message)]


def words_of(message: Any) -> set[str]:
    """Every word in a decoded message, keys of free maps too."""
    if isinstance(message, dict):
        return set().union(*(words_of(value) for value in message.values()), set(message))
    if isinstance(message, list):
        return set().union(*map(words_of, message))
    return {message} if isinstance(message, str) else set()


__all__ = ["OTHER", "anything", "events", "replies", "states", "totals", "voids"]
