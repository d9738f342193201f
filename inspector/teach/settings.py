"""What teaching may be told.

Promises: the defaults are what `inspector teach` uses.
Never: depends on a product.
"""

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from inspector.core.recipe import Region

Progress = Callable[[str, float], None]  # a step and its share done, 0..1
Pixel = Literal["mono8", "bgr8"]

SIDE = 256


class Settings(Struct, frozen=True):
    """Shares are in (0,1); `pixel` None means as the images are."""

    pixel: Pixel | None = None
    side: int = SIDE  # of the whole frame's view, a multiple of 32; a registered one has its area
    register: bool = True  # where it helps
    second_look: bool = False  # twice as fine, for parts in doubt
    memory: int = 2000
    worst: tuple[int, ...] = (4, 16)  # highest cells that a score averages: one is chosen
    weights: tuple[float, ...] = (1.0, 0.0, 3.0)  # the first wins ties
    target_overkill: float = 0.01
    review_share: float = 0.05
    folds: int = 8
    choosing_folds: int = 3
    defects: int = 60  # synthetic ones, at least
    seed: int = 0
    threads: int = 0  # 0: as many as there are
    region: Region | None = None  # the part of each frame that is inspected; none: all of it


def silent(_step: str, _done: float) -> None:
    """No progress wanted."""
