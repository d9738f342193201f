"""Chromium on the touchscreen: started, looked at and led, over a pipe that only we hold.

Promises: shows one page without anything around it; asks nobody but this box; leaves nothing on
the disk; opens no port; its own sandbox stays on. Every question has an end, also when the browser
has hung.
Never: keeps what the page was given (no domain of its protocol is enabled), or runs as root.
"""

import fcntl
import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from inspector.core.errors import MaintainerError
from inspector.domain.kiosk import NOTICE, Sight

ANSWER_S = 2.0
END_S = 2.0
FIRST = 10
# Chromium wants its pipe as 3 and 4; these are the numbers it has here, then the command.
STARTED_AS = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); "
    "os.execvp(sys.argv[3], sys.argv[3:])"
)
LOOK = "[location.href, document.body ? document.body.innerText.trim().length : 0]"

FLAGS = (
    "--kiosk",
    "--ozone-platform=wayland",
    "--no-first-run",
    "--no-default-browser-check",
    "--touch-events=enabled",
    "--disable-pinch",
    "--overscroll-history-navigation=0",
    "--disable-session-crashed-bubble",
    "--noerrdialogs",
    # Decoded pictures: 70 MB at most instead of 310.
    "--enable-low-end-device-mode",
    "--disk-cache-size=16777216",
    "--password-store=basic",
    "--disable-extensions",
    "--disable-breakpad",
    "--log-level=3",
    # Nothing of its own goes out; what would try finds no name and no way.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--disable-features=Translate,MediaRouter,OptimizationHints,AutofillServerCommunication",
    "--no-pings",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--remote-debugging-pipe",
)


class Chromium:
    """One running browser."""

    def __init__(self, binary: str, profile: Path, extra: tuple[str, ...] = ()) -> None:
        """Start it on an empty page. Raises MaintainerError when it cannot be started."""
        ask, self._ask = _pipe()
        self._hear, hear = _pipe()
        os.set_blocking(self._ask, False)
        command = [binary, *FLAGS, f"--user-data-dir={profile}", *extra, NOTICE]
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-ISc", STARTED_AS, str(ask), str(hear), *command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # it talks of what a kiosk has not: D-Bus, keyrings
                pass_fds=(ask, hear),
            )
        except OSError as error:
            raise MaintainerError(f"{binary}: cannot be started ({error.strerror})") from None
        finally:
            os.close(ask)
            os.close(hear)
        self._number = 0
        self._heard = b""
        self._page = ""  # the session in which the page is asked

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def look(self) -> Sight | None:
        """What a person sees. None where the page does not answer."""
        found = self._in_page("Runtime.evaluate", expression=LOOK, returnByValue=True)
        match found:
            case {"result": {"value": [str() as url, int() as letters]}}:
                return Sight(url, letters)
        return None

    def open(self, url: str) -> None:
        """Go there. Whether it came to be is seen at the next look."""
        self._page = ""  # it may be one that has crashed
        self._in_page("Page.navigate", url=url)

    def write(self, body: str) -> None:
        """Show these words (HTML) instead of a page."""
        self.open(NOTICE)
        text = f"document.documentElement.innerHTML = {json.dumps(body)}"
        self._in_page("Runtime.evaluate", expression=text)

    def close(self) -> None:
        """End it, in good order where it still listens."""
        self._send("Browser.close", {}, "")
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._ask)
        os.close(self._hear)

    def _attach(self) -> None:
        """Find the page: a browser that is just being started has none yet."""
        targets = self._answer("Target.getTargets").get("targetInfos", [])
        for page in (one["targetId"] for one in targets if one["type"] == "page"):
            session = self._answer("Target.attachToTarget", targetId=page, flatten=True)
            self._page = session.get("sessionId", "")
            return

    def _in_page(self, method: str, **values: object) -> dict[str, Any]:
        if not self._page:
            self._attach()
        return self._answer(method, session=self._page, **values) if self._page else {}

    def _answer(self, method: str, session: str = "", **values: object) -> dict[str, Any]:
        """What it answers; empty when it refuses, has ended, or says nothing for too long."""
        number = self._send(method, values, session)
        until = time.monotonic() + ANSWER_S
        while number and (said := self._next(until)) is not None:
            if said.get("id") == number:
                if "error" in said:
                    self._page = ""  # the page it was about is gone
                found: dict[str, Any] = said.get("result", {})
                return found
        return {}

    def _send(self, method: str, values: dict[str, object], session: str) -> int:
        """The question's number; 0 where nobody takes it."""
        self._number += 1
        asked = {"id": self._number, "method": method, "params": values}
        if session:
            asked["sessionId"] = session
        try:
            os.write(self._ask, json.dumps(asked).encode() + b"\0")
        except OSError:  # it has ended, or has read nothing for minutes
            return 0
        return self._number

    def _next(self, until: float) -> dict[str, Any] | None:
        """The next thing it says, or None when the time is over or it has ended."""
        while b"\0" not in self._heard:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self._hear], [], [], left)[0]:
                return None
            piece = os.read(self._hear, 65_536)
            if not piece:
                return None
            self._heard += piece
        one, _, self._heard = self._heard.partition(b"\0")
        said: dict[str, Any] = json.loads(one)
        return said


def _pipe() -> tuple[int, int]:
    """Both ends, with numbers beyond those that Chromium wants for its own."""
    ends = os.pipe()
    try:
        one, other = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, FIRST) for end in ends)
    finally:
        for end in ends:
            os.close(end)
    return one, other
