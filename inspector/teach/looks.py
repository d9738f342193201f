"""The ways a product may be looked at, and which of them, with which memory, tells best.

Promises: ways are compared on held-out good images and copies of the same images with synthetic
defects, made on the frames themselves, so that each way sees the same defects, and on labelled
defects where there are some; ties go to the simpler way.
Never sets a limit.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from inspector.core.bundle import Input
from inspector.teach import calibrate, fit, pose, synthetic
from inspector.teach.eyes import Eyes, Image, Part, Sight, view
from inspector.teach.features import Backbone
from inspector.teach.settings import Settings

LABELLED = 3  # defects from which they take part in the choice
BETTER = 0.03  # in separation: what a less simple way must bring
SIZE = 500  # entries of the memories that ways are compared with

Grid = NDArray[np.float32]  # [N,h,w,D]
Maps = NDArray[np.float32]  # [N,h,w]


class Look(Struct):
    """One way of looking: the whole frame, or the part registered."""

    name: str
    size: Input
    sight: Sight
    posed: pose.Posed | None = None


class Seen(Struct):
    """What the backbone says of the good images and their spoilt copies, seen one way."""

    look: Look
    good: Grid
    spoilt: Grid
    lost: NDArray[np.bool_]  # spoilt copies on which the part was not found
    near: NDArray[np.float32]  # [h,w], 1 where it is looked at
    known: Grid | None = None  # labelled defects on which the part was found
    gone: NDArray[np.bool_] | None = None  # labelled defects on which it was not


class Choice(Struct, frozen=True):
    """A way of looking with its memory's settings, and how far good and defective lie apart."""

    look: int
    weight: float
    evened: bool
    worst: int  # how many of the highest cells the score averages
    separation: float


def proposed(
    frames: Sequence[Image], found: Sequence[Part | None], eyes: Eyes, size: Input
) -> tuple[list[Look], list[str]]:
    """The part turned upright, or only moved, where that can be; and what was found of it."""
    reason = pose.missing(found)
    if reason is not None:
        return [], [f"not registered: {reason}"]
    ways: list[Look] = []
    notes: list[str] = []
    for turns, name in ((True, "turned upright"), (False, "moved")):
        posed = pose.propose(frames, found, eyes, size, turns)
        if isinstance(posed, pose.Nothing):
            notes.append(f"cannot be {name}: {posed.reason}")
            continue
        if turns:
            notes.append(
                f"part found; it lies turned by up to {posed.turned:.0f} degrees and moved by up "
                f"to {posed.moved:.0%} of the frame"
            )
        ways.append(_registered(posed, eyes, size, name))
        if turns and posed.registration.turn_deg < 180:
            break  # hardly turned: moving alone brings nothing that this does not
    return ways, notes


def _registered(posed: pose.Posed, eyes: Eyes, size: Input, name: str) -> Look:
    shape = Input(width=posed.width, height=posed.height, pixel=size.pixel)
    return Look(name, shape, eyes.registered(posed.registration, posed.template), posed)


def spoilt(
    frames: Sequence[Image], found: Sequence[Part | None], count: int, seed: int
) -> list[Image]:
    """Whole rounds of copies of the frames, at least `count`, each with a synthetic defect."""
    rng = np.random.default_rng(seed)
    rounds = -(-count // len(frames))
    return [
        synthetic.spoil(_planes(frame), rng, _mask(part, frame)).reshape(frame.shape)
        for _ in range(rounds)
        for frame, part in zip(frames, found, strict=True)
    ]


def features(
    look: Look, frames: Sequence[Image], network: Backbone
) -> tuple[Grid, NDArray[np.bool_]]:
    """[N,h,w,D] of these frames seen that way, and on which of them the part was not found."""
    seen = [view(look.sight, frame, look.size) for frame in frames]
    grid = np.concatenate([network(image[None]) for image, _ in seen])
    return grid, np.array([bool(one.lost) for _, one in seen])


def near(look: Look, height: int, width: int) -> NDArray[np.float32]:
    """[h,w]: 1 for the cells that are looked at."""
    if look.posed is None:
        return np.ones((height, width), np.float32)
    return fit.near(look.posed.near, height, width)


def held_out(
    seen: Seen, weight: float, size: int, parts: int, seed: int, also: Sequence[Grid] = ()
) -> list[Maps]:
    """Smoothed maps of every good image, and of all copies of it in `also`, against a memory of
    the other folds' images. `also` are whole rounds in the order of the good images."""
    count, cells = len(seen.good), seen.good.shape[1:3]
    grids = [seen.good, *also]
    found = [np.zeros((len(grid), *cells), np.float32) for grid in grids]
    for kept, held in calibrate.folds(count, parts, seed):
        memory = fit.memorise(seen.good[kept], weight, size, seed)
        for grid, maps in zip(grids, found, strict=True):
            of_these = np.isin(np.arange(len(grid)) % count, held)
            maps[of_these] = fit.smoothed(fit.distances(grid[of_these], memory, weight))
    return found


def compare(seen: Seen, index: int, given: Settings) -> list[Choice]:
    """This way of looking with every weight, evened or not."""
    return [choice for weight in given.weights for choice in _measured(seen, index, weight, given)]


def best(choices: Sequence[Choice]) -> Choice:
    """The highest separation; a later choice must be better by BETTER."""
    chosen = choices[0]
    for choice in choices[1:]:
        if choice.separation > chosen.separation + BETTER:
            chosen = choice
    return chosen


def _measured(seen: Seen, index: int, weight: float, given: Settings) -> list[Choice]:
    parts, size, seed = given.choosing_folds, min(SIZE, given.memory), given.seed
    good, bad = held_out(seen, weight, size, parts, seed, (seen.spoilt,))
    known = None
    if seen.known is not None and len(seen.known) >= LABELLED:
        memory = fit.memorise(seen.good, weight, size, seed)
        known = fit.smoothed(fit.distances(seen.known, memory, weight))
    found = []
    for evened in (False, True):
        gains = fit.gains(good, seen.near) if evened else seen.near
        unseen = good * (fit.left_out_gains(good, seen.near) if evened else seen.near)
        for worst in given.worst:
            fine, poor = fit.scores(unseen, worst), fit.scores(bad * gains, worst)
            poor[seen.lost] = poor.max()
            apart = calibrate.separation(fine, poor)
            if known is not None:
                apart += calibrate.separation(fine, fit.scores(known * gains, worst))
            found.append(Choice(index, weight, evened, worst, apart))
    return found


def _planes(frame: Image) -> Image:
    return frame if frame.ndim == 3 else frame[..., None]


def _mask(part: Part | None, frame: Image) -> NDArray[np.bool_] | None:
    if part is None:
        return None
    size = (frame.shape[1], frame.shape[0])
    mask = cv2.resize(part.mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    return mask.astype(bool)
