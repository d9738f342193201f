"""Train the backbone: `python -m models.training.train RUN_FOLDER --minutes 50`.

Promises: a run folder holds everything (bank, checkpoint, log); a run that was stopped goes on
where its last checkpoint was, and every checkpoint can be exported.
Never reads real images.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from . import bank as banks
from . import episodes, pretrain
from .network import Backbone, Distance, PretrainHeads
from .parts import is_texture

PRETRAIN_SHARE = 0.08  # of the minutes
PEAK_RATE = {"pretrain": 2e-3, "episodes": 1.5e-3}
AVERAGING = 0.998  # weight averaging per step
CHECKPOINT_S, PROGRESS_STEPS = 120.0, 100

Draw = Callable[[], tuple[Tensor, ...]]
Loss = Callable[[Any], Tensor]


def _rate(peak: float, steps: int, done: float) -> float:
    """Warm-up over 200 steps, then a cosine down to nothing over the stage."""
    return peak * min(1.0, steps / 200 + 0.01) * 0.5 * (1 + math.cos(math.pi * done)) + 1e-6


class Drawn(IterableDataset[tuple[Tensor, ...]]):
    """Endless batches. Drawn in a process of its own, since a third of a step is spent on them."""

    def __init__(self, draw: Callable[[], tuple[Tensor, ...]]) -> None:
        self.draw = draw

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        torch.set_num_threads(1)
        while True:
            yield self.draw()


class Run:
    """One training run: its models, its clock (seconds trained, not wall time) and its folder."""

    def __init__(self, folder: Path, images: int, minutes: float, seed: int) -> None:
        self.folder, self.minutes, self.seed, self.images = folder, minutes, seed, images
        self.backbone = Backbone().to(memory_format=torch.channels_last)
        self.average = torch.optim.swa_utils.AveragedModel(
            self.backbone,
            multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(AVERAGING),
            use_buffers=True,
        )
        self.heads, self.judge = PretrainHeads(images), Distance()
        self.seconds, self.steps = {"pretrain": 0.0, "episodes": 0.0}, 0

    def save(self) -> None:
        """Write checkpoint.pt by rename, so that a reader never sees half of it."""
        state = {
            "backbone": self.backbone.state_dict(),
            "average": self.average.state_dict(),
            "heads": self.heads.state_dict(),
            "judge": self.judge.state_dict(),
            "seconds": self.seconds,
            "steps": self.steps,
            "seed": self.seed,
            "images": self.images,
        }
        torch.save(state, self.folder / "checkpoint.tmp")
        (self.folder / "checkpoint.tmp").replace(self.folder / "checkpoint.pt")

    def resume(self) -> None:
        """Take up the checkpoint of this folder, if there is one."""
        path = self.folder / "checkpoint.pt"
        if not path.exists():
            return
        state = torch.load(path)
        self.seconds, self.steps = state["seconds"], state["steps"]
        for name in ("backbone", "average", "heads", "judge"):
            getattr(self, name).load_state_dict(state[name])

    def stage(self, name: str, budget: float, head: nn.Module, draw: Draw, loss: Loss) -> None:
        """Optimise until this stage has had `budget` seconds."""
        weights = [*self.backbone.parameters(), *head.parameters()]
        optimiser = torch.optim.AdamW(weights, weight_decay=1e-2)
        batches = iter(DataLoader(Drawn(draw), batch_size=None, num_workers=1, prefetch_factor=4))
        saved, steps, recent = self.seconds[name], 0, 0.0
        while self.seconds[name] < budget:
            begun = time.monotonic()
            for group in optimiser.param_groups:
                group["lr"] = _rate(PEAK_RATE[name], steps, self.seconds[name] / budget)
            value = loss(next(batches))
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
            self.average.update_parameters(self.backbone)
            recent = recent * 0.98 + 0.02 * value.item() if steps else value.item()
            steps, self.steps = steps + 1, self.steps + 1
            self.seconds[name] += time.monotonic() - begun
            if steps % PROGRESS_STEPS == 0:
                spent = self.seconds[name]
                line = f"{name} {spent:.0f}/{budget:.0f} s step {steps} loss {recent:.4f}"
                print(line, flush=True)
            if self.seconds[name] - saved > CHECKPOINT_S:
                self.save()
                saved = self.seconds[name]
        self.save()


def train(run: Run, workers: int) -> None:
    """Both stages, one after the other."""
    bank, masks = banks.images(run.images, run.folder, workers), banks.masks(4000)
    textures = torch.tensor([i for i in range(run.images) if is_texture(i)])
    torch.manual_seed(run.seed + run.steps)  # a resumed run draws new crops
    whole = run.minutes * 60
    run.stage(
        "pretrain",
        whole * PRETRAIN_SHARE,
        run.heads,
        lambda: pretrain.batch(bank, masks),
        lambda drawn: pretrain.loss(run.backbone, run.heads, drawn),
    )
    run.stage(
        "episodes",
        whole * (1 - PRETRAIN_SHARE),
        run.judge,
        lambda: episodes.batch(bank, textures, masks),
        lambda drawn: episodes.loss(run.backbone, run.judge, drawn),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="run folder; made if missing, resumed if not")
    parser.add_argument("--minutes", type=float, default=50, help="training time, both stages")
    parser.add_argument("--threads", type=int, default=2, help="1 on a busy machine")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--images", type=int, default=5000, help="generated images in the bank")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    torch.set_flush_denormal(True)
    torch.set_num_threads(given.threads)
    torch.manual_seed(given.seed)
    run = Run(given.folder, given.images, given.minutes, given.seed)
    run.resume()
    train(run, given.threads)


if __name__ == "__main__":
    main()
