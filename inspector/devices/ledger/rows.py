"""How messages and totals become rows of the ledger, and come back.

Promises: what is written as a row is read back as the same values, but for the heatmap and boxes
of a passed part whose image is not kept, which are not written at all.
Never: opens a database.
"""

from typing import Any

import msgspec

from inspector.core.messages import Outcome
from inspector.core.terms import (
    Box,
    Cause,
    FrameFormat,
    FrameRef,
    Heatmap,
    Kind,
    Lane,
    Pixel,
    Timing,
)
from inspector.domain.tally import Cycle, Latency, Part, Totals, TotalsRow

OUTCOME_COLUMNS = """stream.uuid, stream.camera, outcome.seq, outcome.number,
    outcome.trigger_wall_ns, outcome.kind, outcome.cause, outcome.reason, outcome.lane,
    outcome.score, outcome.latency_us, outcome.queue_us, outcome.check_us, outcome.inference_us,
    outcome.second_us, outcome.frame_slot, outcome.frame_generation, outcome.frame_format,
    outcome.source, span.recipe, span.lot, span.model, detail.boxes, detail.heatmap,
    detail.heatmap_data"""

_EPOCH = """(SELECT {} FROM epoch WHERE epoch.rows_before < total."row"
    ORDER BY epoch.id DESC LIMIT 1)"""
TOTAL_COLUMNS = f"""{_EPOCH.format('total."row" - epoch.rows_before')},
    total.revision, span.start_s, span.end_s, span.recipe, span.lot,
    span.model, total.passed, total.failed, total.review, total.fault, total.causes,
    total.defect_classes, total.first_pass, total.reviewed, total.overkill, total.escapes,
    total.p50_us, total.p95_us, total.max_us, total.cumulative_passed, total.cumulative_failed,
    total.cumulative_review, total.cumulative_fault, total.status,
    total.sent_ns IS NOT NULL, total.cycle_p50_us, total.cycle_max_us,
    {_EPOCH.format("epoch.ledger")}"""

Row = tuple[Any, ...]
Shape = tuple[int, int, float, tuple[int, int, int, int]]  # width, height, scale, region

_boxes = msgspec.json.Decoder(tuple[Box, ...])
_shape = msgspec.json.Decoder(Shape)
_counts = msgspec.json.Decoder(dict[str, int])
_to_json = msgspec.json.Encoder().encode


def outcome_row(id: int, stream_id: int, span_id: int, outcome: Outcome) -> Row:
    """The values of INSERT INTO outcome, in the order of its columns."""
    timing, frame = outcome.timing, outcome.frame
    return (
        id,
        stream_id,
        outcome.seq,
        outcome.number,
        span_id,
        outcome.trigger_wall_ns,
        outcome.kind.value,
        outcome.cause.value if outcome.cause else None,
        outcome.reason,
        outcome.lane.value,
        outcome.score,
        outcome.latency_us,
        timing.queue_us,
        timing.check_us,
        timing.inference_us,
        timing.second_us,
        frame.slot if frame else None,
        frame.generation if frame else None,
        str(frame.format) if frame else None,
        outcome.source,
    )


def detail_row(id: int, outcome: Outcome) -> Row:
    """Boxes, the heatmap's shape, its data and the outcome's id."""
    heat = outcome.heatmap
    shape = to_json((heat.width, heat.height, heat.scale, heat.region)) if heat else None
    return to_json(outcome.boxes), shape, heat.data if heat else None, id


def outcome_of(row: Row) -> Outcome:
    """The outcome in a row of OUTCOME_COLUMNS."""
    (stream, camera, seq, number, wall, kind, cause, reason, lane, score, latency) = row[:11]
    queue, check, inference, second, slot, generation, format, source = row[11:19]
    recipe, lot, model, boxes, shape, data = row[19:]
    timing = Timing(queue_us=queue, check_us=check, inference_us=inference, second_us=second)
    return Outcome(
        number=number,
        camera=camera,
        stream=stream,
        seq=seq,
        trigger_wall_ns=wall,
        kind=Kind(kind),
        cause=Cause(cause) if cause else None,
        reason=reason,
        lane=Lane(lane),
        score=score,
        boxes=_boxes.decode(boxes) if boxes else (),
        heatmap=_heatmap(shape, data) if shape else None,
        model=model,
        recipe=recipe,
        lot=lot,
        latency_us=latency,
        timing=timing,
        frame=FrameRef(slot=slot, generation=generation, format=_format(format))
        if format
        else None,
        source=source,
    )


def part_of(row: Row) -> Part:
    """What counting needs, from a row of PARTS_OF_SPAN."""
    kind, cause, latency_us, finding, defect_class, stream, seq, wall_ns = row
    return Part(
        KINDS[kind],
        CAUSES[cause] if cause else None,
        latency_us,
        KINDS[finding] if finding else None,
        defect_class or "",
        stream,
        seq,
        wall_ns,
    )


def totals_values(totals: Totals) -> Row:
    """triggers ... cycle_max_us of INSERT INTO window_total."""
    latency, cycle = totals.latency, totals.cycle
    return (
        totals.triggers,
        *(totals.counts.get(kind, 0) for kind in Kind),
        to_json({cause.value: count for cause, count in totals.causes.items()}),
        to_json(dict(totals.defect_classes)),
        totals.first_pass,
        totals.reviewed,
        totals.overkill,
        totals.escape,
        latency.p50_us,
        latency.p95_us,
        latency.max_us,
        cycle.p50_us,
        cycle.max_us,
    )


def totals_row_of(row: Row) -> TotalsRow:
    """The totals row in a row of TOTAL_COLUMNS."""
    number, revision, start, end, recipe, lot, model = row[:7]
    first_pass, reviewed, overkill, escape, p50, p95, most = row[13:20]
    causes = _counts.decode(row[11])
    return TotalsRow(
        ledger=row[28],
        row=number,
        start_s=start,
        end_s=end,
        recipe=recipe,
        lot=lot,
        model=model,
        revision=revision,
        totals=Totals(
            counts=_by_kind(row[7:11]),
            causes={Cause(cause): count for cause, count in causes.items()},
            defect_classes=_counts.decode(row[12]),
            first_pass=first_pass,
            reviewed=reviewed,
            overkill=overkill,
            escape=escape,
            latency=Latency(p50, p95, most),
            cycle=Cycle(*row[26:28]),
        ),
        cumulative=_by_kind(row[20:24]),
        status=row[24],
        sent=bool(row[25]),
    )


def to_json(value: Any) -> str:
    """JSON for a text column."""
    return _to_json(value).decode()


KINDS = {kind.value: kind for kind in Kind}
CAUSES = {cause.value: cause for cause in Cause}


def _by_kind(counts: Row) -> dict[Kind, int]:
    """Counts in the order of Kind, without those that are 0."""
    return {kind: count for kind, count in zip(Kind, counts, strict=True) if count}


def _heatmap(shape: str, data: bytes) -> Heatmap:
    width, height, scale, region = _shape.decode(shape)
    return Heatmap(width=width, height=height, scale=scale, region=region, data=data)


def _format(text: str) -> FrameFormat:
    size, pixel = text.split()
    width, height = size.split("x")
    return FrameFormat(width=int(width), height=int(height), pixel=Pixel(pixel))
