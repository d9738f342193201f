"""How long it takes to reduce a frame, and what is lost: `python models/resize.py`.

Compares OpenCV's area average (what the line uses) with resizing inside an OpenVINO graph, on u8
frames, two threads. `error` is the mean difference, in grey values, to the plain area average of a
finely textured scene: where a method skips pixels, fine defects vanish with them.
Never runs on a station.
"""

import time
from collections.abc import Callable
from statistics import median

import cv2
import numpy as np

from inspector.devices.engine import reduce  # first: keeps OpenVINO's telemetry off

import openvino as ov  # isort: skip
from openvino.preprocess import PrePostProcessor, ResizeAlgorithm  # isort: skip

SIDE = 256
FRAMES = ((480, 640, 1), (1024, 1280, 1), (2048, 2448, 1), (480, 640, 3), (2048, 2448, 3))
RUNS = 15


def scene(shape: tuple[int, int, int]) -> np.ndarray:
    """A frame full of texture of one to four pixels."""
    noise = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    return (noise // 2 + cv2.GaussianBlur(noise, (0, 0), 1.5).reshape(shape) // 2).astype(np.uint8)


def in_graph(
    shape: tuple[int, int, int], how: ResizeAlgorithm
) -> Callable[[np.ndarray], np.ndarray]:
    """A compiled model that does nothing but resize."""
    channels = shape[2]
    frame = ov.opset13.parameter([1, SIDE, SIDE, channels], np.float32)
    model = ov.Model([ov.opset13.result(ov.opset13.relu(frame))], [frame])
    steps = PrePostProcessor(model)
    steps.input().tensor().set_element_type(ov.Type.u8).set_shape([1, *shape])
    steps.input().tensor().set_layout(ov.Layout("NHWC"))
    steps.input().model().set_layout(ov.Layout("NHWC"))
    steps.input().preprocess().convert_element_type(ov.Type.f32).resize(how)
    options = {"INFERENCE_NUM_THREADS": "2", "PERFORMANCE_HINT": "LATENCY"}
    request = ov.Core().compile_model(steps.build(), "CPU", options).create_infer_request()
    return lambda image: next(iter(request.infer([image[None]]).values()))[0]


def main() -> None:
    print("| frame | method | ms | error |\n|---|---|---|---|")
    for shape in FRAMES:
        image = scene(shape)
        area = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        methods: dict[str, Callable[[np.ndarray], np.ndarray]] = {
            "area average, as on the line": lambda image: reduce(image, SIDE, SIDE),
            "graph, linear": in_graph(shape, ResizeAlgorithm.RESIZE_LINEAR),
            "graph, antialiased": in_graph(shape, ResizeAlgorithm.RESIZE_BILINEAR_PILLOW),
        }
        for name, method in methods.items():
            ms, error = timed(method, image, area)
            print(f"| {shape[1]}x{shape[0]}x{shape[2]} | {name} | {ms:.1f} | {error:.1f} |")


def timed(
    method: Callable[[np.ndarray], np.ndarray], image: np.ndarray, area: np.ndarray
) -> tuple[float, float]:
    """Median milliseconds, and the mean difference to the area average."""
    small = method(image)
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        method(image)
        times.append(1000 * (time.perf_counter() - started))
    difference = np.abs(small.reshape(area.shape).astype(float) - area)
    return median(times), float(difference.mean())


if __name__ == "__main__":
    main()
