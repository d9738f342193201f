"""The second look: the same way of looking, twice as fine, with a memory and limits of its own.

Promises: its limits come from held-out good parts as the first look's do; it sees the very files
that the first look was taught from, as the line would.
Never chooses: way, place and evening are those of the first look.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from msgspec import structs

from inspector.teach import fitting, images, looks
from inspector.teach.features import Backbone
from inspector.teach.images import Image, Picture
from inspector.teach.settings import Progress, Settings

FINER = 2  # in each direction: four times the pixels, so about four times the time


def closer(look: looks.Look) -> looks.Look:
    """The same way of looking on a view FINER times as large."""
    width, height = FINER * look.size.width, FINER * look.size.height
    size = structs.replace(look.size, width=width, height=height)
    return looks.Look(f"{look.name}, closer", size, look.sight, look.posed)


def fitted(
    first: fitting.Fitted,
    pictures: Sequence[Picture],
    known: Sequence[Picture],
    backbone: Path,
    given: Settings,
    progress: Progress,
) -> fitting.Fitted:
    """Memory and limits of the second look. `pictures` are the good ones of the first, `known`
    the labelled defects."""
    look = closer(first.seen.look)
    network = Backbone(backbone, look.size.width, look.size.height, given.threads)
    frames = [images.inside(picture.path, given.region) for picture in pictures]
    spoilt = looks.spoilt(frames, [None] * len(frames), given.defects, given.seed)
    good = _features(look, frames, network)
    progress("second look", 0.3)
    bad, lost = looks.features(look, spoilt, network)
    progress("second look", 0.6)
    seen = looks.Seen(look, good, bad, lost, looks.near(look, *good.shape[1:3]))
    maps = fitting.mapped(seen, first.choice, given)
    poor = [images.inside(one.path, given.region) for one in known]
    defects = _features(look, poor, network) if known else None
    found = fitting.fitted(seen, first.choice, maps, given, defects)
    progress("second look", 1.0)
    return found


def _features(look: looks.Look, frames: Sequence[Image], network: Backbone) -> looks.Grid:
    grid, _ = looks.features(look, frames, network)
    return np.asarray(grid, np.float32)
