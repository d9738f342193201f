"""The lane of events: what happened at the station, as committed.

Promises: every notice of the ledger reaches the broker at least once, oldest first, or is set
aside; `(device, stream, seq)` lets a receiver count it once.
Never: sends a text, or what is not on record as about to leave.
"""

from collections.abc import Hashable
from typing import Final

from inspector.core.clock import SECOND
from inspector.core.errors import EngineerError, MaintainerError
from inspector.core.terms import Severity
from inspector.devices.broker import Result
from inspector.domain.egress.event import event_of
from inspector.domain.egress.letter import letter
from inspector.domain.egress.topics import Topics
from inspector.domain.notice import Notice
from inspector.domain.outbox import Outbox
from inspector.services.publish.lane import Context, RowKey
from inspector.services.publish.link import Link

LANE: Final = "events"
LOOK_NS = SECOND // 5
AHEAD = 100  # notices read beyond those that are known, unless so many wait


class Events:
    """The notices of one ledger."""

    name = LANE

    def __init__(self, context: Context, link: Link) -> None:
        self._context = context
        self._link = link
        self._box = Outbox(LANE, voids=False)
        self._topic = Topics(context.device).events
        self._expiry_s = int(context.settings.expiry_h * 3600) or None
        self._notices: dict[int, Notice] = {}
        self._look_ns = 0

    def up(self, now: int) -> None:
        self._box.connected(self._link.in_flight, 0)
        self._look_ns = now

    def down(self) -> None:
        self._box.disconnected()

    def turn(self, now: int) -> bool:
        if self._link.connected:
            for key, found in self._context.door.collect(LANE):
                self._link.send(self, key, found, now)
        self._look(now)
        offered = self._offer(now)
        for message in self._box.due(now):
            if not self._context.record.send(message):
                break
            self._box.marks.told(message, now)
        return offered

    def answered(self, key: Hashable, result: Result, now: int) -> None:
        assert isinstance(key, RowKey)
        row = key.row
        if key.ledger != self._box.ledger:
            return
        match result.status:
            case "acked":
                self._box.acked(row, now)
            case "refused":
                self._box.refused(row, now)
            case "oversize":
                self._set_aside(row, result.detail, now)
            case "broke":
                if self._box.broke(row, result.detail, now):
                    self._tell_aside(result.detail)
            case "timeout" | "lost":
                self._box.back(row)

    def _look(self, now: int) -> None:
        if now < self._look_ns or not self._link.connected:
            return
        self._look_ns = now + LOOK_NS
        more = AHEAD if self._box.waits(live=True) < AHEAD else 0
        limit = self._box.known + len(self._box.marks) + more
        try:
            self._follow(self._context.reader.notices_ledger_id())
            notices = self._context.reader.notices(limit)
        except MaintainerError as error:
            self._look_ns = now + SECOND
            self._context.teller.tell(Severity.INFO, "ledger_unread", str(error))
            return
        self._box.seen(0, [notice.id for notice in notices], len(notices) < limit)
        self._notices = {notice.id: notice for notice in notices}
        self._box.add(self._notices)

    def _follow(self, ledger: str) -> None:
        if self._box.follow(ledger):
            self._context.door.forget(LANE)

    def _offer(self, now: int) -> bool:
        offered, context = False, self._context
        for row in self._box.choose(now, live=True):
            try:
                event = event_of(context.device, self._notices[row], context.captures)
                found = letter(event, self._topic, expiry_s=self._expiry_s)
            except EngineerError as error:
                self._set_aside(row, str(error), now)
                continue
            if self._context.door.offer(LANE, RowKey(self._box.ledger, row), found):
                offered = True
            else:
                self._box.back(row)
        return offered

    def _set_aside(self, row: int, why: str, now: int) -> None:
        if self._box.cannot_leave(row, why, now):
            self._tell_aside(why)

    def _tell_aside(self, why: str) -> None:
        text = f"an event is set aside: {why}"
        self._context.teller.tell(Severity.WARNING, "event_set_aside", text)
