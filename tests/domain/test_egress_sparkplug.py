"""What may leave as Sparkplug: the closed list, its bounds, and attempts to smuggle."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.core.clock import SECOND
from inspector.core.errors import EngineerError
from inspector.core.live import AlarmWord, LineState, LineStatus
from inspector.core.terms import Cause, Kind, Mode, Severity
from inspector.domain.egress.letter import MAX_BYTES, Letter
from inspector.domain.egress.sparkplug import (
    Group,
    SparkplugMessage,
    Verb,
    death,
    names_of,
    sparkplug_letter,
)
from inspector.domain.egress.sparkplug_metrics import METRICS, Owner
from inspector.domain.sparkplug.values import (
    birth_groups,
    line_values,
    live_groups,
    node_values,
    past_groups,
)
from inspector.domain.tally import Cycle, Latency, Totals, TotalsRow

TOPIC = "spBv1.0/plant/DDATA/cell7/vision"
WORDS = st.text(max_size=80)
COUNTS = st.integers(0, 2**40)


def leave(verb: Verb, groups: tuple[Group, ...], seq: int | None = 5) -> Letter:
    timestamp = None if verb is Verb.NDEATH else 1
    message = SparkplugMessage(verb=verb, timestamp=timestamp, seq=seq, groups=groups)
    return sparkplug_letter(message, TOPIC, lambda _message: b"x" * 100)


def data(values: dict[str, Any], at: int = 1) -> Letter:
    return leave(Verb.DDATA, (Group(at=at, values=values),))


@st.composite
def rows(draw: st.DrawFn) -> TotalsRow:
    start = draw(st.integers(0, 4_000_000_000))
    return TotalsRow(
        ledger="a" * 32,
        row=draw(st.integers(1, 2**40)),
        start_s=start,
        end_s=start + draw(st.integers(1, 86_400)),
        recipe=draw(WORDS),
        lot=draw(WORDS),
        model=draw(WORDS),
        revision=draw(st.integers(1, 1000)),
        totals=Totals(
            counts=draw(st.dictionaries(st.sampled_from(Kind), COUNTS)),
            causes=draw(st.dictionaries(st.sampled_from(Cause), COUNTS)),
            defect_classes=draw(st.dictionaries(WORDS, COUNTS, max_size=3)),
            first_pass=draw(COUNTS),
            latency=Latency(*(draw(st.integers(0, 10**9)) for _ in range(3))),
            cycle=Cycle(*(draw(st.integers(0, 10**9)) for _ in range(2))),
        ),
        cumulative=draw(st.dictionaries(st.sampled_from(Kind), COUNTS)),
    )


@st.composite
def statuses(draw: st.DrawFn) -> LineStatus:
    words = st.text(max_size=64)
    alarm = AlarmWord(
        code="x", service="gate", severity=Severity.ALARM, raised_wall_ns=1, acknowledged=False
    )
    return LineStatus(
        wall_ns=draw(st.integers(0, 2**62)),
        state=draw(st.sampled_from(LineState)),
        why=draw(words),
        mode=draw(st.sampled_from(Mode)),
        recipe=draw(words),
        lot=draw(words),
        model=draw(WORDS),
        services=(),
        alarms=(alarm,) * draw(st.integers(0, 10)),
    )


@given(rows(), st.booleans(), st.integers(0, 2**40))
def test_every_row_may_leave(row: TotalsRow, correction: bool, now_ms: int) -> None:
    """Whatever is in a ledger: its words leave by their patterns or as their hash."""
    groups = sorted(live_groups(row, correction, now_ms), key=lambda group: group.at or 0)
    leave(Verb.DDATA, tuple(groups))
    leave(Verb.DDATA, past_groups(row, correction))


@given(st.none() | statuses(), st.none() | rows(), st.integers(0, 2**40))
def test_every_birth_is_whole(
    status: LineStatus | None, row: TotalsRow | None, now_ms: int
) -> None:
    leave(Verb.DBIRTH, birth_groups(status, row, row, now_ms))


@given(statuses())
def test_every_state_of_the_line_may_leave(status: LineStatus) -> None:
    data(dict(line_values(status)), at=status.wall_ns // SECOND)


def test_aliases_and_names_are_unique() -> None:
    aliases = [metric.alias for metric in METRICS.values() if metric.alias]
    assert len(set(aliases)) == len(aliases) == len(METRICS) - 1
    assert len({name.lower() for name in METRICS}) == len(METRICS)
    assert all(len(name) <= 64 for name in METRICS)


def test_no_alias_has_changed_its_meaning() -> None:
    """Hosts keep them; a new metric goes to the end of its list."""
    alias = {name: metric.alias for name, metric in METRICS.items()}
    assert (alias["bdSeq"], alias["Node/Commands Refused"]) == (1, 4)
    assert (alias["Line/State"], alias["Totals/Parts"], alias["Window/Row"]) == (16, 24, 29)
    assert (alias["Window/Faults/late"], alias["Window/Faults/paused"]) == (44, 53)
    assert alias["Window/Latency/Longest ms"] == 62


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"Pixels": "x"}, "'Pixels' is on no list"),
        ({"P" * 5000: 1}, "is on no list"),
        ({"bdSeq": 3}, "another owner"),
        ({"Line/State": "see image"}, "Line/State"),
        ({"Line/Lot": "x" * 33}, "Line/Lot"),
        ({"Line/Lot": "iVBORw0KGgo+AAAA/"}, "Line/Lot"),
        ({"Line/Lot": b"\x89PNG"}, "may not leave"),
        ({"Line/Alarms": -1}, "Line/Alarms"),
        ({"Line/Alarms": 2**63}, "may not leave|Line/Alarms"),
        ({"Line/Alarms": True}, "Line/Alarms"),
        ({"Line/Alarms": 1.5}, "Line/Alarms"),
        ({"Line/Alarms": None}, "Line/Alarms"),
        ({"Window/Latency/P95 ms": float("nan")}, "P95"),
        ({"Window/Latency/P95 ms": float("inf")}, "P95"),
        ({"Window/Model": "m\n@0123456789ab"}, "Window/Model"),
        ({"Totals/Stream": "A" * 32}, "Totals/Stream"),
    ],
)
def test_what_may_not_leave_does_not(values: dict[str, Any], why: str) -> None:
    with pytest.raises(EngineerError, match=why):
        data(values)


def test_a_birth_that_is_not_whole_does_not_leave() -> None:
    values = dict.fromkeys(names_of(Owner.DEVICE)[1:])
    with pytest.raises(EngineerError, match="each metric once"):
        leave(Verb.DBIRTH, (Group(at=1, values=values),))


def test_a_birth_that_asks_for_a_rebirth_does_not_leave() -> None:
    values = node_values(3, "e/s/a/l/c", "0.1.0", 0) | {"Node Control/Rebirth": True}
    with pytest.raises(EngineerError, match="is false in a birth"):
        leave(Verb.NBIRTH, (Group(at=1, values=values),), seq=0)


def test_a_birth_that_does_not_begin_at_0_does_not_leave() -> None:
    values = node_values(3, "e/s/a/l/c", "0.1.0", 0)
    with pytest.raises(EngineerError, match="instead of 0"):
        leave(Verb.NBIRTH, (Group(at=1, values=values),), seq=1)


def test_a_death_with_more_than_its_number_does_not_leave() -> None:
    for groups in (
        (Group(values={"bdSeq": 1, "Node/Software": "1.0"}),),
        (Group(at=1, values={"bdSeq": 1}),),
    ):
        with pytest.raises(EngineerError):
            leave(Verb.NDEATH, groups, seq=None)
    with pytest.raises(EngineerError):
        leave(Verb.NDEATH, death(1).groups, seq=3)


def test_times_out_of_order_do_not_leave() -> None:
    now, then = Group(at=2, values={"Line/Alarms": 0}), Group(at=1, values={"Line/Lot": ""})
    with pytest.raises(EngineerError, match="out of order"):
        leave(Verb.DDATA, (now, then))


class _Fatter(SparkplugMessage, frozen=True, kw_only=True):
    picture: bytes


def test_a_field_of_a_subclass_does_not_leave() -> None:
    groups = (Group(at=1, values={"Line/Alarms": 0}),)
    fat = _Fatter(verb=Verb.DDATA, timestamp=1, seq=1, groups=groups, picture=b"\x89PNG")
    with pytest.raises(EngineerError):
        sparkplug_letter(fat, TOPIC, lambda _message: b"")


def test_more_than_4_kb_does_not_leave() -> None:
    message = SparkplugMessage(
        verb=Verb.DDATA, timestamp=1, seq=1, groups=(Group(at=1, values={"Line/Alarms": 0}),)
    )
    with pytest.raises(EngineerError, match="4097 bytes"):
        sparkplug_letter(message, TOPIC, lambda _message: b"x" * (MAX_BYTES + 1))
