"""What teaching needs of the line's eyes, so that both see the same.

Promises: only shapes of things; the line's own functions are passed in from above.
Never imports a device.
"""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from inspector.core.bundle import Input, Registration

Image = NDArray[Any]  # uint8 (rows, columns) or (rows, columns, channels)


class Part(Protocol):
    """A part's outline in a picture."""

    @property
    def mask(self) -> NDArray[Any]:
        """Bool (rows, columns), filled."""
        ...

    @property
    def centre(self) -> tuple[float, float]: ...

    @property
    def reach(self) -> float:
        """Pixels from the centre to the farthest point of the outline."""
        ...

    @property
    def cut(self) -> bool:
        """By the picture's edge."""
        ...


class Sight(Protocol):
    """How a bundle looks at frames."""

    def see(self, frame: Image, image: Image) -> Any:
        """The view of `frame` into `image`, (height, width, 1 or 3)."""
        ...

    def back(self, heatmap: Any, seen: Any) -> Any:
        """A heatmap of the view as one of the frame."""
        ...


class Posing(Sight, Protocol):
    """A sight that registers."""

    def pose(self, frame: Image) -> tuple[float, float]:
        """Degrees that the part is turned back by, and its likeness to the template (-1..1)."""
        ...


class Eyes(Struct, frozen=True):
    """The line's functions."""

    keep: Callable[[Image], Image]  # a frame, small enough to be held in memory
    reduce: Callable[[Image, int, int], Image]  # to width and height
    find: Callable[[Image], Part | None]
    whole: Callable[[], Sight]
    registered: Callable[[Registration, Image], Posing]


def view(sight: Sight, frame: Image, size: Input) -> tuple[Image, Any]:
    """The frame as the model sees it, uint8 (height, width, channels), and what `back` needs."""
    image = np.empty((size.height, size.width, 1 if size.pixel == "mono8" else 3), np.uint8)
    seen = sight.see(frame, image)
    return image, seen
