"""From a model's output tensors to what they say, one reader a task.

Promises: a reader names the outputs it needs, copies what it keeps, and says 0..1 shares of the
inspected region whatever the model's own size is.
Never: decides what counts; that is the recipe's, in `domain.findings`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inspector.core.bundle import BundleManifest
from inspector.core.errors import MaintainerError
from inspector.domain.findings import Finding

Scores = NDArray[np.float32]  # (rows, columns)
Outputs = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Inference:
    """What the model says of one image: a score and, by its task, where or what."""

    score: float  # of an anomaly; else the highest confidence of any finding
    heatmap: Scores | None = None
    findings: tuple[Finding, ...] | None = None  # None: the model names nothing


class Reader(Protocol):
    """Reads the outputs of one task."""

    needs: frozenset[str]

    def __call__(self, outputs: Outputs) -> Inference: ...


class AnomalyReader:
    """`score` [1] and `heatmap` [1,rows,columns]."""

    needs = frozenset({"score", "heatmap"})

    def __call__(self, outputs: Outputs) -> Inference:
        heatmap = np.array(outputs["heatmap"], np.float32)
        return Inference(
            float(outputs["score"].reshape(-1)[0]), heatmap.reshape(heatmap.shape[-2:])
        )


def reader(manifest: BundleManifest) -> Reader:
    """The reader for the manifest's task."""
    if manifest.task == "anomaly":
        return AnomalyReader()
    raise MaintainerError(f"{manifest.id}: task {manifest.task!r} cannot be read yet")
