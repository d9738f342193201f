"""What the model sees of a frame: registered, reduced, in the model's channels.

Promises: what teaching saw is what the line sees, pixel by pixel: both use this room.
Never: infers, or keeps a frame.

The reduction is not compiled into the model: on the CPU plugin an antialiased resize inside the
graph takes ten times as long as OpenCV's area average and more, and a plain linear one skips
pixels (models/README.md).
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.core.bundle import Input

Image = NDArray[np.uint8]  # (height, width, channels)


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
