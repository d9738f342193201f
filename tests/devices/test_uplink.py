"""Measuring the way to a cloud: against real sockets, and whatever may be wrong with them."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from inspector.core.errors import MaintainerError
from inspector.devices.uplink import MOST_BYTES, Remote, remote_of, round_trip, upload_mbit_s


class Taker(BaseHTTPRequestHandler):
    """Takes what is sent to /take, and refuses all else."""

    bodies: list[bytes]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.bodies.append(body)
        self.send_response(204 if self.path == "/take" else 405)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@contextmanager
def taking() -> Iterator[tuple[int, list[bytes]]]:
    """A server's port, and all bodies that reached it."""
    bodies: list[bytes] = []
    handler = type("Handler", (Taker,), {"bodies": bodies})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1], bodies
        finally:
            server.shutdown()
            thread.join()


def test_round_trips_to_a_server_that_is_there() -> None:
    with taking() as (port, bodies):
        trip = round_trip(remote_of(f"127.0.0.1:{port}"))
        assert 0 < trip.p50_ms <= trip.worst_ms
        assert trip.samples == 20
        assert trip.tls_ms is None
        assert bodies == []


def test_an_upload_rate() -> None:
    with taking() as (port, bodies):
        assert upload_mbit_s(remote_of(f"http://127.0.0.1:{port}/take")) > 0
    assert bodies
    assert sum(map(len, bodies)) < 2 * MOST_BYTES
    assert len({body[:64] for body in bodies}) == len(bodies)  # made up on the spot


def test_a_server_that_takes_no_upload() -> None:
    with taking() as (port, _), pytest.raises(MaintainerError, match=r"takes no upload \(HTTP 405"):
        upload_mbit_s(remote_of(f"http://127.0.0.1:{port}/other"))


def test_nobody_listens_there() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]
    with pytest.raises(MaintainerError, match=r"cannot be measured \(Connection refused\)"):
        round_trip(remote_of(f"127.0.0.1:{port}"))
    with pytest.raises(MaintainerError, match="give the numbers as --rtt-ms"):
        upload_mbit_s(remote_of(f"http://127.0.0.1:{port}/"))


def test_a_name_that_nobody_knows() -> None:
    with pytest.raises(MaintainerError, match=r"^nowhere\.invalid:443: cannot be measured"):
        round_trip(remote_of("nowhere.invalid:443"))


def test_a_server_without_tls_where_tls_is_wanted() -> None:
    with taking() as (port, _), pytest.raises(MaintainerError, match="cannot be measured"):
        round_trip(remote_of(f"https://127.0.0.1:{port}"))


def test_addresses() -> None:
    assert remote_of("cloud.example:443") == Remote("cloud.example", 443, False)
    assert remote_of("https://cloud.example/up?x=1") == Remote(
        "cloud.example", 443, True, "/up?x=1"
    )
    assert remote_of("http://cloud.example:81").port == 81
    assert remote_of("[::1]:9").host == "::1"


@pytest.mark.parametrize(
    "text", ["", "cloud", "cloud:0x", "cloud:99999", "ftp://cloud/", "https://a:b@cloud/", ":443"]
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(MaintainerError, match="give HOST:PORT"):
        remote_of(text)
