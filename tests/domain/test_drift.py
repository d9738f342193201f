"""The index of scores against those of the beginning."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.outcomes import outcome

from inspector.core.terms import Kind
from inspector.domain.challenge import LOT
from inspector.domain.drift import Drift, counts_for_drift, stability_index

RNG = np.random.default_rng(3)
REFERENCE = RNG.normal(0.3, 0.05, 500).tolist()


def test_same_scores_have_no_drift() -> None:
    assert stability_index(REFERENCE, REFERENCE) == 0


def test_scores_of_the_same_kind_stay_below_what_calls_for_anything() -> None:
    found = [stability_index(REFERENCE, RNG.normal(0.3, 0.05, 500).tolist()) for _ in range(200)]
    assert max(index or 0 for index in found) < 0.2


@pytest.mark.parametrize(("mean", "spread"), [(0.35, 0.05), (0.3, 0.12), (0.9, 0.05)])
def test_scores_that_moved_or_spread_are_drift(mean: float, spread: float) -> None:
    index = stability_index(REFERENCE, RNG.normal(mean, spread, 500).tolist())
    assert index is not None
    assert index > 0.25


def test_index_as_worked_out_by_hand() -> None:
    """Two equal halves become 3/4 and 1/4."""
    old, new = [0.0] * 2 + [1.0] * 2, [0.0] * 3 + [1.0]
    expected = 0.25 * math.log(0.75 / 0.5) - 0.25 * math.log(0.25 / 0.5)
    index = stability_index(old, new)
    assert index is not None
    assert index > 0
    assert abs(index - expected) < 0.15  # an empty class counts as half a score


SCORES = st.lists(st.floats(0, 1e6), min_size=4, max_size=80)


@settings(max_examples=200)
@given(SCORES, SCORES)
def test_index_is_finite_and_never_below_nothing(old: list[float], new: list[float]) -> None:
    index = stability_index(old, new)
    assert index is not None
    assert math.isfinite(index)
    assert index >= 0


def test_too_few_scores_say_nothing() -> None:
    assert stability_index([0.1] * 3, REFERENCE) is None
    drift = Drift("m", 50)
    for score in REFERENCE[:49]:
        drift.take(score)
        assert drift.index is None


def test_first_scores_are_the_reference_and_the_newest_are_compared() -> None:
    drift = Drift("m", 50)
    for score in REFERENCE[:50]:
        drift.take(score)
    assert drift.index == 0
    for score in REFERENCE[:50]:
        drift.take(score + 1)
    assert (drift.index or 0) > 1


def test_scores_of_before_a_restart_count() -> None:
    drift = Drift("m", 50, REFERENCE[:50], [score + 1 for score in REFERENCE[:50]])
    assert (drift.index or 0) > 1


def test_golden_parts_faults_and_reviews_do_not_count() -> None:
    assert counts_for_drift(outcome(0))
    assert counts_for_drift(outcome(0, Kind.FAIL))
    for other in (outcome(0, Kind.FAULT), outcome(0, Kind.REVIEW), outcome(0, lot=LOT)):
        assert not counts_for_drift(other)
