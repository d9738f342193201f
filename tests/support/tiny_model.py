"""A real bundle in a second: distance to a mean image, as one OpenVINO model.

Promises: the format, the names and the shapes of a taught bundle, so that every process loads it
as it would a real one.
Never: a good detector.
"""

import hashlib
from pathlib import Path

import msgspec
import numpy as np
import openvino as ov
from openvino import opset13 as ops

SIDE = 64


def write_bundle(
    folder: Path, reference: np.ndarray, limit: float = 40.0, name: str = "tiny"
) -> Path:
    """A bundle whose score is the largest mean difference, in grey values over `limit`, of any
    8x8 cell of the frame to `reference` (64, 64, 1 or 3) uint8. Score 1 is the fail limit."""
    folder.mkdir(parents=True)
    ov.save_model(_model(reference, limit), folder / "model.xml", compress_to_fp16=False)
    _write_manifest(folder, reference.shape[2], name)
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


def _write_manifest(folder: Path, channels: int, name: str) -> None:
    files = {
        part: hashlib.sha256((folder / part).read_bytes()).hexdigest()
        for part in ("model.xml", "model.bin")
    }
    version = hashlib.sha256("".join(files.values()).encode()).hexdigest()[:12]
    manifest = {
        "schema": 1,
        "name": name,
        "version": version,
        "task": "anomaly",
        "input": {
            "width": SIDE,
            "height": SIDE,
            "pixel": "mono8" if channels == 1 else "bgr8",
        },
        "limits": {"review": 0.7, "fail": 1.0},
        "calibration": {
            "good_images": 1,
            "target_overkill": 0.0,
            "overkill_low": 0.0,
            "overkill_high": 1.0,
            "position_weight": 0.0,
            "memory": 1,
        },
        "provenance": {
            "taught_from": "tests",
            "backbone_sha256": "0" * 64,
            "inspector": "0",
            "openvino": "0",
        },
        "files": files,
    }
    (folder / "bundle.toml").write_bytes(msgspec.toml.encode(manifest))
