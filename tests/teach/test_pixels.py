"""Promise: pixel AUROC and AUPRO are what their definitions say."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from inspector.teach import pixels
from inspector.teach.evaluate import auroc
from inspector.teach.pixels import Map, measure

SIDE = 12
HEATS = arrays.arrays(np.float32, (SIDE, SIDE), elements=st.integers(0, 6).map(float))
MASKS = arrays.arrays(np.bool_, (SIDE, SIDE), fill=st.just(False))


def whole(heat: np.ndarray, mask: np.ndarray | None = None) -> Map:
    """A map in the image's own size."""
    height, width = heat.shape
    marked = None if mask is None else lambda: mask
    return Map(heat.astype(np.float32), (height, width), (0, 0, width, height), marked)


def slowly(maps: list[tuple[np.ndarray, np.ndarray]]) -> float:
    """AUPRO word for word: every threshold, every region, trapezoids, up to 0.3."""
    regions = []
    for heat, mask in maps:
        count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
        regions += [heat[labels == number] for number in range(1, count)]
    good = np.concatenate([heat[~mask] for heat, mask in maps])
    levels = sorted(set(np.concatenate([heat.ravel() for heat, _ in maps]).tolist()), reverse=True)
    curve = [(0.0, 0.0)]
    for level in levels:
        overlap = np.mean([(region >= level).mean() for region in regions])
        curve.append((float((good >= level).mean()), float(overlap)))
    area = 0.0
    for (x, y), (next_x, next_y) in pairwise(curve):
        if x < 0.3 < next_x:
            next_y = y + (next_y - y) * (0.3 - x) / (next_x - x)
            next_x = 0.3
        if next_x <= 0.3:
            area += (next_x - x) * (y + next_y) / 2
    return area / 0.3


@settings(max_examples=60)
@given(data=st.data(), count=st.integers(1, 3))
def test_both_match_their_definitions(data: st.DataObject, count: int) -> None:
    maps = [(data.draw(HEATS), data.draw(MASKS)) for _ in range(count)]
    inside = np.concatenate([heat[mask] for heat, mask in maps])
    outside = np.concatenate([heat[~mask] for heat, mask in maps])
    found = measure([whole(heat, mask) for heat, mask in maps])
    if not len(inside) or not len(outside):
        assert found is None
        return
    assert found is not None
    assert found.auroc == pytest.approx(auroc(outside, inside))
    assert found.aupro == pytest.approx(slowly(maps))


@given(heat=HEATS, mask=MASKS)
def test_a_monotone_change_of_the_scale_changes_nothing(heat: np.ndarray, mask: np.ndarray) -> None:
    assert measure([whole(heat, mask)]) == measure([whole(np.exp(heat) - 5, mask)])


@given(mask=MASKS.filter(lambda mask: mask.any() and not mask.all()))
def test_a_perfect_map_scores_one(mask: np.ndarray) -> None:
    found = measure([whole(mask, mask), whole(np.zeros((SIDE, SIDE)))])
    assert found is not None
    assert (found.auroc, found.aupro) == (pytest.approx(1), pytest.approx(1))


def test_a_map_that_says_nothing_scores_by_chance() -> None:
    mask = np.zeros((SIDE, SIDE), bool)
    mask[2:5, 2:5] = True
    found = measure([whole(np.ones((SIDE, SIDE)), mask)])
    assert found is not None
    assert found.auroc == pytest.approx(0.5)
    assert found.aupro == pytest.approx(0.15)  # the diagonal up to 0.3, over 0.3


def test_a_small_region_weighs_as_much_as_a_large_one() -> None:
    mask = np.zeros((20, 20), bool)
    mask[1:11, 1:11] = True
    mask[15, 15] = True
    heat = np.where(mask, 1.0, 0.0)
    heat[15, 15] = 0.0  # the single pixel is missed
    found = measure([whole(heat, mask)])
    assert found is not None
    assert found.regions == 2
    # half of the regions at FPR 0, then a straight line to (1,1)
    assert found.aupro == pytest.approx((0.5 + 0.5 + 0.5 * 0.3) / 2)
    assert found.auroc > 0.99


def test_good_images_count_as_good_pixels() -> None:
    mask = np.zeros((SIDE, SIDE), bool)
    mask[3, 3] = True
    alone = measure([whole(mask, mask)])
    with_alarm = measure([whole(mask, mask), whole(np.ones((SIDE, SIDE)))])
    assert alone is not None
    assert with_alarm is not None
    assert with_alarm.auroc < alone.auroc


def test_a_heatmap_is_scaled_to_its_mask_within_the_region() -> None:
    mask = np.zeros((60, 80), bool)
    mask[20:40, 40:60] = True
    heat = np.zeros((4, 4), np.float32)
    heat[1:3, 1:3] = 1.0
    found = measure([Map(heat, (60, 80), (30, 10, 40, 40), lambda: mask)])
    assert found is not None
    assert found.auroc > 0.98


def test_many_levels_stay_close_to_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    mask = np.zeros((200, 200), bool)
    mask[50:90, 50:90] = mask[150:154, 20:60] = True
    heat = rng.normal(size=(200, 200)) + 1.5 * mask
    exact = (auroc(heat[~mask], heat[mask]), slowly([(heat, mask)]))
    monkeypatch.setattr(pixels, "LEVELS", 2000)
    found = measure([whole(heat, mask)])
    assert found is not None
    assert (found.auroc, found.aupro) == pytest.approx(exact, abs=1e-3)


def test_a_heatmap_that_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match="not finite"):
        measure([whole(np.full((4, 4), np.nan), np.eye(4, dtype=bool))])
