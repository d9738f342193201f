"""The plant's end of the cable: a real mosquitto with TLS, client certificates, passwords and an
access list, in a network namespace of its own.

Promises: nobody gets in without a certificate of the authority and a password; the station may
write its own topics and read acknowledgements and commands, the receiver the other way round, and
nobody anything else.
Never: reachable from anywhere but this machine.
"""

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from inspector.domain.egress.topics import Topics
from support.certificates import Authority
from support.mosquitto import MOSQUITTO, passwords
from support.network import Link, lacking

PORT = 8883
OPENSSL = shutil.which("openssl") or ""
STATION, RECEIVER, OBSERVER = "station", "receiver", "observer"
PASSWORDS = {STATION: "s-7-Kz", RECEIVER: "r-2-Qp", OBSERVER: "o-9-Xd"}

CONFIG = """user root
per_listener_settings false
listener {port} {host}
cafile {ca}
certfile {certificate}
keyfile {key}
require_certificate true
use_identity_as_username false
allow_anonymous false
password_file {passwords}
acl_file {access}
persistence true
persistence_location {folder}/
"""
ACCESS = """user {station}
topic write {root}/totals
topic write {root}/state
topic write {root}/events
topic write {root}/reply/#
topic read {root}/ack
topic read {root}/command
user {receiver}
topic read {root}/totals
topic read {root}/state
topic read {root}/events
topic write {root}/ack
user {observer}
topic read {root}/#
"""


def needs_plant() -> pytest.MarkDecorator:
    """Skip where the plant cannot be set up, saying what is absent."""
    absent = lacking()
    if not MOSQUITTO:
        absent = "mosquitto is not installed (apt-get install mosquitto)"
    elif not OPENSSL:
        absent = "openssl is not installed (apt-get install openssl)"
    return pytest.mark.skipif(bool(absent), reason=absent or "all there")


class Plant:
    """The broker behind the cable, and what one needs to get in."""

    def __init__(self, link: Link, folder: Path, device: str) -> None:
        self.link = link
        self.host = link.far
        self.port = PORT
        self.topics = Topics(device)
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._authority = Authority(folder)
        self._signed = {name: self._authority.sign(name) for name in PASSWORDS}
        for name in PASSWORDS:
            (folder / f"{name}.password").write_text(PASSWORDS[name] + "\n")
        self._configure()

    def login(self, name: str) -> dict[str, object]:
        """Settings of [publish] that let this user in; the same words as the options of commands,
        with dashes."""
        return {
            "host": self.host,
            "port": self.port,
            "ca_file": str(self._authority.certificate),
            "cert_file": str(self._signed[name].certificate),
            "key_file": str(self._signed[name].key),
            "username": name,
            "password_file": str(self._folder / f"{name}.password"),
        }

    def start(self) -> None:
        assert MOSQUITTO
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self.link.inside, MOSQUITTO, "-c", str(self._config)], stdout=log, stderr=log
            )
        self._until_listening()

    def kill(self) -> None:
        if self._process:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    @property
    def log(self) -> Path:
        return self._folder / "mosquitto.log"

    def _configure(self) -> None:
        access = self._folder / "access"
        access.write_text(
            ACCESS.format(
                root=self.topics.root, station=STATION, receiver=RECEIVER, observer=OBSERVER
            )
        )
        access.chmod(0o600)
        # By a proxy it is reached at the loopback.
        server = self._authority.sign("broker", addresses=(self.host, "127.0.0.1"))
        self._config = self._folder / "mosquitto.conf"
        self._config.write_text(
            CONFIG.format(
                port=PORT,
                host=self.host,
                ca=self._authority.certificate,
                certificate=server.certificate,
                key=server.key,
                passwords=passwords(self._folder, **PASSWORDS),
                access=access,
                folder=self._folder,
            )
        )

    def _until_listening(self) -> None:
        """By the kernel's own table: the cable may be cut while it starts."""
        assert self._process
        table = Path(f"/proc/{self._process.pid}/net/tcp")  # of its namespace
        until = time.monotonic() + 20
        while f":{PORT:04X} 00000000:0000 0A" not in table.read_text():
            assert self._process.poll() is None, self.log.read_text()
            assert time.monotonic() < until, f"mosquitto does not listen on {PORT}"
            time.sleep(0.02)


@contextmanager
def plant(link: Link, folder: Path, device: str) -> Iterator[Plant]:
    """The broker, running; gone afterwards."""
    one = Plant(link, folder, device)
    one.start()
    try:
        yield one
    finally:
        one.kill()
