"""What a run of the line came to: counts, times, and errors against labels.

Promises: figures are computed from committed outcomes; `triggers` is the cameras' own count and is
compared with the outcomes, never taken from them.
Never: leaves a fault out of a count.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from msgspec import Struct

from inspector.core.messages import Outcome
from inspector.core.terms import Kind

GOOD = "good"  # the folder of good parts; every other folder is a defect class


class Spread(Struct, frozen=True):
    """Milliseconds."""

    p50: float
    p95: float
    p99: float
    p999: float
    max: float


class Summary(Struct, frozen=True, rename={"passed": "pass"}):
    """One run."""

    triggers: int
    passed: int
    fail: int
    review: int
    fault: int
    causes: dict[str, int]
    latency_ms: Spread
    inference_ms: Spread
    good: int  # parts labelled good
    defective: int
    escapes: int  # defective parts that passed
    overkill: int  # good parts that failed
    parts_per_s: float

    @property
    def balanced(self) -> bool:
        """Every trigger has exactly one outcome."""
        return self.triggers == self.passed + self.fail + self.review + self.fault


def summarise(triggers: int, outcomes: Sequence[Outcome]) -> Summary:
    """The figures of a run. A label is the folder of the outcome's source."""
    kinds = [outcome.kind for outcome in outcomes]
    judged = [outcome for outcome in outcomes if outcome.kind is not Kind.FAULT]
    good = [outcome for outcome in outcomes if is_good(outcome)]
    bad = [outcome for outcome in outcomes if not is_good(outcome)]
    causes = sorted(outcome.cause.value for outcome in outcomes if outcome.cause)
    return Summary(
        triggers=triggers,
        passed=kinds.count(Kind.PASS),
        fail=kinds.count(Kind.FAIL),
        review=kinds.count(Kind.REVIEW),
        fault=kinds.count(Kind.FAULT),
        causes={cause: causes.count(cause) for cause in causes},
        latency_ms=spread(outcome.latency_us / 1000 for outcome in outcomes),
        inference_ms=spread(outcome.timing.inference_us / 1000 for outcome in judged),
        good=len(good),
        defective=len(bad),
        escapes=sum(outcome.kind is Kind.PASS for outcome in bad),
        overkill=sum(outcome.kind is Kind.FAIL for outcome in good),
        parts_per_s=rate(outcomes),
    )


def is_good(outcome: Outcome) -> bool:
    return outcome.source.split("/")[0] == GOOD


def spread(values: Iterable[float]) -> Spread:
    """Percentiles by nearest rank; zeros where there are no values."""
    found = np.fromiter(values, float)
    if not found.size:
        return Spread(0.0, 0.0, 0.0, 0.0, 0.0)
    quantiles = np.quantile(found, (0.5, 0.95, 0.99, 0.999, 1.0), method="nearest")
    return Spread(*(round(float(value), 3) for value in quantiles))


def rate(outcomes: Sequence[Outcome]) -> float:
    """Parts per second between the first and the last outcome."""
    ends = [outcome.trigger_wall_ns + 1000 * outcome.latency_us for outcome in outcomes]
    lasted = (max(ends) - min(ends)) / 1e9 if len(ends) > 1 else 0.0
    return round((len(ends) - 1) / lasted, 2) if lasted > 0 else 0.0
