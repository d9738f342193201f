"""What the doctor asks of a station: configuration, cameras, room for frames and evidence.

Promises: whatever is wrong becomes a line; a station that cannot be read leaves the box's own
checks possible.
Never: starts, stops or changes anything; a running line is only listened to.
"""

from dataclasses import dataclass, field
from pathlib import Path

from inspector.core.config import Camera, Detect, RemoteCamera, StationConfig, load_station
from inspector.core.current import read_current
from inspector.core.errors import InspectorError, MaintainerError
from inspector.core.live import Live
from inspector.core.paths import Paths, of_root
from inspector.core.recipe import load_recipe
from inspector.core.terms import FrameFormat
from inspector.core.topology import LIVE
from inspector.devices import box
from inspector.devices.bundles import find
from inspector.devices.bus import Bus, newest_live
from inspector.devices.cameras import open_camera
from inspector.domain import fitness
from inspector.domain.fitness import Check

ANSWER_MS = 1500  # a running line speaks at least once a second


@dataclass(frozen=True)
class Station:
    """What is known of the station; without one, the defaults."""

    paths: Paths | None = None
    config: StationConfig | None = None
    detect: Detect = field(default_factory=Detect)
    deadline_ms: float | None = None
    takt_ms: float | None = None
    bundle: Path | None = None
    format: FrameFormat | None = None  # of the largest camera's frames
    live: Live | None = None  # where the line runs
    checks: list[Check] = field(default_factory=list)


def read_station(root: Path | None) -> Station:
    """The station below `root`, or of the environment, with what is wrong with it."""
    try:
        paths = of_root(root)
    except MaintainerError:  # no station is named at all
        return Station()
    try:
        config = load_station(paths.station_file)
    except InspectorError as error:
        return Station(checks=[Check("configuration", "bad", str(error), "mend the file")])
    checks = [Check("configuration", "ok", str(paths.station_file))]
    live = _heard(paths)
    formats = [] if live else [_opened(camera, checks) for camera in config.cameras]
    takts = [camera.takt_ms for camera in config.cameras if not isinstance(camera, RemoteCamera)]
    bundle = _in_use(paths, config, checks)
    checks += _room(paths, config)
    return Station(
        paths=paths,
        config=config,
        detect=config.detect,
        deadline_ms=config.line.deadline_ms,
        takt_ms=fitness.combined(takts),
        bundle=bundle,
        format=max((one for one in formats if one), key=lambda one: one.nbytes, default=None),
        live=live,
        checks=checks,
    )


def _heard(paths: Paths) -> Live | None:
    """The state of the line, where one runs."""
    if not paths.run.exists():
        return None
    try:
        with Bus() as bus:
            return newest_live(bus.listen(paths.socket(LIVE)), ANSWER_MS)
    except InspectorError:  # too long a path for a socket: no line can run here either
        return None


def _opened(camera: Camera, checks: list[Check]) -> FrameFormat | None:
    """The format of its frames, once it has been opened and closed again."""
    if isinstance(camera, RemoteCamera):
        checks.append(Check("camera", "ok", f"{camera.name}: on another host, not asked"))
        return None
    try:
        opened = open_camera(camera)
    except InspectorError as error:
        checks.append(Check("camera", "bad", f"{camera.name}: {error}", "connect or mend it"))
        return None
    checks.append(Check("camera", "ok", f"{camera.name}: {opened.format}"))
    opened.close()
    return opened.format


def _in_use(paths: Paths, config: StationConfig, checks: list[Check]) -> Path | None:
    """The bundle of the recipe in force."""
    name = read_current(paths.current, config.line).recipe
    try:
        return find(load_recipe(paths.recipe(name)).model, paths.models)
    except InspectorError as error:
        checks.append(Check("recipe", "bad", str(error), "mend the recipe or install its model"))
        return None


def _room(paths: Paths, config: StationConfig) -> list[Check]:
    """For evidence on the disk, and for the cameras' rings in memory."""
    evidence = config.evidence
    free, used = box.free(paths.state), box.used(paths.evidence)
    checks = [fitness.disk(free, used, evidence.quota_mb, evidence.keep_free_mb)]
    missing = sum(not paths.ring(camera.name).exists() for camera in config.cameras)
    if missing:
        place = box.SHARED_MEMORY if not paths.run.exists() else paths.run
        checks.append(fitness.shared_memory(box.free(place), missing * config.ring.budget_mb))
    return checks
