"""Receiving totals until told to stop: take, commit, acknowledge, say how far.

Promises: the broker hears that a message was taken only after it was committed, and the station
how far its rows have come only after that; what is missing, doubled in contradiction or unreadable
is told of in a line, at most one every few seconds; a broker that goes away is waited for.
Never: shows results; that is `receive`.
"""

import random
import signal
import time
from collections import Counter
from collections.abc import Callable

import msgspec

from inspector.cli.screen import say
from inspector.core.clock import SECOND
from inspector.devices.receiver import Away, Heard, Receiver
from inspector.devices.totals_store import Stream, TotalsStore
from inspector.domain.acknowledging import Acknowledging
from inspector.domain.egress.topics import Topics
from inspector.domain.receiving import NEW, Became, read_row

MOST = 500  # messages in one commit
TURN_S = 0.1
TELL_S = 5.0
PAUSES_S = (0.5, 30.0)  # between tries to connect: the first, and the longest
STEADY_S = 10.0  # a connection that lasts so long is a good one
FLAPS = 3
# Not every broker says so (0x8E) when it ends a connection for another of the same identity.
FLAPPING = "; does another receiver use the same identity? Give each its own --client-id"


class Taking:
    """What one run of a receiver does. `acks`: tell the stations how far their rows have come."""

    def __init__(self, store: TotalsStore, receiver: Receiver, acks: bool) -> None:
        self.came: Counter[str] = Counter()  # messages by what became of them, and `unread`
        self.heard_at = time.monotonic()
        self.stopping = False
        self._store = store
        self._receiver = receiver
        self._acks = Acknowledging() if acks else None
        self._told_at = 0.0
        self._told: dict[tuple[str, str], str] = {}
        self._told_unread = 0
        self._refused = False  # an acknowledgement of ours, on this connection
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)

    def run(self, over: Callable[[], bool], patient: bool) -> None:
        """Until `over` or a signal. Raises Away when there is no broker at the start, unless
        `patient`."""
        tries = 0
        while not (self.stopping or over()):
            begun = time.monotonic()
            try:
                self._begin()
                patient = True
                while not (self.stopping or over()):
                    self._turn()
            except Away as error:
                if not patient:
                    raise
                tries = 0 if time.monotonic() - begun > STEADY_S else tries + 1
                say(f"inspector receive: {error}{FLAPPING if tries == FLAPS else ''}")
                self._wait(tries)
        self._tell()

    def _begin(self) -> None:
        self._receiver.connect()
        kept = ", which had kept our session" if self._receiver.kept else ""
        say(f"inspector receive: connected to {self._receiver.where}{kept}")
        self.heard_at = time.monotonic()
        self._refused = False
        if self._acks:
            self._acks.again()
            for one in self._store.newest().values():
                self._acks.note(one.device, one.stream, one.account.seen.through)

    def _turn(self) -> None:
        heard = self._receiver.gather(MOST, TURN_S)
        if heard:
            self._take(heard)
            self._receiver.acknowledge(heard)  # only now: it is committed
            self.heard_at = time.monotonic()
        self._acknowledge()
        if time.monotonic() - self._told_at >= TELL_S:
            self._tell()

    def _take(self, heard: list[Heard]) -> None:
        rows = [row for one in heard if (row := read_row(one.topic, one.payload))]
        # `inspector mqtt-check` tries the topics with messages that are empty.
        self.came["unread"] += sum(1 for one in heard if one.payload) - len(rows)
        became = self._store.take(rows, time.time_ns()) if rows else []
        self.came.update(map(str, became))
        if self._acks and any(one in NEW or one is Became.DUPLICATE for one in became):
            newest = self._store.newest()
            pairs = zip(rows, became, strict=True)
            twice = {row.device for row, one in pairs if one is Became.DUPLICATE}
            for device in {row.device for row in rows}:
                one = newest[device]
                through = one.account.seen.through
                self._acks.note(device, one.stream, through, device in twice)

    def _acknowledge(self) -> None:
        if self._acks:
            for device, ack in self._acks.due(time.monotonic_ns()):
                self._receiver.say(Topics(device).ack, msgspec.json.encode(ack))
        refused = self._receiver.refusals()
        if refused and not self._refused:
            say(
                f"inspector receive: {self._receiver.where}: refuses our acknowledgements "
                f"({refused[-1]}); mend the broker's access list"
            )
        self._refused = self._refused or bool(refused)

    def _tell(self) -> None:
        """What is not as it should be, once each."""
        self._told_at = time.monotonic()
        for one in self._store.streams():
            text = remark(one)
            if text != self._told.get((one.device, one.stream), ""):
                say(f"inspector receive: {one.device}: {text or 'nothing is missing any more'}")
                self._told[one.device, one.stream] = text
        if self.came["unread"] > self._told_unread:
            self._told_unread = self.came["unread"]
            say(f"inspector receive: {self._told_unread} messages were no totals, and not counted")

    def _wait(self, tries: int) -> None:
        first, most = PAUSES_S
        until = time.monotonic() + min(most, first * 2.0 ** min(tries, 10)) * random.uniform(0.5, 1)
        while time.monotonic() < until and not self.stopping:
            time.sleep(0.05)

    def _stop(self, *_: object) -> None:
        self.stopping = True


def remark(stream: Stream) -> str:
    """What somebody should know of a stream, or nothing."""
    account = stream.account
    found = []
    if gaps := account.seen.gaps():
        rows = sum(last - first + 1 for first, last in gaps)
        found.append(f"{rows} rows are missing, {spelled(gaps)}")
    if account.voids:
        found.append(f"{account.voids} rows could not leave the station")
    if account.clashes:
        found.append(
            f"{account.clashes} rows came twice and said something else: do two stations share "
            "one identity?"
        )
    if account.contradicts:
        found.append("its cumulative counts are not the sum of its windows")
    return "; ".join(found)


def spelled(gaps: list[tuple[int, int]], most: int = 5) -> str:
    """Some runs of rows in words."""
    shown = [f"{first}" if first == last else f"{first}-{last}" for first, last in gaps[:most]]
    return ", ".join(shown) + (f" and {len(gaps) - most} more runs" if len(gaps) > most else "")


def idle_or_after(taking: Taking, idle_s: float | None, for_s: float | None) -> Callable[[], bool]:
    """True once nothing has come for `idle_s`, or `for_s` are over."""
    end = time.monotonic_ns() + int(for_s * SECOND) if for_s else None

    def over() -> bool:
        now = time.monotonic()
        quiet = idle_s is not None and now - taking.heard_at >= idle_s
        return quiet or (end is not None and time.monotonic_ns() >= end)

    return over
