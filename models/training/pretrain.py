"""First stage: tell the bank's pieces apart by a crop, and find where a crop was spoiled.

Promises: `batch` draws, `loss` judges; the first needs no weights, so another process can do it.
Never touches files.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .bank import Bank
from .defects import changes, spoil
from .network import Backbone, PretrainHeads, normalise
from .textures import Rng
from .views import Camera, Pose, crop

SIDE, PAIRS = 72, 48


class Batch(NamedTuple):
    """Views of PAIRS products.

    crops: uint8 [2*PAIRS,S,S,3], clean ones first; names: int64 [PAIRS], the products;
    changed: uint8 [PAIRS,S,S], see `changes`.
    """

    crops: Tensor
    names: Tensor
    changed: Tensor


def batch(bank: Bank, rng: Rng) -> Batch:
    """A clean and a spoilt view of each of some products."""
    names, clean, bad, changed = rng.integers(0, len(bank), PAIRS), [], [], []
    for name in names:
        camera = Camera.random(rng)
        first, second = (camera.view(rng, SIDE) for _ in range(2))
        scene = crop(bank[name, 0], Pose.random(rng, 0.25, 0.8, 1.25), SIDE)
        donor = crop(bank[int(rng.integers(len(bank))), 0], Pose.random(rng), SIDE)
        spoilt = second.expose(spoil(scene, donor, max(0.02, 1.5 * camera.noise), rng))
        clean.append(first.sense(first.expose(scene), rng))
        bad.append(second.sense(spoilt, rng))
        changed.append(changes(second.expose(scene), spoilt, camera.noise))
    crops = torch.from_numpy(np.stack(clean + bad))
    return Batch(crops, torch.from_numpy(names), torch.from_numpy(np.stack(changed)))


def loss(backbone: Backbone, heads: PretrainHeads, drawn: Batch) -> Tensor:
    """Naming loss plus finding loss of one batch."""
    names = torch.cat([drawn.names, drawn.names])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        names8, names16, where = heads(backbone.stages(normalise(drawn.crops)))
    naming = functional.cross_entropy(
        names8.float(), names, label_smoothing=0.1
    ) + functional.cross_entropy(names16.float(), names, label_smoothing=0.1)
    visible = (drawn.changed[:, None] > 1).float()
    finding = functional.binary_cross_entropy_with_logits(
        where.float(),
        functional.max_pool2d(torch.cat([torch.zeros_like(visible), visible]), 4),
        pos_weight=torch.tensor(4.0),
    )
    return 0.5 * naming + finding
