"""Inference behind one seam: a frame goes in, a score and its grounds come out.

Promises: one model is compiled for latency, on the device, threads and precision of the
configuration, and its compiled form is cached; the input memory is the model's own, so nothing is
copied on the way in.
Never: decides; limits are the recipe's.
"""

from dataclasses import replace
from pathlib import Path
from typing import Protocol

import openvino as ov

from inspector.core.bundle import LOST, BundleManifest, Input
from inspector.core.bundle_folder import MODEL
from inspector.core.config import Detect
from inspector.core.errors import EngineerError, MaintainerError
from inspector.devices.engine.cache import cache_of, forget
from inspector.devices.engine.letterbox import Letterboxed
from inspector.devices.engine.reading import Inference, Reader, reader
from inspector.devices.engine.sight import Image, Seen, Sight, registered


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
        self._device, self._precision = settings.device, settings.precision
        self._cache = cache
        self._options = {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": "1"}
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
        cache = cache_of(manifest, self._cache)
        sight = Letterboxed(size.pad) if size.fit == "letterbox" else registered(folder, manifest)
        lost = LOST * manifest.limits.fail
        return OpenVinoModel(self._compile(xml, cache), size, xml, reader(manifest), sight, lost)

    def forget(self, manifest: BundleManifest) -> None:
        """Compile it anew the next time: what was kept of it may be damaged."""
        forget(manifest, self._cache)

    def identity(self) -> dict[str, str]:
        """What the scores of a model depend on besides itself: OpenVINO, device, precision and
        processor. Raises MaintainerError when there is no such device."""
        self._check_device()
        devices = self._core.available_devices
        used = [self._device] if self._device in devices else devices  # AUTO may choose any
        return {
            "openvino": str(ov.__version__),
            "device": self._device,
            "precision": self._precision,
            "processor": ", ".join(self._describe(name) for name in used),
        }

    def _describe(self, device: str) -> str:
        """Its name and the number formats it knows: virtual processors of one name differ."""
        try:
            name = self._core.get_property(device, "FULL_DEVICE_NAME")
            able = self._core.get_property(device, "OPTIMIZATION_CAPABILITIES")
        except RuntimeError as error:
            raise MaintainerError(
                f"detect.device = {self._device!r}: {device} cannot be asked ({_first_line(error)})"
            ) from None
        return f"{name} ({' '.join(sorted(able))})"

    def _check_device(self) -> None:
        devices = self._core.available_devices
        if self._device.split(".")[0].split(":")[0] not in {*devices, "AUTO", "HETERO", "MULTI"}:
            raise MaintainerError(
                f"detect.device = {self._device!r}: OpenVINO finds {', '.join(devices)} here"
            )

    def _compile(self, xml: Path, cache: Path) -> ov.CompiledModel:
        self._check_device()
        for kept in ({"CACHE_DIR": str(cache)}, {}):  # where nothing can be kept, nothing is
            try:
                return self._core.compile_model(str(xml), self._device, {**self._options, **kept})
            except RuntimeError as error:
                reason = _first_line(error)
        raise MaintainerError(f"{xml}: OpenVINO cannot read or compile it ({reason})")


class OpenVinoModel:
    """One compiled model with two requests in turn: one works while the other is being filled."""

    def __init__(
        self,
        compiled: ov.CompiledModel,
        size: Input,
        xml: Path,
        read: Reader,
        sight: Sight,
        lost: float,
    ) -> None:
        """`lost` is the least score of a view on which the part was not found.

        Raises MaintainerError when inputs or outputs are not those that its bundle promises."""
        channels = 1 if size.pixel == "mono8" else 3
        wanted = [f"u8 [1,{size.height},{size.width},{channels}]"]
        inputs = [_shown(one) for one in compiled.inputs]
        fixed = [one for one in compiled.outputs if one.partial_shape.is_static]
        names = {name for output in fixed for name in output.names}
        if inputs != wanted or not read.needs <= names:
            raise MaintainerError(
                f"{xml}: wants {', '.join(inputs)} and gives {', '.join(sorted(names))}; its "
                f"bundle promises input {wanted[0]} and outputs {', '.join(sorted(read.needs))}"
            )
        self._compiled = compiled  # an infer request must not outlive its model
        self._next = _Request(compiled, read, sight, lost)
        self._working = _Request(compiled, read, sight, lost)

    def put(self, frame: Image) -> Image:
        self._next.see(frame)
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

    def __init__(self, compiled: ov.CompiledModel, read: Reader, sight: Sight, lost: float) -> None:
        self.request = compiled.create_infer_request()
        self.input: Image = self.request.get_tensor(compiled.inputs[0]).data[0]
        self._read, self._sight, self._lost = read, sight, lost
        self._outputs = {name: self.request.get_tensor(name).data for name in read.needs}
        self._seen = Seen(0, 0)

    def see(self, frame: Image) -> None:
        self._seen = self._sight.see(frame, self.input)

    def result(self) -> Inference:
        """What the model says, with heatmap and findings where they lie in the frame. A part
        that was not found cannot pass, whatever the model says of the view."""
        said = self._read(self._outputs)
        if said.heatmap is not None:
            said = replace(said, heatmap=self._sight.back(said.heatmap, self._seen))
        if said.findings and isinstance(self._sight, Letterboxed):
            said = replace(said, findings=self._sight.named(said.findings, self._seen))
        return replace(said, score=max(said.score, self._lost)) if self._seen.lost else said


def _shown(port: ov.ConstOutput) -> str:
    """Type and shape, open sides as `?`."""
    return f"{port.element_type.get_type_name()} {port.partial_shape}"


def _first_line(error: Exception) -> str:
    """OpenVINO's own words, without the stack of source files it puts before them."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(("Exception from", "Check '"))]
    return (telling or lines or ["no reason given"])[-1][:200]
