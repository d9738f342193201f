"""Which of the station's pictures a quantised model is calibrated with, and which judge it.

Promises: no picture does both, nor does a copy or a near-copy of it: of those that look alike to
the model only one is used at all. The same pictures and seed give the same split.
Never: reads a file.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspector.core.errors import OperatorError

Image = NDArray[np.uint8]

ALIKE = 0.5  # mean difference in grey levels up to which two pictures are one
THUMB = 32  # pixels a side in which they are compared first
FEWEST = 10  # pictures on either side of the split
MOST = 300  # to calibrate with; more change nothing


@dataclass(frozen=True)
class Sample:
    """A picture as the model sees it, (height, width, channels), and its label; None: unknown."""

    number: int  # in the order given
    view: Image
    label: str | None


@dataclass(frozen=True)
class Split:
    """Two sets without a common picture."""

    calibration: tuple[Sample, ...]
    validation: tuple[Sample, ...]
    copies: int  # pictures left out, since another looks the same


def split(samples: Sequence[Sample], seed: int, normal: str | None = None) -> Split:
    """Half of each label's pictures to calibrate with, the other half to validate. `normal`: only
    this label calibrates, and all others validate, as for a model of good parts.

    Raises OperatorError where either set is too small.
    """
    own = distinct(samples)
    rng = np.random.default_rng(seed)
    calibration: list[Sample] = []
    for label in sorted({sample.label for sample in own}, key=str):
        same = [sample for sample in own if sample.label == label]
        if normal is None or label == normal:
            chosen = rng.permutation(len(same))[: len(same) // 2]
            calibration += [same[number] for number in sorted(chosen)]
    calibration = calibration[:: max(1, -(-len(calibration) // MOST))]
    used = {sample.number for sample in calibration}
    validation = [sample for sample in own if sample.number not in used]
    for name, found in (("calibrate", calibration), ("validate", validation)):
        if len(found) < FEWEST:
            raise OperatorError(
                f"{len(found)} different pictures to {name} with, of {len(samples)} given; "
                f"{FEWEST} are needed, so give at least {2 * FEWEST} of different parts"
            )
    return Split(tuple(calibration), tuple(validation), len(samples) - len(own))


def distinct(samples: Sequence[Sample]) -> list[Sample]:
    """The first of any that look alike, in their order."""
    kept: list[Sample] = []
    thumbs = np.empty((0, THUMB * THUMB), np.float32)
    for sample in samples:
        thumb = _thumb(sample.view)
        near = np.flatnonzero(np.abs(thumbs - thumb).mean(1) <= ALIKE)
        if any(_alike(kept[number].view, sample.view) for number in near):
            continue
        kept.append(sample)
        thumbs = np.concatenate([thumbs, thumb[None]])
    return kept


def _alike(one: Image, other: Image) -> bool:
    return float(np.abs(one.astype(np.int16) - other).mean()) <= ALIKE


def _thumb(view: Image) -> NDArray[np.float32]:
    """Means of THUMB x THUMB blocks: two pictures differ by these no more than by their pixels,
    where the sides are multiples of THUMB; else every so many pixels. [THUMB * THUMB]."""
    grey = view.mean(2, dtype=np.float32)
    rows = np.linspace(0, grey.shape[0], THUMB, endpoint=False).astype(int)
    columns = np.linspace(0, grey.shape[1], THUMB, endpoint=False).astype(int)
    sums = np.add.reduceat(np.add.reduceat(grey, rows, 0), columns, 1)
    cells = np.add.reduceat(np.add.reduceat(np.ones_like(grey), rows, 0), columns, 1)
    return np.asarray((sums / cells).reshape(-1), np.float32)
