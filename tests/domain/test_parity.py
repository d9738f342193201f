"""Promise: another model, another colour order or a missing value shows as a difference."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.domain.parity import difference, of_heatmap

VALUES = st.lists(st.floats(0, 10), min_size=1, max_size=17)


@given(VALUES)
def test_the_same_values_do_not_differ(values: list[float]) -> None:
    assert difference(values, values) == 0.0


@given(VALUES, st.integers(0, 16), st.floats(0.01, 5))
def test_one_changed_value_is_the_difference(
    values: list[float], place: int, change: float
) -> None:
    changed = [*values]
    changed[place % len(values)] += change
    assert difference(values, changed) == pytest.approx(change)


@pytest.mark.parametrize("wrong", [[0.5], [0.5, math.nan], [0.5, math.inf], []])
def test_missing_and_infinite_values_differ_without_bound(wrong: list[float]) -> None:
    assert difference([0.5, 0.5], wrong) == math.inf


def test_a_heatmap_counts_by_its_sixteen_blocks() -> None:
    heatmap = np.zeros((30, 34), np.float32)
    heatmap[29, 33] = 2.0
    values = of_heatmap(1.5, heatmap)
    assert len(values) == 17
    assert values[0] == 1.5
    assert values[-1] == 2.0
    assert sum(values[1:]) == 2.0
