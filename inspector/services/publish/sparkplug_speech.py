"""What the node says and in which order: its messages from being made to being let go.

Promises: NBIRTH, DBIRTH, and then data, numbered in the order in which they leave; what was made
and not let go is taken back whole when a birth is due or the connection goes, and its rows are told
again. A change of the line is told at most once in LINE_NS, live rows before history, and history
at the pace of the backlog, but no more than PAST_PER_S.
Never: reads the line, or lets a message pass another.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from inspector import __version__
from inspector.core.clock import MS, SECOND
from inspector.core.errors import EngineerError, MaintainerError
from inspector.core.live import LineStatus
from inspector.core.terms import Severity
from inspector.devices.sparkplug import encode
from inspector.domain.egress.letter import Letter
from inspector.domain.egress.sparkplug import Group, SparkplugMessage, Value, Verb, sparkplug_letter
from inspector.domain.rate_limit import RateLimit
from inspector.domain.sparkplug.names import Names
from inspector.domain.sparkplug.node import Node
from inspector.domain.sparkplug.rows import Rows
from inspector.domain.sparkplug.values import (
    birth_groups,
    line_values,
    live_groups,
    newest_window,
    news,
    node_values,
    past_groups,
    said_by,
)
from inspector.domain.tally import TotalsRow
from inspector.services.publish.lane import Context

LANE = "sparkplug"  # at the door
MOST_MADE = 200  # messages that wait for being on record
LINE_NS = SECOND  # between two changes of the line
NODE_NS = 10 * SECOND  # between two changes of the node
LOOK_NS = SECOND // 5  # between two looks for new rows
READ = 100  # rows read at once
NEWEST = 20  # rows among which the newest window is
PAST_PER_S = 200  # at most: what a host is too slow for, a broker drops without a word (QoS 0)
PAST_BURST = 20


@dataclass(frozen=True)
class _Made:
    """One message; `row` where it tells of one."""

    key: int
    letter: Letter
    row: int | None = None
    historical: bool = False


class Speech:
    """The messages of one node with one device."""

    def __init__(self, context: Context, names: Names, node: Node, rows: Rows) -> None:
        now = context.clock.monotonic_ns()
        self.line: LineStatus | None = None
        self._context = context
        self._names = names
        self._node = node
        self._rows = rows
        per_s = min(PAST_PER_S, context.settings.backlog_per_s)
        self._pace = RateLimit(PAST_BURST, SECOND // per_s, now)
        self._made: deque[_Made] = deque()
        self._unoffered: _Made | None = None  # too much had left already
        self._clear: dict[int, Letter] = {}
        self._key = 0
        self._past: deque[TotalsRow] = deque()
        self._live: deque[TotalsRow] = deque()
        self._said: dict[str, Value] = {}  # what a host knows of the present
        self._newest_end = self._past_end = 0
        self._born_with = 0  # the newest row at the birth
        self._line_ns = self._node_ns = self._look_ns = 0

    def drop(self) -> None:
        """Nothing of what was made and not let go leaves any more."""
        self._context.door.forget(LANE)
        self._made.clear()
        self._clear.clear()
        self._past.clear()
        self._live.clear()
        self._unoffered = None
        self._rows.withdrawn()

    def turn(self, birth: bool, now: int) -> bool:
        """Make what is to be said. True when there is more to do at once."""
        try:
            if birth:
                self._be_born(now)
            elif self._offered():
                return self._go_on(now)
        except MaintainerError as error:
            self._context.teller.tell(Severity.INFO, "ledger_unread", str(error))
        return False

    def cleared(self, now: int) -> Iterator[Letter]:
        """What may go now, in its order."""
        for key, letter in self._context.door.collect(LANE):
            if isinstance(key, int):
                self._clear[key] = letter
        while self._made and self._made[0].key in self._clear:
            made = self._made.popleft()
            if made.row is not None:
                self._rows.written(made.row, made.historical, now)
            yield self._clear.pop(made.key)

    def _be_born(self, now: int) -> None:
        """NBIRTH, and DBIRTH right after it (tck-id-payloads-dbirth-order)."""
        reader = self._context.reader
        newest, last = reader.totals(NEWEST), reader.last_row()
        self.drop()
        self._node.birth(now)
        if self._rows.born(last):
            self._past_end = 0
        self._born_with = last
        window = newest_window(newest)
        self._newest_end = window.end_s if window else 0
        self._said = {}
        self._make(Verb.NBIRTH, (Group(at=self._now_ms(), values=self._node_values()),))
        groups = birth_groups(self.line, window, newest[0] if newest else None, self._now_ms())
        self._make(Verb.DBIRTH, groups)
        self._line_ns = self._node_ns = now

    def _go_on(self, now: int) -> bool:
        """One round of data: the line, the node, live rows, history."""
        self._tell_line(now)
        self._tell_node(now)
        self._read(now)
        return self._tell_live() or self._tell_past(now)

    def _tell_line(self, now: int) -> None:
        if self.line is None or now - self._line_ns < LINE_NS or not self._room:
            return
        at = max(0, self.line.wall_ns) // MS
        if groups := news((Group(at=at, values=line_values(self.line)),), self._said):
            self._make(Verb.DDATA, groups)
            self._line_ns = now

    def _tell_node(self, now: int) -> None:
        if now - self._node_ns < NODE_NS or not self._room:
            return
        if groups := news((Group(at=self._now_ms(), values=self._node_values()),), self._said):
            self._make(Verb.NDATA, groups)
            self._node_ns = now

    def _read(self, now: int) -> None:
        """Rows that are to be told next."""
        rows, reader = self._rows, self._context.reader
        if not self._live and now >= self._look_ns:
            self._look_ns = now + LOOK_NS
            self._live.extend(reader.totals_from(rows.live_from, READ))
        if not self._past and rows.past_from is not None:
            found = reader.totals_from(rows.past_from, READ)
            self._past.extend(row for row in found if row.row <= rows.boundary)

    def _tell_live(self) -> bool:
        while self._live and self._room:
            row = self._live.popleft()
            if row.row <= self._born_with:  # a rebirth has told of a newer one
                groups = past_groups(row, self._corrects_past(row))
            else:
                correction = row.end_s < self._newest_end
                self._newest_end = max(self._newest_end, row.end_s)
                groups = news(live_groups(row, correction, self._now_ms()), self._said)
            self._tell_row(row, groups, False)
        return bool(self._live)

    def _tell_past(self, now: int) -> bool:
        while self._past and self._room and self._pace.ready(now):
            self._pace.take(now)
            row = self._past.popleft()
            self._tell_row(row, past_groups(row, self._corrects_past(row)), True)
        return self._rows.past_from is not None and self._room and not self._past

    def _corrects_past(self, row: TotalsRow) -> bool:
        """Whether a row of history is a correction of a window before the newest so far."""
        before, self._past_end = self._past_end, max(self._past_end, row.end_s)
        return row.end_s < before or (row.revision > 1 and not before)

    def _tell_row(self, row: TotalsRow, groups: tuple[Group, ...], historical: bool) -> None:
        """`historical`: the row is one of those that were there when the session began."""
        self._rows.chosen(row.row, historical)
        try:
            self._make(Verb.DDATA, groups, row.row, historical)
        except EngineerError as error:
            text = f"Sparkplug: totals row {row.row} is passed over: {error}"
            self._context.teller.tell(Severity.ALARM, "totals_set_aside", text)

    def _make(
        self,
        verb: Verb,
        groups: tuple[Group, ...],
        row: int | None = None,
        historical: bool = False,
    ) -> None:
        message = SparkplugMessage(
            verb=verb, timestamp=self._now_ms(), seq=self._node.seq, groups=groups
        )
        letter = sparkplug_letter(message, self._names.topic(verb), encode)
        self._node.spoken()
        self._said |= said_by(groups)
        self._key += 1
        made = _Made(self._key, letter, row, historical)
        self._made.append(made)
        if self._unoffered or not self._context.door.offer(LANE, made.key, letter):
            self._unoffered = self._unoffered or made

    def _offered(self) -> bool:
        """Offer what could not be offered before; True when nothing is left of it."""
        first = self._unoffered
        if first is None:
            return True
        for made in [one for one in self._made if one.key >= first.key]:
            if not self._context.door.offer(LANE, made.key, made.letter):
                self._unoffered = made
                return False
        self._unoffered = None
        return True

    @property
    def _room(self) -> bool:
        return self._unoffered is None and len(self._made) < MOST_MADE

    def _node_values(self) -> dict[str, Value]:
        node = self._node
        return node_values(node.bd_seq, self._context.device, __version__, node.refused)

    def _now_ms(self) -> int:
        return max(0, self._context.clock.wall_ns()) // MS
