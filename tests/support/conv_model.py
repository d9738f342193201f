"""A small bundle with real convolutions, which INT8 can make faster, or ruin.

Promises: the format of a bundle; its score is how far smoothed edges lie from those of a reference.
Never: a good detector.
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import openvino as ov
from openvino import opset13 as ops

from inspector.adopt.int8 import serialised
from inspector.core import bundle_folder
from inspector.core.bundle import (
    BundleManifest,
    Golden,
    Input,
    Limits,
    Proof,
    Provenance,
    Reference,
    Task,
)
from inspector.domain import parity

SIDE = 32
CHANNELS = 8
CLASSES = ("good", "spot")
ANOMALOUS = Limits(review=1.5, fail=2.0)
SLOPE = np.array([-2, 2], np.float32)  # of a class's likeness with the score


def frames(count: int, defective: bool, seed: int = 0) -> list[np.ndarray]:
    """Noisy pictures of a bright square, some with a dark spot in it. (32, 32, 1) uint8."""
    rng = np.random.default_rng([seed, defective])
    made = []
    for _ in range(count):
        picture = np.full((SIDE, SIDE, 1), 60.0)
        picture[8:24, 8:24] = 180
        if defective:
            x, y = rng.integers(10, 18, 2)
            picture[y : y + 4, x : x + 4] -= rng.uniform(40, 90)
        made.append(np.clip(picture + rng.normal(0, 6, picture.shape), 0, 255).astype(np.uint8))
    return made


def network(drowned: bool) -> ov.Model:
    """`frame` through two convolutions. `drowned`: one channel between them is 100,000 times as
    loud as the others and is not listened to, so that INT8 leaves nothing of those."""
    rng = np.random.default_rng(0)
    first = rng.normal(0, 0.1, (CHANNELS, 1, 3, 3)).astype(np.float32)
    second = np.abs(rng.normal(0, 0.1, (CHANNELS, CHANNELS, 3, 3))).astype(np.float32)
    if drowned:
        first[0] = 1e4
        second[:, 0] = 0
    frame = ops.parameter([1, SIDE, SIDE, 1], np.uint8, name="frame")
    planes = ops.transpose(ops.convert(frame, np.float32), ops.constant([0, 3, 1, 2]))
    one, two = [1, 1], [0, 0]
    values = ops.relu(ops.convolution(planes, ops.constant(first), one, one, one, one))
    values = ops.relu(ops.convolution(values, ops.constant(second), one, one, one, one))
    heat = ops.reduce_mean(values, ops.constant([1]), keep_dims=False)
    cells = ops.avg_pool(ops.unsqueeze(heat, ops.constant([1])), [4, 4], two, two, [4, 4], True)
    usual = _usual(first, second)
    away = ops.abs(ops.subtract(ops.squeeze(cells, ops.constant([1])), ops.constant(usual)))
    heatmap = ops.divide(away, ops.constant(np.float32(4)))
    score = ops.reduce_max(heatmap, ops.constant([1, 2]), keep_dims=False)
    heatmap.output(0).set_names({"heatmap"})
    score.output(0).set_names({"score"})
    frame.output(0).set_names({"frame"})
    return ov.Model([ops.result(heatmap), ops.result(score)], [frame], "conv")


def _usual(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The cells of a good part without noise. [1,8,8]."""
    picture = np.full((SIDE, SIDE), 60, np.float32)
    picture[8:24, 8:24] = 180
    maps = np.stack([_filtered(picture, kernel[0]) for kernel in first])
    mixed = [
        sum(
            cv2.filter2D(one, -1, k, borderType=cv2.BORDER_CONSTANT)
            for one, k in zip(maps, row, strict=True)
        )
        for row in second
    ]
    heat = np.mean(np.maximum(mixed, 0), 0)
    return heat.reshape(8, 4, 8, 4).mean((1, 3))[None].astype(np.float32)


def _filtered(picture: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    return np.maximum(_passed(picture, kernel), 0)


def _passed(picture: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    return cv2.filter2D(picture, -1, kernel, borderType=cv2.BORDER_CONSTANT)


def naming(model: ov.Model) -> ov.Model:
    """The network as a classifier: `probabilities` of CLASSES."""
    score = model.output("score").get_node().input_value(0)
    away = ops.multiply(ops.subtract(score, ops.constant(np.float32(2))), ops.constant(SLOPE))
    likely = ops.softmax(away, 0)
    likely.output(0).set_names({"probabilities"})
    return ov.Model([ops.result(likely)], model.get_parameters(), "classifier")


def write_bundle(folder: Path, drowned: bool = False, task: Task = "anomaly") -> BundleManifest:
    """The network as a bundle with two references, the first of them a golden part, too."""
    model = network(drowned) if task == "anomaly" else naming(network(drowned))
    pictures = [*frames(1, False, 7), *frames(1, True, 7)]
    files = serialised(model)
    files |= {
        f"reference/{n}.png": cv2.imencode(".png", p)[1].tobytes() for n, p in enumerate(pictures)
    }
    files["golden/0.png"] = files["reference/0.png"]
    said = _said(model, pictures)

    def describe(version: str, digests: dict[str, str]) -> BundleManifest:
        return BundleManifest(
            schema=1,
            name="conv",
            version=version,
            task=task,
            classes=() if task == "anomaly" else CLASSES,
            input=Input(width=SIDE, height=SIDE, pixel="mono8"),
            limits=Limits(review=0.4, fail=0.6) if task != "anomaly" else ANOMALOUS,
            provenance=Provenance(
                made_from="tests", source_sha256="0" * 64, inspector="0", openvino="0"
            ),
            proof=Proof(
                tolerance=0.05,
                references=tuple(
                    Reference(image=f"reference/{n}.png", values=values)
                    for n, values in enumerate(said)
                ),
            ),
            golden=Golden(good=("golden/0.png",)),
            files=digests,
        )

    return bundle_folder.write(folder, files, describe)


def _said(model: ov.Model, pictures: Sequence[np.ndarray]) -> list[tuple[float, ...]]:
    compiled = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found = []
    for picture in pictures:
        out = compiled(picture[None])
        if len(compiled.outputs) == 1:
            found.append(tuple(float(value) for value in out["probabilities"]))
        else:
            found.append(parity.of_heatmap(float(out["score"].item()), out["heatmap"][0]))
    return found
