"""The process in which an errand is done: its side of the talk, and how it ends.

Promises: standard output carries words to the workshop alone, a state at most five times a second
and at last the end; an error that can be expected is that end, in one line; whatever is half done
when it is told to stop is cleared away.
Never: outlives the workshop.
"""

import os
import signal
import sys
from types import FrameType

import msgspec

from inspector.core import orders
from inspector.core.config import load_station
from inspector.core.errors import InspectorError
from inspector.core.live import WorkshopState
from inspector.core.orders import ErrandDone, ErrandOrder
from inspector.core.paths import of_root
from inspector.devices.host import die_with_parent, options
from inspector.services.workshop.errands import end_of
from inspector.services.workshop.job import Errand, Job
from inspector.services.workshop.worker import WORK, alone


def _way(errand: orders.Errand) -> Errand:
    """How this errand is done; nothing is loaded that it does not need."""
    match errand:
        case orders.CollectParts():
            from inspector.services.workshop.collecting import collect

            return collect
        case orders.AddReviewed():
            from inspector.services.workshop.reviewed import add_reviewed

            return add_reviewed
        case orders.TeachProduct():
            from inspector.services.workshop.teaching import teach_product

            return teach_product
        case orders.TryInShadow():
            from inspector.services.workshop.shadow import try_in_shadow

            return try_in_shadow
        case orders.AdoptProduct():
            from inspector.services.workshop.adopting import adopt

            return adopt
        case _:
            from inspector.services.workshop.models import way

            return way(errand)


def _ended(job: Job, order: ErrandOrder) -> ErrandDone:
    """Do the errand. Its end, good or bad."""
    try:
        text, recipe = _way(order.errand)(job, order.errand)
    except InspectorError as error:
        return end_of(order, False, str(error))
    except OSError as error:
        where = error.filename or job.place.folder
        return end_of(order, False, f"{where}: {error.strerror}; make room, or mend it")
    return end_of(order, True, text, recipe)


def _stop(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)  # raised where the work is, so that it is left in order


def main(argv: list[str] | None = None) -> int:
    """Do the errand that standard input names. Returns the exit code."""
    die_with_parent()
    signal.signal(signal.SIGTERM, _stop)
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no word
    paths = of_root(options("workshop job", __doc__).parse_args(argv).root)
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=ErrandOrder)
    state = msgspec.json.decode(sys.stdin.buffer.readline(), type=WorkshopState)
    job = Job(paths, load_station(paths.station_file), order, state)
    job.speak_to(out)
    with alone(paths.lock(WORK)):
        try:
            done = _ended(job, order)
            job.say(job.state)
            job.say(done)
        except BrokenPipeError:
            return 1  # the workshop is gone
    return 0


if __name__ == "__main__":
    sys.exit(main())
