"""Promise: what counts is what the recipe says counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.core.recipe import Findings
from inspector.domain.findings import Finding, score, that_count, unknown_classes

SIZE = (200, 100)


def finding(label: str = "dent", confidence: float = 0.5, width: float = 0.1) -> Finding:
    return Finding(label, confidence, 0.2, 0.2, 0.2 + width, 0.3)


def test_only_the_classes_that_matter_count() -> None:
    found = (finding("dent"), finding("dust"), finding("good"))
    assert that_count(found, Findings(), SIZE, None) == found[:2]
    assert that_count(found, Findings(classes=("dust",)), SIZE, None) == found[1:2]


def test_a_class_named_good_counts_where_the_recipe_names_it() -> None:
    found = (finding("good"),)
    assert that_count(found, Findings(classes=("good",)), SIZE, None) == found


@pytest.mark.parametrize(("width", "counts"), [(0.1, True), (0.09, False)])
def test_the_longer_side_has_the_least_size(width: float, counts: bool) -> None:
    """20 pixels at 0.5 mm are 10 mm; the other side, 10 pixels, is 5 mm."""
    rules = Findings(min_size_mm=9.9)
    assert bool(that_count((finding(width=width),), rules, SIZE, 0.5)) is counts


@given(st.lists(st.floats(0, 1), max_size=8), st.integers(1, 8))
def test_the_score_is_the_confidence_of_the_finding_that_makes_the_part_defective(
    confidences: list[float], count: int
) -> None:
    found = tuple(finding(confidence=one) for one in confidences)
    reached = score(found, count)
    assert sum(one >= reached for one in confidences) >= count or reached == 0.0
    assert sum(one > reached for one in confidences) < count or reached == 0.0


def test_classes_that_the_model_does_not_know_are_told() -> None:
    rules = Findings(classes=("dent", "dint"))
    assert unknown_classes(rules, ("scratch", "dent")) == ("dint",)
    assert unknown_classes(rules, ()) == ("dent", "dint")
    assert unknown_classes(Findings(), ("dent",)) == ()
