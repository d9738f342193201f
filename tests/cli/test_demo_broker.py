"""inspector demo --broker: a mosquitto beside the line, for anybody who wants to read along."""

import json
import os
import re
import signal
import socket
import stat
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from support.commands import INSPECTOR, inspector, refusals
from support.mosquitto import Subscriber, free_port, needs_mosquitto
from support.recording import until
from support.stations import in_use, make_station, write_images

pytestmark = pytest.mark.line

DEVICE = "demo/bench/hall/line1/cell1"


def arguments(root: Path, *more: object) -> list[str]:
    images = write_images(root / "images")
    bundle = in_use(make_station(root / "station", path=str(images)))
    given = ("demo", "--images", images, "--bundle", bundle, "--root", root / "kept", *more)
    return [str(one) for one in given]


class Demo:
    """A demo that runs, and what it says."""

    def __init__(self, root: Path, *more: object) -> None:
        self._said, self._told = root / "said", root / "told"
        command = [*INSPECTOR, *arguments(root, *more)]
        with self._said.open("wb") as said, self._told.open("wb") as told:
            self.process = subprocess.Popen(command, stderr=said, stdout=told)

    @property
    def said(self) -> str:
        return self._said.read_text()

    @property
    def summary(self) -> dict[str, int]:
        found: dict[str, int] = json.loads(self._told.read_text())
        return found

    @property
    def broker(self) -> psutil.Process:
        """The mosquitto that it has started."""
        children = psutil.Process(self.process.pid).children()
        return next(one for one in children if one.name() == "mosquitto")

    def ends(self) -> int:
        return self.process.wait(120)


@contextmanager
def running(root: Path, *more: object) -> Iterator[Demo]:
    demo = Demo(root, *more)
    try:
        yield demo
    finally:
        demo.process.send_signal(signal.SIGINT)
        demo.process.wait(60)


@contextmanager
def reading(port: int) -> Iterator[Subscriber]:
    """A subscriber to everything, as soon as the broker is there."""
    until(lambda: listens(port))
    with Subscriber(port, f"{DEVICE}/vision/v1/#") as subscriber:
        yield subscriber


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def totals_in(messages: list[bytes]) -> dict[int, dict[str, object]]:
    """The totals among them, by their row; one that came twice says the same."""
    rows: dict[int, dict[str, object]] = {}
    for message in map(json.loads, messages):
        if "cumulative" in message:
            assert rows.setdefault(message["seq"], message) == message
    return rows


def counts_of(rows: dict[int, dict[str, object]]) -> Counter[str]:
    """Parts by kind; the latest revision of a window counts."""
    latest = {(row["start"], row["recipe"], row["lot"], row["model"]): row for row in rows.values()}
    return sum((Counter(row["counts"]) for row in latest.values()), Counter())


@needs_mosquitto
def test_a_subscriber_sees_totals_that_sum_to_the_summary(root: Path) -> None:
    port = free_port()
    more = ("--parts", 150, "--takt-ms", 30, "--headless", "--json", "--broker-port", port)
    with running(root, *more) as demo, reading(port) as subscriber:
        assert demo.ends() == 0, demo.said
        messages = subscriber.take(10_000, timeout_s=1)
    summary = demo.summary
    rows = totals_in(messages)
    assert sorted(rows) == list(range(1, len(rows) + 1))
    assert counts_of(rows) == Counter(
        {kind: summary[kind] for kind in ("pass", "fail", "review", "fault") if summary[kind]}
    )
    newest = rows[len(rows)]["cumulative"]
    assert sum(newest.values()) == summary["triggers"] == 150
    assert "the broker has totals of 150 of 150 parts" in demo.said
    told = [json.loads(one)["online"] for one in messages if b'"online"' in one]
    assert (told[0], told[-1]) == ("online", "stopped")


@needs_mosquitto
def test_it_says_how_to_read_along_and_that_line_works(root: Path) -> None:
    with running(root, "--broker", "--headless", "--takt-ms", 50) as demo:
        line = until(lambda: re.search(r"broker: (mosquitto_sub .*)\n", demo.said))[1]
        also = until(lambda: re.search(r"or: inspector (receive .*) --db", demo.said))[1]
        assert f"-t '{DEVICE}/vision/v1/#' -v" in line
        read = subprocess.run(
            f"{line} -C 1 -W 30", shell=True, capture_output=True, text=True, check=True
        )
        assert read.stdout.startswith(f"{DEVICE}/vision/v1/")
        received = inspector(*also.split(), "--db", root / "totals.db", "--for", "12", "--json")
        assert received.returncode == 0, received.stderr
        assert DEVICE in received.stdout


@needs_mosquitto
def test_nobody_else_reaches_the_broker_and_it_ends_with_the_demo(root: Path) -> None:
    port = free_port()
    more = ("--parts", 20, "--takt-ms", 50, "--headless", "--broker-port", port)
    with running(root, *more) as demo:
        until(lambda: listens(port))
        addresses = {one.laddr.ip for one in demo.broker.net_connections("tcp")}
        assert addresses == {"127.0.0.1"}
        conf = root / "kept" / "broker" / "mosquitto.conf"
        assert stat.S_IMODE(conf.stat().st_mode) == 0o600
        assert demo.ends() == 0, demo.said
    station = (root / "kept" / "config" / "station.toml").read_text()
    assert f'host = "127.0.0.1"\nport = {port}\ntls = false' in station
    assert not listens(port)


@needs_mosquitto
def test_broker_that_crashes_is_told_of_and_the_line_goes_on(root: Path) -> None:
    port = free_port()
    more = ("--parts", 200, "--takt-ms", 50, "--headless", "--json", "--broker-port", port)
    with running(root, *more) as demo:
        until(lambda: "mosquitto_sub" in demo.said)  # it has seen its broker listen
        demo.broker.kill()
        until(lambda: "mosquitto was ended by signal 9; the line goes on" in demo.said)
        with reading(port) as subscriber:  # it is back, and has what waited meanwhile
            assert demo.ends() == 0, demo.said
            rows = totals_in(subscriber.take(10_000, timeout_s=1))
    assert demo.summary["triggers"] == 200
    kinds = ("pass", "fail", "review", "fault")
    assert sum(demo.summary[kind] for kind in kinds) == 200
    # A loaded box is late now and then; a line that waits for its broker would be always.
    assert demo.summary["fault"] < 100
    assert "the broker has totals of 200 of 200 parts" in demo.said
    assert sum(rows[max(rows)]["cumulative"].values()) == 200
    assert "Traceback" not in demo.said


@needs_mosquitto
def test_demo_that_is_killed_leaves_no_broker(root: Path) -> None:
    port = free_port()
    with running(root, "--headless", "--takt-ms", 100, "--broker-port", port) as demo:
        until(lambda: listens(port))
        broker = demo.broker
        demo.process.kill()
        until(lambda: not broker.is_running() or broker.status() == psutil.STATUS_ZOMBIE)
    assert not listens(port)


@needs_mosquitto
def test_broker_port_that_is_taken(root: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = inspector(*arguments(root, "--headless", "--broker-port", port))
    assert done.returncode == 78
    (line,) = refusals(done)
    assert f"--broker-port {port}: cannot be used (Address already in use)" in line


@needs_mosquitto
def test_broker_ends_where_the_demo_cannot_begin(root: Path) -> None:
    port = free_port()
    done = inspector(*arguments(root, "--headless", "--broker-port", port, "--bundle", "/nowhere"))
    assert done.returncode != 0
    assert len(refusals(done)) == 1
    assert not listens(port)


def test_without_mosquitto_one_line_says_what_to_install(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = root / "nothing"
    nothing.mkdir()
    monkeypatch.setenv("PATH", str(nothing))
    code = (
        "import sys; from inspector.cli import local_broker, main; "
        f"local_broker.PLACES = {str(nothing)!r}; sys.exit(main.main(sys.argv[1:]))"
    )
    command = [INSPECTOR[0], "-c", code, *arguments(root, "--broker", "--headless")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 78
    (line,) = refusals(done)
    assert "apt-get install mosquitto" in line
    assert not (root / "kept").exists()


@pytest.mark.parametrize("port", ["0", "65536", "mqtt"])
def test_broker_port_that_is_none(port: str) -> None:
    done = inspector("demo", "--broker-port", port)
    assert done.returncode == 2
    assert "1 to 65535 is wanted" in done.stderr
