"""How fast two models are, one against the other.

Promises: both are measured in one run, by turns, and the first turn does not count.
Never: says how fast the line is.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

ROUNDS, TURN = 20, 5  # speed: so many turns of so many inferences, each model in its turn


@dataclass(frozen=True)
class Speed:
    """Milliseconds of one inference, p50, both measured in turn."""

    before: float
    after: float

    @property
    def gain(self) -> float:
        return self.before / self.after


def measure(original: Callable[[], None], quantised: Callable[[], None]) -> Speed:
    """By turns, so that a machine whose speed drifts changes both alike."""
    times: dict[int, list[float]] = {0: [], 1: []}
    for turn in range(2 * ROUNDS):
        infer = (original, quantised)[turn % 2]
        for _ in range(TURN):
            started = time.perf_counter()
            infer()
            times[turn % 2].append(1000 * (time.perf_counter() - started))
    before, after = (float(np.median(times[one][TURN:])) for one in (0, 1))
    return Speed(before, after)
