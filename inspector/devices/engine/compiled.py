"""Inference behind one seam: a frame goes in, a score and its grounds come out.

Promises: one model is compiled for latency, on the device, threads and precision of the
configuration, and its compiled form is cached; the input memory is the model's own, so nothing is
copied on the way in.
Never: decides; limits are the recipe's.
"""

from pathlib import Path
from typing import Protocol

import openvino as ov

from inspector.core.bundle import BundleManifest, Input
from inspector.core.bundle_folder import MODEL
from inspector.core.config import Detect
from inspector.core.errors import EngineerError, MaintainerError
from inspector.devices.engine.reading import Inference, Reader, reader
from inspector.devices.engine.sight import Image, shrink_into


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

    def load(self, folder: Path, manifest: BundleManifest, second: bool = False) -> "OpenVinoModel":
        """Compile a bundle's model, or that of its second look, and read its outputs by its task.

        Raises MaintainerError when it cannot be used here.
        """
        look = manifest.second if second else None
        xml = folder / (look.model if look else MODEL)
        size = look.input if look else manifest.input
        return OpenVinoModel(self._compile(xml), size, xml, reader(manifest))

    def _compile(self, xml: Path) -> ov.CompiledModel:
        devices = self._core.available_devices
        if self._device.split(".")[0].split(":")[0] not in {*devices, "AUTO", "HETERO", "MULTI"}:
            raise MaintainerError(
                f"detect.device = {self._device!r}: OpenVINO finds {', '.join(devices)} here"
            )
        try:
            return self._core.compile_model(str(xml), self._device, self._options)
        except RuntimeError as error:
            raise MaintainerError(
                f"{xml}: OpenVINO cannot read or compile it ({_first_line(error)})"
            ) from None


class OpenVinoModel:
    """One compiled model with two requests in turn: one works while the other is being filled."""

    def __init__(self, compiled: ov.CompiledModel, size: Input, xml: Path, read: Reader) -> None:
        """Raises MaintainerError when inputs or outputs are not those that its bundle promises."""
        channels = 1 if size.pixel == "mono8" else 3
        shape = [1, size.height, size.width, channels]
        names = {name for output in compiled.outputs for name in output.names}
        if list(compiled.inputs[0].shape) != shape or not read.needs <= names:
            raise MaintainerError(
                f"{xml}: wants {list(compiled.inputs[0].shape)} and gives {sorted(names)}; "
                f"its bundle promises input {shape} and outputs {', '.join(sorted(read.needs))}"
            )
        self._compiled = compiled  # an infer request must not outlive its model
        self._next, self._working = _Request(compiled, read), _Request(compiled, read)

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

    def __init__(self, compiled: ov.CompiledModel, read: Reader) -> None:
        self.request = compiled.create_infer_request()
        self.input: Image = self.request.get_tensor(compiled.inputs[0]).data[0]
        self._read = read
        self._outputs = {name: self.request.get_tensor(name).data for name in read.needs}

    def result(self) -> Inference:
        return self._read(self._outputs)


def _first_line(error: Exception) -> str:
    """OpenVINO's own words, without the stack of source files it puts before them."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(("Exception from", "Check '"))]
    return (telling or lines or ["no reason given"])[-1][:200]
