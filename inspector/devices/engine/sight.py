"""What the model sees of a frame: registered, reduced, in the model's channels.

Promises: what teaching saw is what the line sees, pixel by pixel: both use this room.
Never: infers, or keeps a frame.

The reduction is not compiled into the model: on the CPU plugin an antialiased resize inside the
graph takes ten times as long as OpenCV's area average and more, and a plain linear one skips
pixels (models/README.md).
"""

from dataclasses import dataclass
from math import atan2, ceil, degrees
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.core.bundle import BundleManifest, Input, Registration
from inspector.core.errors import MaintainerError
from inspector.devices.engine.upright import MATCH, Matrix, Upright

Image = NDArray[np.uint8]  # (height, width, channels)
Scores = NDArray[np.float32]  # (rows, columns)

KEPT = 512  # pixels of a frame's longer side, at least, from which a part is registered
FINEST = 96  # cells of the longer side of a heatmap that was brought back to the frame


@dataclass(frozen=True)
class Seen:
    """Where a view lies: `matrix` brings frame pixels to view pixels; None: it is the whole
    frame. `lost`: a part was to be registered, and was not found."""

    width: int
    height: int
    view: tuple[int, int] = (0, 0)  # width and height
    matrix: Matrix | None = None
    lost: bool = False


class Sight(Protocol):
    """How a bundle looks at frames."""

    def see(self, frame: Image, image: Image) -> Seen:
        """The view of `frame`, (rows, columns[, channels]) uint8, into `image`."""
        ...

    def back(self, heatmap: Scores, seen: Seen) -> Scores:
        """A heatmap of the view as one of the frame; 0 where the view does not reach."""
        ...


class Whole:
    """The whole frame, reduced."""

    def see(self, frame: Image, image: Image) -> Seen:
        shrink_into(frame, image)
        return Seen(frame.shape[1], frame.shape[0])

    def back(self, heatmap: Scores, seen: Seen) -> Scores:  # noqa: ARG002 - nothing was moved
        return heatmap


class Registered:
    """The part, turned upright, moved and cut out. Where it is not found: the whole frame."""

    def __init__(self, registration: Registration, template: Image) -> None:
        self._given = registration
        self._upright = Upright(template, registration.turn_deg)

    def see(self, frame: Image, image: Image) -> Seen:
        kept = kept_of(frame)
        low = self._low(kept)
        found = self._upright.pose(low)
        width, height = frame.shape[1], frame.shape[0]
        if found is None or found[1] < self._given.score:
            shrink_into(frame, image)
            return Seen(width, height, lost=True)
        size = (image.shape[1], image.shape[0])
        to_view = _chain(found[0], scaling(size[0] / self._upright.width))
        to_view = _chain(_between(kept, low), to_view)
        view = _warped(kept, to_view, size, self._across(kept) / max(size))
        np.copyto(image, _in_channels(view, image.shape[2]))
        step = _step(frame)
        return Seen(width, height, size, _chain(scaling(1 / step), to_view))

    def pose(self, frame: Image) -> tuple[float, float]:
        """How far the part is turned, in degrees, and its likeness to the template, -1..1; the
        likeness is -1 where there is no part. For teaching, which sets the limits of both."""
        found = self._upright.pose(self._low(kept_of(frame)))
        if found is None:
            return 0.0, -1.0
        matrix, likeness = found
        return degrees(atan2(float(matrix[1, 0]), float(matrix[0, 0]))), likeness

    def _across(self, kept: Image) -> float:
        """Pixels of `kept` along the view's longer side."""
        return float(max(kept.shape[:2]) * self._given.extent)

    def _low(self, kept: Image) -> Image:
        share = MATCH / self._across(kept)
        size = [max(1, round(side * share)) for side in (kept.shape[1], kept.shape[0])]
        return reduce(kept, *size)

    def back(self, heatmap: Scores, seen: Seen) -> Scores:
        if seen.matrix is None:
            return heatmap
        fine = min(FINEST, max(heatmap.shape) / self._given.extent)  # no coarser than it was
        share = fine / max(seen.width, seen.height)
        columns, rows = (max(1, round(side * share)) for side in (seen.width, seen.height))
        to_view = _chain(scaling(seen.width / columns, seen.height / rows), seen.matrix)
        to_cells = scaling(heatmap.shape[1] / seen.view[0], heatmap.shape[0] / seen.view[1])
        flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP  # peaks stay as high as they were
        return np.asarray(
            cv2.warpAffine(heatmap, _chain(to_view, to_cells), (columns, rows), flags=flags),
            np.float32,
        )


def registered(folder: Path, manifest: BundleManifest) -> Sight:
    """How the bundle in `folder` looks, as its manifest says. Raises MaintainerError for a
    template that is no image."""
    registration = manifest.registration
    if registration is None:
        return Whole()
    template = cv2.imread(str(folder / registration.template), cv2.IMREAD_UNCHANGED)
    if template is None:
        raise MaintainerError(f"{folder / registration.template}: is no image; install it again")
    return Registered(registration, np.asarray(template, np.uint8))


def kept_of(frame: Image) -> Image:
    """The frame by whole steps, with KEPT to twice as many pixels on its longer side."""
    return _by_step(frame, _step(frame))


def _step(frame: Image) -> int:
    return max(1, int(max(frame.shape[:2])) // KEPT)


def _by_step(image: Image, step: int) -> Image:
    """Averaged over squares of `step` pixels; at most step - 1 rows and columns are dropped."""
    if step == 1:
        return image
    rows, columns = image.shape[0] // step, image.shape[1] // step
    whole = image[: rows * step, : columns * step]
    return np.asarray(cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)


def _warped(
    kept: Image, to_view: Matrix, size: tuple[int, int], stride: float
) -> cv2.typing.MatLike:
    """The view, of `size`: sampled twice as fine and averaged where a view pixel covers more than
    one of `kept` (`stride`), so that a scratch of one pixel survives the turn."""
    step = max(1, ceil(stride / 2))
    source, fine = _by_step(kept, step), 2 if stride > step else 1
    matrix = _chain(_chain(scaling(step), to_view), scaling(fine))
    large, border = (size[0] * fine, size[1] * fine), cv2.BORDER_REFLECT_101
    view = cv2.warpAffine(source, matrix, large, flags=cv2.INTER_LINEAR, borderMode=border)
    return view if fine == 1 else cv2.resize(view, size, interpolation=cv2.INTER_AREA)


def scaling(by: float, down: float | None = None) -> Matrix:
    """From the pixels of a picture to those of the same picture resized."""
    other = by if down is None else down
    return np.array([[by, 0, (by - 1) / 2], [0, other, (other - 1) / 2]])


def _chain(first: Matrix, second: Matrix) -> Matrix:
    """`first`, then `second`."""
    turn = second[:, :2]
    return np.column_stack([turn @ first[:, :2], turn @ first[:, 2] + second[:, 2]])


def _between(image: Image, other: Image) -> Matrix:
    """From the pixels of `image` to those of `other`, the same picture in another size."""
    return scaling(other.shape[1] / image.shape[1], other.shape[0] / image.shape[0])


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
