"""A receiver's windows against the station's own.

Promises: every window that only one of the two has, and every number in which they differ, is a
`Difference`; none means that they are equal to the unit.
Never: decides who is right.

Classes of defects are compared by their sum, since only those that the station's configuration
lists leave by name.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from inspector.core.terms import Kind
from inspector.domain.egress.totals import Totals
from inspector.domain.receiving import NOTHING, Counts, Window, counts_of, plus, window_of


@dataclass(frozen=True)
class Difference:
    """Of one window; `what`: the field, or `window` where one of them does not have it."""

    window: Window
    what: str
    station: int | None
    received: int | None


def differences(station: Iterable[Totals], received: Iterable[Totals]) -> list[Difference]:
    """All of them, in the order of the windows."""
    ours, theirs = ({window_of(row): row for row in rows} for rows in (station, received))
    found: list[Difference] = []
    for window in sorted(ours.keys() | theirs.keys()):
        one, two = ours.get(window), theirs.get(window)
        if one and two:
            found += _numbers(one, two)
        else:
            found.append(
                Difference(window, "window", one.seq if one else None, two.seq if two else None)
            )
    return found


def sum_of(rows: Iterable[Totals]) -> Counts:
    """Parts by kind, of all these windows."""
    counts = NOTHING
    for row in rows:
        counts = plus(counts, counts_of(row.counts))
    return counts


def _numbers(one: Totals, two: Totals) -> list[Difference]:
    ours, theirs = _said(one), _said(two)
    return [
        Difference(window_of(one), what, ours[what], theirs[what])
        for what in ours
        if ours[what] != theirs[what]
    ]


def _said(row: Totals) -> dict[str, int]:
    kinds = dict(zip(map(str, Kind), counts_of(row.counts), strict=True))
    causes = {f"causes.{name}": getattr(row.causes, name) for name in row.causes.__struct_fields__}
    found = {name: getattr(row.reviewed, name) for name in row.reviewed.__struct_fields__}
    return {
        "seq": row.seq,
        "revision": row.revision,
        **kinds,
        **causes,
        "classes": sum(row.classes.values()),
        "first_pass": row.first_pass,
        **{f"reviewed.{name}": count for name, count in found.items()},
        **{f"quantities.{name}": getattr(row.quantities, name) for name in _QUANTITIES},
    }


_QUANTITIES = ("produced", "good", "scrap", "rework")
