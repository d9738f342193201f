"""Small pictures of parts for the report: the part, and the same with the heatmap over it.

Promises: at most SIDE pixels on a side, as JPEG; what lies below FAINT of the review limit stays
uncoloured; the outline of a mask is drawn where there is one.
Never: reads or writes a file.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Scores = NDArray[np.float32]
Rectangle = tuple[int, int, int, int]  # x, y, width, height in the frame

SIDE = 240
QUALITY = 82
FAINT = 0.75
OUTLINE = (255, 220, 0)  # BGR, light blue: seen on dark and on the heatmap's red


def picture(frame: Image) -> bytes:
    """The frame, (height, width, 1 or 3) uint8, as a small JPEG."""
    return _packed(_small(frame))


def overlay(
    frame: Image,
    heatmap: Scores,
    region: Rectangle,
    review: float,
    fail: float,
    mask: NDArray[np.bool_] | None = None,
) -> bytes:
    """The same with the heatmap in colour: faint from FAINT of the review limit, full at `fail`."""
    small = _small(frame)
    height, width = small.shape[:2]
    heat = np.zeros(frame.shape[:2], np.float32)
    x, y, wide, high = region
    heat[y : y + high, x : x + wide] = cv2.resize(heatmap, (wide, high))
    heat = np.asarray(cv2.resize(heat, (width, height), interpolation=cv2.INTER_AREA), np.float32)
    start = FAINT * review
    strength = np.clip((heat - start) / max(fail - start, 1e-9), 0, 1)
    shade = np.clip(255 * (0.35 + 0.5 * strength), 0, 255).astype(np.uint8)
    colour = cv2.applyColorMap(shade, cv2.COLORMAP_INFERNO)
    alpha = (0.7 * np.sqrt(strength))[..., None]
    mixed = np.asarray(small * (1 - alpha) + colour * alpha).astype(np.uint8)
    if mask is not None:
        _outline(mixed, mask)
    return _packed(mixed)


def _outline(image: Image, mask: NDArray[np.bool_]) -> None:
    size = (image.shape[1], image.shape[0])
    small = cv2.resize(mask.astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA)
    found, _ = cv2.findContours(
        (small > 0).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    cv2.drawContours(image, found, -1, OUTLINE, 1, cv2.LINE_AA)


def _small(frame: Image) -> Image:
    """In three channels, the longer side at most SIDE."""
    share = min(1.0, SIDE / max(frame.shape[:2]))
    size = (max(1, round(frame.shape[1] * share)), max(1, round(frame.shape[0] * share)))
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    colour = (
        small
        if small.ndim == 3 and small.shape[2] == 3
        else cv2.cvtColor(small, cv2.COLOR_GRAY2BGR)
    )
    return np.asarray(colour, np.uint8)


def _packed(image: Image) -> bytes:
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    assert done  # an encoder in memory has nothing to fail at
    return data.tobytes()
