"""Nothing but the closed fields leaves the station."""

import ast
import json
import string
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from inspector.core.clock import SECOND
from inspector.core.config import Station
from inspector.core.errors import EngineerError
from inspector.core.terms import Cause, Kind
from inspector.domain import egress
from inspector.domain.egress import Totals, to_payload
from inspector.domain.tally import Part, TotalsRow, tally

COUNTS = st.integers(0, 2**53 - 1)
SMALL = st.integers(0, 10**9)
WORD = string.ascii_letters + string.digits
NAMES = st.builds(
    lambda first, rest: first + rest,
    st.sampled_from(WORD),
    st.text(WORD + "_-", max_size=63),
)
HEX12 = st.text("0123456789abcdef", min_size=12, max_size=12)
MODELS = st.builds(lambda name, digest: f"{name.lower()}@{digest}", NAMES, HEX12)
MILLISECONDS = st.floats(0, 86_400_000)
# 1970 to 9999
WALL = st.integers(0, 253_402_300_799)

STATION = Station(enterprise="acme", site="lyon", area="press", line="l1", cell="c7")
FIELDS = {
    "schema": None,
    "device": {"enterprise", "site", "area", "line", "cell"},
    "stream": None,
    "seq": None,
    "revision": None,
    "start": None,
    "end": None,
    "recipe": None,
    "lot": None,
    "model": None,
    "counts": {"pass", "fail", "review", "fault"},
    "causes": {cause.value for cause in Cause},
    "cumulative": {"pass", "fail", "review", "fault"},
    "latency": {"p50_ms", "p95_ms", "max_ms"},
}


def totals(**changes: Any) -> Totals:
    base = Totals(
        device=egress.device_of(STATION),
        stream="0" * 32,
        seq=7,
        revision=0,
        start=egress.rfc3339(0),
        end=egress.rfc3339(60),
        recipe="caps",
        lot="L-42",
        model="caps@0123456789ab",
        counts=egress.kind_counts({Kind.PASS: 10, Kind.FAULT: 1}),
        causes=egress.cause_counts({Cause.LATE: 1}),
        cumulative=egress.kind_counts({Kind.PASS: 100, Kind.FAULT: 1}),
        latency=egress.Latency(p50_ms=12.5, p95_ms=20.0, max_ms=31.0),
    )
    return structs.replace(base, **changes)


@st.composite
def any_totals(draw: st.DrawFn) -> Totals:
    causes = draw(st.dictionaries(st.sampled_from(Cause), SMALL))
    kinds = draw(st.dictionaries(st.sampled_from(Kind), COUNTS))
    kinds[Kind.FAULT] = sum(causes.values())
    names = [draw(NAMES) for _ in range(5)]
    station = Station(**dict(zip(structs.asdict(STATION), names, strict=True)))
    return Totals(
        device=egress.device_of(station),
        stream=draw(st.text("0123456789abcdef", min_size=32, max_size=32)),
        seq=draw(COUNTS),
        revision=draw(COUNTS),
        start=egress.rfc3339(draw(WALL)),
        end=egress.rfc3339(draw(WALL)),
        recipe=draw(NAMES | st.just("")),
        lot=egress.safe_lot(draw(st.text())),
        model=draw(MODELS | st.just("")),
        counts=egress.kind_counts(kinds),
        causes=egress.cause_counts(causes),
        cumulative=egress.kind_counts(dict.fromkeys(Kind, max(kinds.values()))),
        latency=egress.Latency(
            p50_ms=draw(MILLISECONDS), p95_ms=draw(MILLISECONDS), max_ms=draw(MILLISECONDS)
        ),
    )


@given(any_totals())
def test_only_the_closed_fields_leave_and_never_more_than_4_kilobytes(row: Totals) -> None:
    payload = to_payload(row)
    assert len(payload) <= 4096
    seen = json.loads(payload)
    assert seen.keys() == FIELDS.keys()
    for name, inner in FIELDS.items():
        assert not isinstance(seen[name], list)
        assert (set(seen[name]) if isinstance(seen[name], dict) else None) == inner
    assert msgspec.json.decode(payload, type=Totals) == row


@given(st.data())
def test_pixels_in_any_field_are_refused(data: st.DataObject) -> None:
    field = data.draw(st.sampled_from(Totals.__struct_fields__))
    pixels = data.draw(st.binary(min_size=1) | st.builds(bytearray, st.binary(min_size=1)))
    with pytest.raises(EngineerError):
        to_payload(totals(**{field: pixels}))


@given(st.sampled_from(Totals.__struct_fields__), st.text(min_size=65))
def test_long_text_in_any_field_is_refused(field: str, text: str) -> None:
    with pytest.raises(EngineerError):
        to_payload(totals(**{field: text}))


@given(
    st.sampled_from(["stream", "start", "end", "recipe", "lot", "model"]),
    st.sampled_from(["\n", " ", "+", "/", "=", "é", "\0", "#"]),
)
def test_other_characters_in_an_identifier_are_refused(field: str, character: str) -> None:
    with pytest.raises(EngineerError):
        to_payload(totals(**{field: getattr(totals(), field) + character}))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, "12", None, b"12"])
def test_a_latency_that_is_no_time_is_refused(value: Any) -> None:
    with pytest.raises(EngineerError):
        to_payload(totals(latency=egress.Latency(p50_ms=value, p95_ms=1.0, max_ms=1.0)))


@pytest.mark.parametrize("value", [-1, 2**53, 1.5, "3", b"\x03", True])
def test_a_count_that_is_no_count_is_refused(value: Any) -> None:
    counts = structs.replace(totals().counts, pass_=value)
    with pytest.raises(EngineerError):
        to_payload(totals(counts=counts))


def test_an_added_field_is_refused() -> None:
    wider = msgspec.defstruct(
        "Wider", [("frame", bytes)], bases=(Totals,), frozen=True, kw_only=True
    )
    fields = {name: getattr(totals(), name) for name in Totals.__struct_fields__}
    with pytest.raises(EngineerError, match="frame"):
        to_payload(wider(**fields, frame=b"\xff\xd8"))


def test_faults_without_a_cause_do_not_leave() -> None:
    with pytest.raises(EngineerError, match="1 faults, but 0 causes"):
        to_payload(totals(causes=egress.cause_counts({})))


def test_more_parts_in_a_window_than_in_all_do_not_leave() -> None:
    with pytest.raises(EngineerError, match="11 parts in the window, but only 0 in all"):
        to_payload(totals(cumulative=egress.kind_counts({})))


@given(st.text(), st.text(), st.text(), st.sampled_from(Cause), st.integers(6, 10**6))
def test_every_committed_row_can_leave(
    recipe: str, lot: str, model: str, cause: Cause, faults: int
) -> None:
    row = TotalsRow(
        ledger="0123456789abcdef" * 2,
        row=3,
        start_s=0,
        end_s=60,
        recipe=recipe,
        lot=lot,
        model=model,
        revision=2,
        totals=tally([Part(Kind.FAULT, cause, 1500)] * (faults % 7)),
        cumulative={Kind.FAULT: faults, Kind.PASS: 5},
    )
    seen = json.loads(to_payload(egress.totals_of(egress.device_of(STATION), row)))
    assert (seen["seq"], seen["revision"], seen["end"]) == (3, 2, "1970-01-01T00:01:00Z")
    assert seen["counts"]["fault"] == seen["causes"][cause] == faults % 7
    assert seen["cumulative"] == {"pass": 5, "fail": 0, "review": 0, "fault": faults}


def test_kinds_and_causes_are_those_of_the_messages() -> None:
    assert set(egress.CauseCounts.__struct_fields__) == set(Cause)
    assert set(egress.KindCounts.__struct_encode_fields__) == set(Kind)


@given(st.text())
def test_any_lot_has_a_safe_form(lot: str) -> None:
    safe = egress.safe_lot(lot)
    assert len(safe) <= egress.LOT_CHARS
    assert egress.safe_lot(safe) == safe
    assert to_payload(totals(lot=safe))


def test_a_lot_that_smuggles_pixels_leaves_as_a_hash() -> None:
    assert egress.safe_lot("L-42") == "L-42"
    assert egress.safe_lot("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAA=").startswith("sha256-")
    assert egress.safe_lot("A" * 33) == egress.safe_lot("A" * 33) != egress.safe_lot("A" * 34)


def test_no_more_leaves_than_the_burst_and_so_many_a_second() -> None:
    limit, seconds = egress.rate_limit(0), 10
    left = [limit.take(now) for now in range(0, seconds * SECOND + 1, SECOND // 1000)]
    assert sum(left) == egress.BURST + seconds * egress.MESSAGES_PER_S
    limit = egress.rate_limit(0)
    assert [limit.take(0) for _ in range(egress.BURST + 1)] == [True] * egress.BURST + [False]


def test_topic_names_the_station() -> None:
    assert egress.topic_of(egress.device_of(STATION)) == "acme/lyon/press/l1/c7/vision/v1/totals"


def test_one_function_makes_what_leaves() -> None:
    """`Payload(...)` stands once in the program, inside `to_payload`; paho in one module."""
    root = Path(egress.__file__).parents[1]
    makers, talkers = [], []
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Payload"):
                makers.append(path.name)
            if isinstance(node, ast.Import | ast.ImportFrom) and "paho" in ast.unparse(node):
                talkers.append(path.parent.name)
    assert makers == ["egress.py"]
    assert set(talkers) == {"broker"}
