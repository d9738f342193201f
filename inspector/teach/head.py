"""What labelled defects add to the memory: an alarm for cells that look like a known defect.

Promises: an alarm is never negative, so it never lowers what the memory says; it is silent on all
but a few of the good cells. Whether it helps is measured on defects it has not seen.
Never replaces the memory: a new kind of defect is caught by the distance to good parts alone.

Each labelled image gives one linear detector, an exemplar LDA (Hariharan, Malik and Ramanan,
"Discriminative decorrelation for clustering and classification", ECCV 2012): the covariance of
good cells says which differences are usual, so that ten images are enough.
"""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from inspector.teach import calibrate, evaluate, fit

Grid = NDArray[np.float32]  # [N,h,w,D]
Maps = NDArray[np.float32]  # [N,h,w]
Alarm = NDArray[np.float32]  # [D+1,J]: J detectors, their offsets last

CELLS = 6  # of an image at most, those farthest from the memory: the defect
HOT = 0.7  # of the farthest cell's distance, at least
MOST = 32  # detectors; more labelled images are chosen from evenly
NEGATIVES = 20_000  # good cells that the detectors are learnt against
STRENGTHEN = 0.03  # of the mean variance, added to every direction
SILENT = 0.999  # share of good cells on which a detector says nothing
FEWEST = 3  # labelled defects from which an alarm is learnt
FOLDS = 5
VOLUME = 0.3  # of the usual distance, per standard deviation; ten images cannot choose it
WORTH = 0.003  # AUROC that the alarm must bring


class Learnt(Struct, frozen=True):
    """An alarm, and what it says where it has not learnt."""

    alarm: Alarm
    good: Maps  # smoothed alarms of the good images
    defects: Maps
    before: float  # cross-validated AUROC without it, and with it
    after: float


def exemplars(grid: Grid, maps: Maps) -> NDArray[np.float32]:
    """Mean of the cells that are farthest from the memory, an image a row. [N,D]"""
    cells = grid.reshape(len(grid), -1, grid.shape[-1])
    away = maps.reshape(len(maps), -1)
    worst = np.argsort(away, 1)[:, -CELLS:]
    heights = np.take_along_axis(away, worst, 1)
    counts = (heights >= HOT * heights.max(1, keepdims=True)).astype(np.float32)[..., None]
    chosen = np.take_along_axis(cells, worst[..., None], 1) * counts
    return np.asarray(chosen.sum(1) / counts.sum(1), np.float32)


def detectors(good: Grid, known: NDArray[np.float32], seed: int) -> Alarm:
    """One linear detector for each exemplar, in standard deviations of good cells. [D+1,J]"""
    cells = good.reshape(-1, good.shape[-1])
    if len(cells) > NEGATIVES:
        cells = cells[np.random.default_rng(seed).choice(len(cells), NEGATIVES, replace=False)]
    known = known[np.linspace(0, len(known) - 1, min(MOST, len(known))).astype(int)]
    mean, spread = cells.mean(0), np.cov(cells.T)
    spread += STRENGTHEN * np.trace(spread) / len(spread) * np.eye(len(spread))
    weights = np.linalg.solve(spread, (known - mean).T)
    said = cells @ weights
    weights /= said.std(0)
    offsets = -np.quantile(said / said.std(0), SILENT, axis=0)
    return np.concatenate([weights, offsets[None]]).astype(np.float32)


def alarms(grid: Grid, alarm: Alarm) -> Maps:
    """The loudest detector of each cell, 0 or more. [N,h,w]"""
    return np.asarray(np.maximum((grid @ alarm[:-1] + alarm[-1]).max(-1), 0), np.float32)


def learn(
    good: Grid,
    good_maps: Maps,
    defects: Grid,
    defect_maps: Maps,
    gains: NDArray[np.float32],
    worst: int,
    seed: int,
) -> Learnt | None:
    """The alarm that adds to the maps (smoothed, held-out), or None where it does not help."""
    known = exemplars(defects, defect_maps)
    first, second = _crossed(good, defects, known, seed)
    usual = float(np.median(good_maps))

    def auroc(volume: float) -> float:
        scores = [
            fit.scores((maps + volume * usual * said) * gains, worst)
            for maps, said in ((good_maps, first), (defect_maps, second))
        ]
        return evaluate.auroc(*scores)

    before, after = auroc(0.0), auroc(VOLUME)
    if after < before + WORTH:
        return None
    volume = VOLUME * usual
    alarm = detectors(good, known, seed) * np.float32(volume)
    return Learnt(alarm, first * volume, second * volume, before, after)


def _crossed(good: Grid, defects: Grid, known: NDArray[np.float32], seed: int) -> tuple[Maps, Maps]:
    """Smoothed alarms of images that the detectors were not learnt from."""
    found = [np.zeros(grid.shape[:3], np.float32) for grid in (good, defects)]
    parts = min(FOLDS, len(defects), len(good))
    goods: Sequence[tuple[calibrate.Indices, calibrate.Indices]]
    goods = list(calibrate.folds(len(good), parts, seed))
    bads = list(calibrate.folds(len(defects), parts, seed))
    for (kept, held), (known_to, left_out) in zip(goods, bads, strict=True):
        alarm = detectors(good[kept], known[known_to], seed)
        found[0][held] = fit.smoothed(alarms(good[held], alarm))
        found[1][left_out] = fit.smoothed(alarms(defects[left_out], alarm))
    return found[0], found[1]
