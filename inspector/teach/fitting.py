"""From the features of one product to its memory, its alarm and its limits.

Promises: every score that sets a limit comes from an image that was not learnt from; a way of
scoring is the same here, in numpy, and in the bundle's graph.
Never chooses how to look: that is done (`looks`).
"""

import numpy as np
from msgspec import Struct, structs
from numpy.typing import NDArray

from inspector.teach import calibrate, fit, graph, looks
from inspector.teach import head as heads
from inspector.teach.settings import Settings

Scores = NDArray[np.float32]  # [N]

ODD = 5.0  # robust deviations above the median logarithm: unlike all others
PEAK, SPOT = 4, 1.6  # cells of a spot, and times the level that 5 % of the cells reach
TWICE = 2.0  # and times the median score


class Fitted(Struct, frozen=True):
    """What goes into a bundle, and the scores it was judged by; 1 is the fail limit."""

    seen: looks.Seen
    choice: looks.Choice
    head: graph.Head
    limits: calibrate.Limits
    good: Scores  # good images, held out
    spoilt: Scores  # copies of them with synthetic defects
    defects: Scores  # labelled defects, not learnt from
    learnt: heads.Learnt | None


class Maps(Struct, frozen=True):
    """Smoothed, held-out maps of one product."""

    good: looks.Maps
    spoilt: looks.Maps
    gains: NDArray[np.float32]  # [h,w]
    unseen: NDArray[np.float32]  # [N,h,w] or [h,w]: the gains of each good image without it


def mapped(seen: looks.Seen, choice: looks.Choice, given: Settings) -> Maps:
    """Held-out maps of the good images and their spoilt copies, and what each place counts."""
    good, bad = looks.held_out(
        seen, choice.weight, given.memory, given.folds, given.seed, (seen.spoilt,)
    )
    if not choice.evened:
        return Maps(good, bad, seen.near, seen.near)
    return Maps(good, bad, fit.gains(good, seen.near), fit.left_out_gains(good, seen.near))


def odd(maps: Maps, worst: int) -> NDArray[np.int64]:
    """Which good images are unlike all others."""
    logs = np.log(np.maximum(fit.scores(maps.good * maps.unseen, worst), calibrate.FLOOR))
    spread = 1.4826 * float(np.median(np.abs(logs - np.median(logs))))
    bound = float(np.median(logs)) + max(ODD * spread, float(np.log(TWICE)))
    return np.nonzero(logs > bound)[0]


def spotted(maps: Maps, near: NDArray[np.float32]) -> NDArray[np.int64]:
    """Which good images show a small spot that stands far out of the rest of them, as defects do.

    By the highest cells over the unrest of the image's own other cells, so that parts which differ
    all over are not meant."""
    even = (maps.good * fit.left_out_gains(maps.good, near))[:, near > 0]
    peaks = np.sort(even, 1)[:, -PEAK:].mean(1)
    return np.nonzero(peaks > SPOT * np.quantile(even, 0.95, axis=1))[0]


def without(seen: looks.Seen, dropped: NDArray[np.int64]) -> looks.Seen:
    """The same without these good images and their copies; labelled defects stay."""
    count = len(seen.good)
    kept = np.setdiff1d(np.arange(count), dropped)
    copies = np.isin(np.arange(len(seen.spoilt)) % count, kept)
    return structs.replace(
        seen, good=seen.good[kept], spoilt=seen.spoilt[copies], lost=seen.lost[copies]
    )


def fitted(
    seen: looks.Seen,
    choice: looks.Choice,
    maps: Maps,
    given: Settings,
    defects: looks.Grid | None = None,
) -> Fitted:
    """Memory, alarm and limits. `defects` are features of labelled ones, else those of `seen`."""
    memory = fit.memorise(seen.good, choice.weight, given.memory, given.seed)
    defect_maps = np.zeros((0, *maps.good.shape[1:]), np.float32)
    learnt = None
    defects = seen.known if defects is None else defects
    if defects is not None and len(defects):
        defect_maps = fit.smoothed(fit.distances(defects, memory, choice.weight))
        learnt = _learn(seen, maps, defects, defect_maps, choice.worst, given.seed)
    bad = defect_maps + learnt.defects if learnt else defect_maps
    good = maps.good + learnt.good if learnt else maps.good
    raw = [
        _scores(one, gains, choice.worst)
        for one, gains in ((good, maps.unseen), (maps.spoilt, maps.gains), (bad, maps.gains))
    ]
    limits = calibrate.calibrate(raw[0], given.target_overkill, given.review_share)
    if len(bad):
        shares = given.target_overkill, given.review_share
        limits = calibrate.sharpened(limits, raw[0], raw[2], *shares)
    places = choice.weight * fit.positions(*seen.good.shape[1:3])
    top = graph.Head(
        memory=memory,
        places=places,
        gains=maps.gains,
        scale=limits.scale,
        worst=choice.worst,
        alarm=learnt.alarm if learnt else None,
    )
    fine, spoilt, known = (np.asarray(one * limits.scale, np.float32) for one in raw)
    if len(spoilt):
        spoilt[seen.lost] = max(2.0, float(spoilt.max()))
    return Fitted(seen, choice, top, limits, fine, spoilt, known, learnt)


def _learn(
    seen: looks.Seen,
    maps: Maps,
    defects: looks.Grid,
    defect_maps: looks.Maps,
    worst: int,
    seed: int,
) -> heads.Learnt | None:
    if len(defects) < heads.FEWEST:
        return None
    return heads.learn(seen.good, maps.good, defects, defect_maps, maps.gains, worst, seed)


def _scores(maps: looks.Maps, gains: NDArray[np.float32], worst: int) -> Scores:
    return fit.scores(maps * gains, worst) if len(maps) else np.zeros(0, np.float32)


def described(found: Fitted) -> list[str]:
    """What labelled defects brought, in words."""
    if not len(found.defects):
        return []
    caught = int((found.defects >= found.limits.fail).sum())
    text = f"{caught} of {len(found.defects)} labelled defects fail"
    if found.learnt is None:
        return [f"{text}; an alarm of their own would not help"]
    before, after = found.learnt.before, found.learnt.after
    return [f"{text}; their own alarm lifts AUROC from {before:.3f} to {after:.3f} (cross-checked)"]
