"""Labelled images to judge a model by: good parts, defects by class, and masks of the defects.

Promises: the class of an image is the name of its folder; an image that is given twice, a folder
without images and a mask that cannot be its image's are refused in one line that names the file.
Never: loads an image other than a mask, and never guesses a label.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.core.errors import OperatorError
from inspector.teach.images import SUFFIXES

Mask = NDArray[np.bool_]

GOOD = "good"
LOSSY = frozenset({".jpg", ".jpeg", ".webp"})


@dataclass(frozen=True)
class Labelled:
    """One image with what a person says of it."""

    path: Path
    label: str  # the defect's class; GOOD where there is none
    defective: bool
    mask: Path | None = None


def listed(good: Iterable[Path], defect: Iterable[Path], masks: Path | None) -> list[Labelled]:
    """All images, good ones first. A defect folder holds images of one class, or a folder a class
    (those that are given as good are passed over).

    Raises OperatorError for a folder that is missing or empty, and for an image given twice.
    """
    goods = list(good)
    found = [Labelled(path, GOOD, False) for folder in goods for path in _images(folder)]
    for folder in defect:
        for kind in _classes(folder, goods):
            found += [
                Labelled(path, kind.name, True, _mask_of(path, kind.name, masks))
                for path in _images(kind)
            ]
    _refuse_twice(found)
    if masks is not None and not any(one.mask for one in found):
        raise OperatorError(
            f"{masks}: holds no mask of these images; a mask bears its image's name "
            "(or NAME_mask), in a folder of its class or in this one"
        )
    return found


def read_mask(path: Path, size: tuple[int, int]) -> Mask:
    """Where the defect is: (height, width) True. `size` is the image's.

    White (any colour) on black, or opaque on transparent. Raises OperatorError for a mask that is
    unreadable, of another size, empty or full.
    """
    content = np.fromfile(path, np.uint8)
    image = cv2.imdecode(content, cv2.IMREAD_UNCHANGED) if content.size else None
    if image is None:
        raise OperatorError(f"{path}: is no readable mask; copy it again")
    if image.shape[:2] != size:
        found = f"{image.shape[1]}x{image.shape[0]}"
        raise OperatorError(
            f"{path}: the mask is {found}, its image {size[1]}x{size[0]}; "
            "export the mask in the image's size"
        )
    mask = _marked(np.asarray(image), 127 if path.suffix.lower() in LOSSY else 0)
    if mask.all() or not mask.any():
        marks = "everything" if mask.all() else "nothing"
        raise OperatorError(
            f"{path}: the mask marks {marks}; it is to be white on the defect, black elsewhere"
        )
    return mask


def _marked(image: NDArray[np.integer[Any]], dark: int) -> Mask:
    if image.ndim == 2:
        return np.asarray(image > dark)
    if image.shape[2] == 4 and (image[..., 3] != image[0, 0, 3]).any():
        return np.asarray(image[..., 3] > 127)
    return np.asarray((image[..., :3] > dark).any(-1))


def _images(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise OperatorError(f"{folder}: no such folder")
    found = _inside(folder)
    if not found:
        raise OperatorError(f"{folder}: holds no image ({' '.join(sorted(SUFFIXES))})")
    return found


def _inside(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file())


def _classes(folder: Path, goods: Sequence[Path]) -> list[Path]:
    """The folder itself where it holds images, else the folders in it."""
    if not folder.is_dir() or _inside(folder):
        return [folder]
    given = {good.resolve() for good in goods}
    inner = sorted(p for p in folder.iterdir() if p.is_dir() and p.resolve() not in given)
    return [kind for kind in inner if _inside(kind)] or [folder]


def _mask_of(path: Path, kind: str, masks: Path | None) -> Path | None:
    """The mask of the same stem, in the folder of the class first."""
    if masks is None:
        return None
    if not masks.is_dir():
        raise OperatorError(f"{masks}: no such folder; --masks names the one with the masks")
    for folder in (masks / kind, masks):
        for stem in (path.stem, f"{path.stem}_mask"):
            for suffix in sorted(SUFFIXES):
                if (folder / f"{stem}{suffix}").is_file():
                    return folder / f"{stem}{suffix}"
    return None


def _refuse_twice(found: Sequence[Labelled]) -> None:
    seen: dict[Path, str] = {}
    for one in found:
        place = one.path.resolve()
        if place in seen:
            raise OperatorError(
                f"{one.path}: is given twice, as {seen[place]} and as {one.label}; "
                "name each folder once"
            )
        seen[place] = one.label
