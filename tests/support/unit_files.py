"""The shipped units as systemd puts them together: a unit's own file and the drop-ins over it.

Promises: the rules of systemd.unit(5): folders of all prefixes, the nearer one wins by file name,
then all in the order of their names; a list is added to, an empty value clears it.
Never: asks a running systemd.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

UNITS = Path(__file__).parents[2] / "systemd"
PYTHON = "/opt/inspector/current/venv/bin/python"
INTERPRETERS = "/opt/inspector/(current|proven)/venv/bin/python"
KINDS = (".service", ".target", ".slice", ".timer", ".socket", ".path")
LISTS = frozenset(
    {
        "After",
        "ExecStartPre",
        "ExecStopPost",
        "IPAddressAllow",
        "InaccessiblePaths",
        "LoadCredential",
        "ReadWritePaths",
        "RestrictAddressFamilies",
        "Wants",
    }
)

Values = dict[str, list[str]]  # of one key; one value but for lists


def unit(name: str, folder: Path = UNITS) -> Values:
    """All that holds for a unit, whatever the section: no two sections share a key here."""
    found: Values = {}
    file = folder / name
    if not file.exists():  # an instance of a template
        file = folder / re.sub("@.*[.]", "@.", name)
    for path in (file, *_drop_ins(name, folder)):
        for key, value in _pairs(path):
            _add(found, key, value)
    return found


def one(values: Values, key: str) -> str:
    """The value of a key that has one; empty where it is not set."""
    return " ".join(values.get(key, []))


def words(values: Values, key: str) -> list[str]:
    return one(values, key).split()


def _add(found: Values, key: str, value: str) -> None:
    if key not in LISTS or not value:
        found[key] = [value] if value else []
    else:
        found.setdefault(key, []).append(value)


def _drop_ins(name: str, folder: Path) -> Iterator[Path]:
    by_name: dict[str, Path] = {}
    for place in (*_prefixes(name), re.sub("@.*[.]", "@.", name), name):
        for path in sorted((folder / f"{place}.d").glob("*.conf")):
            by_name[path.name] = path
    yield from (by_name[name] for name in sorted(by_name))


def _prefixes(name: str) -> Iterator[str]:
    stem, dot, ending = name.rpartition(".")
    parts = stem.split("@")[0].split("-")
    for count in range(1, len(parts)):
        yield "-".join(parts[:count]) + f"-{dot}{ending}"


def _pairs(path: Path) -> Iterator[tuple[str, str]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith(("#", "[")):
            yield key.strip(), value.strip()


def copied(to: Path, python: str, more: Mapping[str, str] | None = None) -> list[str]:
    """The units for systemd-analyze, started by a Python that is there; `more`: text of the
    station's own drop-ins by unit. Returns the files."""
    for path in UNITS.glob("inspector*"):
        if path.suffix == ".d":
            shutil.copytree(path, to / path.name)
        elif path.suffix in KINDS:
            text = re.sub(INTERPRETERS, python, path.read_text(encoding="utf-8"))
            (to / path.name).write_text(text, encoding="utf-8")
    for name, text in (more or {}).items():
        (to / f"{name}.d").mkdir(exist_ok=True)
        (to / f"{name}.d" / "50-station.conf").write_text(text, encoding="utf-8")
    return sorted(str(path) for path in to.iterdir() if path.suffix in KINDS)


def exposure(name: str, folder: Path) -> float:
    """What `systemd-analyze security` makes of a unit there: 0 is closed, 10 is open."""
    file = folder / name
    if not file.exists():
        file.symlink_to(re.sub("@.*[.]", "@.", name))
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(file)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"exposure level for .*: ([0-9.]+) ", said)
    assert found, said
    return float(found[1])
