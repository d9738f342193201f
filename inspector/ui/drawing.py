"""Frames as JPEG in the size that is asked for, and heatmaps as PNG to be laid over them.

Promises: never larger than the frame itself; where nothing is near the limit, a heatmap shows what
lies below it.
Never: opens a file but through OpenCV, or changes a frame.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.core.errors import EngineerError
from inspector.core.terms import Heatmap

Frame = NDArray[np.uint8]  # (height, width, channels)

cv2.setNumThreads(1)  # the cores are the line's

QUALITY = 85
NEAR = 0.75
FINER = 2  # times the heatmap's own grid; a browser smooths it further
FAST = [cv2.IMWRITE_PNG_COMPRESSION, 1]
# From just suspicious to as bad as it gets: BGR. Yellow to red, told apart by lightness, too.
RAMP = np.array([(60, 200, 255), (0, 120, 255), (0, 30, 220), (20, 0, 140)], np.float32)


def shrunk(frame: Frame, width: int) -> Frame:
    """The frame at most `width` pixels wide, always a copy."""
    height, found, _ = frame.shape
    if found <= width:
        return frame.copy()
    size = (width, max(1, round(height * width / found)))
    # Of a large frame only every nth row and column is looked at, still twice as many as are shown.
    step = max(1, found // (2 * width))
    coarse = np.ascontiguousarray(frame[::step, ::step]) if step > 1 else frame
    way = cv2.INTER_AREA if coarse.shape[1] >= 2 * width else cv2.INTER_LINEAR
    small = cv2.resize(coarse, size, interpolation=way)
    return np.asarray(small, np.uint8).reshape(size[1], size[0], -1)


def jpeg(frame: Frame, quality: int = QUALITY) -> bytes:
    """The frame as JPEG. Raises EngineerError."""
    done, data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise EngineerError(f"a frame of {frame.shape} cannot be encoded")
    return bytes(data.tobytes())


def decoded(data: bytes) -> Frame | None:
    """An image file's content as a frame, None when it is none."""
    if not data:
        return None
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    if image is None or image.dtype != np.uint8:
        return None
    if image.ndim == 3 and image.shape[2] == 4:
        image = image[:, :, :3]
    return np.asarray(image, np.uint8).reshape(*image.shape[:2], -1)


def heat(heatmap: Heatmap, review: float, fail: float) -> bytes | None:
    """The heatmap as a PNG with transparency; None when its data does not fit its size.

    Nothing is drawn below NEAR of `review`; from `fail` on it is drawn at its strongest.
    """
    if len(heatmap.data) != heatmap.width * heatmap.height:
        return None
    values = np.frombuffer(heatmap.data, np.uint8).reshape(heatmap.height, heatmap.width)
    scores = _finer(values).astype(np.float32) * (heatmap.scale / 255)
    low = NEAR * review
    strength = np.clip((scores - low) / max(fail - low, 1e-9), 0, 1)
    place = strength * (len(RAMP) - 1)
    below = np.minimum(place.astype(np.int32), len(RAMP) - 2)
    part = (place - below)[:, :, None]
    colour = RAMP[below] * (1 - part) + RAMP[below + 1] * part
    alpha = (strength**0.7 * 200)[:, :, None]
    image = np.concatenate([colour, alpha], axis=2).astype(np.uint8)
    done, data = cv2.imencode(".png", image, FAST)
    return bytes(data.tobytes()) if done else None


def _finer(values: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same values on a finer grid."""
    size = (values.shape[1] * FINER, values.shape[0] * FINER)
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_CUBIC), np.uint8)
