"""Second stage: episodes, the very task of the product.

Two good views of one image are the memory, a third one carries a defect. Each cell of the third is
judged by its distance to the nearest memory cell: PatchCore (Roth et al. 2022) with the features
learned for it.
Promises: `batch` draws, `loss` judges; the first needs no weights, so another process can do it.
Never touches files.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .network import Backbone, Distance
from .parts import is_texture
from .views import Pose, crop, normalise, relight, spoil

SIDE, BATCH, VIEWS = 96, 20, 2
SHARPNESS = 30.0  # of the soft minimum over the memory


def _surface(bank: Tensor, textures: Tensor, share: float) -> tuple[Tensor, Tensor, Tensor]:
    """A random surface per episode and its strength: the part of a texture that never repeats."""
    names = textures[torch.randint(0, len(textures), (BATCH,))]
    strength = torch.rand(BATCH, 1, 1, 1) * 0.4 * (torch.rand(BATCH, 1, 1, 1) < share)
    return bank[names], strength, (torch.rand(BATCH) * 2 - 1) * 3.14


def batch(bank: Tensor, textures: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
    """Crops [3*BATCH,1,S,S] (memory views first) and the defect pixels of the last BATCH."""
    names = torch.randint(0, len(bank), (BATCH,))
    free = torch.tensor([is_texture(int(n)) for n in names]) & (torch.rand(BATCH) < 0.6)
    base, loose = Pose.random(BATCH), 0.3 + 1.7 * torch.rand(BATCH) ** 2
    material, strength, angle = _surface(bank, textures, 0.25)

    def view(pose: Pose) -> Tensor:
        grey = crop(bank[names], pose.jittered(loose), SIDE)
        other = Pose.random(BATCH)
        layer = crop(material, Pose(angle, other.scale * 0.1, base.flip, other.x, other.y), SIDE)
        return grey + strength * (layer - layer.mean((2, 3), keepdim=True))

    memory = [view(base.elsewhere(free)) for _ in range(VIEWS)]
    query = view(base)
    spoilt, changed = spoil(query, query.roll(1, 0), masks)
    return normalise(relight(torch.cat([*memory, spoilt]))), changed


def distances(features: Tensor) -> Tensor:
    """Soft distance of each query cell to its own episode's memory. [BATCH,cells]."""
    cells = features.float().flatten(2).transpose(1, 2)
    memory = cells[: VIEWS * BATCH].view(VIEWS, BATCH, *cells.shape[1:])
    memory = memory.transpose(0, 1).flatten(1, 2)
    likeness = cells[VIEWS * BATCH :] @ memory.transpose(1, 2)
    return 1 - torch.logsumexp(likeness * SHARPNESS, 2) / SHARPNESS


def _ranking(distance: Tensor, bad: Tensor) -> Tensor:
    """The worst defect cell should stand clear of the worst good cell of the same image."""
    peak = torch.logsumexp(distance.masked_fill(~bad, -1) * SHARPNESS, 1) / SHARPNESS
    noise = torch.logsumexp(distance.masked_fill(bad, -1) * SHARPNESS, 1) / SHARPNESS
    return functional.softplus((noise - peak + 0.2) * 8)[bad.any(1)].mean()


def loss(backbone: Backbone, judge: Distance, drawn: tuple[Tensor, Tensor]) -> Tensor:
    """Cells told right, and images ranked right, over one batch of episodes."""
    crops, changed = drawn
    with torch.autocast("cpu", dtype=torch.bfloat16):
        features = backbone(crops)
    distance = distances(features)
    label = functional.max_pool2d(changed, 8).flatten(1)
    share = functional.avg_pool2d(changed, 8).flatten(1)
    weight = torch.where((share > 0) & (share < 0.06), 0.2, 1.0)  # barely touched: unsure
    cells = functional.binary_cross_entropy_with_logits(
        judge(distance), label, weight, pos_weight=torch.tensor(3.0)
    )
    return cells + 0.2 * _ranking(distance, share > 0.06)
