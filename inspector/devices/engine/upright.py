"""Where a part lies in a frame, and how it is turned against the picture it was taught with.

Promises: the same frame gives the same pose, at teaching and on the line; a part that is not like
the template enough has no pose at all.
Never: guesses a pose outside the turn that the bundle allows.

Found by its outline (what differs from the colour along the frame's border), turned by a circular
correlation of polar pictures about its centre, moved by a phase correlation. All on a picture of
about a hundred pixels a side, so it costs about a millisecond whatever the camera.
"""

from dataclasses import dataclass
from functools import reduce
from math import sqrt

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]  # (rows, columns) or (rows, columns, channels)
Matrix = NDArray[np.float64]  # (2, 3): a point of one picture in another

MATCH = 96  # pixels of the template's longer side
ANGLES, RADII = 256, 40
CONTRAST = 12  # grey levels between a part and its background
SMALLEST, LARGEST = 0.004, 0.9  # of the frame, by its outline
TRIED = 3  # highest peaks of the correlation
WORTH = 0.6  # of the highest peak: lower ones are not tried
APART = ANGLES // 18  # 20 degrees: nearer peaks are one


@dataclass(frozen=True)
class Part:
    """An outline: its filled mask (rows, columns) bool, its centre (x, y) and reach in pixels."""

    mask: NDArray[np.bool_]
    centre: tuple[float, float]
    reach: float  # farthest point of the outline from the centre
    cut: bool  # by the frame's edge


def find(image: Image) -> Part | None:
    """The largest area unlike the border's colour, or None where no part stands out."""
    away = _from_border(cv2.GaussianBlur(image, (3, 3), 0))
    level, mask = cv2.threshold(away, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    if level < CONTRAST:
        return None
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))  # threads, prints
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not outlines:
        return None
    outline = max(outlines, key=cv2.contourArea)
    share = cv2.contourArea(outline) / mask.size
    return _part(outline, mask.shape) if SMALLEST < share < LARGEST else None


def grey(image: Image) -> Image:
    """uint8 (rows, columns), whatever the channels."""
    if image.ndim == 2:
        return image
    if image.shape[2] == 1:
        return image[:, :, 0]
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)


def turn_about(centre: tuple[float, float], degrees: float, to: tuple[float, float]) -> Matrix:
    """Turns by `degrees`, as they count in pictures (y down), and brings `centre` to `to`."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = np.array([[cosine, -sine], [sine, cosine]])
    return np.column_stack([turn, np.asarray(to) - turn @ np.asarray(centre)])


class Upright:
    """The upright part, ready to be compared with."""

    def __init__(self, template: Image, turn_deg: float) -> None:
        """`template` is any size, (rows, columns) or with channels: the part as the model sees it.
        A part may be turned by `turn_deg` either way, 0 to 180."""
        share = MATCH / max(template.shape[:2])
        size = (round(template.shape[1] * share), round(template.shape[0] * share))
        self.width, self.height = size
        little = np.asarray(cv2.resize(template, size, interpolation=cv2.INTER_AREA), np.uint8)
        plain, part = grey(little), find(little)
        self.centre = part.centre if part else (size[0] / 2 - 0.5, size[1] / 2 - 0.5)
        near = part.mask if part else np.ones(plain.shape, bool)
        near = cv2.dilate(near.astype(np.uint8), np.ones((7, 7), np.uint8))
        self._near = near.astype(np.float32).ravel()
        self._count = float(self._near.sum())
        self._still = plain.astype(np.float32)
        self._contrast = _contrast(self._still.ravel(), self._near)
        self._window = cv2.createHanningWindow(size, cv2.CV_32F)
        self._rays = _rays((part.reach if part else MATCH / 2) * 1.1)
        self._spectrum = np.conj(self._polar(plain, self.centre))
        self._allowed = _within(turn_deg)

    def pose(self, low: Image) -> tuple[Matrix, float] | None:
        """From points of `low` to points of the template at MATCH pixels, and their likeness
        (-1..1). `low` has the template's scale. None where there is no part."""
        part = find(low)
        if part is None:
            return None
        plain = grey(low)
        tried = [self._aligned(plain, part.centre, angle) for angle in self._angles(plain, part)]
        return max(tried, key=lambda found: found[1])

    def _angles(self, plain: Image, part: Part) -> list[float]:
        """The likeliest turns back to upright, in degrees."""
        cross = (self._polar(plain, part.centre) * self._spectrum).sum(0)
        likely = np.where(self._allowed, np.fft.irfft(cross, ANGLES), -np.inf)
        found: list[float] = []
        highest = float(likely.max())
        worth = highest - (1 - WORTH) * abs(highest)
        for _ in range(TRIED):
            peak = int(np.argmax(likely))
            if likely[peak] < worth:
                break
            found.append(-(peak + _between(likely, peak)) * 360 / ANGLES)
            likely[(peak + np.arange(-APART, APART + 1)) % ANGLES] = -np.inf
        return found

    def _polar(self, plain: Image, centre: tuple[float, float]) -> NDArray[np.complex64]:
        """Spectra over the angle, a row a radius. Outer radii count more, they are longer."""
        across, down = self._rays[0] + np.float32(centre[0]), self._rays[1] + np.float32(centre[1])
        border = cv2.BORDER_REPLICATE  # beyond a picture's edge it goes on as it was
        picture = cv2.remap(plain, across, down, cv2.INTER_LINEAR, borderMode=border)
        picture = picture.astype(np.float32)
        picture -= picture.mean(1, keepdims=True)
        picture *= np.sqrt(np.arange(RADII, dtype=np.float32) + 0.5)[:, None]
        return np.asarray(np.fft.rfft(picture, axis=1), np.complex64)

    def _aligned(
        self, plain: Image, centre: tuple[float, float], degrees: float
    ) -> tuple[Matrix, float]:
        matrix = turn_about(centre, degrees, self.centre)
        turned = self._warped(plain, matrix)
        likeness = self._likeness(turned)
        # it multiplies its arguments by the window in place
        (right, down), _ = cv2.phaseCorrelate(self._still.copy(), turned, self._window)
        if max(abs(right), abs(down)) > MATCH / 8:
            return matrix, likeness
        moved = matrix - np.array([[0, 0, right], [0, 0, down]])
        better = self._likeness(self._warped(plain, moved))
        return (moved, better) if better > likeness else (matrix, likeness)

    def _warped(self, plain: Image, matrix: Matrix) -> NDArray[np.float32]:
        size = (self.width, self.height)
        turned = cv2.warpAffine(plain, matrix, size, borderMode=cv2.BORDER_REFLECT_101)
        return turned.astype(np.float32)

    def _likeness(self, turned: NDArray[np.float32]) -> float:
        """Normalised correlation about the part, -1..1."""
        values = turned.ravel()
        about = values * self._near
        total, squares = float(about.sum()), float(about @ values)
        spread = squares - total * total / self._count
        return float(self._contrast @ values) / sqrt(spread) if spread > 1e-3 else 0.0


def _rays(reach: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Offsets in x and y of the points of a polar picture: a row a radius, a column an angle."""
    radii = (np.arange(RADII, dtype=np.float32)[:, None] + 0.5) * np.float32(reach / RADII)
    turns = (np.arange(ANGLES) * 2 * np.pi / ANGLES).astype(np.float32)
    return radii * np.cos(turns), radii * np.sin(turns)


def _contrast(values: NDArray[np.float32], near: NDArray[np.float32]) -> NDArray[np.float32]:
    """Values about their mean where `near` is 1, 0 elsewhere, of length 1."""
    centred = (values - float(values @ near) / float(near.sum())) * near
    return np.asarray(centred / max(float(np.linalg.norm(centred)), 1e-6), np.float32)


def _from_border(image: cv2.typing.MatLike) -> cv2.typing.MatLike:
    """Largest difference of any channel to the median colour of the border. (rows, columns)."""
    away = [cv2.absdiff(plane, _border(plane)) for plane in cv2.split(image)]
    return reduce(cv2.max, away)


def _border(plane: cv2.typing.MatLike) -> cv2.typing.MatLike:
    """A plane of the median of the outermost two rows and columns."""
    sides = (plane[:2], plane[-2:], plane[:, :2], plane[:, -2:])
    return np.full_like(plane, np.median(np.concatenate([side.ravel() for side in sides])))


def _part(outline: cv2.typing.MatLike, shape: tuple[int, ...]) -> Part:
    moments = cv2.moments(outline)
    centre = (moments["m10"] / moments["m00"], moments["m01"] / moments["m00"])
    filled = np.zeros(shape, np.uint8)
    cv2.drawContours(filled, [outline], -1, 1, cv2.FILLED)
    points = outline.reshape(-1, 2)
    reach = float(np.hypot(*(points - np.asarray(centre)).T).max())
    low, high = points.min(0), points.max(0)
    cut = bool((low <= 1).any() or (high >= np.array(shape[::-1]) - 2).any())
    return Part(filled.astype(bool), centre, reach, cut)


def _within(turn_deg: float) -> NDArray[np.bool_]:
    """Which steps of the circle a part may be turned by."""
    steps = np.arange(ANGLES)
    away = np.minimum(steps, ANGLES - steps) * 360 / ANGLES
    return np.asarray(away <= turn_deg + 0.5 * 360 / ANGLES, bool)


def _between(values: NDArray[np.floating], peak: int) -> float:
    """Where a parabola through a peak and its neighbours is highest, -0.5..0.5."""
    left, top, right = (float(values[(peak + step) % len(values)]) for step in (-1, 0, 1))
    bend = left - 2 * top + right
    if not np.isfinite(bend) or bend >= 0:
        return 0.0
    return float(np.clip((left - right) / (2 * bend), -0.5, 0.5))
