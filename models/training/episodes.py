"""Second stage: episodes, the very task of the product.

A few good views of a generated product are the memory; another good view and one with a defect are
judged, each cell by its distance to the nearest memory cell: PatchCore (Roth et al. 2022) with the
features learned for it.
Promises: `batch` draws, `loss` judges; the first needs no weights, so another process can do it.
Never touches files.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from .bank import PIECES, Bank
from .defects import changes, spoil
from .network import Backbone, Distance, normalise
from .parts import is_texture
from .textures import Rng
from .views import Camera, Pose, crop

PIXELS = 520_000  # of a batch, all crops together
SIDES, VIEWS = (96, 96, 112, 128), (2, 3, 3, 4)
WORST, MARGIN = 2, 0.1  # cells that make an image's score; distance to be kept between images
WHOLE = 256  # side of the image that position weights refer to
WEIGHTS = (0.0, 0.0, 1.0, 2.0, 4.0)  # position weights, as teaching may choose them
SPOILT = 0.9  # share of the episodes with a defect


class Batch(NamedTuple):
    """Episodes: all memory views, then the good views, then the spoilt ones.

    crops: uint8 [E*(V+2),S,S,3]; changed: uint8 [E,S,S], see `changes`; weights: float32 [E].
    """

    crops: Tensor
    changed: Tensor
    weights: Tensor
    views: int


def _episode(
    bank: Bank, side: int, views: int, rng: Rng
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], float]:
    """One product: [V+2,S,S,3], [S,S] and its position weight."""
    product = int(rng.integers(len(bank)))
    pose, camera = Pose.random(rng), Camera.random(rng)
    order = rng.permutation(PIECES) if rng.random() < 0.5 else np.full(PIECES, rng.integers(PIECES))
    free = is_texture(product) and rng.random() < 0.6
    loose = 0.2 + 1.8 * rng.random() ** 2
    if rng.random() < 0.08:
        loose = rng.uniform(2, 5)  # put down by hand
    shots, changed = [], np.zeros((side, side), np.uint8)
    for number in range(views + 2):
        placed = pose.elsewhere(rng) if free and number < views + 1 else pose
        placed = placed.jittered(loose, rng)
        scene = crop(bank[product, order[number % PIECES]], placed, side)
        view = camera.view(rng, side)
        seen = view.expose(scene)
        if number == views + 1 and rng.random() < SPOILT:
            foreign = bank[int(rng.integers(len(bank))), 0]
            donor = crop(foreign, Pose.random(rng), side)
            spoilt = view.expose(spoil(scene, donor, max(0.02, 1.5 * camera.noise), rng))
            changed = changes(seen, spoilt, camera.noise)
            seen = spoilt
        shots.append(view.sense(seen, rng))
    fixed = not free and loose < 2
    return np.stack(shots), changed, float(rng.choice(WEIGHTS)) if fixed else 0.0


def batch(bank: Bank, rng: Rng) -> Batch:
    """As many episodes of one size as make a batch."""
    side, views = int(rng.choice(SIDES)), int(rng.choice(VIEWS))
    count = round(PIXELS / side**2 / (views + 2))
    drawn = [_episode(bank, side, views, rng) for _ in range(count)]
    crops = np.stack([shots for shots, _, _ in drawn], 1).reshape(-1, side, side, 3)
    changed = np.stack([changed for _, changed, _ in drawn])
    weights = np.array([weight for _, _, weight in drawn], np.float32)
    return Batch(
        torch.from_numpy(crops), torch.from_numpy(changed), torch.from_numpy(weights), views
    )


def _placed(cells: Tensor, weights: Tensor, high: int, wide: int) -> tuple[Tensor, Tensor]:
    """Columns beside [E,n,hw,D] whose product charges for being elsewhere, as teaching does.

    The product of a query row and a memory row is their cosine less half the squared distance of
    their places times the weight. Returns query rows and memory rows, each [E,n*hw,D+4].
    """
    y, x = torch.meshgrid(torch.arange(high), torch.arange(wide), indexing="ij")
    place = torch.stack([y, x], -1).reshape(-1, 2).float() * (8 / WHOLE)
    place = (place - place.mean(0)) * weights[:, None, None]
    half, one = -(place**2).sum(2, keepdim=True) / 2, torch.ones(len(weights), high * wide, 1)
    shape = (*cells.shape[:3], 4)
    query = torch.cat([place, half, one], 2)[:, None].expand(shape)
    memory = torch.cat([place, one, half], 2)[:, None].expand(shape)
    both = (torch.cat([cells, columns], 3).flatten(1, 2) for columns in (query, memory))
    return next(both), next(both)


def distances(features: Tensor, views: int, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Distance of each good and each spoilt cell to its own episode's memory. 2 x [E,cells]."""
    high, wide = features.shape[2:]
    cells = features.float().flatten(2).transpose(1, 2)
    cells = cells.view(views + 2, -1, *cells.shape[1:]).transpose(0, 1)
    queries, memory = _placed(cells, weights, high, wide)
    count = views * high * wide
    likeness = queries[:, count:] @ memory[:, :count].transpose(1, 2)
    good, spoilt = (1 - likeness.amax(2)).chunk(2, 1)
    return good, spoilt


def _highest(distance: Tensor, which: Tensor) -> Tensor:
    """Mean of the WORST highest of the cells told of: an image's score, as on the line. [E]."""
    return distance.masked_fill(~which, 0).topk(WORST, 1).values.mean(1)


def _ranking(good: Tensor, spoilt: Tensor, bad: Tensor) -> Tensor:
    """The worst defect cells should stand clear of the worst good cells of either view."""
    peak = _highest(spoilt, bad)
    noise = torch.stack([_highest(spoilt, ~bad), _highest(good, torch.ones_like(bad))])
    worse = functional.softplus((noise - peak + MARGIN) / MARGIN)[:, bad.any(1)]
    return worse.sum() / max(1, worse.numel())


def loss(backbone: Backbone, judge: Distance, drawn: Batch) -> Tensor:
    """Cells told right, and images ranked right, over one batch of episodes."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        features = backbone(normalise(drawn.crops))
    good, spoilt = distances(features, drawn.views, drawn.weights)
    level = drawn.changed[:, None].float()
    share = functional.avg_pool2d((level > 1).float(), 8).flatten(1)
    touched = functional.max_pool2d(level, 8).flatten(1)
    label = (touched > 1).float()
    weight = torch.where((share > 0) & (share < 0.05), 0.2, 1.0)  # barely touched: unsure
    weight = torch.where(touched == 1, 0.0, weight)  # changed, but not to be seen
    logits, labels = judge(torch.cat([spoilt, good], 1)), torch.cat([label, 0 * label], 1)
    weights = torch.cat([weight, torch.full_like(weight, 0.5)], 1)
    cells = functional.binary_cross_entropy_with_logits(
        logits, labels, weights, pos_weight=torch.tensor(4.0)
    )
    return cells + 0.5 * _ranking(good, spoilt, share > 0.05)
