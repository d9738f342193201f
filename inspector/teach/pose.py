"""How the parts lie in the good images, and the picture to turn and move them onto.

Promises: what comes out is a proposal with its reason; whether it helps is for the pipeline to
measure. The same images give the same proposal.
Never looks at a defect.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from inspector.core.bundle import Input, Registration
from inspector.teach.eyes import Eyes, Image, Part, Posing, view

TEMPLATE = "template/00.png"

SMALL = 128  # pixels of the longer side on which parts are found
SQUARE = 256  # of the first, square template
FOUND = 0.95  # of the images must show a whole part
ALIKE = 0.35  # largest spread of the parts' size, relative
MARGIN = 0.08  # around the part, of the view's sides
ROUNDS = 3  # of averaging the parts that lie best upon the last average
LIKE = 0.8  # median likeness below which parts are no copies of one another
FREE = 60.0  # degrees: parts turned farther than this may lie anyhow
STEP = 32  # the backbone takes sides that are multiples of this


class Posed(Struct, frozen=True):
    """A way of registering, and what was found of the parts' poses."""

    registration: Registration
    template: Image
    width: int
    height: int
    near: NDArray[np.bool_]  # (rows, columns) of the view: where parts lie
    turned: float  # degrees, largest turn seen away from the mean
    moved: float  # of the frame's longer side, largest move seen away from the mean
    likeness: float  # median


class Nothing(Struct, frozen=True):
    """No registration, and why."""

    reason: str


def parts(frames: Sequence[Image], eyes: Eyes) -> list[Part | None]:
    """The part in each frame, on a picture of SMALL pixels; None where none stands out whole."""
    found = [eyes.find(small(frame)) for frame in frames]
    return [None if part is None or part.cut else part for part in found]


def small(frame: Image) -> Image:
    """At most SMALL pixels on a side."""
    share = SMALL / max(frame.shape[:2])
    size = [max(1, round(side * share)) for side in (frame.shape[1], frame.shape[0])]
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)


def missing(found: Sequence[Part | None]) -> str | None:
    """Why these parts cannot be registered, or None where they can."""
    whole = [part for part in found if part is not None]
    if len(whole) < FOUND * len(found):
        return f"a part stands out whole on {len(whole)} of {len(found)} images only"
    sizes = np.sqrt([part.mask.sum() for part in whole])
    if sizes.std() > ALIKE * sizes.mean():
        return "the parts differ too much in size"
    return None


def propose(
    frames: Sequence[Image],
    found: Sequence[Part | None],
    eyes: Eyes,
    size: Input,
    turns: bool,
) -> Posed | Nothing:
    """Parts turned upright (`turns`) or only moved. `size` says the channels and, by its area,
    how many pixels the view may have."""
    whole = [index for index, part in enumerate(found) if part is not None]
    frames, outlines = [frames[i] for i in whole], [p for p in found if p is not None]
    extent = 2.2 * max(part.reach for part in outlines) / SMALL
    template = _cut_out(frames, outlines, extent)
    turn = 180.0 if turns else 0.0
    for _ in range(ROUNDS):
        first = _sight(eyes, template, extent, turn, 0.0)
        template = _mean(first, frames, _square(size))
    angles = np.array([first.pose(frame)[0] for frame in frames])
    spread, middle = _spread(angles)
    if turns and spread < FREE:
        turn, template = min(180.0, 1.5 * spread + 5), _turned(template, -middle)
    elif turns:
        template = _turned(template, _lengthwise(template, eyes))
    return _framed(frames, outlines, eyes, size, template, extent, turn, spread)


def _framed(
    frames: Sequence[Image],
    outlines: Sequence[Part],
    eyes: Eyes,
    size: Input,
    template: Image,
    extent: float,
    turn: float,
    spread: float,
) -> Posed | Nothing:
    """Cut the square template down to the part and measure how well the frames fit it."""
    square = _sight(eyes, template, extent, turn, 0.0)
    union = _union(square, frames, eyes, _square(size))
    if union is None:
        return Nothing("no outline is left once the parts lie upon one another")
    template, union, share = _cropped(template, union)
    extent *= share
    width, height = _sides(template.shape[1], template.shape[0], size)
    shape = Input(width=width, height=height, pixel=size.pixel)
    cut = _sight(eyes, template, extent, turn, 0.0)
    template = _mean(cut, frames, shape)
    last = _sight(eyes, template, extent, turn, 0.0)
    likeness = np.array([last.pose(frame)[1] for frame in frames])
    median, lowest = float(np.median(likeness)), float(likeness.min())
    if median < LIKE:
        return Nothing(f"the parts are too unlike one another (likeness {median:.2f})")
    score = float(np.clip(lowest - max(0.1, 2 * (median - lowest)), 0.2, 0.9))
    near = cv2.resize(union.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    return Posed(
        registration=_registration(extent, turn, score),
        template=template,
        width=width,
        height=height,
        near=near.astype(bool),
        turned=spread,
        moved=_moved(outlines),
        likeness=median,
    )


def _registration(extent: float, turn: float, score: float) -> Registration:
    extent = round(min(2.0, extent), 4)
    return Registration(
        template=TEMPLATE, extent=extent, turn_deg=round(turn, 1), score=round(score, 3)
    )


def _sight(eyes: Eyes, template: Image, extent: float, turn: float, score: float) -> Posing:
    return eyes.registered(_registration(extent, turn, score), template)


def _square(size: Input) -> Input:
    return Input(width=SQUARE, height=SQUARE, pixel=size.pixel)


def _cut_out(frames: Sequence[Image], outlines: Sequence[Part], extent: float) -> Image:
    """The part of middling size, as it lies, in the middle of a square."""
    areas = [part.mask.sum() for part in outlines]
    index = int(np.argsort(areas)[len(areas) // 2])
    frame, (x, y) = frames[index], outlines[index].centre
    zoom = SQUARE / (extent * max(frame.shape[:2]))
    step = max(frame.shape[:2]) / SMALL
    matrix = np.array(
        [[zoom, 0, SQUARE / 2 - zoom * x * step], [0, zoom, SQUARE / 2 - zoom * y * step]]
    )
    size = (SQUARE, SQUARE)
    cut = cv2.warpAffine(
        frame, matrix, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(cut, np.uint8)


def _mean(sight: Posing, frames: Sequence[Image], size: Input) -> Image:
    """The mean view of the better half, uint8 (height, width, channels)."""
    likeness = np.array([sight.pose(frame)[1] for frame in frames])
    better = np.nonzero(likeness >= np.median(likeness))[0].tolist()
    total = np.zeros(1, np.float32)
    for index in better:
        total = total + view(sight, frames[index], size)[0]
    return np.asarray(np.rint(total / len(better)), np.uint8)


def _spread(angles: NDArray[np.float64]) -> tuple[float, float]:
    """Largest distance from the mean direction, and that mean, in degrees."""
    turns = np.exp(1j * np.radians(angles))
    middle = turns.mean()
    if abs(middle) < 0.1:
        return 180.0, 0.0
    away = np.degrees(np.abs(np.angle(turns / middle)))
    return float(away.max()), float(np.degrees(np.angle(middle)))


def _turned(template: Image, degrees: float) -> Image:
    """About its middle, by so many degrees as they count in pictures (y down)."""
    middle = (template.shape[1] / 2 - 0.5, template.shape[0] / 2 - 0.5)
    matrix = cv2.getRotationMatrix2D(middle, -degrees, 1)
    size = (template.shape[1], template.shape[0])
    turned = cv2.warpAffine(template, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    return turned.reshape(template.shape)


def _lengthwise(template: Image, eyes: Eyes) -> float:
    """Degrees that bring a long part to lie along the rows; 0 for one that is about as wide."""
    part = eyes.find(template)
    if part is None:
        return 0.0
    rows, columns = np.nonzero(part.mask)
    values, axes = np.linalg.eigh(np.cov(np.stack([columns, rows])))
    if values[1] < 1.5 * values[0]:
        return 0.0
    return -float(np.degrees(np.arctan2(axes[1, 1], axes[0, 1])))


def _union(
    sight: Posing, frames: Sequence[Image], eyes: Eyes, size: Input
) -> NDArray[np.bool_] | None:
    """Where a tenth of the parts or more lie in the view."""
    total, seen = np.zeros((size.height, size.width)), 0
    for frame in frames:
        part = eyes.find(view(sight, frame, size)[0])
        if part is not None:
            total, seen = total + part.mask, seen + 1
    union = total >= max(1.0, 0.1 * seen)
    return union if seen and union.any() else None


def _cropped(template: Image, union: NDArray[np.bool_]) -> tuple[Image, NDArray[np.bool_], float]:
    """Template and union about the part, and what share of the longer side is left."""
    rows, columns = np.nonzero(union.any(1))[0], np.nonzero(union.any(0))[0]
    rim = MARGIN * max(np.ptp(rows), np.ptp(columns)) + 2
    top, left = (max(0, int(axis[0] - rim)) for axis in (rows, columns))
    bottom, right = (
        min(side, int(axis[-1] + rim + 1))
        for axis, side in zip((rows, columns), union.shape, strict=True)
    )
    box = np.s_[top:bottom, left:right]
    return template[box], union[box], max(bottom - top, right - left) / max(union.shape)


def _sides(width: int, height: int, size: Input) -> tuple[int, int]:
    """Sides in multiples of STEP, in about these proportions, of at most the area of `size`."""
    area = size.width * size.height
    best = min(
        (
            (abs(np.log(across * height / (down * width))) + 0.7 * np.log(area / (across * down))),
            across,
            down,
        )
        for across in range(2 * STEP, 1025, STEP)
        for down in range(2 * STEP, 1025, STEP)
        if across * down <= area
    )
    return best[1], best[2]


def _moved(outlines: Sequence[Part]) -> float:
    centres = np.array([part.centre for part in outlines])
    return float(np.hypot(*(centres - centres.mean(0)).T).max()) / SMALL
