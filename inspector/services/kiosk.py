"""kiosk: keeps the station's page on the touchscreen, in a browser of its own.

Promises: the page is there whenever its server is; a browser that is killed, crashed, hung, empty
or led elsewhere shows it again by itself; the watchdog hears of looks at the screen that found
something a person can read.
Never: touches a frame, the ledger or an order: it holds a browser, and the page does the rest.
"""

import argparse
import logging
import os
import shutil
import signal
import socket
import sys
import time
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

from inspector.core.errors import EngineerError, MaintainerError
from inspector.devices.chromium import Chromium
from inspector.devices.host import guarded, log_to_stderr, notify
from inspector.domain.kiosk import Step, Watch

PAGE = "http://127.0.0.1:8085/"
ROUND_S = 1.0
PAUSE_S = 0.1  # so soon a signal is heard
KNOCK_S = 0.5
# The page on this box is served by this box, whatever name its certificate is for; nothing else can
# be reached.
OWN_CERTIFICATE = ("--ignore-certificate-errors", "--test-type")
NAMES = ("chromium", "chromium-browser")
WAITING = """<body style="margin:0;height:100vh;display:grid;place-content:center;gap:1ex;
background:#111;color:#ddd;font:24px sans-serif;text-align:center">
<p lang="en">Waiting for the station</p><p lang="de">Warten auf die Station</p>
<p lang="es">Esperando a la estación</p><p lang="zh-CN">正在等待检测站</p></body>"""


class Kiosk:
    """One browser and what is done about it."""

    def __init__(self, browser: Chromium, page: str, log: logging.Logger) -> None:
        self._browser = browser
        self._page = page
        self._log = log
        self._watch = Watch(page, time.monotonic())

    def turn(self) -> bool:
        """One look, and what follows from it; true when a person can read something. Raises
        EngineerError when only another browser can help."""
        if self._browser.ended:
            raise EngineerError("the browser has ended")
        sight = self._browser.look()
        step = self._watch.look(sight, _listens(self._page), time.monotonic())
        if step is Step.GIVE_UP:
            raise EngineerError("the browser shows nothing any more")
        if step is Step.OPEN:
            seen = sight.url if sight else "no answer"
            self._log.info("opening %s (on the screen: %s)", self._page, seen)
            self._browser.open(self._page)
        elif step is Step.TELL:
            self._log.warning("%s: nobody listens; the screen says that it waits", self._page)
            self._browser.write(WAITING)
        return self._watch.shown


def main(argv: list[str] | None = None) -> int:
    """Run until a signal. Returns the exit code."""
    given = _options().parse_args(argv)
    return guarded("kiosk", lambda: _run(given))


def _options() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser("inspector kiosk", description=__doc__)
    page = os.environ.get("INSPECTOR_PAGE") or PAGE
    made.add_argument("--page", default=page, help="what to show (default: %(default)s)")
    made.add_argument("--browser", help="Chromium (default: the first found in PATH)")
    made.add_argument("--option", action="append", default=[], help="one more for the browser")
    profile = os.environ.get("RUNTIME_DIRECTORY") or os.environ.get("XDG_RUNTIME_DIR") or "/tmp"
    made.add_argument("--profile", type=Path, default=Path(profile) / "browser")
    return made


def _run(given: argparse.Namespace) -> None:
    log = log_to_stderr("kiosk")
    ending: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        ending.append(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    shutil.rmtree(given.profile, ignore_errors=True)  # what a killed one left behind
    options = (*given.option, *(OWN_CERTIFICATE if given.page.startswith("https:") else ()))
    browser = Chromium(given.browser or _found(), given.profile, options)
    try:
        _keep(Kiosk(browser, given.page, log), ending)
    finally:
        notify("STOPPING=1")
        browser.close()


def _keep(kiosk: Kiosk, ending: list[int]) -> None:
    """Rounds until somebody asks for the end."""
    told = False
    while not ending:
        if kiosk.turn():
            notify("WATCHDOG=1" if told else "READY=1")
            told = True
        until = time.monotonic() + ROUND_S
        while not ending and time.monotonic() < until:
            time.sleep(PAUSE_S)


def _found() -> str:
    """Chromium of this box."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    raise MaintainerError("chromium: not found; install it (apt-get install chromium)")


def _listens(page: str) -> bool:
    """Whether anybody takes connections where the page is."""
    where = urlsplit(page)
    port = where.port or (443 if where.scheme == "https" else 80)
    try:
        socket.create_connection((where.hostname or "", port), KNOCK_S).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
