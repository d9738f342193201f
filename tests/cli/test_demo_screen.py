"""The screen comes with the line: `demo` and `run` start it and say where it is."""

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.commands import inspector
from support.recording import until
from support.screen import Client
from support.stations import in_use, make_station, write_images

pytestmark = pytest.mark.line

ADDRESS = re.compile(r"^screen: (http://\S+)", re.MULTILINE)


@contextmanager
def told(root: Path, *arguments: object) -> Iterator[Path]:
    """A command that runs, and the file with what it says."""
    said = root / "said"
    command = [sys.executable, "-m", "inspector.cli", *map(str, arguments)]
    with said.open("wb") as file:
        process = subprocess.Popen(command, stderr=file, stdout=subprocess.DEVNULL)
    try:
        yield said
        process.send_signal(signal.SIGINT)
        process.wait(60)
    finally:
        process.kill()
        process.wait()


def demo(root: Path) -> list[object]:
    images = write_images(root / "images")
    bundle = in_use(make_station(root / "station", path=str(images)))
    return ["demo", "--images", images, "--bundle", bundle, "--root", root / "kept"]


def address_in(said: Path) -> str:
    found = until(lambda: ADDRESS.search(said.read_text()))
    url: str = found[1]
    return url


def inspects(client: Client) -> bool:
    """True once the page shows parts of the running line."""

    def shows() -> bool:
        try:
            with client.stream() as events:
                live = events.until(stale=False)["live"]
        except OSError:
            return False
        return bool(live["last"])

    return bool(until(shows))


def test_demo_shows_a_page_that_inspects_parts(root: Path) -> None:
    with socket.socket() as holder:  # the usual port is taken: any other will do
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            holder.bind(("127.0.0.1", 8085))
            holder.listen()
        except OSError:
            pass  # somebody else's: as good
        with told(root, *demo(root)) as said:
            url = address_in(said)
            assert not url.endswith(":8085")
            assert "operator 1111, technician 2222, engineer 3333" in said.read_text()
            client = Client(url)
            assert inspects(client)
            people = client.get("/api/people").json["people"]
            assert [one["role"] for one in people] == ["operator", "technician", "engineer"]
            expected = [
                one["expect"] for one in client.get("/api/recipes").json["challenge"]["parts"]
            ]
            assert sorted(expected) == ["fail", "fail", "pass", "pass"]
            answer = client.post("/login", {"name": "operator", "pin": "1111"})
            assert answer.json["ok"] is True
            paused = client.post("/order", {"order": {"order": "pause"}})
            assert paused.json["ok"] is True
    assert "Traceback" not in (root / "kept" / "line.log").read_text()


def test_demo_without_a_screen(root: Path) -> None:
    done = inspector(*demo(root), "--parts", "20", "--no-ui")
    assert done.returncode == 0, done.stderr
    assert "screen:" not in done.stderr
    assert "[ui]" not in (root / "kept" / "config" / "station.toml").read_text()


def test_run_says_where_the_screen_is(root: Path) -> None:
    make_station(root, {"ui": {"port": 0}})
    with told(root, "run", "--root", root) as said:
        assert inspects(Client(address_in(said)))


def test_check_config_names_what_is_wrong_with_the_screen(root: Path) -> None:
    files = {"tls_cert": str(root / "no.pem"), "tls_key": str(root / "no.key")}
    paths = make_station(root, {"ui": files})
    paths.people.write_text('[[person]]\nname = "eve"\nrole = "queen"\npin = "1234"\n')
    done = inspector("check-config", "--root", root)
    assert done.returncode == 78
    lines = done.stderr.splitlines()
    assert any("ui.tls_cert" in line for line in lines)
    assert any("people.toml" in line and "role" in line for line in lines)
    assert "1234" not in done.stderr
