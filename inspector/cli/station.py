"""A station made for one command: its folder, its line, and what it recorded.

Promises: the line runs in the same processes as in production; whatever happens, they are stopped
and a folder made here is removed.
Never: touches a station that somebody else runs.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import tomli_w
from msgspec import structs, to_builtins

from inspector.cli.run import WATCH_S, start, stop
from inspector.core.config import load_station
from inspector.core.errors import MaintainerError
from inspector.core.live import Live
from inspector.core.paths import Paths, under
from inspector.core.recipe import Recipe, RecipeLimits
from inspector.core.topology import LIVE
from inspector.devices.bus import Bus, newest_live
from inspector.devices.host import Lifecycle
from inspector.devices.ledger import LedgerReader, RecordedPart
from inspector.devices.ring import last_count

# Without a further outcome for so long, a line that ought to be running is given up.
STUCK_S = 30.0
PAGE = 5000

OnLive = Callable[[Live, Mapping[str, int]], None]  # the line's state, and pid by process


@contextmanager
def folder(root: Path | None) -> Iterator[Paths]:
    """The folders below `root`, kept; or below a fresh one, removed afterwards.

    Raises MaintainerError when `root` is in use already.
    """
    if root and under(root).ledger.exists():
        raise MaintainerError(f"{root}: holds a station's records already; choose another folder")
    made = root or Path(tempfile.mkdtemp(prefix="inspector-"))
    try:
        yield under(made)
    finally:
        if root is None:
            shutil.rmtree((made / "run").resolve(), ignore_errors=True)
            shutil.rmtree(made, ignore_errors=True)


def write_station(paths: Paths, camera: Mapping[str, object], **sections: object) -> None:
    """A configuration with the embedded defaults, one folder camera and the given sections."""
    levels = ("enterprise", "site", "area", "line", "cell")
    station = {
        "schema": 1,
        "station": dict(zip(levels, ("demo", "bench", "hall", "line1", "cell1"), strict=True)),
        "cameras": [{"kind": "folder", "name": "cam0", **camera}],
        **sections,
    }
    paths.recipes.mkdir(parents=True, exist_ok=True)
    paths.station_file.write_text(tomli_w.dumps(station))


def write_recipe(paths: Paths, name: str, bundle: Path, limits: Mapping[str, float]) -> None:
    """A recipe that uses a bundle where it lies, with these limits."""
    write_changed_recipe(
        paths,
        Recipe(
            schema=1,
            name=name,
            model=str(bundle.absolute()),
            limits=RecipeLimits(review=limits["review"], fail=limits["fail"]),
        ),
    )


def write_changed_recipe(paths: Paths, recipe: Recipe) -> None:
    """A recipe for images from a folder, which may hold the same picture twice."""
    paths.recipes.mkdir(parents=True, exist_ok=True)
    (paths.recipes / f"{recipe.name}.toml").write_text(changed_recipe_text(recipe))


def changed_recipe_text(recipe: Recipe) -> str:
    """The file of that recipe."""
    frame = structs.replace(recipe.frame, refuse_identical=False)
    return tomli_w.dumps(_without_none(to_builtins(structs.replace(recipe, frame=frame))))


def _without_none(table: dict[str, object]) -> dict[str, object]:
    """TOML has no word for a value that is not set."""
    return {key: value for key, value in table.items() if value is not None}


def run_line(
    paths: Paths,
    parts: int | None,
    on_live: OnLive,
    stuck_s: float = STUCK_S,
    log: Path | None = None,
    settled: Callable[[], bool] | None = None,
) -> None:
    """Run the line until `parts` outcomes are committed and what they led to has `settled`, or
    until a signal when None.

    What the processes say goes to the file `log`, or to standard error.
    Raises MaintainerError when no outcome comes for `stuck_s` seconds before that.
    """
    paths.create()
    with ExitStack() as stack:
        life = stack.enter_context(Lifecycle("run", paths.lock("run")))
        inbox = stack.enter_context(Bus()).listen(paths.socket(LIVE))
        supervisor = start(paths, stack.enter_context(log.open("ab")) if log else None)
        try:
            committed, moved = -1, time.monotonic()
            while life.running and (
                parts is None or committed < parts or (settled and not settled())
            ):
                supervisor.watch()
                live = newest_live(inbox, WATCH_S * 1000)
                if live is not None:
                    if live.committed != committed:
                        committed, moved = live.committed, time.monotonic()
                    pids = {child.process.name: child.pid or 0 for child in supervisor.children}
                    on_live(live, pids)
                waiting = parts is not None and committed < parts
                if waiting and time.monotonic() - moved > stuck_s:
                    raise MaintainerError(f"no outcome for {stuck_s:g} s, {committed} of {parts}")
        finally:
            stop(supervisor)


def triggers_of(paths: Paths, parts: Sequence[RecordedPart]) -> int:
    """How many parts have triggered, by the cameras' own counts.

    Of a stream whose camera process was started again meanwhile, only its last recorded seq tells.
    """
    triggers: dict[str, int] = {}
    for outcome in (part.outcome for part in parts):
        triggers[outcome.stream] = max(triggers.get(outcome.stream, 0), outcome.seq + 1)
    for camera in load_station(paths.station_file).cameras:
        if count := last_count(paths.ring(camera.name)):
            triggers[count.stream] = count.triggers
    return sum(triggers.values())


def recorded(paths: Paths) -> Sequence[RecordedPart]:
    """All committed parts in the order of their commit."""
    reader = LedgerReader(paths.ledger)
    found: list[RecordedPart] = []
    try:
        page = reader.parts(PAGE)
        while page:
            found += page
            page = reader.parts(PAGE, before_id=page[-1].id)
    finally:
        reader.close()
    return found[::-1]
