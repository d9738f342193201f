"""Promise: outputs become findings as shares of the picture; nothing unclear passes."""

import numpy as np
import pytest

from inspector.core.recipe import Recipe, RecipeLimits
from inspector.core.terms import Kind
from inspector.devices.engine.reading import Outputs, reader_of
from inspector.procedures.opinion import form

CLASSES = ("scratch", "dent")
RECIPE = Recipe(schema=1, name="part", model="m", limits=RecipeLimits(review=0.3, fail=0.6))
REGION = (0, 0, 100, 100)


def boxes(*rows: tuple[float, float, float, float, float, int]) -> dict[str, np.ndarray]:
    table = np.array(sorted(rows, key=lambda row: -row[4]), np.float32).reshape(-1, 6)
    peaks = [max([row[4] for row in rows if row[5] == one], default=0.0) for one in (0, 1)]
    return {
        "boxes": table[:, :4],
        "confidences": table[:, 4],
        "labels": table[:, 5].astype(np.int32),
        "peaks": np.array(peaks, np.float32),
    }


def test_of_two_boxes_of_one_object_the_surer_stays() -> None:
    said = reader_of("detection", CLASSES)(
        boxes((0.1, 0.1, 0.5, 0.5, 0.6, 0), (0.11, 0.1, 0.5, 0.5, 0.9, 0), (0.6, 0, 1, 1, 0.5, 0))
    )
    assert [round(one.confidence, 2) for one in said.findings or ()] == [0.9, 0.5]
    assert said.score == pytest.approx(0.9)


def test_boxes_of_two_classes_may_share_a_place() -> None:
    said = reader_of("detection", CLASSES)(
        boxes((0.1, 0.1, 0.5, 0.5, 0.6, 0), (0.1, 0.1, 0.5, 0.5, 0.9, 1))
    )
    assert [one.label for one in said.findings or ()] == ["dent", "scratch"]
    assert said.values == pytest.approx((0.6, 0.9))


def test_a_box_beyond_the_picture_is_cut_after_it_was_compared() -> None:
    said = reader_of("detection", CLASSES)(boxes((-0.5, 0, 0.2, 1, 0.9, 0), (0, 0, 0.2, 1, 0.8, 0)))
    assert [(one.left, one.right) for one in said.findings or ()] == [
        (0.0, pytest.approx(0.2)),
        (0.0, pytest.approx(0.2)),
    ]


def test_rows_that_say_nothing_are_no_findings() -> None:
    said = reader_of("detection", CLASSES)(boxes((0, 0, 0, 0, 0.0, 0), (0, 0, 1, 1, 0.005, 1)))
    assert said.findings == ()
    assert said.score == 0.0


def test_a_class_without_a_name_is_no_pass() -> None:
    said = reader_of("detection", CLASSES)(boxes((0, 0, 1, 1, 0.9, 7)))
    assert [one.label for one in said.findings or ()] == ["class 7"]
    assert form(said, RECIPE, RECIPE.limits, REGION).kind is Kind.FAIL


def test_an_area_is_where_its_class_is_likeliest() -> None:
    mask = np.zeros((2, 10, 20), np.float32)
    mask[0, 2:4, 4:10] = 0.8
    mask[0, 8:, :2] = 0.6
    mask[1, 2:4, 10:14] = 0.9
    mask[1, 5, 5] = 0.4  # the background is likelier
    said = reader_of("segmentation", CLASSES)({"mask": mask, "peaks": mask.max((1, 2))})
    found = [(one.label, one.left, one.top, one.right, one.bottom) for one in said.findings or ()]
    assert found == [
        ("dent", 0.5, 0.2, 0.7, 0.4),
        ("scratch", 0.2, 0.2, 0.5, 0.4),
        ("scratch", 0.0, 0.8, 0.1, 1.0),
    ]
    assert said.values == pytest.approx((0.8, 0.9))
    assert said.heatmap is not None
    assert said.heatmap.shape == (10, 20)


def test_a_class_covers_the_whole_picture() -> None:
    said = reader_of("classification", ("good", "dent"))({"probabilities": np.array([0.3, 0.7])})
    assert [(one.label, one.right - one.left) for one in said.findings or ()] == [
        ("good", 1.0),
        ("dent", 1.0),
    ]
    assert form(said, RECIPE, RECIPE.limits, REGION).kind is Kind.FAIL


def test_a_good_part_passes_however_sure_the_model_is() -> None:
    said = reader_of("classification", ("good", "dent"))({"probabilities": np.array([0.9, 0.1])})
    assert form(said, RECIPE, RECIPE.limits, REGION).kind is Kind.PASS


def broken(task: str) -> Outputs:
    nothing = np.full((2,), np.nan, np.float32)
    if task == "detection":
        one = boxes((0, 0, 1, 1, 0.0, 0))
        return one | {"confidences": np.full(1, np.nan, np.float32)}
    if task == "segmentation":
        return {"mask": np.full((2, 4, 4), np.nan, np.float32), "peaks": nothing}
    return {"probabilities": nothing}


@pytest.mark.parametrize("task", ["detection", "segmentation", "classification"])
def test_a_model_that_says_nan_is_a_fault(task: str) -> None:
    said = reader_of(task, CLASSES)(broken(task))  # type: ignore[arg-type]  # one of the tasks
    assert form(said, RECIPE, RECIPE.limits, REGION).kind is Kind.FAULT


def test_boxes_that_are_nan_are_a_fault() -> None:
    outputs = boxes((0, 0, 1, 1, 0.9, 0)) | {"boxes": np.full((1, 4), np.nan, np.float32)}
    said = reader_of("detection", CLASSES)(outputs)
    assert form(said, RECIPE, RECIPE.limits, REGION).kind is Kind.FAULT
