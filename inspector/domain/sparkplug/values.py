"""What the metrics say: of the node, of the line as it is now, and of one totals row.

Promises: a value that is not known is None, and so null in a birth; words that may not leave as
they are leave as their hash, as in every other message; the quantities of a window are those of
ISO 22400 that the JSON totals have too.
Never: a value that does not stand in the row or in the state it is made from.
"""

from collections.abc import Mapping
from itertools import chain

from inspector.core.clock import MS
from inspector.core.live import LineStatus
from inspector.core.terms import Cause, Kind
from inspector.domain.egress.sparkplug import Group, Value, names_of
from inspector.domain.egress.sparkplug_metrics import BD_SEQ, REBIRTH, Owner
from inspector.domain.egress.totals import kind_counts, quantities
from inspector.domain.egress.words import OTHER, safe_lot, safe_model, safe_recipe
from inspector.domain.linestate import WHY
from inspector.domain.tally import TotalsRow

Values = Mapping[str, Value]


def node_values(bd_seq: int, station: str, software: str, refused: int) -> dict[str, Value]:
    """All of the node's metrics."""
    return {
        BD_SEQ: bd_seq,
        REBIRTH: False,
        "Node/Station": station,
        "Node/Software": software,
        "Node/Commands Refused": refused,
    }


def line_values(status: LineStatus) -> dict[str, Value]:
    """The line as record has told it."""
    return {
        "Line/State": status.state.value,
        "Line/Why": status.why if status.why in WHY else OTHER,
        "Line/Mode": status.mode.value,
        "Line/Recipe": safe_recipe(status.recipe),
        "Line/Lot": safe_lot(status.lot),
        "Line/Model": safe_model(status.model),
        "Line/Alarms": len(status.alarms),
    }


def total_values(row: TotalsRow) -> dict[str, Value]:
    """The counts of the whole stream up to this row."""
    counts = kind_counts(row.cumulative)
    return {
        "Totals/Stream": row.ledger,
        "Totals/Parts": counts.parts,
        "Totals/Pass": counts.pass_,
        "Totals/Fail": counts.fail,
        "Totals/Review": counts.review,
        "Totals/Fault": counts.fault,
    }


def window_values(row: TotalsRow) -> dict[str, Value]:
    """One window of one recipe, lot and model."""
    counted = row.totals
    made = quantities(counted.counts, row.lot)
    return {
        "Window/Row": row.row,
        "Window/Revision": row.revision,
        "Window/Start": row.start_s * 1000,
        "Window/End": row.end_s * 1000,
        "Window/Recipe": safe_recipe(row.recipe),
        "Window/Lot": safe_lot(row.lot),
        "Window/Model": safe_model(row.model),
        "Window/Produced": made.produced,
        "Window/Good": made.good,
        "Window/Scrap": made.scrap,
        "Window/Rework": made.rework,
        **{f"Window/{kind.value.capitalize()}": counted.counts.get(kind, 0) for kind in Kind},
        **{f"Window/Faults/{cause.value}": counted.causes.get(cause, 0) for cause in Cause},
        "Window/First Pass": counted.first_pass,
        "Window/Reviewed": counted.reviewed,
        "Window/Overkill": counted.overkill,
        "Window/Escape": counted.escape,
        "Window/Cycle/Median ms": counted.cycle.p50_us / 1000,
        "Window/Cycle/Longest ms": counted.cycle.max_us / 1000,
        "Window/Latency/Median ms": counted.latency.p50_us / 1000,
        "Window/Latency/P95 ms": counted.latency.p95_us / 1000,
        "Window/Latency/Longest ms": counted.latency.max_us / 1000,
    }


def live_groups(row: TotalsRow, correction: bool, now_ms: int) -> tuple[Group, ...]:
    """A row that is told when it is committed. A correction of an older window is history but for
    the counts of the whole stream, which are as they are now."""
    end = row.end_s * 1000
    window = Group(at=end, historical=correction, values=window_values(row))
    totals = Group(at=now_ms if correction else end, values=total_values(row))
    return window, totals


def past_groups(row: TotalsRow, correction: bool) -> tuple[Group, ...]:
    """A row that nobody was there to hear when it was committed. The counts of the whole stream
    that a correction came with belong to no moment that could be named."""
    values = window_values(row) if correction else window_values(row) | total_values(row)
    return (Group(at=row.end_s * 1000, historical=True, values=values),)


def birth_groups(
    status: LineStatus | None, window: TotalsRow | None, last: TotalsRow | None, now_ms: int
) -> tuple[Group, ...]:
    """All of the device's metrics as they are now: `window` the newest window there is, `last` the
    newest row. In the order of their times; null what is not known yet."""
    groups = []
    if window and last:
        values = window_values(window) | total_values(last)
        groups.append(Group(at=window.end_s * 1000, values=values))
    if status:
        groups.append(Group(at=max(0, status.wall_ns) // MS, values=line_values(status)))
    known = set(chain.from_iterable(group.values for group in groups))
    unknown = [name for name in names_of(Owner.DEVICE) if name not in known]
    if unknown:
        groups.append(Group(at=now_ms, values=dict.fromkeys(unknown)))
    return tuple(sorted(groups, key=lambda group: group.at or 0))


def news(groups: tuple[Group, ...], said: Values) -> tuple[Group, ...]:
    """What of this is history, or not what a host knows already
    (tck-id-topics-ddata-payload, tck-id-operational-behavior-data-publish-dbirth-change)."""
    left = (group if group.historical else _changed(group, said) for group in groups)
    return tuple(group for group in left if group.values)


def said_by(groups: tuple[Group, ...]) -> dict[str, Value]:
    """What a host knows of the present from these."""
    now = (group.values for group in groups if not group.historical)
    return {name: value for values in now for name, value in values.items()}


def newest_window(rows: list[TotalsRow]) -> TotalsRow | None:
    """That of the latest end, and of these the newest row."""
    return max(rows, key=lambda row: (row.end_s, row.row), default=None)


def _changed(group: Group, said: Values) -> Group:
    values = {name: value for name, value in group.values.items() if said.get(name) != value}
    return Group(at=group.at, values=values)
