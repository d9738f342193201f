"""inspector support-bundle: all that helps, no secret, no picture unless somebody says so."""

import io
import json
import os
import stat
import tarfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.commands import inspector
from support.outcomes import STREAM, WALL, outcome
from support.stations import make_station

from inspector.cli.support_contents import _entry
from inspector.core.messages import Event
from inspector.core.paths import Paths, under
from inspector.core.people import Listed, change_people
from inspector.core.terms import Heatmap, Kind, Severity
from inspector.devices.ledger import Ledger
from inspector.domain.keeping import evidence_name
from inspector.domain.pins import hashed

# Each stands somewhere in the station, and none may stand in the bundle.
PASSWORD = 'broker "pass" wört/7'
CAMERA = "camera-hunter2"
IN_COMMENT = "comment-hunter2"
KEY = "MIIEowIBAAKCAQEAprivatekeyofthestation"
CONSOLE = "c0n501e" * 8
PLANT = "91a47" * 8
PIN = "4711"
TYPED = "typed-hunter2"
PICTURE = b"\xff\xd8\xff jpeg of a product"
HEAT = b"heat of a product"


def station(root: Path) -> Paths:
    """A station with a secret in every place where one may be."""
    broker = {"host": "broker", "username": "st7", "password_file": str(root / "password")}
    paths = make_station(root, {"publish": broker})
    (root / "password").write_text(PASSWORD + "\n")
    text = paths.station_file.read_text()
    paths.station_file.write_text(f"# password of the broker: {IN_COMMENT}\n{text}")
    (paths.config / "secrets").mkdir()
    pem = f"-----BEGIN PRIVATE KEY-----\n{KEY}\n-----END PRIVATE KEY-----\n"
    (paths.config / "secrets" / "client.key").write_text(pem)
    change_people(
        paths.people,
        lambda _: (Listed(name="anna", role="engineer", pin=hashed(PIN, bytes(16))),),
    )
    paths.create()
    paths.console_key.write_text(CONSOLE)
    paths.plant_key.write_text(PLANT)
    _fill(paths)
    return paths


def _fill(paths: Paths) -> None:
    """A ledger whose texts name secrets: by value, by an address, by their kind, by their name."""
    texts = (
        f"broker: login with {PASSWORD} refused",
        f"rtsp://anna:{CAMERA}@10.0.0.5/: no answer",
        f"tls: {KEY}",
        f"console {CONSOLE}, plant {PLANT}",
        f"somebody typed password={TYPED}",
        f"anna gave pin {PIN}",
    )
    events = [
        Event(service="publish", severity=Severity.ALARM, code="x", text=text, wall_ns=WALL)
        for text in texts
    ]
    heat = Heatmap(width=1, height=1, scale=1.0, region=(0, 0, 1, 1), data=HEAT)
    fault = outcome(1, Kind.FAULT, reason=f"rtsp://anna:{CAMERA}@10.0.0.5/: no frame")
    fail = outcome(2, Kind.FAIL, heatmap=heat)
    with closing(Ledger(paths.ledger, 10, 0, WALL)) as ledger:
        ledger.commit([(fault, False), (fail, True)], events, (), WALL)
    name = evidence_name(fail.trigger_wall_ns, STREAM, 2, Kind.FAIL, "jpg")
    (paths.evidence / name).parent.mkdir()
    (paths.evidence / name).write_bytes(PICTURE)


def bundle(root: Path, *more: str) -> dict[str, bytes]:
    """What is in it, by name without the folder."""
    out = root / "support.tar.gz"
    done = inspector("support-bundle", "--root", root, "--out", out, *more)
    assert done.returncode == 0, done.stderr
    with tarfile.open(out) as tar:
        found = {one.name.partition("/")[2]: tar.extractfile(one) for one in tar.getmembers()}
        return {name: file.read() for name, file in found.items() if file}


def json_of(data: bytes) -> Any:
    return json.load(io.BytesIO(data))


def test_no_secret_is_in_it_however_many_places_it_stood_in(root: Path) -> None:
    station(root)
    files = bundle(root)
    secrets = (PASSWORD, "wört", CAMERA, IN_COMMENT, KEY, CONSOLE, PLANT, TYPED, f"pin {PIN}")
    for secret in (*secrets, json.dumps(PASSWORD)[1:-1], "w\\u00f6rt", "scrypt$"):
        assert [name for name, data in files.items() if secret.encode() in data] == [], secret
    assert b"".join(files.values()).count(b"[redacted]") >= 7


def test_all_that_helps_is_in_it(root: Path) -> None:
    station(root)
    files = bundle(root)
    assert set(files) >= {
        *("ABOUT.txt", "versions.json", "host.txt", "status.json", "checks.json"),
        *("config/station.toml", "config/plain.toml", "config/people.json"),
        *("metrics.json", "faults.json", "events.json", "totals.json", "missing.txt"),
    }
    assert files["missing.txt"] == b""
    assert "msgspec" in json_of(files["versions.json"])["packages"]
    assert json_of(files["faults.json"])[0]["cause"] == "late"
    assert len(json_of(files["events.json"])) == 6
    assert json_of(files["config/people.json"]) == [{"name": "anna", "role": "engineer"}]
    assert b'username = "st7"' in files["config/station.toml"]
    assert json_of(files["status.json"])["station"]["version"]
    assert json_of(files["checks.json"])["doctor"]


def test_no_image_and_no_heat_unless_somebody_says_so(root: Path) -> None:
    station(root)
    files = bundle(root)
    assert not any(PICTURE in data or HEAT in data for data in files.values())
    assert b"Images: none" in files["ABOUT.txt"]
    asked = inspector("support-bundle", "--root", root, "--out", root / "x", "--with-images", "5")
    assert asked.returncode != 0
    assert "give --yes" in asked.stderr
    assert not (root / "x").exists()
    files = bundle(root, "--with-images", "5", "--yes")
    assert [data for name, data in files.items() if name.startswith("images/")] == [PICTURE]


def test_entry_of_the_journal_with_a_field_twice_is_no_reason_to_give_up() -> None:
    """Whoever may log may send that; `journalctl -o json` makes a list of it."""
    found = _entry(
        {"MESSAGE": ["one", "two"], "PRIORITY": "6", "INSPECTOR_PART": [1, 2], "_PID": None}
    )
    assert found == {
        "MESSAGE": "one\ntwo",
        "PRIORITY": "6",
        "INSPECTOR_PART": "\x01\x02",
        "_PID": None,
    }


def test_picture_that_leads_elsewhere_stays_there(root: Path) -> None:
    """Root makes the bundle; the folder is a service's, which may have been taken."""
    paths = station(root)
    (picture,) = paths.evidence.rglob("*.jpg")
    picture.unlink()
    (root / "shadow").write_bytes(b"nobody's business")
    picture.symlink_to(root / "shadow")
    files = bundle(root, "--with-images", "5", "--yes")
    assert not any(b"nobody's business" in data for data in files.values())


def test_file_that_lies_ready_for_it_is_not_written_into(root: Path) -> None:
    """In a folder that all may write: its owner would read along."""
    station(root)
    with (root / ".support.tar.gz.part").open("w+b") as ready:
        bundle(root)
        assert ready.read() == b""


def test_file_is_for_its_owner_alone(root: Path) -> None:
    station(root)
    bundle(root)
    mode = (root / "support.tar.gz").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
    assert not list(root.glob(".support*"))


def test_station_that_is_broken_is_told_of_all_the_same(root: Path) -> None:
    """Neither configuration nor ledger can be read: that is when a bundle is wanted."""
    paths = under(root)
    paths.create()
    paths.config.mkdir()
    paths.station_file.write_text("schema = 1\npassword = [")
    paths.ledger.write_bytes(b"rubbish" * 1000)
    files = bundle(root)
    assert b"cannot be read" in files["config/station.toml"]
    missing = files["missing.txt"].decode()
    assert "faults.json: " in missing
    assert "ledger.db: cannot be read" in missing
    assert json_of(files["checks.json"])["doctor"][0]["state"] == "bad"


@pytest.mark.skipif(os.getuid() != 0, reason="only root may make a folder that nobody can write")
def test_place_that_cannot_be_written_is_one_line(root: Path) -> None:
    station(root)
    done = inspector("support-bundle", "--root", root, "--out", "/proc/support.tar.gz")
    assert done.returncode == 78
    assert done.stderr.startswith("inspector: /proc/support.tar.gz: cannot be written")
