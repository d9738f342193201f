"""Inference behind one seam: a frame goes in, a score and a heatmap come out.

Promises: what teaching saw is what the line sees, pixel by pixel (one `shrink` for both); one
model is compiled for latency, on the device, threads and precision of the configuration, and its
compiled form is cached; the input memory is the model's own, so nothing is copied on the way in.
Never: decides; limits are the recipe's.

Grey conversion, normalisation and layout are compiled into the model. The reduction to the
model's size is not: on the CPU plugin an antialiased resize inside the graph takes ten times as
long as OpenCV's area average and more, and a plain linear one skips pixels (models/README.md).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import openvino as ov
from numpy.typing import NDArray

from inspector.core.bundle import Input
from inspector.core.config import Detect
from inspector.core.errors import EngineerError, MaintainerError

Image = NDArray[np.uint8]  # (height, width, channels)
Scores = NDArray[np.float32]  # (rows, columns)


@dataclass(frozen=True)
class Inference:
    """What the model says of one image."""

    score: float
    heatmap: Scores


class Model(Protocol):
    """A loaded model. While one image is being inferred, the next can already be put."""

    def put(self, frame: Image) -> Image:
        """Reduce the frame into the input of the next inference; returns that input, (height,
        width, channels) uint8. The frame may be overwritten afterwards."""
        ...

    def start(self) -> None:
        """Begin the inference of what was put last. The one before must be finished."""
        ...

    def finish(self) -> Inference:
        """Wait for the result. Raises EngineerError when there is none."""
        ...


class Engine:
    """OpenVINO on one device."""

    def __init__(self, settings: Detect, cache: Path) -> None:
        self._core = ov.Core()
        self._device = settings.device
        self._options = {
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": "1",
            "CACHE_DIR": str(cache),
        }
        if settings.precision == "f32":
            self._options["INFERENCE_PRECISION_HINT"] = "f32"
        if settings.device == "CPU":
            self._options["INFERENCE_NUM_THREADS"] = str(settings.threads)

    def load(self, xml: Path, size: Input) -> "OpenVinoModel":
        """Compile the model in `xml`. Raises MaintainerError when it cannot be used here."""
        devices = self._core.available_devices
        if self._device.split(".")[0].split(":")[0] not in {*devices, "AUTO", "HETERO", "MULTI"}:
            raise MaintainerError(
                f"detect.device = {self._device!r}: OpenVINO finds {', '.join(devices)} here"
            )
        try:
            compiled = self._core.compile_model(str(xml), self._device, self._options)
        except RuntimeError as error:
            raise MaintainerError(
                f"{xml}: OpenVINO cannot read or compile it ({_first_line(error)})"
            ) from None
        return OpenVinoModel(compiled, size, xml)


class OpenVinoModel:
    """One compiled model with two requests in turn: one works while the other is being filled."""

    def __init__(self, compiled: ov.CompiledModel, size: Input, xml: Path) -> None:
        """Raises MaintainerError when inputs or outputs are not those of an anomaly bundle."""
        channels = 1 if size.pixel == "mono8" else 3
        shape = [1, size.height, size.width, channels]
        names = {name for output in compiled.outputs for name in output.names}
        if list(compiled.inputs[0].shape) != shape or not {"score", "heatmap"} <= names:
            raise MaintainerError(
                f"{xml}: wants {list(compiled.inputs[0].shape)} and gives {sorted(names)}; "
                f"its bundle promises input {shape} and outputs heatmap, score"
            )
        self._compiled = compiled  # an infer request must not outlive its model
        self._next, self._working = _Request(compiled), _Request(compiled)

    def put(self, frame: Image) -> Image:
        shrink_into(frame, self._next.input)
        return self._next.input

    def start(self) -> None:
        self._next, self._working = self._working, self._next
        self._working.request.start_async()

    def finish(self) -> Inference:
        try:
            self._working.request.wait()
        except RuntimeError as error:
            raise EngineerError(f"inference failed ({_first_line(error)})") from None
        return self._working.result()

    def infer(self, frame: Image) -> Inference:
        """`put`, `start` and `finish` in one."""
        self.put(frame)
        self.start()
        return self.finish()


class _Request:
    """One infer request and its memory."""

    def __init__(self, compiled: ov.CompiledModel) -> None:
        self.request = compiled.create_infer_request()
        self.input: Image = self.request.get_tensor(compiled.inputs[0]).data[0]
        self._score = self.request.get_tensor("score").data
        self._heatmap = self.request.get_tensor("heatmap").data

    def result(self) -> Inference:
        heatmap = np.array(self._heatmap, np.float32)
        return Inference(float(self._score.reshape(-1)[0]), heatmap.reshape(heatmap.shape[-2:]))


def shrink(frame: Image, size: Input) -> Image:
    """The frame, (height, width, 1 or 3) uint8, as an image of the model's input."""
    image = np.empty((size.height, size.width, 1 if size.pixel == "mono8" else 3), np.uint8)
    shrink_into(frame, image)
    return image


def shrink_into(frame: Image, image: Image) -> None:
    """`shrink`, into memory that is there."""
    small = reduce(frame, image.shape[1], image.shape[0])
    np.copyto(image, _in_channels(small, image.shape[2]))


def reduce(frame: Image, width: int, height: int) -> Image:
    """Area-average uint8 (rows, columns) or (rows, columns, channels) to `width` x `height`;
    enlarge linearly where it is smaller. Teaching and the line both use this one.

    One-pixel scratches survive averaging, while plain linear resizing steps over them. A frame
    four times as large or more is first reduced by whole steps, which OpenCV does several times
    as fast; that drops at most step - 1 rows and columns at the far edges.
    """
    frame = _by_whole_steps(frame, height, width)
    grows = frame.shape[0] < height or frame.shape[1] < width
    how = cv2.INTER_LINEAR if grows else cv2.INTER_AREA
    return np.asarray(cv2.resize(frame, (width, height), interpolation=how), np.uint8)


def _by_whole_steps(frame: Image, height: int, width: int) -> Image:
    down, across = frame.shape[0] // height, frame.shape[1] // width
    if min(down, across) < 4:
        return frame
    frame = frame[: frame.shape[0] // down * down, : frame.shape[1] // across * across]
    steps = (frame.shape[1] // across, frame.shape[0] // down)
    return np.asarray(cv2.resize(frame, steps, interpolation=cv2.INTER_AREA), np.uint8)


def _in_channels(image: cv2.typing.MatLike, channels: int) -> cv2.typing.MatLike:
    """Grey or colour as the model wants it, always with three axes."""
    has = 1 if image.ndim == 2 else image.shape[2]
    if has == 3 and channels == 1:
        image = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    elif has == 1 and channels == 3:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    return image[:, :, None] if image.ndim == 2 else image


def _first_line(error: Exception) -> str:
    """OpenVINO's own words, without the stack of source files it puts before them."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(("Exception from", "Check '"))]
    return (telling or lines or ["no reason given"])[-1][:200]
