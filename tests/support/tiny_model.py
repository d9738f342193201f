"""A real bundle in a second: distance to a mean image, as one OpenVINO model.

Promises: the format, the names and the shapes of a taught bundle, so that every process loads it
as it would a real one.
Never: a good detector.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import openvino as ov
from openvino import opset13 as ops

from inspector.core import bundle_folder
from inspector.core.bundle import BundleManifest, Input, Limits, Proof, Provenance, Reference
from inspector.core.bundle_folder import MODEL, WEIGHTS
from inspector.domain.parity import of_heatmap

SIDE = 64


def write_bundle(
    folder: Path, reference: np.ndarray, limit: float = 40.0, name: str = "tiny"
) -> Path:
    """A bundle whose score is the largest mean difference, in grey values over `limit`, of any
    8x8 cell of the frame to `reference` (64, 64, 1 or 3) uint8. Score 1 is the fail limit."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    model = _model(reference, limit)
    files = _files(model) | {"reference/00.png": cv2.imencode(".png", reference)[1].tobytes()}
    pixel: Literal["mono8", "bgr8"] = "mono8" if reference.shape[2] == 1 else "bgr8"
    bundle_folder.write(folder, files, _manifest(name, pixel, _said(model, reference)))
    return folder


def _model(reference: np.ndarray, limit: float) -> ov.Model:
    frame = ops.parameter([1, *reference.shape], np.uint8, name="frame")
    expected = ops.constant(reference[None].astype(np.float32))
    difference = ops.abs(ops.subtract(ops.convert(frame, np.float32), expected))
    grey = ops.reduce_mean(difference, ops.constant([3]), keep_dims=False)
    image = ops.unsqueeze(grey, ops.constant([1]))
    cells = ops.avg_pool(image, [8, 8], [0, 0], [0, 0], [8, 8], True)
    heatmap = ops.squeeze(ops.divide(cells, ops.constant(np.float32(limit))), ops.constant([1]))
    score = ops.reduce_max(heatmap, ops.constant([1, 2]), keep_dims=False)
    outputs = []
    for node, label in ((heatmap, "heatmap"), (score, "score")):
        node.output(0).set_names({label})
        outputs.append(ops.result(node))
    frame.output(0).set_names({"frame"})
    return ov.Model(outputs, [frame], "tiny")


def _files(model: ov.Model) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as scratch:
        ov.save_model(model, Path(scratch) / MODEL, compress_to_fp16=False)
        return {name: (Path(scratch) / name).read_bytes() for name in (MODEL, WEIGHTS)}


def _said(model: ov.Model, frame: np.ndarray) -> tuple[float, ...]:
    outputs = ov.Core().compile_model(model, "CPU")(frame[None])
    return of_heatmap(float(outputs["score"].item()), outputs["heatmap"][0])


def _manifest(
    name: str, pixel: Literal["mono8", "bgr8"], values: tuple[float, ...]
) -> Callable[[str, dict[str, str]], BundleManifest]:
    def describe(version: str, files: dict[str, str]) -> BundleManifest:
        return BundleManifest(
            schema=1,
            name=name,
            version=version,
            task="anomaly",
            input=Input(width=SIDE, height=SIDE, pixel=pixel),
            limits=Limits(review=0.7, fail=1.0),
            provenance=Provenance(
                made_from="tests", source_sha256="0" * 64, inspector="0", openvino="0"
            ),
            proof=Proof(
                tolerance=0.05, references=(Reference(image="reference/00.png", values=values),)
            ),
            files=files,
        )

    return describe
