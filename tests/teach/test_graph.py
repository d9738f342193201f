"""Promise: the bundle's network computes what `fit` computes, times the scale."""

from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from support.washer import part, scratched, shrink

from inspector.teach import fit, graph, images
from inspector.teach.features import Backbone

EXACT = {"INFERENCE_PRECISION_HINT": "f32"}


@pytest.mark.parametrize(("pixel", "colour"), [("mono8", False), ("bgr8", True)])
@pytest.mark.parametrize("weight", [0.0, 2.0])
def test_the_network_agrees_with_numpy(
    backbone: Path, pixel: str, colour: bool, weight: float
) -> None:
    network = Backbone(backbone, images.SIDE)
    shrunk = [shrink(part(seed, colour)) for seed in range(4)]
    taught = network(images.as_pixel(shrunk, pixel))
    memory = fit.memorise(taught, weight, 300, 0)
    places = weight * fit.positions(32, 32)
    model = ov.compile_model(
        graph.compose(backbone, images.SIDE, pixel, memory, places, 2.5, 4), "CPU", EXACT
    )
    frame = images.as_pixel([shrink(scratched(9, colour))], pixel)
    given = model(frame)
    maps = fit.distances(network(frame), memory, weight)
    np.testing.assert_allclose(given["heatmap"], maps * 2.5, atol=2e-3)
    np.testing.assert_allclose(given["score"], fit.scores(maps, 4) * 2.5, atol=2e-3)


@pytest.mark.parametrize(("pixel", "channels"), [("mono8", 1), ("bgr8", 3)])
def test_inputs_and_outputs_are_as_promised(backbone: Path, pixel: str, channels: int) -> None:
    memory = np.zeros((10, 98), np.float32)
    model = graph.compose(backbone, images.SIDE, pixel, memory, fit.positions(32, 32), 1.0, 4)
    shapes = {
        port.any_name: (port.element_type.to_string(), list(port.shape))
        for port in (*model.inputs, *model.outputs)
    }
    assert shapes == {
        "frame": ("u8", [1, 256, 256, channels]),
        "heatmap": ("f32", [1, 32, 32]),
        "score": ("f32", [1]),
    }
