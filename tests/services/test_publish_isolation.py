"""The process with the network cannot open frames or images, or does not run."""

import os
from pathlib import Path

import pytest
from support.mosquitto import mosquitto, needs_mosquitto
from support.publishing import PATIENCE_S, Record, configure, started
from support.stations import write_station

from inspector.core.paths import Paths
from inspector.services.publish.isolation import exposed

NOBODY = 65534
as_another_user = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
BROKER = {"host": "127.0.0.1", "tls": False, "port": 1}


def hide(paths: Paths) -> None:
    """A station of a user of its own, as systemd lays it out: another one may enter, read the
    ledger and write sockets, and sees nothing of the images."""
    root = paths.config.parent
    run = paths.run.resolve()
    for folder in (root, paths.state, paths.run, run, run / "record", run / "publish"):
        folder.chmod(0o777)
    for path in (paths.ledger, *root.glob("state/ledger.db-*")):
        path.chmod(0o644)
    hidden = (paths.evidence, paths.models, paths.workshop, paths.spool, paths.frames)
    for secret in hidden:
        secret.chmod(0o700)
    (paths.frames / "ring-cam0").write_bytes(b"pixels")
    (paths.run / "record" / "record.sock").chmod(0o666)


def ended(paths: Paths, user: int | None = None) -> tuple[int, str]:
    with started(paths, user) as process:
        _, log = process.communicate(timeout=PATIENCE_S)
    return process.returncode, log


def produce(paths: Paths) -> None:
    write_station(paths, {"path": "."}, {"publish": BROKER, "production": True})


@as_another_user
def test_in_production_root_is_refused_with_one_line(record: Record) -> None:
    produce(record.paths)
    code, log = ended(record.paths)
    assert code == 78
    (line,) = log.splitlines()
    assert line.startswith("inspector publish: it runs as root, who may open everything")
    record.until(lambda: record.said("publish_exposed"))


@as_another_user
@pytest.mark.parametrize("what", ["evidence", "models", "workshop", "spool", "frames"])
def test_in_production_anything_that_opens_is_refused_by_its_name(
    record: Record, what: str
) -> None:
    produce(record.paths)
    hide(record.paths)
    place = getattr(record.paths, what)
    place.chmod(0o755)
    code, log = ended(record.paths, NOBODY)
    assert code == 78
    (line,) = log.splitlines()
    assert f"{place} can be opened, but production = true" in line
    assert "inspector-publish.service" in line


@as_another_user
def test_in_production_it_runs_where_nothing_can_be_opened(record: Record) -> None:
    produce(record.paths)
    hide(record.paths)
    with started(record.paths, NOBODY):
        record.until(lambda: record.said("broker_down"))
    assert not record.said("publish_exposed")


@needs_mosquitto
@as_another_user
def test_ring_that_becomes_readable_ends_it_at_the_next_connection(
    record: Record, tmp_path: Path
) -> None:
    with mosquitto(tmp_path) as server:
        broker = BROKER | {"port": server.port}
        write_station(record.paths, {"path": "."}, {"publish": broker, "production": True})
        hide(record.paths)
        with started(record.paths, NOBODY) as process:
            record.until(lambda: record.said("broker_up"))
            record.paths.frames.chmod(0o755)
            server.kill()
            server.start()
            record.until(lambda: process.poll() is not None)
            _, log = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 75
    assert "frames can be opened" in log.splitlines()[-1]
    assert "Traceback" not in log


def test_on_a_bench_it_is_remarked_once(record: Record) -> None:
    (record.paths.frames / "ring-cam0").write_bytes(b"pixels")
    configure(record.paths, 1)
    with started(record.paths):
        record.until(lambda: record.said("publish_on_bench"))
        record.until(lambda: len(record.beats) >= 2)
    assert len(record.said("publish_on_bench")) == 1
    assert not record.said("publish_exposed")


@as_another_user
def test_one_picture_that_can_be_read_is_found_however_deep(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looked at by root, for whom everything opens once it is not asked who it is."""
    monkeypatch.setattr(os, "geteuid", lambda: NOBODY)
    assert exposed(record.paths) == f"{record.paths.evidence} can be opened"
    seen = (record.paths.evidence, record.paths.models, record.paths.workshop, record.paths.spool)
    for folder in seen:
        folder.rmdir()
    assert exposed(record.paths) == f"{record.paths.frames} can be opened"
    record.paths.frames.rmdir()
    assert exposed(record.paths) == ""


def test_what_goes_away_meanwhile_does_not_matter(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: NOBODY)

    def gone(*_: object) -> int:
        raise FileNotFoundError

    monkeypatch.setattr(os, "open", gone)
    assert exposed(record.paths) == ""


def test_without_a_broker_nothing_is_tried(record: Record) -> None:
    write_station(record.paths, {"path": "."}, {"production": True})
    with started(record.paths):
        record.until(lambda: record.beats)
    assert record.beats[0].state == "off"
