"""workshop's loop: errands in, one at a time to a worker, and what becomes of them to record.

Promises: the loop never waits for the work; a second errand is refused in one line; whatever is
killed, nothing half-made is left and what was collected stays; an adoption that was cut off is
ended, or has never been.
Never: decides on a part, writes the ledger, or asks anything of the line.
"""

import os
from collections import deque
from contextlib import ExitStack
from pathlib import Path

from msgspec import structs

from inspector.core.clock import SECOND, Clock, SystemClock
from inspector.core.config import StationConfig
from inspector.core.journal import about
from inspector.core.live import WorkshopState
from inspector.core.orders import CollectParts, DiscardProduct, ErrandDone, ErrandOrder, StopWork
from inspector.core.paths import Paths
from inspector.core.pulse import Pulse
from inspector.core.topology import HEARTBEAT_S, MESSAGES
from inspector.devices.bus import Bus
from inspector.devices.host import log_to_stderr, options, serve
from inspector.services.workshop.errands import JOBS, OF_MODELS, end_of, product_of, tag_of
from inspector.services.workshop.leftovers import ADOPT, tidy_all, tidy_one
from inspector.services.workshop.place import Place, places
from inspector.services.workshop.worker import WORK, Worker, outlast

NICE = 19
BUSY_MS, IDLE_MS = 50.0, 200.0
FASTEST_NS = SECOND // 5  # between two states

STOPPED_WELL = ("collecting", "shadow")  # work that a person ends


class Workshop:
    """The process: its state, its worker, and what record has yet to hear."""

    def __init__(self, paths: Paths, root: Path | None, bus: Bus, clock: Clock) -> None:
        """Clears away what the last one left. Raises MaintainerError."""
        self._log = log_to_stderr("workshop")
        self._paths, self._root, self._clock = paths, root, clock
        self._inbox = bus.inbox(paths.socket("workshop"), depth=100)
        self._record = bus.outlet(paths.socket("record"), MESSAGES)
        self._pulse = Pulse("workshop", clock.monotonic_ns(), HEARTBEAT_S)
        outlast(paths.lock(WORK))
        self._unheard = deque(tidy_all(paths))
        self._worker: Worker | None = None
        self._done: ErrandDone | None = None  # what the worker said last
        self._stops: list[ErrandOrder] = []  # to be answered once the worker is gone
        self._product = next((place.product for place in places(paths)), "")  # worked on last
        self._changed, self._sent_ns = True, 0
        self._state = self._idle()

    def turn(self) -> bool:
        """One round: what is ordered, what the worker says, what is due."""
        self._inbox.wait(BUSY_MS if self._worker else IDLE_MS)
        for message, _ in self._inbox.drain(100):
            if isinstance(message, ErrandOrder):
                self._take(message)
        self._listen()
        self._speak()
        return True

    def stop(self) -> None:
        """End the work; what was collected stays."""
        if self._worker:
            self._worker.close()
            self._answer(self._worker.order, False, "ended with the workshop, which was stopped")
        self._speak()

    def _take(self, order: ErrandOrder) -> None:
        errand = order.errand
        if isinstance(errand, StopWork):
            self._stop_work(order)
        elif self._worker:
            text = f"the workshop is {self._state.job} ({self._state.product}); stop that first"
            self._answer(order, False, text)
        elif isinstance(errand, DiscardProduct):
            self._discard(order)
        else:
            self._begin(order)

    def _begin(self, order: ErrandOrder) -> None:
        errand, product = order.errand, product_of(order.errand)
        if not isinstance(errand, OF_MODELS):
            self._product = product
        known = self._idle(self._state)
        self._show(
            structs.replace(
                known,
                job=JOBS[type(errand)],
                product=product,
                label=errand.label if isinstance(errand, CollectParts) else "",
                warnings=(),
            )
        )
        self._done = None
        try:
            self._worker = Worker(order, self._state, self._root)
        except OSError as error:  # no memory, or too many processes
            self._state = known
            self._answer(order, False, f"no process can be started ({error.strerror}); try again")

    def _stop_work(self, order: ErrandOrder) -> None:
        if not self._worker:
            self._answer(order, True, "nothing was under way")
            return
        self._stops.append(order)
        self._worker.stop(order.who)

    def _discard(self, order: ErrandOrder) -> None:
        place = Place(self._paths, product_of(order.errand))
        try:
            place.discard()
        except FileNotFoundError:
            self._answer(order, False, f"{place.product}: there is no such product here")
            return
        except OSError as error:
            self._answer(order, False, f"{place.folder}: cannot be removed ({error.strerror})")
            return
        if place.product == self._product:
            self._product = ""
        self._state = self._idle()
        self._answer(order, True, f"{place.product}: pictures and taught model discarded")

    def _listen(self) -> None:
        """Hear the worker; take up its end when it is gone."""
        worker = self._worker
        if worker is None:
            return
        code = worker.ended()  # asked first: what it said before its end is there then
        for word in worker.words():
            if isinstance(word, WorkshopState):
                self._show(structs.replace(word, error=self._state.error))
            else:
                self._done = word
        if code is not None:
            worker.close()
            self._worker = None
            self._pulse.handled += 1
            self._ended(worker, code)

    def _ended(self, worker: Worker, code: int) -> None:
        order, job, last = worker.order, self._state.job, self._state
        done = self._done
        self._state = self._idle(last)
        if done:
            self._say(done)
        elif worker.stopped_by:
            self._unheard += tidy_one(self._paths, product_of(order.errand))
            self._answer(order, job in STOPPED_WELL, f"stopped by {worker.stopped_by}", "")
        else:
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            self._unheard += tidy_one(self._paths, product_of(order.errand))
            self._answer(order, False, f"{tag_of(order.errand)} ended with {how}; see its log")
        for stop in self._stops:
            self._answer(stop, True, f"{job} has ended", self._state.error)
        self._stops.clear()

    def _answer(self, order: ErrandOrder, ok: bool, text: str, error: str | None = None) -> None:
        """The end of an errand; `error`: what the screen is to show, default the text of one that
        failed."""
        self._say(end_of(order, ok, text), error)

    def _say(self, done: ErrandDone, error: str | None = None) -> None:
        fields = about({"EVENT": "errand_done", "SERVICE": "workshop"})
        self._log.info("%s by %s: %s", done.order, done.who, done.text, extra=fields)
        self._unheard.append(done)
        said = error if error is not None else "" if done.ok else done.text
        self._show(structs.replace(self._state, error=said))

    def _show(self, state: WorkshopState) -> None:
        self._state = state
        self._changed = True

    def _speak(self) -> None:
        """To record: ends until they are heard, the state when it is due, and the heartbeat."""
        while self._unheard and self._record.send(self._unheard[0]):
            done = self._unheard.popleft()
            if done.order == ADOPT and done.ok:
                Place(self._paths, done.product).end_adoption()
        now = self._clock.monotonic_ns()
        if now - self._sent_ns >= (FASTEST_NS if self._changed else SECOND):
            self._sent_ns, self._changed = now, False
            self._record.send(self._state)
        if self._pulse.due(now):
            self._record.send(self._pulse.beat(now, "running", note=self._note()))

    def _note(self) -> str:
        return "" if self._state.job == "idle" else f"{self._state.job} {self._state.product}"

    def _idle(self, last: WorkshopState | None = None) -> WorkshopState:
        """Nothing under way: what there is of the product worked on last. Warnings and the shadow's
        counts stay while it is the same."""
        if not self._product:
            return WorkshopState(job="idle")
        place = Place(self._paths, self._product)
        good, defective = place.counts()
        learned = place.learned()
        taught = learned.taught if learned else None
        same = last is not None and last.product == self._product
        shadow = last.shadow if last and same else None
        return WorkshopState(
            job="idle",
            product=self._product,
            good=good,
            defective=defective,
            warnings=last.warnings if last and same else (),
            taught=taught,
            shadow=shadow if taught and shadow and shadow.model == taught.model else None,
        )


def main(argv: list[str] | None = None) -> int:
    """Run the process until a signal. Returns the exit code."""
    root = options("workshop", __doc__).parse_args(argv).root

    def build(_config: StationConfig, paths: Paths, stack: ExitStack) -> Workshop:
        os.nice(NICE)
        return Workshop(paths, root, stack.enter_context(Bus()), SystemClock())

    return serve("workshop", root, build)
