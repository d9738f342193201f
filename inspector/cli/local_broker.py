"""A broker for a demo: mosquitto on the loopback, started and ended with the line.

Promises: it listens on 127.0.0.1 alone, from a configuration of its own in the demo's folder; it
ends with the demo, however that ends; where it crashes, the line goes on, a line says so, and it
is started again on its port.
Never: for a real station: anybody on this box may read and write here. Never touches a broker
that somebody else runs.
"""

import os
import pwd
import shutil
import socket
import subprocess
import time
from pathlib import Path

from inspector.cli.ports import bound, free_port
from inspector.cli.screen import say
from inspector.core.errors import MaintainerError
from inspector.core.paths import Paths
from inspector.devices.ledger import LedgerReader
from inspector.domain.egress.topics import Topics

HOST, PORT = "127.0.0.1", 1883
PLACES = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
START_S = 10.0
STOP_S = 5.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
PATIENCE_S = 60.0  # for the last windows to reach it
LOOK_S = 0.2


def required() -> str:
    """Where mosquitto is. Raises MaintainerError where it is not installed."""
    found = shutil.which("mosquitto", path=PLACES)
    if found is None:
        raise MaintainerError(
            "--broker: mosquitto is not installed; apt-get install mosquitto mosquitto-clients"
        )
    return found


class LocalBroker:
    """One mosquitto, from `with` to its end."""

    def __init__(self, folder: Path, port: int | None) -> None:
        """`port` None: the usual one, or any that is free. Raises MaintainerError."""
        self._program = required()
        self.port = port if port is not None else _usual_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._pause, self._due = FIRST_PAUSE_S, 0.0

    def __enter__(self) -> "LocalBroker":
        _require_free(self.port)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._conf.touch(mode=0o600)
        self._conf.write_text(configuration(self.port))
        self._process = self._launch()
        try:
            self._until_listening()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def settings(self) -> dict[str, object]:
        """[publish] of a station whose totals go here."""
        return {"host": HOST, "port": self.port, "tls": False}

    def tell(self, device: str) -> None:
        """How anybody on this box may read along."""
        at = f"--host {HOST} --port {self.port} --no-tls"
        say(f"broker: mosquitto_sub -h {HOST} -p {self.port} -t '{Topics(device).root}/#' -v")
        say(f"    or: inspector receive {at} --device {device} --db totals.db")

    def watch(self) -> None:
        """Notice an end that nobody asked for, and start it again after a pause that grows."""
        now = time.monotonic()
        if self._process and self._process.poll() is not None:
            say(
                f"broker: mosquitto {self._ended(self._process.returncode)}; the line goes on and "
                f"totals wait on the station; it is started again in {self._pause:g} s"
            )
            self._process, self._due = None, now + self._pause
            self._pause = min(LONGEST_PAUSE_S, 2 * self._pause)
        elif self._process is None and now >= self._due:
            self._process = self._launch()

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    @property
    def _conf(self) -> Path:
        return self._folder / "mosquitto.conf"

    @property
    def _log(self) -> Path:
        return self._folder / "mosquitto.log"

    def _launch(self) -> "subprocess.Popen[bytes]":
        command = [self._program, "-c", str(self._conf)]
        if guard := shutil.which("setpriv", path=PLACES):  # a killed demo leaves no broker behind
            command = [guard, "--pdeathsig", "TERM", *command]
        with self._log.open("ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the demo, which ends it last
            )

    def _until_listening(self) -> None:
        assert self._process
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            if self._process.poll() is not None:
                raise MaintainerError(
                    f"--broker: mosquitto {self._ended(self._process.returncode)}"
                )
            with socket.socket() as probe:
                if probe.connect_ex((HOST, self.port)) == 0:
                    return
            time.sleep(0.02)
        raise MaintainerError(f"--broker: mosquitto does not listen on {HOST}:{self.port}")

    def _ended(self, code: int) -> str:
        """How it ended, in words, with the last line of its log where it ended by itself."""
        if code < 0:
            return f"was ended by signal {-code}"
        lines = self._log.read_text(errors="replace").splitlines()
        why = f" ({lines[-1].strip()})" if lines else ""
        return f"ended with exit code {code}{why}"


def configuration(port: int) -> str:
    """mosquitto.conf of a broker that only this box can reach."""
    return "\n".join(
        (
            f"listener {port} {HOST}",
            "allow_anonymous true",
            f"user {_user()}",  # it keeps the rights of whoever runs the demo, and no others
            "persistence false",
            "max_queued_messages 100000",
            "connection_messages false",
            "log_type error",
            "log_type warning",
            "log_dest stderr",
            "",
        )
    )


class Arrival:
    """What of the demo's parts has reached the broker."""

    def __init__(self, paths: Paths, parts: int) -> None:
        self._path, self._parts = paths.ledger, parts
        self._until: float | None = None
        self._looked, self._found = 0.0, False

    def complete(self) -> bool:
        """True once the broker has totals of all parts, or has not had them for PATIENCE_S."""
        now = time.monotonic()
        if self._until is None:
            self._until = now + PATIENCE_S
            say("publish: waits for the last window to end")
        if now - self._looked >= LOOK_S:
            self._looked, self._found = now, self.arrived() >= self._parts
        return self._found or now > self._until

    def arrived(self) -> int:
        """Parts in windows that have been delivered."""
        reader = LedgerReader(self._path)
        try:
            rows = reader.totals(100_000)
        finally:
            reader.close()
        return sum(row.totals.triggers for row in rows if row.status == "delivered")


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user without a name; mosquitto then takes its own
        return "mosquitto"


def _usual_port() -> int:
    port = free_port(HOST, PORT)
    if port is None:
        raise MaintainerError(f"{HOST}: has no free port for a broker")
    return port


def _require_free(port: int) -> None:
    """Raises MaintainerError when somebody listens there, who would get the totals."""
    with socket.socket() as probe:
        try:
            bound(probe, HOST, port)
        except OSError as error:
            raise MaintainerError(
                f"--broker-port {port}: cannot be used ({error.strerror}); "
                "choose another, or leave it out"
            ) from None
