"""The box as the page about health shows it: disk, memory, temperature, clock, versions.

Promises: what cannot be learned is null; a folder of a million images is not counted for every
look.
Never: judges; what is wrong is an alarm, and alarms are `record`'s.
"""

import platform
import sqlite3
import threading
import time
from importlib import metadata
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inspector import __version__
from inspector.core.paths import Paths
from inspector.core.topology import processes
from inspector.devices import box
from inspector.ui import responses
from inspector.ui.context import Context

COUNTED_S = 30.0  # the evidence is counted again after so long
MB = 2**20
LIBRARIES = ("openvino", "opencv-python", "numpy", "pyzmq", "starlette", "uvicorn")


class Health:
    """The route about the box."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._evidence = Counted(context.paths.evidence)

    def routes(self) -> list[Route]:
        return [Route("/api/health", self._health)]

    async def _health(self, _request: Request) -> Response:
        return responses.json(await self._context.drawing.run(lambda _: self._facts()))

    def _facts(self) -> dict[str, object]:
        config, paths = self._context.config, self._context.paths
        return {
            "disk": disk(paths),
            "evidence": {
                "used_bytes": self._evidence.bytes(),
                "quota_bytes": config.evidence.quota_mb * MB,
            },
            "memory": memory(),
            "temperature_c": box.temperature(),
            "clock": {"synchronised": box.synchronised(), "wall_ns": time.time_ns()},
            "broker": self._broker(),
            "uptime_s": box.uptime(),
            "versions": versions(),
            "services": [
                {"name": one.name, "watchdog_s": one.watchdog_s} for one in processes(config)
            ],
        }

    def _broker(self) -> dict[str, object]:
        """What `publish` last said of itself."""
        live = self._context.feed.live
        services = live.services if live else ()
        beat = next((one.heartbeat for one in services if one.heartbeat.service == "publish"), None)
        return {
            "configured": self._context.config.publish is not None,
            "state": beat.state if beat else None,
            "note": beat.note if beat else "",
            "pending": beat.queue if beat else None,
        }


class Counted:
    """Bytes of all files below a folder, counted now and then."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._bytes = 0
        self._at = -COUNTED_S

    def bytes(self) -> int:
        with self._lock:
            if time.monotonic() - self._at >= COUNTED_S:
                self._bytes, self._at = box.used(self._folder), time.monotonic()
            return self._bytes


def disk(paths: Paths) -> dict[str, int | None]:
    """The disk that the ledger and the evidence lie on, in bytes."""
    return {"total_bytes": box.size(paths.state), "free_bytes": box.free(paths.state)}


def memory() -> dict[str, int] | None:
    """Bytes."""
    found = box.memory()
    if found is None:
        return None
    return {"total": found.total, "available": found.available, "ui": box.resident()}


def versions() -> dict[str, str]:
    """Of this program and of what it stands on."""
    found = {"inspector": __version__, "python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found | {"sqlite": sqlite3.sqlite_version, "kernel": platform.release()}
