"""The backbone and the heads that exist only while it is trained.

Promises: `Backbone` maps BGR [B,3,H,W] in [-2,2] to [B,96,H/8,W/8], unit length over channels.
Never holds anything about a product: that is the memory, made at teaching.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

FEATURES = 96
WIDTHS = (16, 32, 96, 160)  # channels at strides 2, 4, 8, 16


def normalise(images: Tensor) -> Tensor:
    """uint8 [B,H,W,3] to the backbone's input range, channels last in memory. [B,3,H,W]."""
    return images.permute(0, 3, 1, 2).float() * (4 / 255) - 2


def conv(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution, batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Residual(nn.Module):
    """Two 3x3 convolutions beside an identity (He et al. 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = conv(channels, channels)
        self.second = nn.Sequential(
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(x + self.second(self.first(x)))


class Backbone(nn.Module):
    """Strides 4, 8 and 16, gathered at stride 8 and projected to unit vectors."""

    def __init__(self) -> None:
        super().__init__()
        w2, w4, w8, w16 = WIDTHS
        self.stride4 = nn.Sequential(conv(3, w2, 5, 2), conv(w2, w4, 3, 2), Residual(w4))
        self.stride8 = nn.Sequential(conv(w4, w8, 3, 2), Residual(w8), Residual(w8))
        self.stride16 = nn.Sequential(conv(w8, w16, 3, 2), Residual(w16), Residual(w16))
        self.project = nn.Conv2d(w4 + w8 + w16, FEATURES, 1)

    def stages(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The three maps before projection."""
        fine = self.stride4(x)
        middle = self.stride8(fine)
        return fine, middle, self.stride16(middle)

    def forward(self, x: Tensor) -> Tensor:
        fine, middle, coarse = self.stages(x)
        coarse = functional.interpolate(
            coarse, scale_factor=2.0, mode="bilinear", align_corners=False
        )
        gathered = torch.cat([functional.avg_pool2d(fine, 2), middle, coarse], 1)
        return functional.normalize(self.project(gathered), dim=1)


class PretrainHeads(nn.Module):
    """Which image is this crop from (strides 8 and 16), and where was it spoiled (stride 4)."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        _, w4, w8, w16 = WIDTHS
        self.name8, self.name16 = nn.Linear(w8, classes), nn.Linear(w16, classes)
        self.from4, self.from8, self.from16 = conv(w4, 48, 1), conv(w8, 48, 1), conv(w16, 48, 1)
        self.merge8, self.merge4 = conv(48, 48), conv(48, 32)
        self.where = nn.Conv2d(32, 1, 1)

    def forward(self, maps: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        fine, middle, coarse = maps
        names8, names16 = self.name8(middle.mean((2, 3))), self.name16(coarse.mean((2, 3)))
        up = functional.interpolate(self.from16(coarse), size=middle.shape[2:]) + self.from8(middle)
        up = functional.interpolate(self.merge8(up), size=fine.shape[2:]) + self.from4(fine)
        return names8, names16, self.where(self.merge4(up))


class Distance(nn.Module):
    """Turns a distance into a logit while training episodes: slope and offset are learned."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(32.0))
        self.offset = nn.Parameter(torch.tensor(0.6))

    def forward(self, distance: Tensor) -> Tensor:
        return self.slope * (distance - self.offset)


def widened(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """A state of the former network of grey input for BGR input: grey images give the same."""
    grey = torch.tensor([0.114, 0.587, 0.299]).view(1, 3, 1, 1)
    return {
        name: value * grey if value.ndim == 4 and value.shape[1] == 1 else value
        for name, value in weights.items()
    }
