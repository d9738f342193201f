"""Other releases of the program for a machine: made beside the one it runs, and changed a little.

Promises: a release made here is laid out like one that the package makes; its libraries and samples
are those of the release it was made from.
Never: takes over by itself; `inspector upgrade --to NAME` does that.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from .inside import Machine
from .roots import CHECKOUT

SOURCES = (
    "CHANGELOG.md",
    "LICENSE",
    "configs",
    "inspector",
    "models",
    "requirements.lock",
    "sample_data",
    "systemd",
)
RELEASES = "/opt/inspector/releases"
# Everything but the program itself and its units is shared, by links.
MAKE = """
set -eu
old=$(readlink -f /opt/inspector/current)
site=venv/lib/python3.11/site-packages
mkdir -p "$NEW/$site" "$NEW/venv/bin"
cp -a "$old/venv/bin/." "$NEW/venv/bin/"
cp -a "$old/venv/pyvenv.cfg" "$NEW/venv/"
cp -a "$old/units" "$NEW/"
ln -s "$old/share" "$NEW/share"
for path in "$old/$site"/*; do ln -s "$path" "$NEW/$site/"; done
rm "$NEW/$site/inspector"
cp -a "$old/$site/inspector" "$NEW/$site/"
find "$NEW/$site/inspector" -name __pycache__ -prune -exec rm -r {} +  # of what may be changed
printf '{"version": "%s", "build": "test"}\n' "${NEW##*/}" >"$NEW/release.json"
"""


def another(machine: Machine, name: str, appended: Mapping[str, str]) -> None:
    """A release of this name, with lines appended to modules of the program, by their paths below
    `inspector/`."""
    folder = f"{RELEASES}/{name}"
    machine.run("env", f"NEW={folder}", "sh", "-c", MAKE)
    for module, text in appended.items():
        path = f"{folder}/venv/lib/python3.11/site-packages/inspector/{module}"
        machine.run("tee", "-a", path, input=f"\n{text}\n")
    machine.run(f"{folder}/venv/bin/python", "-m", "compileall", "-q", f"{folder}/venv/lib")


def running(machine: Machine) -> str:
    """The release that is in force."""
    return machine.run("readlink", "/opt/inspector/current").stdout.strip().rpartition("/")[2]


def next_package(scratch: Path, version: str) -> Path:
    """The package of this checkout as a later version of it; takes only seconds, for its libraries
    are those that have been unpacked before."""
    tree = scratch / "tree"
    for name in SOURCES:
        source, target = CHECKOUT / name, tree / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    about = tree / "inspector" / "__init__.py"
    text = about.read_text(encoding="utf-8")
    about.write_text(re.sub(r'__version__ = ".*"', f'__version__ = "{version}"', text))
    command = [sys.executable, str(tree / "systemd" / "build-deb"), str(scratch)]
    cache = ["--cache", str(CHECKOUT / "build" / "deb"), "--compress", "none"]
    subprocess.run([*command, *cache], check=True, capture_output=True)
    (package,) = scratch.glob("*.deb")
    return package
