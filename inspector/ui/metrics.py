"""/metrics for Prometheus and /healthz for whoever watches the box.

Promises: every figure is from the newest state of the line; while record is silent, the line's own
figures are left out and `inspector_line_heard` is 0: a scraper sees a gap, not an old number.
Never: counts anything itself.
"""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inspector import __version__
from inspector.core.clock import SECOND
from inspector.core.live import LATENCY_MS, LineState, Live
from inspector.core.terms import Kind, Mode
from inspector.devices import box
from inspector.ui.context import Context
from inspector.ui.health import disk
from inspector.ui.responses import NO_STORE, json

TYPE = "text/plain; version=0.0.4; charset=utf-8"
UP_MS = 3000  # a service that was not heard for so long is down


class Metrics(Collector):
    """The two routes, and what is told there."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def routes(self) -> list[Route]:
        return [Route("/metrics", self._metrics), Route("/healthz", self._healthz)]

    def collect(self) -> Iterator[Metric]:
        feed = self._context.feed
        fresh = not feed.stale()
        yield _gauge("line_heard", "1 while record tells the state of the line", int(fresh))
        yield from self._box()
        if fresh and feed.live:
            yield from _of_line(feed.live)
            yield from _of_services(feed.live)
            yield from _of_people(feed.live)

    def _box(self) -> Iterator[Metric]:
        yield _info("program", "The program", {"version": __version__})
        yield _gauge("ui_screens", "Pages that are open", self._context.feed.streams)
        yield _gauge("ui_resident_bytes", "Memory of this process", box.resident())
        for name, value in disk(self._context.paths).items():
            if value is not None:
                yield _gauge(f"disk_{name}", f"Of the disk with the ledger: {name}", value)

    async def _metrics(self, _request: Request) -> Response:
        data = await self._context.drawing.run(lambda _: generate_latest(self._registry))
        return Response(data, headers={**NO_STORE, "content-type": TYPE})

    async def _healthz(self, _request: Request) -> Response:
        """200 while the line is looked after: record is heard, and something is inspected."""
        feed = self._context.feed
        live = feed.live
        well = live is not None and not feed.stale() and live.state is not LineState.STOPPED
        told = {
            "ok": well,
            "heard": live is not None and not feed.stale(),
            "age_s": feed.age_ns() / SECOND if live else None,
            "state": live.state if live else None,
            "why": live.why if live else None,
        }
        return json(told, 200 if well else 503)


def _of_line(live: Live) -> Iterator[Metric]:
    yield _counter("parts", "Parts by outcome", "kind", {k: live.counts.get(k, 0) for k in Kind})
    yield _counter("faults", "Parts without a verdict, by cause", "cause", live.causes)
    yield _latency(live)
    yield _gauge("parts_per_minute", "Parts in the last minute", live.per_minute)
    yield _gauge("committed", "Outcomes in the ledger", live.committed)
    yield _states("line_state", "1 for the state that the line is in", "state", live.state)
    yield _states("line_mode", "1 for what a person has ordered", "mode", live.mode)
    if live.drift is not None:
        yield _gauge("drift", "Population stability index of the scores", live.drift)
    model = live.last.model if live.last else ""
    yield _info("model", "What judges", {"model": model, "recipe": live.recipe, "lot": live.lot})
    yield _counter("pixel_bytes", "Of the frames inspected", "", {"": live.pixel_bytes})
    yield _counter("departed_messages", "Messages that left the station", "", {"": live.departed})
    yield _counter("departed_bytes", "That left the station", "", {"": live.departed_bytes})


def _of_services(live: Live) -> Iterator[Metric]:
    names = (
        ("service_up", "1 while the service is heard"),
        ("service_queue", "What waits in the service"),
        ("service_per_second", "What the service handles"),
        ("service_p99_seconds", "Its 99th percentile"),
        ("service_restarts", "Starts since record began, but the first"),
    )
    families = [_family(name, text, "service") for name, text in names]
    for service in live.services:
        beat = service.heartbeat
        up = int(service.age_ms < UP_MS)
        values = (up, beat.queue, beat.per_s, beat.p99_ms / 1000, service.restarts)
        for family, value in zip(families, values, strict=True):
            family.add_metric([beat.service], float(value))
    yield from families


def _of_people(live: Live) -> Iterator[Metric]:
    active = GaugeMetricFamily(
        "inspector_alarm_active", "1 while it lasts", labels=["code", "service", "severity"]
    )
    marks = {
        (alarm.code, alarm.service, alarm.severity.value): 1.0
        for alarm in live.alarms
        if alarm.active
    }
    for labels, value in marks.items():
        active.add_metric(list(labels), value)
    yield active
    yield _gauge("alarms_active", "Alarms that last", len(marks))
    yield _gauge("review_queue", "Parts that a person has yet to look at", live.to_review)
    challenge = live.challenge
    if challenge and challenge.due_wall_ns:
        due = challenge.due_wall_ns / SECOND - time.time()
        yield _gauge("challenge_due_seconds", "Until the next challenge test is due", due)


def _latency(live: Live) -> Metric:
    """Trigger to settlement."""
    total, buckets = 0, []
    for bound, count in zip((*LATENCY_MS, float("inf")), live.latency, strict=False):
        total += count
        name = "+Inf" if bound == float("inf") else repr(bound / 1000)
        buckets.append((name, float(total)))
    family = HistogramMetricFamily("inspector_latency_seconds", "Trigger to settlement")
    if len(buckets) == len(LATENCY_MS) + 1:
        family.add_metric([], buckets=buckets, sum_value=live.latency_sum_us / 1e6)
    return family


def _counter(name: str, text: str, label: str, values: Mapping[Any, int]) -> CounterMetricFamily:
    family = CounterMetricFamily(f"inspector_{name}", text, labels=[label] if label else [])
    for key, value in values.items():
        family.add_metric([str(key.value)] if label else [], value)
    return family


def _states(name: str, text: str, label: str, now: LineState | Mode) -> GaugeMetricFamily:
    family = _family(name, text, label)
    for state in type(now):
        family.add_metric([str(state.value)], float(state is now))
    return family


def _family(name: str, text: str, label: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"inspector_{name}", text, labels=[label])


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"inspector_{name}", text, value=value)


def _info(name: str, text: str, facts: Mapping[str, str]) -> InfoMetricFamily:
    return InfoMetricFamily(f"inspector_{name}", text, value=dict(facts))
