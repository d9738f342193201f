"""Totals as they leave say what the committed row says, and nothing that contradicts itself."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from support import leaving
from support.totals_stream import Sender, message

from inspector.core.errors import EngineerError
from inspector.core.terms import Cause, Kind
from inspector.domain.egress.letter import letter
from inspector.domain.egress.topics import Topics
from inspector.domain.egress.totals import (
    CauseCounts,
    KindCounts,
    Latency,
    Quantities,
    Totals,
    named,
    quantities,
    totals_of,
)
from inspector.domain.egress.words import safe_lot
from inspector.domain.tally import TotalsRow

TOPIC = Topics(leaving.DEVICE).totals
FIELDS: dict[str, set[str] | None] = {
    "schema": None,
    "device": None,
    "stream": None,
    "seq": None,
    "revision": None,
    "start": None,
    "end": None,
    "recipe": None,
    "lot": None,
    "model": None,
    "quantities": {"produced", "good", "scrap", "rework"},
    "counts": {"pass", "fail", "review", "fault"},
    "causes": {cause.value for cause in Cause},
    "classes": None,
    "first_pass": None,
    "reviewed": {"parts", "overkill", "escape"},
    "cumulative": {"pass", "fail", "review", "fault"},
    "cycle": {"p50_ms", "max_ms"},
    "latency": {"p50_ms", "p95_ms", "max_ms"},
}


def example() -> Totals:
    return message(Sender().window(0, [Kind.PASS, Kind.FAIL, Kind.FAULT]), leaving.DEVICE)


def refused(message: Any, said: str = "not leave") -> None:
    with pytest.raises(EngineerError, match=said):
        letter(message, TOPIC)


@given(leaving.ROWS, leaving.CLASSES)
def test_every_committed_row_leaves_as_it_was_counted(
    row: TotalsRow, classes: tuple[str, ...]
) -> None:
    seen = json.loads(letter(totals_of(leaving.DEVICE, row, classes), TOPIC).payload)
    assert seen.keys() == FIELDS.keys()
    for name, inner in FIELDS.items():
        assert inner is None or set(seen[name]) <= inner
    counts = {kind: seen["counts"].get(kind, 0) for kind in Kind}
    assert counts == {kind: row.totals.counts.get(kind, 0) for kind in Kind}
    assert sum(seen["causes"].values()) == counts[Kind.FAULT]
    assert sum(seen["classes"].values()) == sum(row.totals.defect_classes.values())
    assert set(seen["classes"]) <= {*classes, "other"}
    made = seen["quantities"]
    produced = 0 if row.lot == "challenge" else row.totals.triggers
    assert made.get("produced", 0) == produced
    assert sum(made.get(name, 0) for name in ("good", "scrap", "rework")) == produced


def test_quantities_are_those_of_iso_22400() -> None:
    counts = {Kind.PASS: 90, Kind.FAIL: 5, Kind.REVIEW: 3, Kind.FAULT: 2}
    assert quantities(counts, "L-1") == Quantities(produced=100, good=90, scrap=5, rework=5)
    assert quantities(counts, "challenge") == Quantities()


def test_kinds_and_causes_are_those_of_the_messages() -> None:
    assert set(CauseCounts.__struct_fields__) == set(Cause)
    assert set(KindCounts.__struct_encode_fields__) == set(Kind)


def test_only_listed_classes_are_named() -> None:
    found = {"scratch": 3, "dent": 2, leaving.PNG: 1, "": 4}
    assert named(found, ("scratch", "never")) == {"scratch": 3, "other": 7}


def test_faults_without_a_cause_do_not_leave() -> None:
    refused(structs.replace(example(), causes=CauseCounts()), "1 faults, but 0 causes")


def test_more_parts_in_a_window_than_in_all_do_not_leave() -> None:
    refused(structs.replace(example(), cumulative=KindCounts()), "3 parts in the window")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, "12", None, b"12"])
def test_a_latency_that_is_no_time_is_refused(value: Any) -> None:
    refused(structs.replace(example(), latency=Latency(p50_ms=value, p95_ms=1.0, max_ms=1.0)))


@pytest.mark.parametrize("value", [-1, 2**53, 1.5, "3", b"\x03", True])
def test_a_count_that_is_no_count_is_refused(value: Any) -> None:
    refused(structs.replace(example(), counts=structs.replace(example().counts, pass_=value)))


@given(st.text())
def test_any_lot_has_a_safe_form(lot: str) -> None:
    safe = safe_lot(lot)
    assert len(safe) <= 32
    assert safe_lot(safe) == safe
    assert letter(structs.replace(example(), lot=safe), TOPIC)


def test_two_lots_stay_two_lots() -> None:
    assert safe_lot("L-42") == "L-42"
    assert safe_lot("A" * 33) == safe_lot("A" * 33) != safe_lot("A" * 34)
