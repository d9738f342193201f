"""The words that the rooms of `adopt` share: a model as it came, and how it wants its pixels.

Promises: what one room hands to another is defined here, once.
Never: reads a file, builds a graph.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from inspector.core.bundle import Task
from inspector.core.errors import MaintainerError

Image = NDArray[np.uint8]  # (height, width, channels), BGR where there are three
Floats = NDArray[np.float32]
Tensors = dict[str, NDArray[Any]]  # a bundle's outputs by name
Colours = Literal["rgb", "bgr"]
Pixel = Literal["mono8", "bgr8"]
Fit = Literal["stretch", "letterbox"]

ULTRALYTICS = frozenset({"yolo-detect", "yolo-segment", "yolo-classify"})
KINDS = (
    "anomalib",
    "yolo-detect",
    "yolo-segment",
    "yolo-classify",
    "geti-anomaly",
    "geti-detect",
    "geti-segment",
    "geti-classify",
)


@dataclass(frozen=True)
class Asked:
    """What the person said on the command line; None or empty: as the model itself says."""

    kind: str = "auto"
    classes: tuple[str, ...] = ()
    size: tuple[int, int] | None = None  # height, width
    pixel: Pixel | None = None
    colours: Colours | None = None
    mean: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()


@dataclass(frozen=True)
class Source:
    """A model as it came, with one input of fixed size."""

    path: Path
    sha256: str
    model: ov.Model
    notes: Mapping[str, str]  # its metadata, flat: "model_info/labels", "names", "export/min", ...
    layout: Literal["NCHW", "NHWC"]
    height: int
    width: int
    channels: int

    def refuse(self, why: str) -> MaintainerError:
        """The one line that says why this model cannot be taken."""
        return MaintainerError(f"{self.path}: {why}")

    def given(self, key: str) -> str | None:
        """The value of `model_info/KEY`, where it says anything."""
        value = self.notes.get(f"model_info/{key}", "").strip()
        return None if value in ("", "None") else value

    @property
    def outputs(self) -> str:
        """Names and shapes of all outputs, for a person."""
        return ", ".join(
            f"{name_of(output) or number} {output.partial_shape}"
            for number, output in enumerate(self.model.outputs)
        )


@dataclass(frozen=True)
class Pixels:
    """How the model's numbers follow from a picture: order of colours, then (x - mean) / scale,
    on 0..255. `fit` and `pad` are kept in front of the model."""

    colours: Colours = "rgb"
    mean: tuple[float, ...] = (0.0,)
    scale: tuple[float, ...] = (1.0,)
    fit: Fit = "stretch"
    pad: int = 114


@dataclass(frozen=True)
class Thresholds:
    """Where an anomaly model's own threshold lies: `score` says 1.0 there."""

    image: float = 0.5
    image_range: float = 1.0
    pixel: float = 0.5
    pixel_range: float = 1.0


@dataclass(frozen=True)
class Facts:
    """What is known of a model from its metadata and from the person."""

    kind: str
    pixels: Pixels
    classes: tuple[str, ...] = ()
    thresholds: Thresholds | None = None  # of a raw anomaly map
    confidence: float | None = None  # the export's own threshold
    multilabel: bool = False
    remarks: tuple[str, ...] = field(default=())


class Head(Protocol):
    """What stands behind the model: its outputs as those of a bundle. Twice, independently."""

    @property
    def task(self) -> Task: ...

    @property
    def classes(self) -> tuple[str, ...]: ...

    def graph(self, outputs: Sequence[ov.Output]) -> dict[str, ov.Output]:
        """The bundle's outputs as nodes on top of the model's."""
        ...

    def plain(self, outputs: Sequence[NDArray[Any]]) -> Tensors:
        """The same in numpy, from the arrays the original model gave."""
        ...


def name_of(output: ov.Output) -> str:
    """An output's name, empty where the exporter gave it none."""
    return str(next(iter(sorted(output.names)), ""))


def lacking(source: Source, key: str, remedy: str) -> MaintainerError:
    """The refusal for metadata that is not there."""
    return source.refuse(f"its metadata lacks {key}; {remedy}")


def named(source: Source, classes: tuple[str, ...], count: int) -> tuple[str, ...]:
    """The class names, proven to be `count`. Raises MaintainerError."""
    if not classes:
        raise source.refuse(f"names none of its {count} classes; give --classes with {count} names")
    if len(classes) != count:
        raise source.refuse(
            f"has {count} classes, but {len(classes)} names are given ({_few(classes)}); "
            f"give --classes with {count} names"
        )
    return classes


def _few(names: tuple[str, ...]) -> str:
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
