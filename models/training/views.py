"""Crops of bank images under random pose and light, and synthetic defects on them.

Promises: what a view changes (pose, light, noise, the random part of a surface) is what good parts
differ by; what `spoil` changes is what the backbone must notice.
Never changes the bank.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

BANK = 224  # side of a bank image in pixels
VISIBLE = 0.04  # a changed pixel counts as defect from this difference on; grey range is 0..1


@dataclass(frozen=True)
class Pose:
    """Where a crop is taken, one value per crop: radians, log scale, +-1, offsets in [-1,1]."""

    angle: Tensor
    scale: Tensor
    flip: Tensor
    x: Tensor
    y: Tensor

    @staticmethod
    def random(count: int, turn: float = math.pi, stretch: float = 0.35) -> Pose:
        return Pose(
            (torch.rand(count) * 2 - 1) * turn,
            (torch.rand(count) * 2 - 1) * stretch,
            (torch.randint(0, 2, (count,)) * 2 - 1).float(),
            torch.rand(count) * 2 - 1,
            torch.rand(count) * 2 - 1,
        )

    def elsewhere(self, move: Tensor) -> Pose:
        """The same pose, at another place in the image where `move` (bool) says so."""
        other = Pose.random(len(move))
        return replace(
            self, x=torch.where(move, other.x, self.x), y=torch.where(move, other.y, self.y)
        )

    def jittered(self, amount: Tensor) -> Pose:
        """Fixturing tolerance: `amount` 1 is +-3.4 degrees, +-4 % size, +-3 pixels."""

        def noise(reach: float) -> Tensor:
            return (torch.rand(len(amount)) * 2 - 1) * reach * amount

        return replace(
            self,
            angle=self.angle + noise(0.06),
            scale=self.scale + noise(0.04),
            x=self.x + noise(0.05),
            y=self.y + noise(0.05),
        )


def crop(images: Tensor, pose: Pose, side: int) -> Tensor:
    """Sample uint8 [B,224,224] at `pose`, near native scale. Returns float [B,1,side,side] 0..1."""
    count = len(images)
    reach = side / BANK * torch.exp(pose.scale)
    cos, sin = reach * torch.cos(pose.angle), reach * torch.sin(pose.angle)
    room = (1 - reach * 1.35).clamp(min=0.05)
    rows = [cos * pose.flip, -sin, pose.x * room, sin * pose.flip, cos, pose.y * room]
    affine = torch.stack(rows, 1).view(count, 2, 3)
    grid = functional.affine_grid(affine, [count, 1, side, side], align_corners=False)
    grey = images[:, None].float() / 255
    return functional.grid_sample(grey, grid, padding_mode="reflection", align_corners=False)


def _uniform(count: int, low: float, high: float) -> Tensor:
    return torch.rand(count, 1, 1, 1) * (high - low) + low


def relight(x: Tensor, strength: float = 1.0) -> Tensor:
    """Other exposure, contrast, uneven light and sensor noise."""
    count, side = len(x), x.shape[-1]
    contrast = torch.exp(_uniform(count, -0.25, 0.25) * strength)
    x = (x - 0.5) * contrast + 0.5 + _uniform(count, -0.1, 0.1) * strength
    light = functional.interpolate(
        torch.randn(count, 1, 2, 2) * 0.04, (side, side), mode="bilinear"
    )
    return x + light + torch.randn_like(x) * _uniform(count, 0, 0.02)


def normalise(x: Tensor) -> Tensor:
    """Grey 0..1 to the backbone's input range."""
    return ((x - 0.5) * 4).contiguous(memory_format=torch.channels_last)


def _cut(masks: Tensor, count: int, side: int) -> Tensor:
    chosen = masks[torch.randint(0, len(masks), (count,))]
    top, left = torch.randint(0, masks.shape[-1] - side + 1, (2,)).tolist()
    cut = chosen[:, top : top + side, left : left + side]
    if torch.rand(()) < 0.5:
        cut = cut.flip(2)
    return (cut.transpose(1, 2) if torch.rand(()) < 0.5 else cut)[:, None].float()


def _warped(x: Tensor, soft: Tensor) -> Tensor:
    """A dent: pixels under the soft mask are pulled 2 to 7 pixels to one side."""
    count, side = len(x), x.shape[-1]
    turn, pull = torch.rand(count) * 2 * math.pi, (torch.rand(count) * 5 + 2) * 2 / side
    shift = torch.stack([torch.cos(turn) * pull, torch.sin(turn) * pull], 1)
    eye = torch.eye(2, 3)[None].expand(count, 2, 3)
    grid = functional.affine_grid(eye, [count, 1, side, side], align_corners=False)
    grid = grid + soft.permute(0, 2, 3, 1) * shift[:, None, None]
    return functional.grid_sample(x, grid, padding_mode="reflection", align_corners=False)


def spoil(x: Tensor, other: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
    """Put one synthetic defect on each crop; some masks miss, so that some crops stay good.

    x, other: float [B,1,S,S]; `other` is foreign material of the same shape.
    Returns the spoilt crops and the changed, visible pixels, float {0,1} [B,1,S,S].
    """
    count, side = len(x), x.shape[-1]
    hard = _cut(masks, count, side)
    soft = functional.avg_pool2d(hard, 3, 1, 1)
    wide = functional.avg_pool2d(hard, 9, 1, 4)
    step = _uniform(count, -0.5, 0.5)
    step = step.sign() * (0.08 + step.abs() * 0.8)
    ridge = (soft - torch.roll(soft, (2, 1), (2, 3))) * step.abs() * 2
    kinds = [
        x + (other - x) * soft,  # foreign material
        x + step * soft,  # spot, brighter or darker
        x + (other - x) * soft * 0.5,  # film
        x + (torch.roll(x, (7, 5), (2, 3)) - x) * soft,  # displaced piece
        x + (x.mean((2, 3), keepdim=True) + step * 0.5 - x) * soft,  # missing feature
        x + (functional.avg_pool2d(x, 7, 1, 3, count_include_pad=False) - x) * soft,  # smeared
        _warped(x, wide),  # dent
        x * (1 + step * wide),  # stain without an edge
        x + ridge,  # groove with a lit and a dark side
    ]
    kind = torch.randint(0, len(kinds), (count,))
    spoilt = torch.stack(kinds)[kind, torch.arange(count)]
    return spoilt, ((spoilt - x).abs() > VISIBLE).float()
