"""inspector mqtt-check against a real mosquitto: what works, what is refused, and why."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.certificates import Authority, Signed
from support.commands import inspector
from support.mosquitto import (
    Listener,
    acl_line,
    free_port,
    mosquitto,
    needs_mosquitto,
    passwords,
    tls_lines,
)
from support.stations import make_station

from inspector.core.config import load_station
from inspector.domain.egress.words import device_id

ROOT = "enterprise/site/area/line/cell/vision/v1"


def check(root: Path, code: int, **publish: Any) -> dict[str, dict[str, str]]:
    """The lines by what they are about; the command must end with this code."""
    paths = make_station(root, {"publish": publish})
    station = load_station(paths.station_file).station
    assert f"{device_id(station)}/vision/v1" == ROOT
    done = inspector("mqtt-check", "--root", root, "--json")
    assert done.returncode == code, done.stdout + done.stderr
    assert not done.stderr
    found = json.loads(done.stdout)
    assert found["ok"] == (code == 0)
    assert all(line["state"] == "ok" or line.get("remedy") for line in found["checks"])
    return {line["what"]: line for line in found["checks"]}


def files(authority: Authority, own: Signed | None = None) -> dict[str, str]:
    named = {"cert_file": str(own.certificate), "key_file": str(own.key)} if own else {}
    return {"host": "localhost", "ca_file": str(authority.certificate), **named}


@needs_mosquitto
def test_all_is_well(root: Path) -> None:
    authority = Authority(root)
    own = authority.sign("line1")
    acl = acl_line(root, f"user line1\ntopic readwrite {ROOT}/#\ntopic readwrite spBv1.0/#\n")
    lines = tls_lines(authority.sign("localhost", ends_days=400), clients=authority)
    more: dict[str, Any] = {
        "ack": "application",
        "commands": {"allow": ["request_state"]},
        "sparkplug": {"group": "acme", "node": "c7", "primary_host": "mes"},
    }
    with mosquitto(root, f"{lines}\n{acl}") as server:
        found = check(root, 0, port=server.port, **files(authority, own), **more)
    assert found["name"]["text"] == "localhost is 127.0.0.1"
    assert "a certificate for localhost, valid from" in found["TLS"]["text"]
    assert found["MQTT v5"]["text"] == f"connected as the certificate {own.certificate}"
    assert found["limits"]["text"].startswith("20 messages at once, of any size, 10 aliases")
    writes = {f"write {ROOT}/{name}" for name in ("totals", "events", "state", "reply")}
    hears = {f"hear {ROOT}/{name}" for name in ("ack", "command", "state")}
    hears |= {"hear spBv1.0/acme/NCMD/c7", "hear spBv1.0/STATE/mes"}
    assert writes | hears | {"write spBv1.0/acme/DDATA/c7/vision"} <= found.keys()
    assert found[f"hear {ROOT}/state"]["text"] == "comes through"
    assert "spBv1.0/acme/NBIRTH/c7" in found["Sparkplug"]["text"]


@needs_mosquitto
def test_access_list_that_denies_is_told_topic_by_topic(root: Path) -> None:
    acl = acl_line(root, f"topic write {ROOT}/totals\ntopic write {ROOT}/state\n")
    with mosquitto(root, f"allow_anonymous true\n{acl}") as server:
        found = check(root, 78, host="127.0.0.1", port=server.port, tls=False)
    assert found[f"write {ROOT}/totals"]["state"] == "ok"
    assert found[f"write {ROOT}/events"]["state"] == "bad"
    assert "0x87" in found[f"write {ROOT}/events"]["text"]
    assert "access list" in found[f"write {ROOT}/events"]["remedy"]
    assert found[f"hear {ROOT}/state"]["state"] == "warn"
    assert "does not come through" in found[f"hear {ROOT}/state"]["text"]


@needs_mosquitto
def test_nothing_is_kept_or_disturbed(root: Path) -> None:
    """Receivers see empty messages that are not retained; the state that is kept stays."""
    with mosquitto(root) as server:
        with Listener(server.port) as reader:
            check(root, 0, host="127.0.0.1", port=server.port, tls=False)
            seen = [reader.next() for _ in range(3)]
        assert {message.payload for message in seen} == {b""}
        assert not any(message.retain for message in seen)
        with Listener(server.port) as late, Listener(server.port, "$SYS/broker/version") as awake:
            awake.next()
            assert late.whole.empty()


@needs_mosquitto
def test_small_limits_are_warned_of(root: Path) -> None:
    limits = "max_packet_size 2000\nretain_available false\nmax_keepalive 20"
    with mosquitto(root, f"allow_anonymous true\n{limits}") as server:
        found = check(root, 0, host="127.0.0.1", port=server.port, tls=False)
    assert "can be read on their way" in found["TLS"]["text"]
    assert "a sign of life every 20 s" in found["limits"]["text"]
    assert found["size"]["state"] == found["retain"]["state"] == "warn"


@needs_mosquitto
def test_expired_certificate_is_shown_with_its_dates(root: Path) -> None:
    authority = Authority(root)
    shown = authority.sign("localhost", -900, -800)
    with mosquitto(root, tls_lines(shown)) as server:
        found = check(root, 78, port=server.port, **files(authority))
    assert "it is for localhost, valid from 20" in found["TLS"]["text"]
    assert "the station's clock says 20" in found["TLS"]["remedy"]
    assert "MQTT v5" not in found


@needs_mosquitto
def test_certificate_for_another_name_says_for_which(root: Path) -> None:
    authority = Authority(root)
    with mosquitto(root, tls_lines(authority.sign("mq1.acme"))) as server:
        found = check(root, 78, port=server.port, **files(authority))
    assert "another name (it is for mq1.acme, valid" in found["TLS"]["text"]
    assert "mend publish.host" in found["TLS"]["remedy"]


@needs_mosquitto
def test_wrong_password_and_missing_certificate_are_told(root: Path) -> None:
    authority = Authority(root)
    (root / "word").write_text("wrong\n")
    closed = f"allow_anonymous false\npassword_file {passwords(root, line='right')}"
    login = {"username": "line", "password_file": str(root / "word")}
    with mosquitto(root, closed) as server:
        found = check(root, 78, host="127.0.0.1", port=server.port, tls=False, **login)
    assert "refuses user 'line'" in found["MQTT v5"]["text"]
    assert "publish.password_file" in found["MQTT v5"]["remedy"]
    with mosquitto(root, tls_lines(authority.sign("localhost"), clients=authority)) as server:
        found = check(root, 78, port=server.port, **files(authority))
    assert "wants a client certificate" in found["MQTT v5"]["text"]


@pytest.mark.parametrize(
    ("host", "step", "text"),
    [("127.0.0.1", "network", "nobody listens there"), ("no-such.invalid", "name", "no such host")],
)
def test_nobody_there(root: Path, host: str, step: str, text: str) -> None:
    found = check(root, 78, host=host, port=free_port(), tls=False)
    assert text in found[step]["text"]
    assert "MQTT v5" not in found


def test_station_without_a_broker_is_one_line(root: Path) -> None:
    make_station(root)
    done = inspector("mqtt-check", "--root", root)
    assert done.returncode == 78
    assert done.stderr.startswith("inspector: no [publish] in the configuration")


def test_credentials_of_systemd_are_asked_for(root: Path) -> None:
    make_station(root, {"publish": {"host": "x", "ca_file": "ca"}})
    done = inspector("mqtt-check", "--root", root)
    assert done.returncode == 78
    (line,) = done.stderr.splitlines()
    assert "publish.ca_file = 'ca'" in line
