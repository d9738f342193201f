"""inspector collect: frames of parts from the running line, to teach or to label.

Promises: a picture is a whole frame that the line has seen, lossless, named by stream and seq; a
frame that was overwritten meanwhile is passed over; the line is only listened to.
Never: writes into a folder that holds something, or takes a picture of the same part twice.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec import Struct

from inspector.cli.screen import add_root, command, print_json, progress, results, say
from inspector.core.config import load_station
from inspector.core.errors import MaintainerError, OperatorError
from inspector.core.messages import Outcome
from inspector.core.paths import Paths, of_root
from inspector.core.topology import LIVE
from inspector.devices.bus import Bus, Inbox, newest_live
from inspector.procedures.training_pictures import Album, Rings, limits_of

STUCK_S = 10.0
MOST = 10_000


class Collected(Struct, frozen=True):
    """What was collected."""

    folder: str
    files: list[str]
    warnings: list[str]  # one line each; empty: fit to teach from


Told = Callable[[int], None]  # how many parts there are so far


def add(commands: Any) -> None:
    made = command(
        commands,
        "collect",
        "copy frames of the next parts from the running line, to teach from",
        "inspector collect --root /srv/station --parts 50 --out good",
    )
    add_root(made)
    made.add_argument("--parts", type=_count, required=True, metavar="N", help="how many")
    made.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="a new folder")
    made.add_argument("--camera", metavar="NAME", help="default: every camera")
    made.set_defaults(command=_collect)


def _count(text: str) -> int:
    """How many parts. Raises ArgumentTypeError."""
    count = int(text) if text.isdecimal() else 0
    if not 1 <= count <= MOST:
        raise argparse.ArgumentTypeError(f"{text!r}: a number from 1 to {MOST} is wanted")
    return count


def _collect(arguments: argparse.Namespace) -> int:
    paths = of_root(arguments.root)
    with progress() as bar:
        task = bar.add_task("parts", total=arguments.parts)

        def told(count: int) -> None:
            bar.update(task, completed=count)

        found = collect(paths, arguments.parts, arguments.out, arguments.camera, told)
    for warning in found.warnings:
        say(f"warning: {warning}")
    if arguments.json:
        print_json(found)
    else:
        results.print(f"{found.folder}: {len(found.files)} parts")
    return 0


def collect(
    paths: Paths,
    parts: int,
    out: Path,
    camera: str | None = None,
    told: Told = lambda _count: None,
    stuck_s: float = STUCK_S,
) -> Collected:
    """Save the frames of the next `parts` parts that the line shows, as PNG, in `out`.

    Raises OperatorError for a folder that is in use, MaintainerError when there is no such camera,
    no room, or no further part with a frame for `stuck_s` seconds.
    """
    _check_camera(paths, camera)
    _make_empty(out)
    with Bus() as bus:
        gathering = _Gathering(paths, out, camera, bus.listen(paths.socket(LIVE)))
        while len(gathering.files) < parts:
            gathering.next(stuck_s)
            told(len(gathering.files))
    return Collected(str(out), gathering.files, gathering.warnings())


class _Gathering:
    """The pictures so far, and what was noticed of them."""

    def __init__(self, paths: Paths, out: Path, camera: str | None, inbox: Inbox) -> None:
        self._paths, self._camera, self._inbox = paths, camera, inbox
        self._rings, self._album = Rings(paths), Album(out)
        self._last: tuple[str, int] | None = None

    @property
    def files(self) -> list[str]:
        return self._album.files

    def next(self, stuck_s: float) -> None:
        """Wait for one more part and save its frame. Raises MaintainerError after `stuck_s`."""
        until = time.monotonic() + stuck_s
        seen = ""
        while time.monotonic() < until:
            live = newest_live(self._inbox, 200)
            outcome = live.last if live else None
            if outcome is None or not self._is_new(outcome):
                continue
            seen = f"the last part: {outcome.kind.value}, {outcome.reason}"
            frame = self._rings.copy(outcome)
            if frame is not None:
                self._album.add(outcome, frame, limits_of(self._paths, outcome.recipe))
                return
        raise MaintainerError(self._stuck(seen, stuck_s))

    def warnings(self) -> list[str]:
        """What speaks against teaching from these, a line each."""
        return self._album.warnings()

    def _is_new(self, outcome: Outcome) -> bool:
        """Another part than the last one, of the camera that is asked for."""
        part = outcome.stream, outcome.seq
        fresh, self._last = part != self._last, part
        return fresh and self._camera in (None, outcome.camera)

    def _stuck(self, seen: str, stuck_s: float) -> str:
        done = f"{len(self.files)} parts so far"
        if seen:
            return (
                f"{self._paths.run}: no part with a frame for {stuck_s:g} s ({done}); {seen}; "
                "mend the camera, or enlarge ring.budget_mb where the line is fast"
            )
        which = f" of camera {self._camera}" if self._camera else ""
        return (
            f"{self._paths.run}: no outcome{which} for {stuck_s:g} s ({done}); is the line running?"
        )


def _check_camera(paths: Paths, camera: str | None) -> None:
    names = [one.name for one in load_station(paths.station_file).cameras]
    if camera is not None and camera not in names:
        raise MaintainerError(f"--camera {camera}: no such camera (there: {', '.join(names)})")


def _make_empty(out: Path) -> None:
    """Raises OperatorError where something is in it, MaintainerError where it cannot be made."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        full = any(out.iterdir())
    except FileExistsError:
        raise OperatorError(f"{out}: is a file; choose a new folder") from None
    except OSError as error:
        raise MaintainerError(f"{out}: cannot be made ({error.strerror})") from None
    if full:
        raise OperatorError(f"{out}: is not empty; choose a new folder")
