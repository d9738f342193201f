"""What one station costs on the wire: bytes at the socket, minute by minute, and so in a day.

Promises: a whole line on the sample parts, one window a minute, a part every second; every byte
that crosses the socket counts, both ways: MQTT's headers, acknowledgements and keepalive, and TLS
where there is TLS. TCP's and IP's own headers are not in it.
Never: counts a part of a minute; what comes more rarely than once a minute (the connection, the
repeated state) is counted by itself and added.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from inspector.core.config_mqtt import Publish
from inspector.core.paths import Paths, under
from support.line import Line, wait_for
from support.mosquitto import Subscriber, mosquitto
from support.network import link
from support.plant import STATION, plant
from support.plant_station import waiting
from support.proxy import Proxy, proxy
from support.sample_station import sample_station
from support.seven_days import Receiver

MINUTES_A_DAY = 1440
HEADERS = 60  # of a message: MQTT's, and the answer
LEVELS = ("enterprise", "site", "area", "line", "cell")
ANY = "+/+/+/+/+"  # devices
WINDOW_S = 60


@dataclass
class Wire:
    """One station, and the bytes at its socket."""

    paths: Paths
    way: Proxy
    connected: tuple[int, int] = (0, 0)  # bytes of the connection and its first state
    before: tuple[int, int] = (0, 0)

    def read(self) -> tuple[int, int]:
        return self.way.up, self.way.down

    def a_day(self, minutes: int, state_bytes: int) -> dict[str, int]:
        up, down = (now - then for now, then in zip(self.read(), self.before, strict=True))
        states = 86_400 // Publish(host="").state_s
        repeated = states * state_bytes
        return {
            "up": up * MINUTES_A_DAY // minutes + repeated,
            "down": down * MINUTES_A_DAY // minutes,
            "all": (up + down) * MINUTES_A_DAY // minutes + repeated,
            "of_it_repeated_state": repeated,
            "a_connection": sum(self.connected),
        }


@contextmanager
def station(root: Path, settings: dict[str, object]) -> Iterator[Paths]:
    """A whole line on the sample parts, one a second."""
    paths = under(root)
    changes = {
        "station": {level: level for level in LEVELS} | {"cell": root.name},
        "publish": settings,
        "record": {"window_s": WINDOW_S},
    }
    sample_station(paths, takt_ms=1000.0, **changes)
    line = Line(paths)
    try:
        wait_for(paths, lambda live: live.committed > 1, 60)
        yield paths
        line.stop()
    finally:
        line.close()


def day(root: Path, minutes: int) -> dict[str, object]:
    """Three stations side by side: without TLS, with it, and with the receiver's own word."""
    with ExitStack() as stack:
        open_ = stack.enter_context(mosquitto(root))
        heard = stack.enter_context(Subscriber(open_.port))
        cable = stack.enter_context(link())
        (root / "plant").mkdir()
        there = stack.enter_context(plant(cable, root / "plant", ANY))
        receiver = Receiver(there, root / "totals.db", root / "receive.log")
        stack.callback(receiver.kill)
        receiver.start()
        names = ("tls", "acks")
        ways = {name: stack.enter_context(proxy(there.port, there.host)) for name in names}
        ways["plain"] = stack.enter_context(proxy(open_.port))
        settings: dict[str, dict[str, object]] = {
            "plain": {"host": "127.0.0.1", "port": ways["plain"].port, "tls": False},
            "tls": {**there.login(STATION), "host": "127.0.0.1", "port": ways["tls"].port},
            "acks": {**there.login(STATION), "host": "127.0.0.1", "port": ways["acks"].port},
        }
        settings["acks"]["ack"] = "application"
        wires = {
            name: Wire(stack.enter_context(station(root / name, settings[name])), ways[name])
            for name in ways
        }
        return _measure(wires, heard, minutes)


def _measure(wires: dict[str, Wire], heard: Subscriber, minutes: int) -> dict[str, object]:
    time.sleep(8)
    for wire in wires.values():
        wire.connected = wire.read()
    time.sleep(WINDOW_S - time.time() % WINDOW_S + WINDOW_S / 2)  # amid a window
    states = [len(one) for one in heard.take(1000, 0.1) if b'"online"' in one]
    for wire in wires.values():
        wire.before = wire.read()
    told = [len(one) for one in heard.take(1000, minutes * 60.0)]
    found = {name: wire.a_day(minutes, states[-1] + HEADERS) for name, wire in wires.items()}
    assert all(not waiting(wire.paths) for wire in wires.values())
    return {"bytes_a_day": found, "messages_meanwhile": told, "a_state": states[-1]}
