"""First stage: tell the bank's images apart by a crop, and find where a crop was spoiled.

Promises: `batch` draws, `loss` judges; the first needs no weights, so another process can do it.
Never touches files.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .network import Backbone, PretrainHeads
from .views import Pose, crop, normalise, relight, spoil

SIDE, BATCH = 72, 48


def batch(bank: Tensor, masks: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Crops [2*BATCH,1,S,S] (clean ones first), their image numbers, and the spoiled pixels."""
    names = torch.randint(0, len(bank), (BATCH,))
    clean = crop(bank[names], Pose.random(BATCH, turn=0.25, stretch=0.25), SIDE)
    spoilt, changed = spoil(clean, clean.roll(1, 0), masks)
    both = normalise(relight(torch.cat([clean, spoilt]), 1.5))
    return both, torch.cat([names, names]), torch.cat([torch.zeros_like(changed), changed])


def loss(backbone: Backbone, heads: PretrainHeads, drawn: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """Naming loss plus finding loss of one batch."""
    crops, names, changed = drawn
    with torch.autocast("cpu", dtype=torch.bfloat16):
        names8, names16, where = heads(backbone.stages(crops))
    naming = functional.cross_entropy(
        names8.float(), names, label_smoothing=0.1
    ) + functional.cross_entropy(names16.float(), names, label_smoothing=0.1)
    finding = functional.binary_cross_entropy_with_logits(
        where.float(), functional.max_pool2d(changed, 4), pos_weight=torch.tensor(4.0)
    )
    return 0.5 * naming + finding
