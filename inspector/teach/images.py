"""Reading the images that a product is taught from.

Promises: every image is decoded as the line's cameras give it, held at a size that is no larger
than teaching needs; what cannot be taught from is refused in one line that names the file.
Never skips an image silently, never changes or copies one.

Refused rather than converted: 16-bit pixels (the line inspects 8 bits, and no scale is given),
CMYK (every program converts it to other colours), cut off files (decoders fill the rest with
grey), frames of other proportions. Grey among colour is taken, and said.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from inspector.core.errors import OperatorError
from inspector.core.recipe import Region

FEWEST = 5
MOST = 500  # keeps teaching within 1 GB and a few minutes; more good images add little
PROPORTIONS = 0.02  # by which width to height may differ
NAMED = 8  # files in one line
SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})

FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})

Image = NDArray[np.uint8]
Shrink = Callable[[Image], Image]  # [H,W] or [H,W,3] to a smaller one


class Picture(Struct, frozen=True):
    """One image, as teaching holds it."""

    path: Path
    kept: Image  # the frame, small enough to be held; registered from
    whole: Image  # the whole frame as an unregistered model sees it


class Loaded(Struct, frozen=True):
    """Pictures, and what a person should know of them."""

    pictures: list[Picture]
    notes: list[str]


def listed(source: Path | Sequence[Path]) -> list[Path]:
    """The image files of a folder, by name, or the given files.

    Raises OperatorError for a folder that is missing or holds no images.
    """
    if not isinstance(source, Path):
        return list(source)
    if not source.is_dir():
        raise OperatorError(f"{source}: no such folder; name the folder with the good images")
    found = _images(source)
    if not found:
        kinds = " ".join(sorted(SUFFIXES))
        raise OperatorError(f"{source}: holds no images; put good images there ({kinds})")
    return found


def _images(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file())


def read(path: Path) -> Image:
    """One image as stored: uint8 [H,W] or [H,W,3] in BGR.

    Raises OperatorError for a file that is missing, empty, cut off or no 8-bit grey or RGB image.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise OperatorError(f"{path}: cannot be read ({error.strerror}); remove it") from None
    if not content:
        raise OperatorError(f"{path}: is empty (0 bytes); remove it or copy it again")
    _check_format(path, content)
    decoded = _decoded(content)
    if decoded is None:
        size = len(content)
        raise OperatorError(f"{path}: is no readable image ({size} bytes); remove it or copy it")
    if decoded.dtype != np.uint8:
        raise OperatorError(
            f"{path}: has {8 * decoded.itemsize}-bit pixels, the line inspects 8; save it as 8-bit"
        )
    return np.asarray(decoded, np.uint8)


def _decoded(content: bytes) -> NDArray[np.generic] | None:
    """As the cameras decode: stored orientation, no alpha."""
    flags = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        decoded = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error:
        return None
    return decoded


def _check_format(path: Path, content: bytes) -> None:
    """Raises OperatorError for a file that is cut off, and for CMYK: decoders pass over both."""
    whole = True
    if content.startswith(b"\xff\xd8"):
        channels, scan = _jpeg(content)
        if channels == 4:
            raise OperatorError(f"{path}: is CMYK, made for print; save it as RGB or grey")
        whole = scan > 0 and content.find(b"\xff\xd9", scan) > 0
    elif content.startswith(b"\x89PNG") and len(content) > 8:
        whole = content.rfind(b"IEND") > 0
    elif content.startswith(b"BM"):
        whole = int.from_bytes(content[2:6], "little") <= len(content)
    elif content.startswith(b"RIFF"):
        whole = int.from_bytes(content[4:8], "little") + 8 <= len(content)
    if not whole:
        raise OperatorError(
            f"{path}: is cut off after {len(content)} bytes; remove it or copy it again"
        )


def _jpeg(content: bytes) -> tuple[int, int]:
    """Channels of a JPEG, and where its pixels begin; 0 for what is not there."""
    place, channels = 2, 0
    while place + 10 <= len(content) and content[place] == 0xFF:
        marker, length = content[place + 1], int.from_bytes(content[place + 2 : place + 4], "big")
        if marker in FRAMES:
            channels = content[place + 9]
        if marker == 0xDA:
            return channels, place
        place += 2 + length if marker != 0xFF else 1
    return channels, 0


def evenly(paths: Sequence[Path], most: int) -> list[Path]:
    """At most `most` of the paths, spread evenly over their order, so over the time they span."""
    if len(paths) <= most:
        return list(paths)
    return [paths[index * len(paths) // most] for index in range(most)]


def inside(path: Path, region: Region | None) -> Image:
    """The image, or the region of it that is inspected. Raises OperatorError as `read` does, and
    for a region that reaches beyond the image."""
    frame = read(path)
    if region is None:
        return frame
    height, width = frame.shape[:2]
    if region.x + region.width > width or region.y + region.height > height:
        raise OperatorError(
            f"{path}: is {width}x{height}, the recipe's region reaches beyond it; "
            "give frames of the same camera"
        )
    rows, columns = region.y + region.height, region.x + region.width
    return frame[region.y : rows, region.x : columns]


def load(
    source: Path | Sequence[Path],
    keep: Shrink,
    shrink: Shrink,
    most: int = MOST,
    region: Region | None = None,
) -> Loaded:
    """At most `most` images: uint8 [h,w] (grey) or [h,w,3] (BGR) each.

    Raises OperatorError for fewer than 5 images, for images of mixed proportions, and for images
    that are all the same.
    """
    paths = evenly(listed(source), most)
    where = source if isinstance(source, Path) else "the given list"
    if len(paths) < FEWEST:
        raise OperatorError(f"{where}: {len(paths)} good images; teach from at least {FEWEST}")
    pictures, sizes = [], []
    for path in paths:
        frame = inside(path, region)
        sizes.append((frame.shape[1], frame.shape[0]))
        pictures.append(Picture(path, keep(frame), shrink(frame)))
    _refuse_same(pictures)
    return Loaded(pictures, [*_size_notes(paths, sizes), *_colour_notes(pictures)])


def labelled(
    sources: Sequence[Path], keep: Shrink, shrink: Shrink, region: Region | None = None
) -> list[Picture]:
    """These images, those in these folders, and those in the folders in them.

    Raises OperatorError for what is missing, unreadable or holds no image.
    """
    paths = [path for source in sources for path in _below(source)]
    frames = ((path, inside(path, region)) for path in paths)
    return [Picture(path, keep(frame), shrink(frame)) for path, frame in frames]


def _below(source: Path) -> list[Path]:
    if source.is_file():
        return [source]
    inner = sorted(path for path in source.iterdir() if path.is_dir()) if source.is_dir() else []
    found = [path for folder in inner for path in _images(folder)]
    return found + (_images(source) if found else listed(source))


def check_proportions(picture: Picture, width: int, height: int) -> None:
    """Raises OperatorError where a picture's proportions are not these."""
    across, down = picture.kept.shape[1], picture.kept.shape[0]
    if abs(across * height / (down * width) - 1) > PROPORTIONS:
        raise OperatorError(
            f"{picture.path}: has other proportions than the good images; "
            "give frames of the same camera and region"
        )


def named(paths: Sequence[Path]) -> str:
    """The files' names in one line, at most NAMED of them."""
    more = f" and {len(paths) - NAMED} more" if len(paths) > NAMED else ""
    return ", ".join(path.name for path in paths[:NAMED]) + more


def _refuse_same(pictures: Sequence[Picture]) -> None:
    if len({hashlib.sha256(picture.kept.tobytes()).digest() for picture in pictures}) == 1:
        raise OperatorError(
            f"{pictures[0].path}: all {len(pictures)} images are identical; "
            "take pictures of different parts"
        )


def _size_notes(paths: Sequence[Path], sizes: Sequence[tuple[int, int]]) -> list[str]:
    (width, height), _ = Counter(sizes).most_common(1)[0]
    for path, (across, down) in zip(paths, sizes, strict=True):
        if abs(across * height / (down * width) - 1) > PROPORTIONS:
            raise OperatorError(
                f"{path}: is {across}x{down}, most others are {width}x{height}; "
                "teach from frames of one camera and one region"
            )
    other = [path for path, size in zip(paths, sizes, strict=True) if size != (width, height)]
    if not other:
        return []
    return [f"{len(other)} images are not {width}x{height} and were resized: {named(other)}"]


def _colour_notes(pictures: Sequence[Picture]) -> list[str]:
    grey = [picture.path for picture in pictures if picture.kept.ndim == 2]
    if not 0 < len(grey) < len(pictures):
        return []
    return [f"{len(grey)} of {len(pictures)} images are grey, taken as colour: {named(grey)}"]


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
