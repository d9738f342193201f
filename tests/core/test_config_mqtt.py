"""What leaves is configured in one place, and every mistake in it is one line."""

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
[publish]
host = "broker.plant"
"""


def load(root: Path, text: str) -> StationConfig:
    (root / "station.toml").write_text(text)
    return load_station(root / "station.toml")


def test_without_their_sections_nothing_may_come_in_and_no_second_lane_runs(root: Path) -> None:
    publish = load(root, STATION).publish
    assert publish
    assert (publish.tls, publish.port) == (True, 8883)
    assert publish.commands is None
    assert publish.sparkplug is None


@pytest.mark.parametrize("bad", ["a/b", "", "+", "#", "a b", "ü", "a" * 65, "-a", "a\\nb"])
@pytest.mark.parametrize("level", ["enterprise", "site", "area", "line", "cell"])
def test_topic_level_with_a_wildcard_or_nothing_in_it_is_refused(
    root: Path, level: str, bad: str
) -> None:
    old = next(line for line in STATION.splitlines() if line.startswith(level))
    with pytest.raises(MaintainerError, match=level) as caught:
        load(root, STATION.replace(old, f'{level} = "{bad}"'))
    assert "\n" not in str(caught.value)
    assert "station.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ('cert_file = "a.pem"', "publish.key_file"),
        ('key_file = "a.key"', "publish.cert_file"),
        ('tls = false\ncert_file = "a.pem"\nkey_file = "a.key"', "publish.tls"),
        ('password_file = "word"', "publish.username"),
        ('ack = "carrier pigeon"', "ack"),
        ("backlog_per_s = 0", "backlog_per_s"),
        ('defect_classes = ["a b"]', "defect_classes"),
        ("[publish.commands]\nallow = []", "allow"),
        ('[publish.commands]\nallow = ["pause"]', "allow"),
        ('[publish.commands]\nallow = ["set_recipe"]\nexpires_s = 4000', "expires_s"),
        ('[publish.sparkplug]\ngroup = "a/b"\nnode = "n"', "group"),
        ('[publish.sparkplug]\ngroup = "a"', "node"),
        ('[publish.sparkplug]\ngroup = "a"\nnode = "n"\nprimary_host = "+"', "primary_host"),
    ],
)
def test_mistake_about_the_broker_is_one_line(root: Path, more: str, words: str) -> None:
    with pytest.raises(MaintainerError, match=words) as caught:
        load(root, f"{STATION}{more}\n")
    assert "\n" not in str(caught.value)


def test_camera_whose_process_would_have_too_long_a_name_is_refused(root: Path) -> None:
    with pytest.raises(MaintainerError, match="name") as caught:
        load(root, STATION.replace("cam0", "c" * 57))
    assert "\n" not in str(caught.value)
    assert load(root, STATION.replace("cam0", "c" * 56)).cameras
