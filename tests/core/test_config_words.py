"""What `inspector units` copies out of station.toml cannot become more than one word in a unit."""

import json
from pathlib import Path

import pytest

from inspector.core.config import StationConfig, load_station
from inspector.core.errors import MaintainerError

STATION = """\
schema = 1
[station]
enterprise = "acme"
site = "ulm"
area = "hall2"
line = "l1"
cell = "c1"
[[cameras]]
kind = "folder"
name = "cam0"
path = "images"
[line]
deadline_ms = 200
recipe = "cap"
"""
MORE = {
    "backup.folder": "[backup]\nfolder = {}\n",
    "output.host": '[output]\nkind = "modbus"\nhost = {}\n',
    "publish.host": "[publish]\nhost = {}\n",
    "publish.password_file": '[publish]\nhost = "b"\nusername = "u"\npassword_file = {}\n',
    "publish.cert_file": '[publish]\nhost = "b"\nkey_file = "k"\ncert_file = {}\n',
    "ui.tls_key": '[ui]\ntls_cert = "c"\ntls_key = {}\n',
    "ui.host": "[ui]\nhost = {}\n",
    "listen.detect": '[listen]\ngate = "tcp://*:7002"\ndetect = {}\n',
}
ORDER = "x\nExecStartPre=+/bin/sh -c id"


def load(root: Path, key: str, value: str) -> StationConfig:
    (root / "station.toml").write_text(STATION + MORE[key].format(json.dumps(value)))
    return load_station(root / "station.toml")


@pytest.mark.parametrize("key", MORE)
@pytest.mark.parametrize("word", [ORDER, "a b", "%H", '"', "a\\b", "a\0b", "a\x7fb", ""])
def test_value_that_would_be_more_than_a_word_in_a_unit_is_refused(
    root: Path, key: str, word: str
) -> None:
    value = f"tcp://{word}:7001" if key == "listen.detect" else word
    with pytest.raises(MaintainerError, match=key.split(".")[1]) as caught:
        load(root, key, value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("port", ["0", "65536", "99999", "7001:7002"])
def test_port_that_is_none_is_refused(root: Path, port: str) -> None:
    with pytest.raises(MaintainerError, match="detect"):
        load(root, "listen.detect", f"tcp://*:{port}")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("backup.folder", "/mnt/usb-1/sicherung_ü"),
        ("backup.folder", "../backups"),
        ("output.host", "192.0.2.7"),
        ("output.host", "plc_1.plant.example"),
        ("publish.host", "2001:db8::1"),
        ("publish.host", "[2001:db8::1]"),
        ("publish.host", "fe80::1%eth0"),
        ("publish.password_file", "mqtt-password"),
        ("publish.password_file", "/srv/with a blank/100%/word"),
        ("ui.host", "::1"),
        ("listen.detect", "tcp://*:65535"),
        ("listen.detect", "tcp://[::]:7001"),
        ("listen.detect", "tcp://eth0:7001"),
    ],
)
def test_value_that_is_one_is_taken(root: Path, key: str, value: str) -> None:
    load(root, key, value)
