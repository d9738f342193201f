"""A frame in a letterbox: its proportions kept, the rest filled with grey, as detectors are
trained; and the way back.

Promises: what is said of the model's picture comes back as shares of the frame, cut at its edges;
what lies wholly in the filling is dropped.
Never: infers, or keeps a frame.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from inspector.core.bundle import Input
from inspector.devices.engine.sight import Image, Scores, Seen, reduce, shrink
from inspector.domain.findings import Finding


@dataclass(frozen=True)
class Place:
    """Where the frame lies in the model's picture, in its pixels."""

    left: int
    top: int
    width: int
    height: int
    across: int  # the whole picture
    down: int


def place(width: int, height: int, across: int, down: int) -> Place:
    """A frame of `width` x `height` in the middle of a picture of `across` x `down`, as large as
    it fits. The odd pixel goes to the right and below, as Ultralytics and model_api have it."""
    share = min(across / width, down / height)
    inner = max(1, min(across, round(width * share))), max(1, min(down, round(height * share)))
    left, top = (across - inner[0]) // 2, (down - inner[1]) // 2
    return Place(left, top, *inner, across, down)


class Letterboxed:
    """A sight: the whole frame, in a letterbox."""

    def __init__(self, pad: int) -> None:
        self._pad = pad

    def see(self, frame: Image, image: Image) -> Seen:
        fill(frame, image, self._pad)
        return Seen(frame.shape[1], frame.shape[0], (image.shape[1], image.shape[0]))

    def back(self, heatmap: Scores, seen: Seen) -> Scores:
        return heatmap_back(heatmap, place(seen.width, seen.height, *seen.view))

    def named(self, found: Iterable[Finding], seen: Seen) -> tuple[Finding, ...]:
        """Findings of the view as those of the frame."""
        return findings_back(found, place(seen.width, seen.height, *seen.view))


def fitted(frame: Image, size: Input) -> Image:
    """The frame as an image of the model's input, in a letterbox where the input says so."""
    if size.fit == "stretch":
        return shrink(frame, size)
    image = np.empty((size.height, size.width, 1 if size.pixel == "mono8" else 3), np.uint8)
    fill(frame, image, size.pad)
    return image


def fill(frame: Image, image: Image, pad: int) -> Place:
    """The frame, (rows, columns, 1 or 3), into `image`, (rows, columns, 1 or 3)."""
    where = place(frame.shape[1], frame.shape[0], image.shape[1], image.shape[0])
    small = reduce(frame, where.width, where.height)
    small = small[:, :, None] if small.ndim == 2 else small
    if small.shape[2] != image.shape[2]:
        turned = cv2.COLOR_BGR2GRAY if small.shape[2] == 3 else cv2.COLOR_GRAY2BGR
        small = np.asarray(cv2.cvtColor(small, turned), np.uint8)
        small = small.reshape(where.height, where.width, -1)
    image[...] = pad
    below, right = where.top + where.height, where.left + where.width
    image[where.top : below, where.left : right] = small
    return where


def findings_back(found: Iterable[Finding], where: Place) -> tuple[Finding, ...]:
    """Findings of the model's picture as those of the frame."""
    moved = (_moved(finding, where) for finding in found)
    return tuple(one for one in moved if one.right > one.left and one.bottom > one.top)


def heatmap_back(heatmap: Scores, where: Place) -> Scores:
    """The cells that lie on the frame, if only with an edge."""
    rows, columns = heatmap.shape
    down, across = rows / where.down, columns / where.across
    top, left = int(where.top * down), int(where.left * across)
    bottom = -(-(where.top + where.height) * rows // where.down)
    right = -(-(where.left + where.width) * columns // where.across)
    return heatmap[top:bottom, left:right]


def _moved(finding: Finding, where: Place) -> Finding:
    left, right = (
        min(1.0, max(0.0, (edge * where.across - where.left) / where.width))
        for edge in (finding.left, finding.right)
    )
    top, bottom = (
        min(1.0, max(0.0, (edge * where.down - where.top) / where.height))
        for edge in (finding.top, finding.bottom)
    )
    return replace(finding, left=left, top=top, right=right, bottom=bottom)
