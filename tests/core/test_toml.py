"""Every mistake in a configuration is one line with file, line, key and value."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.core.config import load_station
from inspector.core.errors import MaintainerError
from inspector.core.recipe import load_recipe
from inspector.core.toml import find_line

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

RECIPE = """\
schema = 1
name = "cap"
model = "cap"
[limits]
review = 0.7
fail = 1.0
"""


def test_sound_files_load(root: Path) -> None:
    (root / "station.toml").write_text(STATION)
    (root / "cap.toml").write_text(RECIPE)
    assert load_station(root / "station.toml").line.deadline_ms == 200
    assert load_recipe(root / "cap.toml").limits.fail == 1.0


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('cell = "c1"', 'cell = "c1"\ncolour = 3', 8, "station.colour = 3: unknown key"),
        (
            "deadline_ms = 200",
            'deadline_ms = "fast"',
            13,
            "line.deadline_ms = 'fast': expected number",
        ),
        ("deadline_ms = 200", "deadline_ms = 0", 13, "line.deadline_ms = 0: expected number >= 1"),
        ("deadline_ms = 200\n", "", 12, "line.deadline_ms: missing; add it"),
        ('name = "cam0"', 'name = "cam 0"', 10, "cameras.0.name = 'cam 0'"),
        ('kind = "folder"', 'kind = "lidar"', 9, "cameras.0.kind = 'lidar': invalid value"),
        ("schema = 1", "schema = 2", 1, "schema = 2: invalid"),
        ("[line]", "[detect]\nthreads = true\n[line]", 13, "detect.threads = True: expected whole"),
        ("[line]", "[evidence]\nquota_mb = 0\n[line]", 13, "evidence.quota_mb = 0"),
        ("[line]", "[output]\nkind='modbus'\n[line]", 12, "output.host: missing"),
    ],
)
def test_mistake_is_one_line(root: Path, old: str, new: str, line: int, words: str) -> None:
    path = root / "station.toml"
    path.write_text(STATION.replace(old, new))
    with pytest.raises(MaintainerError) as caught:
        load_station(path)
    assert str(caught.value).startswith(f"{path}:{line}: {words}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("review = 0.7", "review = 1.7", "limits.review = 1.7 lies above limits.fail = 1"),
        ("fail = 1.0", "", "limits.fail: missing; add it"),
        ("fail = 1.0", "fail = inf", "limits.fail = inf: expected number <= 1000000"),
        ("fail = 1.0", "fail = nan", "limits.fail = nan: expected number"),
        ("fail = 1.0", "fail = -1.0", "limits.fail = -1.0: expected number > 0"),
        ('name = "cap"', 'name = "lid"', "name = 'lid' must be the file's own name, 'cap'"),
    ],
)
def test_recipe_mistake_is_one_line(root: Path, old: str, new: str, words: str) -> None:
    path = root / "cap.toml"
    path.write_text(RECIPE.replace(old, new))
    with pytest.raises(MaintainerError) as caught:
        load_recipe(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"\xff\xfe", "no UTF-8"), (b"schema = ", "is no TOML"), (b"", "missing; add it")],
)
def test_no_toml_is_one_line(root: Path, content: bytes, words: str) -> None:
    (root / "station.toml").write_bytes(content)
    with pytest.raises(MaintainerError, match=words):
        load_station(root / "station.toml")


def test_missing_file_is_one_line(root: Path) -> None:
    with pytest.raises(MaintainerError, match="No such file"):
        load_station(root / "station.toml")


def test_lot_of_golden_parts_is_refused(root: Path) -> None:
    """Parts of it stand in no tally, in no queue and in no drift."""
    text = STATION.replace("[line]", '[line]\nlot = "challenge"')
    (root / "station.toml").write_text(text)
    with pytest.raises(MaintainerError, match=r"line\.lot = 'challenge' is kept for golden parts"):
        load_station(root / "station.toml")


def test_two_cameras_of_one_name_are_refused(root: Path) -> None:
    camera = '[[cameras]]\nkind = "folder"\nname = "cam0"\npath = "b"\n'
    (root / "station.toml").write_text(STATION.replace("[line]", camera + "[line]"))
    with pytest.raises(MaintainerError, match="two cameras bear one name"):
        load_station(root / "station.toml")


@given(st.text(max_size=200), st.lists(st.text(min_size=1, max_size=5), max_size=3))
def test_line_is_found_or_not_but_never_fails(text: str, keys: list[str]) -> None:
    line = find_line(text, keys)
    assert line is None or 1 <= line <= len(text.splitlines())
