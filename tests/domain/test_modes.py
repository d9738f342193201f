"""Paused and challenge: what the line makes of parts that come then."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.words import DEADLINE, START, beat, decision, keeper, only, trigger

from inspector.core.clock import MS
from inspector.core.terms import Cause, Kind, Lane, Mode

NOW = START + MS


@pytest.mark.parametrize("verdict", [Kind.PASS, Kind.REVIEW, Kind.FAIL])
def test_paused_part_is_a_fault_that_keeps_what_the_model_said(verdict: Kind) -> None:
    gate = keeper(review_lane=Lane.ACCEPT)
    gate.mode = Mode.PAUSED
    gate.on_trigger(trigger(0), START)
    part = only(gate.on_decision(decision(0, verdict), NOW))
    assert (part.kind, part.cause, part.lane) == (Kind.FAULT, Cause.PAUSED, Lane.REJECT)
    assert part.decision is not None
    assert part.decision.score == 0.1
    assert part.reason == "paused; because"


def test_every_part_that_comes_while_paused_is_paused_whatever_else_befalls_it() -> None:
    gate = keeper(max_open=1)
    gate.mode = Mode.PAUSED
    parts = gate.on_trigger(trigger(1, cause=Cause.CAMERA), START)  # and 0 is lost
    gate.on_trigger(trigger(2), START)
    parts += gate.on_trigger(trigger(3), START)  # overload
    parts += gate.expire(START + DEADLINE) + gate.on_beat(beat(4), START + DEADLINE)
    assert [part.seq for part in parts] == [0, 1, 3, 2, 4]
    assert {part.cause for part in parts} == {Cause.PAUSED}
    assert gate.balanced()


@pytest.mark.parametrize(
    ("verdict", "kind"),
    [(Kind.PASS, Kind.PASS), (Kind.REVIEW, Kind.REVIEW), (Kind.FAIL, Kind.FAIL)],
)
def test_golden_part_is_judged_as_ever_and_rejected(verdict: Kind, kind: Kind) -> None:
    gate = keeper(review_lane=Lane.ACCEPT)
    gate.mode = Mode.CHALLENGE
    gate.on_trigger(trigger(0), START)
    part = only(gate.on_decision(decision(0, verdict), NOW))
    assert (part.kind, part.lane, part.mode) == (kind, Lane.REJECT, Mode.CHALLENGE)


def test_mode_changes_between_two_parts() -> None:
    """Parts on their way are what they were when they came."""
    gate = keeper()
    gate.on_trigger(trigger(0), START)
    gate.mode = Mode.PAUSED
    gate.on_trigger(trigger(1), START)
    gate.mode = Mode.INSPECT
    gate.on_trigger(trigger(2), START)
    kinds = [only(gate.on_decision(decision(seq), NOW)).kind for seq in range(3)]
    assert kinds == [Kind.PASS, Kind.FAULT, Kind.PASS]


@given(st.lists(st.tuples(st.sampled_from(Mode), st.sampled_from(Kind))))
def test_no_part_is_accepted_but_while_the_line_inspects(steps: list[tuple[Mode, Kind]]) -> None:
    gate = keeper(review_lane=Lane.ACCEPT)
    for seq, (mode, verdict) in enumerate(steps):
        gate.mode = mode
        gate.on_trigger(trigger(seq), START)
        gate.mode = Mode.INSPECT
        score = None if verdict is Kind.FAULT else 0.1
        part = only(gate.on_decision(decision(seq, verdict, score=score), NOW))
        if part.lane is Lane.ACCEPT:
            assert mode is Mode.INSPECT
        if mode is not Mode.PAUSED:
            assert part.kind is verdict
    assert gate.balanced()
