"""The table of processes, written once: who runs, where its inbox is, in which order they stop.

Promises: the bench supervisor, the status screen and the systemd units all follow this table.
Never: holds a setting that a plant may change; those are in `config`.
"""

from dataclasses import dataclass

from inspector.core.config import RemoteCamera, StationConfig
from inspector.core.folders import user


@dataclass(frozen=True)
class Process:
    """One process of the station."""

    name: str  # also the name of its inbox socket and its lock
    module: str
    camera: str | None = None
    watchdog_s: float = 5.0
    stop_rank: int = 0  # lower ranks stop first; a rank is waited for before the next

    @property
    def user(self) -> str:
        """Who it runs as on an installed station."""
        return user(self.name)

    @property
    def arguments(self) -> list[str]:
        return ["--camera", self.camera] if self.camera else []


# Named sockets besides the inboxes.
LIVE = "live"  # PUB of record: the state of the line for any screen
CONTROL = "control"  # ROUTER of record: commands with replies
LINE = "line"  # second inbox of record, for those alone that a part passes: capture, detect, gate

# Seconds between two heartbeats of a service, and between two beats of a stream.
HEARTBEAT_S = 1.0
BEAT_S = 0.1

# Depth of a queue between two processes, in messages. Small where old work is worthless (a
# ticket past its deadline), large where nothing may be lost (outcomes on their way to disk).
TICKETS = 64
MESSAGES = 10_000
STATES = 4


def processes(config: StationConfig) -> tuple[Process, ...]:
    """All processes of this station's own host, in the order in which they start."""
    fixed = (
        Process("record", "inspector.services.record", stop_rank=3),
        Process("gate", "inspector.services.gate", stop_rank=2),
        Process("detect", "inspector.services.detect", stop_rank=1),
        Process("publish", "inspector.services.publish", stop_rank=2),  # its farewell is logged
    )
    screen = (
        Process("workshop", "inspector.services.workshop", stop_rank=0),
        Process("ui", "inspector.ui", stop_rank=0),
    )
    cameras = tuple(
        Process(capture(camera.name), "inspector.services.capture", camera.name)
        for camera in config.cameras
        if not isinstance(camera, RemoteCamera)
    )
    return fixed + cameras + (screen if config.ui else ())


def capture(camera: str) -> str:
    """The name of the capture process of a camera."""
    return f"capture-{camera}"
