"""Pareto and histograms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.domain.pareto import BINS, Bar, histogram, pareto

counts = st.dictionaries(st.text(max_size=8), st.integers(0, 1000), max_size=20)
scores = st.lists(st.floats(-10, 1e6), max_size=50)


def test_largest_class_comes_first_with_its_cumulative_share() -> None:
    found = pareto({"dent": 3, "scratch": 5, "blob": 1, "crack": 1})
    assert found.total == 10
    assert found.bars == (
        Bar("scratch", 5, 0.5, 0.5),
        Bar("dent", 3, 0.3, 0.8),
        Bar("blob", 1, 0.1, 0.9),
        Bar("crack", 1, 0.1, 1.0),
    )
    assert found.others == 0


@given(counts, st.integers(1, 10))
def test_nothing_is_dropped_from_a_pareto(some: dict[str, int], most: int) -> None:
    found = pareto(some, most)
    assert found.total == sum(some.values())
    assert sum(bar.count for bar in found.bars) + found.others == found.total
    assert len(found.bars) <= most
    cumulative = [bar.cumulative for bar in found.bars]
    assert cumulative == sorted(cumulative)
    heights = [bar.count for bar in found.bars]
    assert heights == sorted(heights, reverse=True)
    if found.bars and not found.others:
        assert cumulative[-1] == 1


@given(scores, scores, st.none() | st.floats(1e-3, 1e3))
def test_every_score_is_in_a_bin(now: list[float], before: list[float], fail: float | None) -> None:
    found = histogram(now, before, fail)
    if found is None:
        assert not now
        assert not before
        return
    assert sum(found.now) == len(now)
    assert sum(found.before) == len(before)
    assert len(found.now) == len(found.before) == BINS
    assert found.low < found.high
    if fail is not None:
        assert found.high > fail


def test_both_sets_share_their_bins() -> None:
    found = histogram([0.05, 0.95], [0.05], bins=10)
    assert found is not None
    assert found.now[0] == found.before[0] == 1
    assert (found.now[-1], found.before[-1]) == (1, 0)


def test_score_far_out_stands_in_the_last_bin() -> None:
    found = histogram([0.1, 0.2, 900.0], [], fail=1.0)
    assert found is not None
    assert found.high == pytest.approx(1.5)
    assert found.now[-1] == 1
