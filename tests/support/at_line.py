"""A person before the touchscreen of a real line that makes the sample product.

Promises: everything is done by touch and read off the page, as that person would; the line is the
one of `inspector run`, its screen on a port that it keeps when it is started again.
Never: calls a function of the page, or waits for a time where it can wait for a sign.
"""

import json
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from msgspec import convert, structs
from playwright.sync_api import Browser, Locator, Page

from inspector.cli.station import write_changed_recipe
from inspector.core.config import FolderCamera, load_station
from inspector.core.paths import Paths, under
from inspector.core.recipe import Challenge, load_recipe
from support.browser import Screen, screen
from support.line import Line, running, wait_for
from support.people import PINS
from support.sample_station import sample_station
from support.screen import Client

SHARED_MEMORY = Path("/dev/shm")
GOLDEN = {"parts": [{"name": "G1", "expect": "pass"}, {"name": "D1", "expect": "fail"}]}


@dataclass
class Station:
    """A running line and the address of its screen."""

    paths: Paths
    line: Line
    url: str

    def client(self) -> Client:
        return Client(self.url)

    def logged_in(self, name: str) -> Client:
        """Somebody past the page, with a session."""
        client = self.client()
        answer = client.post("/login", {"name": name, "pin": PINS[name]})
        assert answer.json["ok"] is True, answer.json
        return client


@contextmanager
def sample_line(takt_ms: float = 250.0, parts: int = 12, **sections: object) -> Iterator[Station]:
    """A line with a challenge test; yields once it has made some parts and the screen is there."""
    where = SHARED_MEMORY if SHARED_MEMORY.is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix="inspector-test-", dir=where))
    ui = {"port": free_port(), **dict(sections.pop("ui", {}))}  # type: ignore[call-overload]
    paths = sample_station(under(folder), takt_ms=takt_ms, ui=ui, **sections)
    _with_challenge(paths)
    _with_own_images(paths)
    try:
        with running(paths, committed=parts) as line:
            wait_for(paths, lambda _: paths.screen.exists())
            yield Station(paths, line, json.loads(paths.screen.read_text())["url"])
            line.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _with_challenge(paths: Paths) -> None:
    (name,) = paths.recipe_names()
    recipe = load_recipe(paths.recipe(name))
    write_changed_recipe(paths, structs.replace(recipe, challenge=convert(GOLDEN, Challenge)))


def _with_own_images(paths: Paths) -> None:
    """The camera plays a copy, read anew for each part, so that it can be taken away."""
    config = load_station(paths.station_file)
    (camera,) = config.cameras
    assert isinstance(camera, FolderCamera)
    own = paths.config.parent / "images"
    shutil.copytree(camera.path, own)
    text = paths.station_file.read_text()
    text = text.replace(camera.path, str(own)).replace("takt_ms", "cache_mb = 0\ntakt_ms")
    paths.station_file.write_text(text)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def operator_at(
    browser: Browser, station: Station, name: str = "otto", page: str = "line"
) -> Iterator[Screen]:
    """A screen at which this person has logged in, by touch."""
    with screen(browser, station.url, page=page) as one:
        login(one, name)
        yield one


def login(one: Screen, name: str) -> None:
    one.login(name, PINS[name])
    one.page.locator("dialog").wait_for(state="detached")
    one.page.locator("#bar .person", has_text=name).wait_for()


def dialog(page: Page) -> Locator:
    return page.locator("dialog[open]").last


def typed(page: Page, words: str) -> None:
    """What a person types into the field of the dialog, in place of what is there."""
    field = dialog(page).locator("input")
    field.fill(words)
    dialog(page).locator(".key.primary").tap()


def wait_text(locator: Locator, words: str, timeout_ms: float = 15_000) -> None:
    """Until the element says so."""
    locator.filter(has_text=words).first.wait_for(timeout=timeout_ms)
