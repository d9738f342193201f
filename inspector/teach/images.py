"""Reading the images that a product is taught from.

Promises: every image becomes uint8 [256,256,C] by the very function that the line uses;
what cannot be taught from is refused in one line that names the file.
Never skips an image silently, never changes or copies one.
"""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inspector.core.errors import OperatorError

SIDE = 256
FEWEST = 5
MOST = 500  # keeps teaching within 1 GB and a few minutes; more good images add little
SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})

Image = NDArray[np.uint8]
Shrink = Callable[[Image], Image]  # [H,W] or [H,W,3] to [256,256] or [256,256,3]


def listed(source: Path | Sequence[Path]) -> list[Path]:
    """The image files of a folder, by name, or the given files.

    Raises OperatorError for a folder that is missing or holds no images.
    """
    if not isinstance(source, Path):
        return list(source)
    if not source.is_dir():
        raise OperatorError(f"{source}: no such folder; name the folder with the good images")
    found = sorted(p for p in source.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file())
    if not found:
        kinds = " ".join(sorted(SUFFIXES))
        raise OperatorError(f"{source}: holds no images; put good images there ({kinds})")
    return found


def read(path: Path) -> Image:
    """One image as stored: uint8 [H,W] or [H,W,3] in BGR.

    Raises OperatorError for a file that is missing, empty or no image.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise OperatorError(f"{path}: cannot be read ({error.strerror}); remove it") from None
    if not content:
        raise OperatorError(f"{path}: is empty (0 bytes); remove it or copy it again")
    buffer = np.frombuffer(content, np.uint8)
    flags = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_IGNORE_ORIENTATION
    decoded = cv2.imdecode(buffer, flags)
    if decoded is None:
        size = len(content)
        raise OperatorError(f"{path}: is no readable image ({size} bytes); remove it or copy it")
    return np.asarray(decoded, np.uint8)


def evenly(paths: Sequence[Path], most: int) -> list[Path]:
    """At most `most` of the paths, spread evenly over their order, so over the time they span."""
    if len(paths) <= most:
        return list(paths)
    return [paths[index * len(paths) // most] for index in range(most)]


def load(source: Path | Sequence[Path], shrink: Shrink, most: int = MOST) -> list[Image]:
    """At most `most` images, shrunk: uint8 [256,256] (grey) or [256,256,3] (BGR) each.

    Raises OperatorError for fewer than 5 images, and for images that are all the same.
    """
    paths = evenly(listed(source), most)
    if len(paths) < FEWEST:
        where = source if isinstance(source, Path) else "the given list"
        raise OperatorError(f"{where}: {len(paths)} good images; teach from at least {FEWEST}")
    images = [shrink(read(path)) for path in paths]
    if len({hashlib.sha256(image.tobytes()).digest() for image in images}) == 1:
        raise OperatorError(
            f"{paths[0]}: all {len(paths)} images are identical; take pictures of different parts"
        )
    return images


def as_pixel(images: Sequence[Image], pixel: str) -> Image:
    """Stack to the model's input. uint8 [N,256,256,1] for mono8, [N,256,256,3] for bgr8."""
    stacked = []
    for image in images:
        if pixel == "mono8":
            grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
            stacked.append(np.asarray(grey, np.uint8)[..., None])
        else:
            colour = image if image.ndim == 3 else cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
            stacked.append(np.asarray(colour, np.uint8))
    return np.stack(stacked)
