"""Statistical process control: the p-chart, and the rules that its points break.

Promises: centre line and limits are those of the proportion chart with subgroups of varying size,
p +- 3 sqrt(p (1 - p) / n) (Montgomery, Introduction to Statistical Quality Control, ch. 7); the
rules are those of the Western Electric handbook (1956) and of L. S. Nelson (1984), each by name.
With limits that vary from point to point the rules look at standardised values, z = (p_i - p) /
sigma_i, as Montgomery advises.
Never: judges runs where failing parts are so rare that chance alone would make them (there a
subgroup of none failing is the rule, and "nine in a row below the centre line" means nothing).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from itertools import pairwise

SIGMAS = 3.0
RUNS_FROM = 3.0  # failing parts to be expected in a subgroup, on average, for runs to be judged
ROUNDING = 1e-9  # in sigmas: a point on a line lies neither above nor below it


class Rule(StrEnum):
    """A pattern that chance alone hardly ever makes. `z` below is in sigmas of the centre line."""

    NELSON_1 = "nelson_1"  # one point beyond 3
    NELSON_2 = "nelson_2"  # nine in a row on one side
    NELSON_3 = "nelson_3"  # six in a row rising, or falling
    NELSON_4 = "nelson_4"  # fourteen in a row up and down in turn
    NELSON_5 = "nelson_5"  # two of three beyond 2 on one side
    NELSON_6 = "nelson_6"  # four of five beyond 1 on one side
    NELSON_7 = "nelson_7"  # fifteen in a row within 1: too little variation
    NELSON_8 = "nelson_8"  # eight in a row, none within 1
    WESTERN_ELECTRIC_1 = "western_electric_1"
    WESTERN_ELECTRIC_2 = "western_electric_2"
    WESTERN_ELECTRIC_3 = "western_electric_3"
    WESTERN_ELECTRIC_4 = "western_electric_4"  # eight in a row on one side


# Two names for one rule; it is reported once, under Nelson's.
COINCIDE: Mapping[Rule, Rule] = {
    Rule.WESTERN_ELECTRIC_1: Rule.NELSON_1,
    Rule.WESTERN_ELECTRIC_2: Rule.NELSON_5,
    Rule.WESTERN_ELECTRIC_3: Rule.NELSON_6,
}


@dataclass(frozen=True, slots=True)
class Subgroup:
    """Parts that are judged together."""

    parts: int
    failing: int  # 0 to `parts`


@dataclass(frozen=True, slots=True)
class ChartPoint:
    """One subgroup on the chart. Proportions are 0 to 1, and None where it has no parts."""

    parts: int
    failing: int
    proportion: float | None
    lower: float | None
    upper: float | None
    z: float | None
    rules: tuple[Rule, ...] = ()  # those that this point completes


@dataclass(frozen=True, slots=True)
class Break:
    """A rule broken by the points `first` to `last` of the chart, from 0."""

    rule: Rule
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class PChart:
    """The chart whole."""

    centre: float | None  # None without parts
    points: tuple[ChartPoint, ...]
    breaks: tuple[Break, ...]  # by rule, then by point
    runs_judged: bool  # False: failing parts are too few for any rule but nelson_1


def p_chart(subgroups: Sequence[Subgroup]) -> PChart:
    """The chart of these subgroups, oldest first, with limits from their own mean."""
    parts = sum(group.parts for group in subgroups)
    if not parts:
        empty = tuple(ChartPoint(0, 0, None, None, None, None) for _ in subgroups)
        return PChart(None, empty, (), False)
    centre = sum(group.failing for group in subgroups) / parts
    points = [_point(group, centre) for group in subgroups]
    filled = [at for at, point in enumerate(points) if point.z is not None]
    runs = runs_judged(subgroups)
    found = broken([points[at].z or 0.0 for at in filled], runs)
    for at, index in enumerate(filled):
        rules = tuple(rule for rule, where in found.items() if at in where)
        points[index] = _marked(points[index], rules)
    breaks = [
        Break(rule, filled[first], filled[last])
        for rule, where in found.items()
        for first, last in _stretches(sorted(where), LENGTHS[rule])
    ]
    return PChart(centre, tuple(points), tuple(breaks), runs)


def limits(centre: float, parts: int) -> tuple[float, float]:
    """Lower and upper control limit of a subgroup of `parts` (1 or more), within 0 to 1."""
    wide = SIGMAS * sigma(centre, parts)
    return max(0.0, centre - wide), min(1.0, centre + wide)


def sigma(centre: float, parts: int) -> float:
    """Standard deviation of a subgroup's proportion."""
    return math.sqrt(centre * (1 - centre) / parts)


def standardised(group: Subgroup, centre: float) -> float:
    """How many sigmas the subgroup lies above the centre line; 0 where nothing can vary."""
    deviation = group.failing / group.parts - centre
    wide = sigma(centre, group.parts)
    return deviation / wide if wide > 0 else 0.0


def runs_judged(subgroups: Sequence[Subgroup]) -> bool:
    """True when a subgroup has both failing and other parts enough for its proportion to vary
    both ways."""
    filled = [group for group in subgroups if group.parts]
    failing = sum(group.failing for group in filled)
    passing = sum(group.parts for group in filled) - failing
    return min(failing, passing) >= RUNS_FROM * max(1, len(filled))


def broken(z: Sequence[float], runs: bool = True) -> dict[Rule, set[int]]:
    """The points that complete each rule, by standardised values, oldest first. Rules that
    coincide are named once; without `runs` only rule 1 is looked at."""
    asked = [rule for rule in Rule if rule not in COINCIDE] if runs else [Rule.NELSON_1]
    found = {rule: {at for at in range(len(z)) if TESTS[rule](z[: at + 1])} for rule in asked}
    return {rule: where for rule, where in found.items() if where}


def _point(group: Subgroup, centre: float) -> ChartPoint:
    if not group.parts:
        return ChartPoint(0, 0, None, None, None, None)
    lower, upper = limits(centre, group.parts)
    share = group.failing / group.parts
    return ChartPoint(group.parts, group.failing, share, lower, upper, standardised(group, centre))


def _marked(point: ChartPoint, rules: tuple[Rule, ...]) -> ChartPoint:
    return ChartPoint(
        point.parts, point.failing, point.proportion, point.lower, point.upper, point.z, rules
    )


def _stretches(where: Sequence[int], length: int) -> list[tuple[int, int]]:
    """First and last point of each run: it began `length` points before it was complete."""
    runs: list[tuple[int, int]] = []
    for at in where:
        first = max(0, at - length + 1)
        if runs and first <= runs[-1][1] and at == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], at)
        else:
            runs.append((first, at))
    return runs


# Each test is given the points up to the one that would complete the rule.
def _beyond(z: Sequence[float], sigmas: float, needed: int, of: int) -> bool:
    """The last point lies beyond `sigmas`, as do `needed` of the last `of` on its side."""
    side = math.copysign(1.0, z[-1])
    out = [side * value > sigmas + ROUNDING for value in z[-of:]]
    return out[-1] and sum(out) >= needed


def _trend(z: Sequence[float], points: int) -> bool:
    steps = _steps(z, points)
    return len(steps) == points - 1 and (min(steps) > 0 or max(steps) < 0)


def _alternating(z: Sequence[float], points: int) -> bool:
    steps = _steps(z, points)
    return len(steps) == points - 1 and all(one * two < 0 for one, two in pairwise(steps))


def _steps(z: Sequence[float], points: int) -> list[int]:
    """Up (1), level (0) or down (-1), between the last `points`."""
    steps = (after - before for before, after in pairwise(z[-points:]))
    return [int(step > ROUNDING) - int(step < -ROUNDING) for step in steps]


def _within(z: Sequence[float], sigmas: float, points: int) -> bool:
    return len(z) >= points and all(abs(value) < sigmas - ROUNDING for value in z[-points:])


def _outside(z: Sequence[float], sigmas: float, points: int) -> bool:
    return len(z) >= points and all(abs(value) > sigmas + ROUNDING for value in z[-points:])


Test = Callable[[Sequence[float]], bool]
_NELSON: Mapping[Rule, tuple[int, Test]] = {
    Rule.NELSON_1: (1, partial(_beyond, sigmas=3.0, needed=1, of=1)),
    Rule.NELSON_2: (9, partial(_beyond, sigmas=0.0, needed=9, of=9)),
    Rule.NELSON_3: (6, partial(_trend, points=6)),
    Rule.NELSON_4: (14, partial(_alternating, points=14)),
    Rule.NELSON_5: (3, partial(_beyond, sigmas=2.0, needed=2, of=3)),
    Rule.NELSON_6: (5, partial(_beyond, sigmas=1.0, needed=4, of=5)),
    Rule.NELSON_7: (15, partial(_within, sigmas=1.0, points=15)),
    Rule.NELSON_8: (8, partial(_outside, sigmas=1.0, points=8)),
}
_WESTERN_ELECTRIC_4 = (8, partial(_beyond, sigmas=0.0, needed=8, of=8))
_ALL: Mapping[Rule, tuple[int, Test]] = {
    **_NELSON,
    **{western: _NELSON[nelson] for western, nelson in COINCIDE.items()},
    Rule.WESTERN_ELECTRIC_4: _WESTERN_ELECTRIC_4,
}
LENGTHS: Mapping[Rule, int] = {rule: length for rule, (length, _) in _ALL.items()}
TESTS: Mapping[Rule, Test] = {rule: test for rule, (_, test) in _ALL.items()}
