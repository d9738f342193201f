"""Classifiers: the probability of each class for the whole picture.

Promises: `probabilities` [classes], each 0..1; values that are no probabilities yet become such
inside the model (softmax, or a sigmoid where several classes may hold at once).
Never: says which class is a defect; that is the recipe's, and a class named `good` is none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as ops

from inspector.adopt.terms import Facts, Source, Tensors, name_of, named
from inspector.core.bundle import Task

EXPLAINED = ("saliency_map", "feature_vector")


@dataclass(frozen=True)
class Classifier:
    """One output of [1,C] or [1,C,1,1]."""

    classes: tuple[str, ...]
    at: int
    squash: Literal["none", "softmax", "sigmoid"]
    task: Task = "classification"

    def graph(self, outputs: Sequence[ov.Output]) -> dict[str, ov.Output]:
        shape = ops.constant(np.array([len(self.classes)], np.int64))
        values = ops.reshape(ops.convert(outputs[self.at], "f32"), shape, False)
        if self.squash == "softmax":
            values = ops.softmax(values, 0)
        elif self.squash == "sigmoid":
            values = ops.sigmoid(values)
        return {"probabilities": values.output(0)}

    def plain(self, outputs: Sequence[NDArray[Any]]) -> Tensors:
        values = np.asarray(outputs[self.at], np.float64).reshape(-1)
        if self.squash == "softmax":
            values = np.exp(values - values.max())
            values /= values.sum()
        elif self.squash == "sigmoid":
            values = 1 / (1 + np.exp(-values))
        return {"probabilities": values.astype(np.float32)}


def head(source: Source, facts: Facts, said: Sequence[Sequence[NDArray[Any]]]) -> Classifier:
    """What the model's outputs mean. `said`: what the original model gave for some pictures.

    Raises MaintainerError naming the outputs where they are unknown.
    """
    fitting = [
        number
        for number, output in enumerate(source.model.outputs)
        if name_of(output) not in EXPLAINED and _is_list(output.partial_shape)
    ]
    if len(fitting) != 1:
        raise source.refuse(
            f"outputs {source.outputs} are those of no known classifier (one of [1,classes])"
        )
    at = fitting[0]
    classes = named(source, facts.classes, source.model.outputs[at].shape[1])
    if len(classes) == 1 and not facts.multilabel:
        raise source.refuse(
            "has 1 class, which is then always certain; export two (a good and a defective one)"
        )
    values = [np.asarray(one[at], np.float64).reshape(-1) for one in said]
    if all(_probabilities(one, facts.multilabel) for one in values):
        return Classifier(classes, at, "none")
    return Classifier(classes, at, "sigmoid" if facts.multilabel else "softmax")


def _is_list(shape: ov.PartialShape) -> bool:
    sides = [] if shape.is_dynamic else [side.get_length() for side in shape]
    return len(sides) in (2, 4) and sides[2:] in ([], [1, 1])


def _probabilities(values: NDArray[np.float64], multilabel: bool) -> bool:
    """As model_api tells them from logits: within 0..1, and summing to 1."""
    within = bool((values >= 0).all() and (values <= 1).all())
    return within and (multilabel or bool(abs(values.sum() - 1) < 1e-3))
