"""Which of the good images should not be taught from, and why.

Promises: every image that is set aside is named with its reason; where too many would be, the
whole set is refused in one line. The same images give the same answer.
Never looks at features: what needs the backbone is `choose`.
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from inspector.core.errors import OperatorError
from inspector.teach.images import FEWEST, Image, Picture, named

Map = NDArray[np.float32]  # grey values (rows, columns)

TOLERATED = 0.2  # share of the images that may be set aside
SAME = 0.35  # grey levels between two shots of one part, once noise is averaged out
NOISE = 2.0  # pixels of the average, which leaves 0.14 of white noise
STRUCTURE = 2.0  # grey levels: a surface without any looks the same on every part
REPEATED = 0.5  # share of repeats from which a set is refused
ENOUGH = 20  # different parts, however many repeats there are besides
WHITE, NOISY = 0.2, 1.5  # of the difference, and grey levels: what noise may leave at most
BLURRED = 4.0  # times less detail than the median image has
SPREADS = 5.0  # robust deviations in the logarithm of detail, too
BRIGHT = 200  # grey levels that a good image's darkest parts stay below
DIM = 0.35  # of the others' brightest parts


class Aside(Struct, frozen=True):
    """One image that is not taught from."""

    path: Path
    reason: str


def screened(pictures: Sequence[Picture]) -> tuple[list[Picture], list[Aside]]:
    """The pictures to teach from, and those set aside.

    Raises OperatorError where too few would be left or too many set aside.
    """
    greys = [_grey(picture.whole) for picture in pictures]
    bad = _unsharp(greys) | _washed_out(greys)
    repeats = _repeats([None if index in bad else grey for index, grey in enumerate(greys)])
    _refuse_repeats(pictures, sorted(repeats))
    if len(pictures) - len(bad) - len(repeats) >= FEWEST:  # else better repeats than too few
        bad |= {i: f"shows the same part as {pictures[j].path.name}" for i, j in repeats.items()}
    aside = [Aside(pictures[index].path, bad[index]) for index in sorted(bad)]
    unfit = [one for one in aside if "same part" not in one.reason]
    refuse_many(unfit, len(pictures), "take them again")
    return [one for index, one in enumerate(pictures) if index not in bad], aside


def refuse_many(aside: Sequence[Aside], total: int, remedy: str) -> None:
    """Raises OperatorError where more than the tolerated share is to be set aside."""
    if len(aside) > max(1.0, TOLERATED * total):
        paths = [one.path for one in aside]
        raise OperatorError(
            f"{paths[0].parent}: {len(aside)} of {total} images are unfit "
            f"({aside[0].reason}, ...): {named(paths)}; {remedy}"
        )


def _refuse_repeats(pictures: Sequence[Picture], repeats: Sequence[int]) -> None:
    """Raises OperatorError where half the images or more show a part that is there already."""
    total, left = len(pictures), len(pictures) - len(repeats)
    if len(repeats) < REPEATED * total or left >= ENOUGH:
        return
    names = named([pictures[index].path for index in repeats])
    raise OperatorError(
        f"{pictures[0].path.parent}: {total} images show only {left} different parts ({names} show "
        f"one that is there already); take one picture of each of {FEWEST} parts or more"
    )


def _grey(image: Image) -> Map:
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return np.asarray(grey, np.float32)


def _unsharp(greys: Sequence[Map]) -> dict[int, str]:
    """Images with far less fine detail than the others, for their contrast."""
    detail = np.array([cv2.Laplacian(grey, cv2.CV_32F).std() / (grey.std() + 4) for grey in greys])
    logs = np.log(detail + 1e-3)
    low = np.median(logs) - max(
        np.log(BLURRED), SPREADS * 1.4826 * float(np.median(np.abs(logs - np.median(logs))))
    )
    return {int(index): "is blurred" for index in np.nonzero(logs < low)[0]}


def _washed_out(greys: Sequence[Map]) -> dict[int, str]:
    """Images whose brightest parts are darker, or whose darkest parts are brighter, than light
    that varies can make them."""
    dark, bright = (np.array([np.percentile(grey, p) for grey in greys]) for p in (5, 99.5))
    over = dark > np.maximum(BRIGHT, np.median(dark) + 60)
    under = bright < DIM * np.median(bright)
    found = {int(index): "is overexposed" for index in np.nonzero(over)[0]}
    return found | {int(index): "is underexposed" for index in np.nonzero(under)[0]}


def _repeats(greys: Sequence[Map | None]) -> dict[int, int]:
    """Images that differ from an earlier one by noise and light alone: index to that one."""
    smooth = [None if grey is None or _bare(grey) else _even(grey) for grey in greys]
    found: dict[int, int] = {}
    first: list[int] = []
    for index, (grey, image) in enumerate(zip(greys, smooth, strict=True)):
        if grey is None or image is None:
            continue
        for earlier in first:
            other, even = greys[earlier], smooth[earlier]
            if other is not None and even is not None and _alike(grey, other, image, even):
                found[index] = earlier
                break
        else:
            first.append(index)
    return found


def _bare(grey: Map) -> bool:
    """No structure by which one part could be told from another: a blank surface."""
    fine, coarse = (cv2.GaussianBlur(grey, (0, 0), size * NOISE) for size in (1, 4))
    return float((fine - coarse).std()) < STRUCTURE


def _even(grey: Map) -> Map:
    """Without noise, at a quarter of the size."""
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), NOISE)[::4, ::4], np.float32)


def _alike(grey: Map, other: Map, even: Map, other_even: Map) -> bool:
    """Nothing but white noise differs: it all but vanishes in the average."""
    coarse = _unlike(even, other_even)
    if coarse >= NOISY:
        return False
    return coarse < SAME or coarse < WHITE * _unlike(grey, other)


def _unlike(image: Map, other: Map) -> float:
    """Standard deviation of the difference, up to brightness and contrast."""
    first, second = image - image.mean(), other - other.mean()
    share = float((first * second).sum()) / max(float((second * second).sum()), 1e-6)
    return float((first - share * second).std())
