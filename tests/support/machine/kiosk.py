"""A machine with a touchscreen: the host's own compositor and browser under the station's units.

Promises: the screen is a real compositor's that nobody sees; what it shows is looked at from
outside the kiosk, over a port of the browser's that only the machine's network has.
Never: installs anything: without weston and chromium here the tests say what is absent.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .booting import boot, lacking
from .inside import Machine
from .roots import Root, tree_root
from .station import station_files

MEMORY = Path("/dev/shm")
LOOKED_AT = 9222
HEADLESS = (
    "/usr/bin/weston --backend=headless-backend.so --use-pixman --width=1280 --height=800 "
    "--shell=kiosk-shell.so --modules=systemd-notify.so --idle-time=0 --socket=inspector-display"
)
UNITS = "/etc/systemd/system"
FILES = {
    f"{UNITS}/inspector-display.service.d/60-test.conf": f"[Service]\nExecStart=\n"
    f"ExecStart={HEADLESS}\n",
    f"{UNITS}/inspector-kiosk.service.d/60-test.conf": "[Service]\nExecStart=\n"
    "ExecStart=/opt/inspector/current/venv/bin/python -m inspector.services.kiosk "
    f"--option=--remote-debugging-port={LOOKED_AT}\n",
}
LOOK = """
import json, sys
from playwright.sync_api import Error, sync_playwright
with sync_playwright() as playwright:
    browser = playwright.chromium.connect_over_cdp("http://127.0.0.1:{port}")
    page = browser.contexts[0].pages[0]
    page.wait_for_timeout(200)
    if sys.argv[1]:
        page.screenshot(path=sys.argv[1])
    if sys.argv[2]:
        try:
            page.goto(sys.argv[2], timeout=5000)
        except Error as problem:
            sys.exit(print(json.dumps({{"refused": str(problem)}})))
    size = page.evaluate("[innerWidth, innerHeight, navigator.maxTouchPoints]")
    print(json.dumps({{"url": page.url, "text": page.inner_text("body"), "size": size}}))
"""


def lacking_for_kiosk() -> str:
    """What there is not; empty where all is there."""
    for tool in ("weston", "chromium"):
        if shutil.which(tool) is None:
            return f"{tool} is not installed (apt-get install {tool})"
    return lacking()


@contextmanager
def kiosk_machine(files: Mapping[str, str] | None = None) -> Iterator[Machine]:
    """A machine above the host's own files, with a station whose target is not yet started."""
    tree = tree_root()
    with tempfile.TemporaryDirectory(dir=MEMORY, prefix="inspector-kiosk-") as scratch:
        layer = Path(scratch) / "layer"  # not below the host's root, which is the next layer
        shutil.copytree(tree.layers[0], layer, symlinks=True)
        for folder in ("system", "network", "user"):  # the host's services are not ours to start
            _only_ours(layer / f"etc/systemd/{folder}")
        root = Root((layer, Path("/")), tree.read_only)
        all_files = {**station_files(), **FILES, **(files or {})}
        with boot(root, files=all_files, disk=Path(scratch)) as machine:
            yield machine


def _only_ours(folder: Path) -> None:
    """Hide the host's folder below."""
    folder.mkdir(parents=True, exist_ok=True)
    os.setxattr(folder, "trusted.overlay.opaque", b"y")


def on_screen(machine: Machine, picture: Path | None = None, leave_for: str = "") -> dict[str, Any]:
    """What the screen shows: the page's address, words and size; or why it would not leave."""
    script = LOOK.format(port=LOOKED_AT)
    command = [sys.executable, "-c", script, str(picture or ""), leave_for]
    looking = machine.netns(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said, problem = looking.communicate(timeout=60)
    assert not looking.returncode, problem
    seen: dict[str, Any] = json.loads(said)
    return seen


def until_on_screen(machine: Machine, words: str, timeout: float = 60) -> dict[str, Any]:
    """Look until these words stand there."""
    end = time.monotonic() + timeout
    while True:
        try:
            seen = on_screen(machine)
        except AssertionError as problem:  # the browser is just being started
            seen = {"text": str(problem)}
        if words in seen["text"]:
            return seen
        assert time.monotonic() < end, seen
        time.sleep(0.3)
