"""Boxes lie where the heatmap is hot, in pixels of the frame."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from inspector.domain.defects import MOST, boxes, packed

REGION = (100, 50, 320, 160)

heatmaps = arrays(np.float32, (8, 16), elements=st.floats(0, 4, width=32))


def test_one_hot_area_is_one_box() -> None:
    heatmap = np.zeros((8, 16), np.float32)
    heatmap[2:4, 3:6] = 2.0
    heatmap[3, 5] = 3.0
    (box,) = boxes(heatmap, 1.0, REGION, 0)
    assert (box.x, box.y, box.width, box.height, box.peak) == (160, 90, 60, 40, 3.0)


def test_cells_that_touch_at_a_corner_belong_together() -> None:
    heatmap = np.eye(8, 16, dtype=np.float32)
    assert len(boxes(heatmap, 1.0, REGION, 0)) == 1


def test_small_areas_are_left_out() -> None:
    heatmap = np.zeros((8, 16), np.float32)
    heatmap[0, 0] = heatmap[4:6, 4:6] = 1.0
    assert len(boxes(heatmap, 1.0, REGION, 0)) == 2
    assert len(boxes(heatmap, 1.0, REGION, 401)) == 1


@given(heatmaps, st.floats(0.125, 4, width=32))
def test_every_box_is_hot_and_inside_the_region(heatmap: np.ndarray, limit: float) -> None:
    found = boxes(heatmap, limit, REGION, 0)
    assert len(found) <= MOST
    assert bool(found) == bool((heatmap >= limit).any())
    assert [box.peak for box in found] == sorted((box.peak for box in found), reverse=True)
    for box in found:
        assert box.peak >= limit
        assert REGION[0] <= box.x
        assert box.x + box.width <= REGION[0] + REGION[2]
        assert REGION[1] <= box.y
        assert box.y + box.height <= REGION[1] + REGION[3]


@given(heatmaps)
def test_packed_heatmap_keeps_its_peak(heatmap: np.ndarray) -> None:
    small = packed(heatmap, REGION, 1.0)
    assert len(small.data) == small.width * small.height == heatmap.size
    peak = max(small.data) * small.scale / 255
    assert abs(peak - heatmap.max()) <= small.scale / 510 + 1e-6
