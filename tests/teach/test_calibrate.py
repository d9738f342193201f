"""Promise: limits mean what they say on good parts that were not seen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.teach import calibrate

POSITIVE = st.lists(st.floats(1e-3, 10), min_size=3, max_size=60)


@given(count=st.integers(2, 80), parts=st.integers(2, 8), seed=st.integers(0, 9))
def test_every_image_is_held_out_exactly_once(count: int, parts: int, seed: int) -> None:
    pairs = list(calibrate.folds(count, parts, seed))
    held = np.concatenate([h for _, h in pairs])
    assert sorted(held) == list(range(count))
    for kept, out in pairs:
        assert sorted([*kept, *out]) == list(range(count))


@pytest.mark.parametrize(
    ("share", "freedom", "table"),
    [(0.01, 4, 3.747), (0.05, 4, 2.132), (0.01, 9, 2.821), (0.05, 19, 1.729), (0.01, 99, 2.365)],
)
def test_student_quantiles_match_the_tables(share: float, freedom: int, table: float) -> None:
    assert calibrate.student(share, freedom) == pytest.approx(table, rel=0.02)


@given(scores=POSITIVE)
def test_a_rarer_excess_needs_a_higher_level(scores: list[float]) -> None:
    levels = [calibrate.exceeded(scores, share) for share in (0.2, 0.05, 0.01)]
    assert levels == sorted(levels)


@given(scores=POSITIVE, factor=st.floats(0.1, 10))
def test_limits_do_not_depend_on_the_unit(scores: list[float], factor: float) -> None:
    plain = calibrate.calibrate(scores, 0.01, 0.05)
    scaled = calibrate.calibrate(np.asarray(scores) * factor, 0.01, 0.05)
    assert scaled.review == pytest.approx(plain.review, rel=1e-6)
    assert scaled.scale * factor == pytest.approx(plain.scale, rel=1e-6)


@given(scores=POSITIVE)
def test_review_lies_below_fail_and_fail_is_one(scores: list[float]) -> None:
    limits = calibrate.calibrate(scores, 0.01, 0.05)
    assert 0 < limits.review < limits.fail == 1.0
    assert 0 <= limits.overkill_low <= limits.overkill_high <= 1


@pytest.mark.parametrize("count", [10, 30, 100])
def test_new_good_parts_fail_about_as_often_as_stated(count: int) -> None:
    rng = np.random.default_rng(count)
    failed = []
    for _ in range(400):
        limits = calibrate.calibrate(rng.lognormal(-2, 0.3, count), 0.02, 0.1)
        failed.append((rng.lognormal(-2, 0.3, 200) * limits.scale >= 1).mean())
    assert 0.01 < np.mean(failed) < 0.03


def test_one_odd_good_part_does_not_open_the_limit() -> None:
    usual = np.random.default_rng(0).lognormal(-2, 0.1, 20)
    plain = calibrate.exceeded(usual, 0.01)
    assert calibrate.exceeded([*usual, 1.0], 0.01) == pytest.approx(plain, rel=0.05)
    assert calibrate.calibrate([*usual, 1.0], 0.01, 0.05).overkill_high > 0.1


@pytest.mark.parametrize(("overkill", "review"), [(0.05, 0.05), (0.0, 0.1), (0.2, 0.1), (0.1, 1.0)])
def test_shares_out_of_order_are_refused(overkill: float, review: float) -> None:
    with pytest.raises(ValueError, match="must be below"):
        calibrate.calibrate([1.0, 2.0, 3.0], overkill, review)


def test_two_scores_are_too_few() -> None:
    with pytest.raises(ValueError, match="3 at least"):
        calibrate.exceeded([1.0, 2.0], 0.05)


def test_separation_grows_with_the_gap() -> None:
    good = [0.1, 0.11, 0.12]
    assert calibrate.separation(good, [0.2, 0.21]) < calibrate.separation(good, [0.4, 0.41])
    assert calibrate.separation(good, good) == pytest.approx(0, abs=1e-9)


@given(good=POSITIVE, bad=POSITIVE)
def test_labelled_defects_only_ever_lower_the_limits(good: list[float], bad: list[float]) -> None:
    plain = calibrate.calibrate(good, 0.01, 0.05)
    sharp = calibrate.sharpened(plain, good, bad, 0.01, 0.05)
    assert 0 < sharp.review < sharp.fail == 1.0
    assert sharp.scale >= plain.scale * (1 - 1e-9)
    assert sharp.review / sharp.scale <= plain.review / plain.scale * (1 + 1e-9)


def test_labelled_defects_lower_the_limit_no_farther_than_good_parts_allow() -> None:
    good = np.random.default_rng(0).lognormal(-2, 0.3, 30)
    plain = calibrate.calibrate(good, 0.01, 0.05)
    bad = np.full(10, (good.max() / plain.scale) ** 0.5)  # between the good parts and the limit
    sharp = calibrate.sharpened(plain, good, bad, 0.01, 0.05)
    assert sharp.scale > plain.scale
    assert 1 / sharp.scale >= calibrate.exceeded(good, 0.02) * (1 - 1e-9)
    hopeless = calibrate.sharpened(plain, good, good * 0.9, 0.01, 0.05)
    assert hopeless.review / hopeless.scale >= calibrate.exceeded(good, 0.1) * (1 - 1e-9)
