"""Promise: the bundle's network computes what `fit` and `head` compute, times the scale."""

from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from support.washer import part, scratched, shrink

from inspector.teach import fit, graph, head, images
from inspector.teach.features import Backbone
from inspector.teach.settings import SIDE

EXACT = {"INFERENCE_PRECISION_HINT": "f32"}


def made(memory: np.ndarray, weight: float, alarm: np.ndarray | None = None) -> graph.Head:
    gains = np.linspace(0.5, 1.5, 32 * 32, dtype=np.float32).reshape(32, 32)
    places = weight * fit.positions(32, 32)
    return graph.Head(memory, places, gains, scale=2.5, worst=4, alarm=alarm)


@pytest.mark.parametrize(("pixel", "colour"), [("mono8", False), ("bgr8", True)])
@pytest.mark.parametrize("weight", [0.0, 2.0])
@pytest.mark.parametrize("known", [0, 3])
def test_the_network_agrees_with_numpy(
    backbone: Path, pixel: str, colour: bool, weight: float, known: int
) -> None:
    network = Backbone(backbone, SIDE, SIDE)
    taught = network(images.as_pixel([shrink(part(seed, colour)) for seed in range(4)], pixel))
    memory = fit.memorise(taught, weight, 300, 0)
    frame = images.as_pixel([shrink(scratched(9, colour))], pixel)
    maps, alarm = fit.distances(network(frame), memory, weight), None
    if known:
        exemplars = head.exemplars(np.repeat(network(frame), known, 0), np.repeat(maps, known, 0))
        alarm = head.detectors(taught, exemplars, 0) * np.float32(0.1)
        maps = maps + head.alarms(network(frame), alarm)
    top = made(memory, weight, alarm)
    model = ov.compile_model(graph.compose(backbone, SIDE, SIDE, pixel, top), "CPU", EXACT)
    given = model(frame)
    expected = fit.smoothed(maps) * top.gains * 2.5
    np.testing.assert_allclose(given["heatmap"], expected, atol=2e-3, rtol=2e-3)
    np.testing.assert_allclose(given["score"], fit.scores(expected, 4), atol=2e-3, rtol=2e-3)


@pytest.mark.parametrize(("pixel", "channels"), [("mono8", 1), ("bgr8", 3)])
def test_inputs_and_outputs_are_as_promised(backbone: Path, pixel: str, channels: int) -> None:
    top = graph.Head(
        np.zeros((10, 98), np.float32),
        fit.positions(16, 48),
        np.ones((16, 48), np.float32),
        scale=1.0,
        worst=4,
    )
    model = graph.compose(backbone, 384, 128, pixel, top)
    shapes = {
        port.any_name: (port.element_type.to_string(), list(port.shape))
        for port in (*model.inputs, *model.outputs)
    }
    assert shapes == {
        "frame": ("u8", [1, 128, 384, channels]),
        "heatmap": ("f32", [1, 16, 48]),
        "score": ("f32", [1]),
    }
