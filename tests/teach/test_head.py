"""Promise: an alarm speaks up for known defects, is silent on good cells and never negative."""

import numpy as np
from numpy.typing import NDArray

from inspector.teach import fit, head

SIDE, DEPTH = 8, 16
SPOT = np.eye(DEPTH, dtype=np.float32)[3]


def grid(count: int, seed: int, spots: bool = False, noise: float = 0.12) -> NDArray[np.float32]:
    """Cells about one direction; with `spots` three neighbours lean another way, faintly."""
    rng = np.random.default_rng(seed)
    cells = rng.normal(0, noise, (count, SIDE, SIDE, DEPTH)).astype(np.float32)
    cells[..., 0] += 1
    if spots:
        for one in cells:
            row, column = rng.integers(1, SIDE - 2, 2)
            one[row, column : column + 2] += 1.6 * SPOT
            one[row + 1, column] += 1.6 * SPOT
    return np.asarray(cells / np.linalg.norm(cells, axis=-1, keepdims=True), np.float32)


def maps(some: NDArray[np.float32], memory: NDArray[np.float32]) -> NDArray[np.float32]:
    return fit.smoothed(fit.distances(some, memory, 0.0))


def test_an_alarm_learns_a_defect_and_is_silent_on_good_cells() -> None:
    good, known = grid(20, 0), grid(10, 1, spots=True)
    memory = fit.memorise(good, 0.0, 200, 0)
    alarm = head.detectors(good, head.exemplars(known, maps(known, memory)), 0)
    new_good, new_bad = (head.alarms(grid(10, 2 + bad, bool(bad)), alarm) for bad in (0, 1))
    assert (new_good >= 0).all()
    assert (new_good > 0).mean() < 0.02
    assert (new_bad.reshape(10, -1).max(1) > np.quantile(new_good, 0.999)).mean() > 0.6


def test_an_alarm_is_kept_only_where_it_helps_on_defects_it_has_not_seen() -> None:
    good, known = grid(30, 0, noise=0.25), grid(12, 1, spots=True, noise=0.25)
    memory = fit.memorise(good[:15], 0.0, 200, 0)
    held, bad = maps(good[15:], memory), maps(known, memory)
    gains = np.ones((SIDE, SIDE), np.float32)
    learnt = head.learn(good[15:], held, known, bad, gains, 4, 0)
    assert learnt is not None
    assert learnt.after > learnt.before
    assert (learnt.good >= 0).all()
    assert (learnt.defects >= 0).all()


def test_an_alarm_never_lowers_what_the_memory_says() -> None:
    good, known = grid(20, 0), grid(10, 1, spots=True)
    memory = fit.memorise(good, 0.0, 200, 0)
    alarm = head.detectors(good, head.exemplars(known, maps(known, memory)), 0)
    other = -grid(5, 3)  # a new kind, unlike all that is known
    assert (maps(other, memory) + head.alarms(other, alarm) >= maps(other, memory)).all()
