"""Scores become verdicts by the recipe's limits, and nothing else becomes a pass."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.core.recipe import RecipeLimits
from inspector.core.terms import Kind
from inspector.domain.verdict import judge

LIMITS = RecipeLimits(review=0.5, fail=1.0)


@pytest.mark.parametrize(
    ("score", "kind"),
    [
        (0.0, Kind.PASS),
        (math.nextafter(0.5, 0), Kind.PASS),
        (0.5, Kind.REVIEW),
        (math.nextafter(1.0, 0), Kind.REVIEW),
        (1.0, Kind.FAIL),
        (1e9, Kind.FAIL),
        (math.nan, Kind.FAULT),
        (math.inf, Kind.FAULT),
        (-math.inf, Kind.FAULT),
    ],
)
def test_limits_are_inclusive_and_no_number_is_a_fault(score: float, kind: Kind) -> None:
    assert judge(score, LIMITS)[0] is kind


@given(st.floats(), st.floats(0.001, 1e6), st.floats(0, 1e6))
def test_pass_only_below_both_limits(score: float, review: float, wider: float) -> None:
    limits = RecipeLimits(review=review, fail=review + wider)
    kind, reason = judge(score, limits)
    assert reason
    if kind is Kind.PASS:
        assert math.isfinite(score)
        assert score < review
