"""Promise: every rate comes with its interval, and the figures match their definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.teach import evaluate

SCORES = st.lists(st.integers(0, 9).map(float), min_size=1, max_size=30)


@given(good=SCORES, bad=SCORES)
def test_auroc_is_the_chance_of_the_right_order(good: list[float], bad: list[float]) -> None:
    right = sum((b > g) + 0.5 * (b == g) for g in good for b in bad)
    assert evaluate.auroc(good, bad) == pytest.approx(right / (len(good) * len(bad)))


@given(good=SCORES, bad=SCORES)
def test_swapping_good_and_bad_mirrors_auroc(good: list[float], bad: list[float]) -> None:
    assert evaluate.auroc(good, bad) + evaluate.auroc(bad, good) == pytest.approx(1)


def test_average_precision_of_a_known_order() -> None:
    # by falling score: bad, good, bad, good: precision 1 at recall 1/2, then 2/3 at recall 1
    assert evaluate.average_precision([3, 1], [4, 2]) == pytest.approx((1 + 2 / 3) / 2)


@given(good=SCORES, bad=SCORES)
def test_average_precision_lies_in_its_range(good: list[float], bad: list[float]) -> None:
    assert 0 < evaluate.average_precision(good, bad) <= 1


def test_wilson_matches_a_published_value() -> None:
    rate = evaluate.wilson(1, 10)  # Agresti and Coull 1998: 0.018 to 0.404
    assert rate.low == pytest.approx(0.018, abs=1e-3)
    assert rate.high == pytest.approx(0.404, abs=1e-3)


@given(total=st.integers(0, 500), data=st.data())
def test_wilson_holds_the_observed_share(total: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, total))
    rate = evaluate.wilson(hits, total)
    assert 0 <= rate.low <= (hits / total if total else 0) <= rate.high <= 1


def test_no_proportion_is_refused() -> None:
    with pytest.raises(ValueError, match="no proportion"):
        evaluate.wilson(3, 2)


def test_a_report_counts_at_its_limits() -> None:
    found = evaluate.report([0.2, 0.7, 0.9, 1.2], [0.5, 0.85, 1.0, 3.0], review=0.8, fail=1.0)
    assert (found.overkill.hits, found.review.hits, found.escapes.hits) == (1, 1, 1)
    assert (found.good, found.bad) == (4, 4)


@pytest.mark.parametrize("bad", [[], [float("nan")], [float("inf")]])
def test_scores_that_say_nothing_are_refused(bad: list[float]) -> None:
    with pytest.raises(ValueError, match=r"needed|finite"):
        evaluate.report([0.1], bad, 0.5, 1.0)


@given(good=SCORES, bad=SCORES)
def test_auroc_does_not_change_with_the_scale(good: list[float], bad: list[float]) -> None:
    stretched = [[np.exp(score / 3) - 7 for score in scores] for scores in (good, bad)]
    assert evaluate.auroc(*stretched) == evaluate.auroc(good, bad)


@given(good=SCORES, bad=SCORES)
def test_the_area_under_the_curve_is_auroc(good: list[float], bad: list[float]) -> None:
    false, true = evaluate.roc(good, bad)
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)
    assert np.trapezoid(true, false) == pytest.approx(evaluate.auroc(good, bad))


def test_auroc_by_hand() -> None:
    # of the six pairs, 0.4 > 0.3 only is wrong, and 0.5 = 0.5 counts half
    assert evaluate.auroc([0.1, 0.4, 0.5], [0.5, 0.3]) == pytest.approx((2 + 0.5 + 1) / 6)


def test_a_perfect_order_has_average_precision_one() -> None:
    assert evaluate.average_precision([0.1, 0.2], [0.3, 0.9, 0.9]) == 1.0
