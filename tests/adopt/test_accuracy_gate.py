"""What a quantised model lost, from what both models said."""

from collections.abc import Sequence

import pytest

from inspector.adopt.gate import Said, f1, loss
from inspector.core.bundle import Limits
from inspector.teach.evaluate import auroc

LIMITS = Limits(review=0.5, fail=1.0)


def said(scores: Sequence[float], name: str = "defect") -> list[Said]:
    return [Said(score, name, (score,)) for score in scores]


def test_auroc_of_an_anomaly_model_with_labels() -> None:
    labels = ["good", "good", "dent", "dent"]
    found = loss("anomaly", labels, said([0, 0.1, 1, 2]), said([0, 1, 0.9, 2]), LIMITS, auroc)
    assert (found.measure, found.before, found.after) == ("AUROC", 1.0, 0.75)
    assert found.lost == 0.25
    assert found.agreement == 0.5


def test_without_labels_the_decisions_must_stay() -> None:
    found = loss("anomaly", [None] * 4, said([0, 0, 1, 2]), said([0, 0, 0, 2]), LIMITS, auroc)
    assert found.measure == "agreement"
    assert found.before == 1.0
    assert found.agreement == 0.75
    assert found.lost == pytest.approx(1 - (4 / 5 + 2 / 3) / 2)


def test_classes_of_a_naming_model_are_told_apart() -> None:
    labels = ["good", "dent", "scratch"]
    before = [Said(0.1, "good", ()), Said(0.9, "dent", ()), Said(0.9, "scratch", ())]
    after = [Said(0.1, "good", ()), Said(0.9, "scratch", ()), Said(0.9, "scratch", ())]
    found = loss("classification", labels, before, after, LIMITS, auroc)
    assert (found.measure, found.before) == ("F1", 1.0)
    assert found.after == pytest.approx((1 + 0 + 2 / 3) / 3)


def test_folders_that_are_not_the_models_classes_count_as_defects() -> None:
    labels = ["good", "bent"]
    both = [Said(0.1, "good", ()), Said(0.9, "dent", ())]
    assert loss("detection", labels, both, both, LIMITS, auroc).after == 1.0


def test_a_score_that_is_no_number_loses_everything() -> None:
    found = loss("anomaly", [None], said([0]), said([float("nan")]), LIMITS, auroc)
    assert found.lost == 1.0


def test_decisions_that_are_all_alike_are_told() -> None:
    """A model that became blind would decide the same."""
    assert loss("anomaly", [None] * 3, said([0, 0.1, 0]), said([0] * 3), LIMITS, auroc).kinds == 1
    assert loss("anomaly", [None] * 3, said([0, 0.6, 2]), said([0] * 3), LIMITS, auroc).kinds == 3


def test_f1_of_equal_and_of_disjoint_names() -> None:
    assert f1(["a", "b"], ["a", "b"]) == 1.0
    assert f1(["a", "a"], ["b", "b"]) == 0.0
