"""Days of windows made while the plant could not be reached, and then everything that can go wrong
on their way to the plant's receiver.

Promises: the real record, publish and `inspector receive`, a real mosquitto with TLS, client
certificates, passwords and an access list behind a real cable; what is killed is killed with
SIGKILL; the receiver's totals are compared with the station's by `inspector receive --compare`,
and with the parts themselves.
Never: helps: what is lost on the way is found missing and sent again by the parts themselves.
"""

import json
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from inspector.core.config import load_station
from inspector.core.paths import Paths, under
from inspector.domain.egress.words import device_id
from support.commands import INSPECTOR, inspector
from support.long_ago import Past, make_past
from support.network import link
from support.observer import Observer, observing
from support.plant import RECEIVER, STATION, Plant, plant
from support.plant_station import Parts, Processes, review, settled, until, waiting
from support.stations import put_in_use, write_recipe, write_station
from support.tiny_model import SIDE

LATE_REVIEWS = 5  # made at the running station, with the cable cut
LOSS = 30  # per cent
PARTS_BY_KIND = """SELECT coalesce(finding.verdict, outcome.kind) AS final, count(*)
FROM outcome LEFT JOIN finding ON finding.outcome_id = outcome.id GROUP BY final"""
Say = Callable[[str], None]


@dataclass
class Receiver:
    """`inspector receive`, as a process."""

    plant: Plant
    db: Path
    log: Path
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        login = self.plant.login(RECEIVER).items()
        options = [text for name, value in login for text in (_option(name), str(value))]
        device = self.plant.topics.device
        if "+" not in device:
            options += ["--device", device]
        command = [*INSPECTOR, "receive", "--db", str(self.db), *options]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen([*command, "--ack", "--wait"], stdout=log, stderr=log)

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def compare(self, root: Path) -> dict[str, Any]:
        """Its totals and the station's, as the command tells them."""
        done = inspector("receive", "--db", self.db, "--compare", root, "--json", timeout=600)
        assert done.returncode in (0, 1), done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found | {"code": done.returncode}


@dataclass
class Scene:
    """All that takes part."""

    paths: Paths
    plant: Plant
    station: Processes
    receiver: Receiver
    observer: Observer
    past: Past
    say: Say
    began: float = field(default_factory=time.monotonic)

    @property
    def root(self) -> Path:
        return self.paths.config.parent

    @contextmanager
    def ledger(self) -> Iterator[sqlite3.Connection]:
        """The station's, to read."""
        with closing(sqlite3.connect(f"file:{self.paths.ledger}?mode=ro", uri=True)) as db:
            yield db

    def note(self, text: str) -> None:
        left = waiting(self.paths)
        self.say(f"{time.monotonic() - self.began:7.1f} s, {left:6} rows to go: {text}")

    def until_left(self, share: float, timeout_s: float) -> None:
        """Wait until no more than this share of the past is still to be delivered."""
        most = int(share * self.past.rows)
        until(f"{share:.0%} left", lambda: waiting(self.paths) <= most, timeout_s, self.station.log)


def station_for(root: Path, there: Plant, **publish: object) -> Paths:
    """The station's folder; `publish` adds to its login at the plant."""
    paths = under(root)
    paths.create()
    put_in_use(paths, np.full((SIDE, SIDE, 1), 90, np.uint8))
    write_recipe(paths, "plain")
    settings = {**there.login(STATION), "keepalive_s": 5, "ack_timeout_s": 5.0, **publish}
    changes = {"publish": settings, "record": {"window_s": 1, "ballast_mb": 0}}
    write_station(paths, {"path": "images"}, changes)
    assert device_id(load_station(paths.station_file).station) == there.topics.device
    return paths


DEVICE = "enterprise/site/area/line/cell"


@contextmanager
def scene(root: Path, windows: int, say: Say = print, **publish: object) -> Iterator[Scene]:
    """Windows made, the plant up, observed and received from; the station's processes not yet
    started."""
    with ExitStack() as stack:
        cable = stack.enter_context(link())
        folder = root / "plant"
        folder.mkdir()
        there = stack.enter_context(plant(cable, folder, DEVICE))
        paths = station_for(root / "station", there, **publish)
        began = time.monotonic()
        past = make_past(paths, windows, int(time.time()) - 60)
        say(f"{past.windows} windows made in {time.monotonic() - began:.1f} s: {past.rows} rows")
        station = Processes(paths)
        stack.callback(station.kill)
        receiver = Receiver(there, folder / "totals.db", folder / "receive.log")
        stack.callback(receiver.kill)
        receiver.start()
        until("the receiver reads", lambda: "inspector-receive" in there.log.read_text())
        observer = stack.enter_context(observing(there, every=max(1, windows // 3000)))
        yield Scene(paths, there, station, receiver, observer, past, say)


def endure(one: Scene, patience_s: float) -> int:
    """Everything that can go wrong, spread over the way of the past. Returns how many parts came
    meanwhile."""
    there, station, receiver = one.plant, one.station, one.receiver
    there.link.cut()
    station.start()
    parts = Parts(one.paths)
    parts.start()
    until("parts come", lambda: waiting(one.paths) > one.past.rows, 60, station.log)
    late_reviews(one)
    time.sleep(3)
    one.note("the cable is restored")
    there.link.restore()
    one.until_left(0.9, patience_s)
    there.kill()
    one.note("the broker is killed")
    time.sleep(1)
    there.start()
    one.until_left(0.7, patience_s)
    station.kill()
    one.note("record and publish are killed")
    station.start()
    one.until_left(0.5, patience_s)
    receiver.kill()
    one.note("the receiver is killed")
    time.sleep(1.5)
    receiver.start()
    one.until_left(0.4, patience_s)
    one.note(f"{LOSS} % of the packets are lost")
    with there.link.losing(LOSS):
        time.sleep(max(6, patience_s / 20))
    one.note("no packet is lost any more")
    one.until_left(0.2, patience_s)
    one.note("the cable is cut for 3 s")
    there.link.cut()
    time.sleep(3)
    there.link.restore()
    one.until_left(0.0005, patience_s)
    made = parts.end()
    until("all delivered", lambda: settled(one.paths), patience_s, station.log)
    one.note("all delivered")
    return made


def parts_by_kind(one: Scene) -> dict[str, int]:
    """Every part of the ledger by what it counts as, from the parts and the findings alone."""
    with one.ledger() as db:
        return dict(db.execute(PARTS_BY_KIND).fetchall())


def late_reviews(one: Scene) -> None:
    """Findings on parts whose windows were counted long ago."""
    first = 10  # windows that were not reviewed yet
    until("record listens", one.paths.console_key.exists)
    for window in range(first, first + LATE_REVIEWS):
        review(one.paths, one.past.stream, 3 * window, "fail")


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")
