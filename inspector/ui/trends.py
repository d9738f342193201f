"""Trends over HTTP: the charts of a span of time, and the parts behind a point or bar.

Promises: a span is cut into at most POINTS points of round lengths, fewer where failing parts are
so rare that a point would say nothing; what a point counted is what lies behind it.
Never: counts anything itself: the ledger's windows do.
"""

import math
import time
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal, get_args

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inspector.core.clock import SECOND
from inspector.core.config import StationConfig
from inspector.core.current import Current, read_current
from inspector.core.errors import InspectorError
from inspector.core.paths import Paths
from inspector.core.recipe import RecipeLimits, load_recipe
from inspector.core.terms import Frozen, Kind
from inspector.devices.ledger.trends import (
    FIRST,
    Behind,
    PartBehind,
    Point,
    Scores,
    Span,
    Trend,
    TrendReader,
)
from inspector.devices.localtime import local_zone
from inspector.domain.drift import stability_index
from inspector.domain.pareto import Histogram, Pareto, histogram, pareto
from inspector.domain.shift import shift_start
from inspector.domain.spc import PChart, Subgroup, p_chart
from inspector.ui.responses import json, number

Length = Literal["shift", "lot", "day", "week"]
Sort = Literal["failing", "class", "cause", "score", "slowest"]

POINTS = 60
FEWEST = 12  # points that a span keeps when they are drawn together
DRAWN_TOGETHER = (2, 3, 5)
MINUTE, HOUR, DAY = 60, 3600, 86_400
STEPS = tuple(
    [10, 20, 30]
    + [MINUTE * count for count in (1, 2, 5, 10, 15, 20, 30)]
    + [HOUR * count for count in (1, 2, 3, 4, 6, 12)]
    + [DAY * count for count in (1, 2, 7, 14, 28)]
)  # seconds
LONGEST = {"day": DAY, "week": 7 * DAY}
PARTS = 24  # shown behind a point unless more are asked for
MOST_PARTS = 100


class ShownScores(Frozen, frozen=True, kw_only=True):
    """Scores now and at first, of the model that judged last. `drift` is the population stability
    index; None where there are too few scores."""

    model: str
    recipe: str
    parts_now: int
    parts_before: int
    bins: Histogram
    drift: float | None
    limits: RecipeLimits | None  # of the recipe as it is now


class Shown(Frozen, frozen=True, kw_only=True):
    """A span of time as the page draws it. `chart.points` stand for `points`, one for one."""

    span: Length
    start_s: int
    end_s: int
    step_s: int
    lot: str | None  # only its parts
    points: tuple[Point, ...]
    chart: PChart
    classes: Pareto
    causes: Pareto
    scores: ShownScores | None
    deadline_ms: float


class ShownParts(Frozen, frozen=True, kw_only=True):
    """Parts behind a point or bar, newest first."""

    parts: tuple[PartBehind, ...]


async def _trends(request: Request) -> Response:
    span: Length = _one_of(request, "span", "shift", Length)
    state = request.app.state
    return json(await run_in_threadpool(shown, state.paths, state.station, span, time.time_ns()))


async def _parts(request: Request) -> Response:
    start, end = number(request, "start", 0), number(request, "end", 0)
    span = Span(start, end, request.query_params.get("lot"))
    asked = _asked(request)
    limit = number(request, "limit", PARTS, 1, MOST_PARTS)
    reader = TrendReader(request.app.state.paths.ledger)
    found = await run_in_threadpool(reader.behind, span, asked, limit)
    return json(ShownParts(parts=tuple(found)))


routes = [
    Route("/api/trends", _trends, methods=["GET"]),
    Route("/api/trends/parts", _parts, methods=["GET"]),
]


def shown(paths: Paths, station: StationConfig, length: Length, wall_ns: int) -> Shown:
    """The span of this length that ends at `wall_ns`. Raises MaintainerError when the ledger
    cannot be read."""
    reader = TrendReader(paths.ledger)
    current = read_current(paths.current, station.line)
    asked = _span(reader, current, length, wall_ns, station)
    step_s = step_of(asked.end_s - asked.start_s, station.record.window_s)
    span = asked if length == "shift" else _aligned(asked, step_s)
    trend, chart, step_s = _drawn(reader, span, step_s)
    scores = reader.scores(span, first=max(FIRST, station.alarms.drift_parts))
    return Shown(
        span=length,
        start_s=span.start_s,
        end_s=span.end_s,
        step_s=step_s,
        lot=span.lot,
        points=trend.points,
        chart=chart,
        classes=pareto(trend.classes),
        causes=pareto(trend.causes),
        scores=_scores(paths, scores, station.alarms.drift_parts) if scores else None,
        deadline_ms=station.line.deadline_ms,
    )


def step_of(length_s: int, window_s: int) -> int:
    """Seconds from point to point: round, a window or more, at most POINTS of them."""
    least = max(window_s, length_s / (POINTS - 1))  # aligning adds one
    for step_s in STEPS:
        if step_s >= least:
            return step_s
    return math.ceil(least / STEPS[-1]) * STEPS[-1]


def _span(
    reader: TrendReader, current: Current, length: Length, wall_ns: int, station: StationConfig
) -> Span:
    """From when to now; a lot from its first window to its last."""
    end = -(-wall_ns // SECOND)
    if length == "shift":
        start = shift_start(wall_ns, station.line.shifts, local_zone())
        return Span(start // SECOND, end)
    if length == "lot":
        first, last = reader.lot_span(current.lot, wall_ns) or (end - 1, end)
        return Span(first, last, current.lot)
    return Span(end - LONGEST[length], end)


def _aligned(span: Span, step_s: int) -> Span:
    """The span in whole steps that begin at round local times."""
    offset = datetime.fromtimestamp(span.end_s, local_zone()).utcoffset()
    ahead = int(offset.total_seconds()) if offset else 0
    start = (span.start_s + ahead) // step_s * step_s - ahead
    return replace(span, start_s=start)


def _drawn(reader: TrendReader, span: Span, step_s: int) -> tuple[Trend, PChart, int]:
    """Points and chart: of several steps together where that lets runs be judged and leaves
    enough points."""
    trend = reader.trend(span, step_s)
    chart = _chart(trend)
    for times in DRAWN_TOGETHER:
        if chart.runs_judged or len(trend.points) < FEWEST * times:
            break
        wider = reader.trend(span, step_s * times)
        if (drawn := _chart(wider)).runs_judged:
            return wider, drawn, step_s * times
    return trend, chart, step_s


def _chart(trend: Trend) -> PChart:
    return p_chart([Subgroup(point.parts, point.failing) for point in trend.points])


def _scores(paths: Paths, scores: Scores, drift_parts: int) -> ShownScores | None:
    limits = _limits(paths, scores.recipe)
    now, first = ([part.score for part in some] for some in (scores.now, scores.first))
    bins = histogram(now, first, limits.fail if limits else None)
    if bins is None:
        return None
    return ShownScores(
        model=scores.model,
        recipe=scores.recipe,
        parts_now=len(scores.now),
        parts_before=len(scores.first),
        bins=bins,
        drift=_drift(scores, drift_parts),
        limits=limits,
    )


def _drift(scores: Scores, most: int) -> float | None:
    """The index by the same parts as the alarm's; None where there are fewer of them."""
    first, newest = (
        [part.score for part in some if part.kind in (Kind.PASS, Kind.FAIL)][:most]
        for some in (scores.first, scores.now)
    )
    enough = min(len(first), len(newest)) == most
    return stability_index(first, newest) if enough else None


def _limits(paths: Paths, recipe: str) -> RecipeLimits | None:
    """The recipe's limits as they are now; None where it has been deleted or cannot be read."""
    try:
        return load_recipe(paths.recipe(recipe)).limits
    except InspectorError:
        return None


def _asked(request: Request) -> Behind:
    """Which parts. Raises HTTPException 400."""
    given = request.query_params
    kind: Sort = _one_of(request, "of", "failing", Sort)
    return Behind(kind, given.get("name", ""), _score(given, "low"), _score(given, "high"))


def _one_of(request: Request, name: str, default: str, known: Any) -> Any:
    """A word of the query that is in the Literal `known`. Raises HTTPException 400."""
    word = request.query_params.get(name, default)
    if word not in get_args(known):
        raise HTTPException(400, f"{name}: must be one of {', '.join(get_args(known))}")
    return word


def _score(given: QueryParams, name: str) -> float:
    try:
        value = float(given.get(name) or 0.0)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise HTTPException(400, f"{name}: must be a number")
    return value
