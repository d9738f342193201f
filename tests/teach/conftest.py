"""A product made of a few lines and an untrained stand-in for the backbone: fast and repeatable."""

from pathlib import Path

import cv2
import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops
from support.washer import part


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A folder with 12 good grey parts."""
    folder = tmp_path / "washer"
    folder.mkdir()
    for seed in range(12):
        cv2.imwrite(str(folder / f"{seed:02}.png"), part(seed))
    return folder


@pytest.fixture(scope="session")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An IR with the backbone's contract: 8x8 patches, projected at random, unit length."""
    weights = np.random.default_rng(0).normal(size=(96, 3, 8, 8)).astype(np.float32)
    weights -= weights.mean((2, 3), keepdims=True) * 0.9
    image = ops.parameter([1, 3, 256, 256], ov.Type.f32, name="image")
    centred = ops.subtract(ops.divide(image, np.float32(255)), np.float32(0.5))
    patches = ops.convolution(centred, ops.constant(weights), [8, 8], [0, 0], [0, 0], [1, 1])
    unit = ops.normalize_l2(patches, ops.constant(np.array([1])), 1e-6, "add")
    unit.output(0).set_names({"features"})
    image.output(0).set_names({"image"})
    path = tmp_path_factory.mktemp("backbone") / "backbone.xml"
    ov.save_model(ov.Model([unit], [image], "stand-in"), path, compress_to_fp16=False)
    return path
