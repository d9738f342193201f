"""Promise: two products in one folder are told; parts that only vary are not."""

import numpy as np
import pytest

from inspector.teach import kinds


def features(count: int, seed: int, lean: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    cells = rng.normal(0, 0.1, (count, 4, 4, 16)) + rng.normal(0, 0.1, (count, 1, 1, 16))
    cells[..., 2] += lean
    return cells.astype(np.float32)


@pytest.mark.parametrize(("first", "second"), [(20, 20), (40, 4)])
def test_two_products_are_mixed(first: int, second: int) -> None:
    found = kinds.two(np.concatenate([features(first, 0), features(second, 1, lean=3.0)]))
    assert found is not None
    assert found.gap > kinds.MIXED
    assert len(found.fewer) == min(first, second)
    assert set(found.fewer) <= set(range(first, first + second)) or first == second


@pytest.mark.parametrize("count", [5, 12, 60])
def test_one_product_is_one_kind(count: int) -> None:
    found = kinds.two(features(count, count))
    assert found is None or found.gap < kinds.GAP


def test_a_single_odd_image_is_no_kind() -> None:
    assert kinds.two(np.concatenate([features(20, 0), features(1, 1, lean=5.0)])) is None
