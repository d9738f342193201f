"""Train the backbone: `python -m models.training.train RUN_FOLDER --minutes 100`.

Promises: a run folder holds everything (bank, checkpoint); a run that was stopped goes on where its
last checkpoint was, and ends `--minutes` of wall time after its last start, however much of the
machine it got; every checkpoint can be exported.
Never reads real images.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from . import bank as banks
from . import episodes, pretrain
from .network import Backbone, Distance, PretrainHeads, widened
from .textures import Rng

PRETRAIN_SHARE = 0.08  # of the minutes
PEAK_RATE = {"pretrain": 2e-3, "episodes": 8e-4}
FROZEN = 0.3  # share of the episodes after which batch statistics stand still, as on the line
AVERAGING = 0.997  # weight averaging per step
CHECKPOINT_S, PROGRESS_STEPS = 180.0, 100
MODELS = ("backbone", "average", "heads", "judge")  # kept in a checkpoint, beside
FACTS = ("done", "history", "optimiser", "products", "seed")

Draw = Callable[[Rng], tuple[Tensor, ...]]
Loss = Callable[[Any], Tensor]


def _rate(peak: float, steps: int, done: float) -> float:
    """Warm-up over 200 steps, then a cosine down to nothing over the stage."""
    return peak * min(1.0, steps / 200 + 0.01) * 0.5 * (1 + math.cos(math.pi * done)) + 1e-6


class Drawn(IterableDataset[Any]):
    """Endless batches, drawn in a process of its own, since drawing takes as long as a step."""

    def __init__(self, draw: Draw, seed: int) -> None:
        self.draw, self.seed = draw, seed

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        torch.set_num_threads(1)
        cv2.setNumThreads(1)
        rng = np.random.default_rng([self.seed, 1])
        while True:
            yield self.draw(rng)


class Run:
    """One training run: its models, how far it got, and its folder."""

    def __init__(self, folder: Path, products: int, seed: int) -> None:
        self.folder, self.seed, self.products = folder, seed, products
        self.backbone = Backbone().to(memory_format=torch.channels_last)
        self.average = torch.optim.swa_utils.AveragedModel(
            self.backbone,
            multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(AVERAGING),
            use_buffers=True,
        )
        self.heads, self.judge = PretrainHeads(products), Distance()
        self.done = {"pretrain": 0.0, "episodes": 0.0}  # share of each stage
        self.history: list[dict[str, Any]] = []  # one entry per stage, oldest first
        self.optimiser: dict[str, Any] | None = None

    @property
    def steps(self) -> int:
        return sum(stage["steps"] for stage in self.history)

    def save(self) -> None:
        """Write checkpoint.pt by rename, so that a reader never sees half of it."""
        models = {name: getattr(self, name).state_dict() for name in MODELS}
        facts = {name: getattr(self, name) for name in FACTS}
        torch.save(models | facts, self.folder / "checkpoint.tmp")
        (self.folder / "checkpoint.tmp").replace(self.folder / "checkpoint.pt")

    def resume(self) -> bool:
        """Take up the checkpoint of this folder, if there is one."""
        path = self.folder / "checkpoint.pt"
        if not path.exists():
            return False
        state = torch.load(path)
        for name in MODELS:
            getattr(self, name).load_state_dict(state[name])
        for name in FACTS:
            setattr(self, name, state[name])
        return True

    def start_from(self, path: Path) -> None:
        """Warm start: the averaged weights of another run, of grey input too.

        The first stage is left out, and so is that share of the second in which the batch
        statistics still move.
        """
        state = torch.load(path)
        average = widened(state["average"])
        self.average.load_state_dict(average)
        self.backbone.load_state_dict(self.average.module.state_dict())
        self.judge.load_state_dict(state["judge"])
        self.history, self.done = state["history"], {"pretrain": 1.0, "episodes": FROZEN}

    def _freeze(self) -> None:
        """Let batch norm use the averaged statistics from now on, and keep them."""
        averaged = dict(self.average.module.named_buffers())
        for name, buffer in self.backbone.named_buffers():
            buffer.copy_(averaged[name])
        self.backbone.eval()

    def _begin(self, name: str, weights: list[nn.Parameter]) -> torch.optim.Optimizer:
        """The optimiser of a stage that is begun, or gone on with."""
        optimiser = torch.optim.AdamW(weights, weight_decay=1e-2, fused=True)
        if self.optimiser is not None:
            optimiser.load_state_dict(self.optimiser)
        else:
            self.history.append({"stage": name, "steps": 0, "minutes": 0.0})
        return optimiser

    def _step(self, optimiser: torch.optim.Optimizer, rate: float, value: Tensor) -> None:
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(optimiser.param_groups[0]["params"], 5.0)
        optimiser.step()
        self.average.update_parameters(self.backbone)

    def stage(self, name: str, budget: float, head: nn.Module, draw: Draw, loss: Loss) -> None:
        """Optimise for `budget` seconds of wall time, then the stage is done."""
        optimiser = self._begin(name, [*self.backbone.parameters(), *head.parameters()])
        record, seed = self.history[-1], self.seed + self.steps  # a resumed run draws new crops
        loader = DataLoader(Drawn(draw, seed), batch_size=None, num_workers=1, prefetch_factor=4)
        before, worked, began = self.done[name], record["minutes"], time.monotonic()
        saved, recent, batches = began, 0.0, iter(loader)
        while self.done[name] < 1:
            spent = time.monotonic() - began
            self.done[name] = min(1.0, before + (1 - before) * spent / budget)
            if name == "episodes" and self.done[name] >= FROZEN and self.backbone.training:
                self._freeze()
            value = loss(next(batches))
            self._step(optimiser, _rate(PEAK_RATE[name], record["steps"], self.done[name]), value)
            recent = recent * 0.98 + 0.02 * value.item() if recent else value.item()
            record |= {"steps": record["steps"] + 1, "minutes": worked + spent / 60}
            if record["steps"] % PROGRESS_STEPS == 0:
                told = f"{name} {self.done[name]:.1%} step {record['steps']} loss {recent:.4f}"
                print(told, flush=True)
            if time.monotonic() - saved > CHECKPOINT_S:
                self.optimiser = optimiser.state_dict()
                self.save()
                saved = time.monotonic()
        self.optimiser = None
        self.save()


def train(run: Run, minutes: float, workers: int) -> None:
    """Both stages, one after the other; one that is done is not repeated."""
    bank = banks.load(run.products, run.folder, workers)
    seconds = minutes * 60
    if run.done["pretrain"] < 1:
        run.stage(
            "pretrain",
            seconds * PRETRAIN_SHARE,
            run.heads,
            lambda rng: pretrain.batch(bank, rng),
            lambda drawn: pretrain.loss(run.backbone, run.heads, drawn),
        )
        seconds *= 1 - PRETRAIN_SHARE
    if run.done["episodes"] < 1:
        run.stage(
            "episodes",
            seconds,
            run.judge,
            lambda rng: episodes.batch(bank, rng),
            lambda drawn: episodes.loss(run.backbone, run.judge, drawn),
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="run folder; made if missing, resumed if not")
    parser.add_argument("--minutes", type=float, default=100, help="wall time from now, in all")
    parser.add_argument("--threads", type=int, default=1, help="of a step; drawing takes one more")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--products", type=int, default=2400, help="generated products in the bank")
    parser.add_argument("--start-from", type=Path, help="checkpoint of another run to go on from")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    torch.set_flush_denormal(True)
    torch.set_num_threads(given.threads)
    torch.manual_seed(given.seed)
    run = Run(given.folder, given.products, given.seed)
    if not run.resume() and given.start_from:
        run.start_from(given.start_from)
    train(run, given.minutes, given.threads)


if __name__ == "__main__":
    main()
