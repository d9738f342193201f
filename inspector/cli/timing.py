"""How fast and how truly a bundle's model runs on each device of this box.

Promises: what is timed is what the line does with a frame, from the frame to the inference's end;
parity is that of `procedures.proof`, through the same engine.
Never: judges what it finds.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from msgspec import Struct

from inspector.cli.summary import spread
from inspector.core.bundle_folder import MODEL
from inspector.core.config import Detect
from inspector.core.errors import InspectorError
from inspector.core.terms import FrameFormat, Pixel
from inspector.devices import box
from inspector.devices.accelerators import Accelerator
from inspector.devices.bundles import Bundle
from inspector.devices.engine import Engine, Image, OpenVinoModel
from inspector.procedures.proof import image, show

WARM_UP = 10
INFERENCES = 200
LONGEST_S = 4.0  # a slow model is timed less often


class Measured(Struct, frozen=True):
    """One model on one device. Milliseconds from the frame to the end of the inference; MiB;
    `difference` is the largest of the references. `problem`: why there is nothing else."""

    device: str
    precision: str  # that the configuration calls it: f32, auto
    runs_as: str  # f32, bf16, f16
    stored: str  # INT8 where the model was quantised, else FP
    look: str  # first, second
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    difference: float = 0.0
    memory_mb: int = 0
    problem: str = ""


def variants(devices: list[Accelerator], chosen: Detect) -> Iterator[tuple[Detect, str]]:
    """Every device at every precision it offers, with what that runs as; `chosen` comes first."""
    offers = [(one, "f32", "f32") for one in devices]
    offers += [(one, "auto", one.preferred) for one in devices if one.preferred not in ("f32", "")]
    found = [
        (Detect(device=one.name, threads=chosen.threads, precision=_precision(name)), runs_as)
        for one, name, runs_as in offers
    ]
    own = [runs_as for settings, runs_as in found if settings == chosen]
    yield chosen, own[0] if own else chosen.precision
    yield from ((settings, runs_as) for settings, runs_as in found if settings != chosen)


def measure(
    bundle: Bundle, settings: Detect, runs_as: str, cache: Path, frame: Image, second: bool = False
) -> Measured:
    """Load, time and prove. What cannot be loaded here is told as its problem."""
    look = "second" if second else "first"
    stored = _stored(bundle, second)
    before = box.resident()
    try:
        model = Engine(settings, cache).load(bundle.folder, bundle.manifest, second=second)
        times = _times(model, frame)
        took = box.resident() - before
        shown = show(bundle, model, "second" if second else "first")
    except InspectorError as error:
        return Measured(
            settings.device, settings.precision, runs_as, stored, look, problem=str(error)
        )
    found = spread(times)
    return Measured(
        device=settings.device,
        precision=settings.precision,
        runs_as=runs_as,
        stored=stored,
        look=look,
        p50_ms=found.p50,
        p99_ms=found.p99,
        difference=max(one.difference for one in shown),
        memory_mb=max(0, took) // box.MIB,
    )


def frame_for(bundle: Bundle, format: FrameFormat | None) -> Image:
    """A part as the camera would give it: a reference of the bundle, in the camera's format.

    Raises MaintainerError when the reference cannot be read.
    """
    frame = image(bundle.folder / bundle.manifest.proof.references[0].image)
    if format is None:
        return frame
    scaled = cv2.resize(frame, (format.width, format.height), interpolation=cv2.INTER_CUBIC)
    planes = scaled.reshape(format.height, format.width, -1)
    if format.pixel is Pixel.MONO8:
        planes = planes[:, :, :1]
    return np.ascontiguousarray(np.broadcast_to(planes, format.shape), np.uint8)


def _precision(name: str) -> Literal["f32", "auto"]:
    return "auto" if name == "auto" else "f32"


def _stored(bundle: Bundle, second: bool) -> str:
    look = bundle.manifest.second if second else None
    text = (bundle.folder / (look.model if look else MODEL)).read_bytes()
    return "INT8" if b'"FakeQuantize"' in text else "FP"


def _times(model: OpenVinoModel, frame: Image) -> list[float]:
    """Milliseconds of each of up to INFERENCES."""
    for _ in range(WARM_UP):
        model.infer(frame)
    times: list[float] = []
    until = time.perf_counter() + LONGEST_S
    while len(times) < INFERENCES and (len(times) < WARM_UP or time.perf_counter() < until):
        began = time.perf_counter()
        model.infer(frame)
        times.append(1000 * (time.perf_counter() - began))
    return times
