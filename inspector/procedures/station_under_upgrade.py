"""The station while its program is exchanged: stopped, started and looked at through systemd.

Promises: what the release on trial says of itself is asked of its own program, and what it cannot
say counts as silence.
Never: judges; that is `domain.upgrade`.
"""

import subprocess
import time
from pathlib import Path

import msgspec

from inspector.core.errors import MaintainerError
from inspector.core.messages import Event
from inspector.core.paths import Paths
from inspector.core.terms import Severity
from inspector.core.topology import MESSAGES
from inspector.devices import manager
from inspector.devices.bus import Bus
from inspector.devices.releases import BY_PROVEN, Releases
from inspector.devices.unit_orders import systemctl
from inspector.domain.upgrade import Seen

TARGET = "inspector.target"
PUBLISH = "inspector-publish.service"
HELD = Path("/run/systemd/system") / PUBLISH  # goes with the next boot
# What makes up a line that can be worked with. The plant's broker is none of it.
WATCHED = ("record", "gate", "detect", "capture@", "workshop", "ui")
ANSWER_S = 20.0
PAUSE_S = 0.2


class Word(msgspec.Struct, frozen=True):
    """What a release says of its line, as `upgrade --look` prints it."""

    line: str
    decided: int
    faults: int


class Station:
    """The one installed on this box."""

    def __init__(self, releases: Releases, paths: Paths) -> None:
        self._releases, self._paths = releases, paths
        self._first: Word | None = None

    def require_start(self, new: str) -> None:
        """Raises MaintainerError when a release cannot even be started, or refuses the settings
        there are; the line need not be stopped to find that out."""
        for what in (
            ("-m", "inspector.cli", "--version"),
            ("-m", "inspector.services.fit", "record"),
        ):
            if why := self._run(new, *what):
                raise MaintainerError(f"release {new} is of no use here: {why}")

    def require_tables(self, new: str, version: int) -> None:
        """Raises MaintainerError when a release is too old for the ledger there is."""
        known = "from inspector.devices.ledger.migrations import MIGRATIONS as known"
        if self._run(new, "-c", f"{known}; raise SystemExit(len(known) < {version})"):
            raise MaintainerError(
                f"release {new} does not know the ledger's tables (version {version}); "
                "`inspector restore` brings back one from before it"
            )

    def take_settings(self, name: str) -> None:
        """Hand the settings to systemd as this release understands them."""
        if why := self._run(name, "-m", "inspector.cli", "units"):
            raise MaintainerError(f"`inspector units` of release {name}: {why}")

    def _run(self, name: str, *arguments: str) -> str:
        """Why the program of a release does not do this; empty when it does."""
        command = [str(self._releases.python(name)), "-I", *arguments]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        words = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        return words[-1] if done.returncode else ""

    def ready(self) -> tuple[str, ...]:
        """Units of the line that run as they should."""
        return tuple(one.name for one in self._units() if one.state == "active")

    def stop(self) -> None:
        ours = [one.name for one in manager.units() if not one.name.startswith(BY_PROVEN)]
        running = [name for name in ours if name.endswith((".service", ".timer"))]
        systemctl("stop", *running)
        self._first = None

    def start(self) -> None:
        systemctl("reset-failed", "inspector*")
        systemctl("start", "--no-block", TARGET)

    def read_units(self) -> None:
        systemctl("daemon-reload")

    def hold_publish(self) -> None:
        """Nothing leaves until a release has proven itself, whatever is started and by whom."""
        HELD.parent.mkdir(parents=True, exist_ok=True)
        if not HELD.is_symlink():
            HELD.symlink_to("/dev/null")
            self.read_units()

    def let_publish(self) -> None:
        if HELD.is_symlink():
            HELD.unlink()
            self.read_units()
            systemctl("start", "--no-block", TARGET)

    def seen(self) -> Seen:
        """One look."""
        word = self._word()
        if word and self._first is None:
            self._first = word
        since = self._first or Word("", 0, 0)
        units = self._units()
        return Seen(
            units={one.name: one.state for one in units},
            restarts=sum(one.restarts for one in units),
            line=word.line if word else "",
            decided=word.decided - since.decided if word else 0,
            faults=word.faults - since.faults if word else 0,
        )

    def _units(self) -> list[manager.Unit]:
        return [
            one
            for one in manager.units()
            if one.name.removeprefix("inspector-").startswith(WATCHED)
            and one.name.endswith(".service")
        ]

    def _word(self) -> Word | None:
        """What the release that runs says of its line."""
        name = self._releases.named("current")
        if name is None:
            return None
        command = [str(self._releases.python(name)), "-I", "-m", "inspector.cli.upgrade", "--look"]
        try:
            done = subprocess.run(command, capture_output=True, timeout=ANSWER_S, check=False)
            return msgspec.json.decode(done.stdout, type=Word)
        except (OSError, subprocess.TimeoutExpired, msgspec.MsgspecError):
            return None

    def tell(self, code: str, text: str, within_s: float) -> bool:
        """Send record an alarm; False when it did not listen in time."""
        event = Event(
            service="upgrade",
            severity=Severity.ALARM,
            code=code,
            text=text,
            wall_ns=time.time_ns(),
        )
        until = time.monotonic() + within_s
        with Bus() as bus:
            outlet = bus.outlet(self._paths.socket("record"), MESSAGES)
            while not outlet.send(event):
                if time.monotonic() > until:
                    return False
                time.sleep(PAUSE_S)
        return True
