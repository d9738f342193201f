"""Property and examples: what calibrates never validates, nor does a copy of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from inspector.adopt.splitting import FEWEST, MOST, Sample, distinct, split
from inspector.core.errors import OperatorError


def samples(count: int, labels: tuple[str | None, ...] = (None,)) -> list[Sample]:
    rng = np.random.default_rng(0)
    views = rng.integers(0, 256, (count, 16, 20, 1), np.uint8)
    return [Sample(n, view, labels[n % len(labels)]) for n, view in enumerate(views)]


@given(
    count=some.integers(2 * FEWEST, 60),
    copies=some.lists(some.integers(0, 19), max_size=12),
    seed=some.integers(0, 2**32),
)
def test_no_picture_nor_a_copy_of_it_is_on_both_sides(
    count: int, copies: list[int], seed: int
) -> None:
    given_ = samples(count)
    given_ += [Sample(count + n, given_[of].view.copy(), None) for n, of in enumerate(copies)]
    found = split(given_, seed)
    left = {one.view.tobytes() for one in found.calibration}
    right = {one.view.tobytes() for one in found.validation}
    assert not left & right
    assert len(left) + len(right) == count
    assert found.copies == len(copies)
    again = split(given_, seed)
    assert [one.number for one in again.calibration] == [one.number for one in found.calibration]


def test_a_picture_saved_again_with_losses_is_a_copy() -> None:
    first = samples(1)[0]
    again = first.view.copy()
    again[::4] ^= 1  # one grey level in every fourth row
    assert len(distinct([first, Sample(1, again, None)])) == 1


def test_different_shots_of_alike_parts_are_no_copies() -> None:
    rng = np.random.default_rng(0)
    part = rng.integers(60, 200, (32, 32, 1))
    shots = [(part + rng.normal(0, 2, part.shape)).astype(np.uint8) for _ in range(20)]
    assert len(distinct([Sample(n, shot, None) for n, shot in enumerate(shots)])) == 20


def test_defects_only_judge_a_model_of_good_parts() -> None:
    found = split(samples(60, ("good", "dent", "scratch")), 0, normal="good")
    assert {one.label for one in found.calibration} == {"good"}
    assert {one.label for one in found.validation} == {"good", "dent", "scratch"}


def test_every_label_is_on_both_sides() -> None:
    found = split(samples(60, ("good", "dent", "scratch")), 0)
    for side in (found.calibration, found.validation):
        assert {one.label for one in side} == {"good", "dent", "scratch"}


def test_too_few_pictures_are_refused() -> None:
    with pytest.raises(OperatorError, match="9 different pictures to calibrate with, of 18 given"):
        split(samples(18), 0)


def test_twenty_copies_of_one_picture_are_too_few() -> None:
    one = samples(1)[0]
    with pytest.raises(OperatorError, match="0 different pictures to calibrate"):
        split([Sample(n, one.view, None) for n in range(40)], 0)


def test_calibration_is_bounded() -> None:
    found = split(samples(3 * MOST), 0)
    assert len(found.calibration) <= MOST
    assert len(found.calibration) + len(found.validation) == 3 * MOST
