"""`inspector receive` as a process before a real broker, and somebody who publishes totals to it.

Promises: a publisher's `send` returns once the broker has everything.
"""

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from inspector.domain.receiving import Row
from support.commands import INSPECTOR, inspector
from support.totals_stream import payload, topic

# What a plant's broker has to be told so that it keeps everything for a receiver that is away.
KEEPING = "allow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 0"


class Receiving:
    """One receiver that can be stopped, killed and started again."""

    def __init__(self, port: int, db: Path, *options: str | Path) -> None:
        self.db = db
        self.said = db.with_suffix(".said")
        self._options = ("--host", "127.0.0.1", "--port", str(port), *map(str, options))
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> "Receiving":
        connected = self.text().count("connected to")
        with self.said.open("a") as said:
            self._process = subprocess.Popen(
                [*INSPECTOR, "receive", "--db", self.db, *self._options],
                stdout=subprocess.DEVNULL,
                stderr=said,
                text=True,
            )
        self.until(lambda: self.text().count("connected to") > connected)
        return self

    def kill(self) -> None:
        assert self._process
        self._process.kill()
        self._process.wait()

    def stop(self, number: int = signal.SIGTERM) -> int:
        assert self._process
        self._process.send_signal(number)
        return self._process.wait(20)

    def close(self) -> None:
        if self._process and self._process.poll() is None:
            self.kill()

    def text(self) -> str:
        """What it has said so far, on standard error."""
        return self.said.read_text() if self.said.exists() else ""

    def standing(self) -> list[dict[str, Any]]:
        """Its streams, as another command sees them."""
        return list(shown(self.db)["streams"])

    def until(self, condition: Callable[[], Any], timeout_s: float = 60) -> Any:
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            if found := condition():
                return found
            assert self._process is None or self._process.poll() is None, self.text()
            time.sleep(0.05)
        raise AssertionError(f"not within {timeout_s} s:\n{self.text()}")

    def through(self, seq: int) -> dict[str, Any]:
        """Wait until all rows up to `seq` of the only stream have come."""

        def reached() -> dict[str, Any] | None:
            found = self.standing()
            return found[0] if found and found[0]["through"] >= seq else None

        return dict(self.until(reached))


@contextmanager
def receiving(port: int, db: Path, *options: str | Path) -> Iterator[Receiving]:
    """A receiver without TLS."""
    receiver = Receiving(port, db, "--no-tls", *options)
    try:
        yield receiver.start()
    finally:
        receiver.close()


class Publisher:
    """Somebody who publishes to the broker, at QoS 1."""

    def __init__(self, port: int) -> None:
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.max_inflight_messages_set(200)
        self._client.max_queued_messages_set(0)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def send(self, rows: Iterable[Row]) -> None:
        self.put((topic(row.device), payload(row)) for row in rows)

    def put(self, messages: Iterable[tuple[str, bytes]]) -> None:
        for sent in [self._client.publish(where, what, qos=1) for where, what in messages]:
            sent.wait_for_publish(30)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def __enter__(self) -> "Publisher":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def shown(db: Path, *options: str | Path) -> dict[str, Any]:
    """What `inspector receive` says of a file, without a broker."""
    done = inspector("receive", "--db", db, "--json", *options)
    assert done.returncode in (0, 1), done.stderr
    return dict(json.loads(done.stdout))
