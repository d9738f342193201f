"""What the screen's server refuses, before anything else looks at it."""

import http.client
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from support.screen import Answer, Client, Events, ScreenStation, screen_station, showing

from inspector.core.orders import Login, Order, Person, Role
from inspector.core.paths import Paths

JSON = {"Content-Type": "application/json"}
OTHER = ("127.0.0.9", 0)  # another client on the loopback
PAUSE = {"order": {"order": "pause"}, "reason": ""}


def asked_as(client: Client, host: str) -> int:
    """The status that a request under this name gets."""
    return client.get("/", Host=host).status


def test_foreign_host_is_refused_against_dns_rebinding(shared: ScreenStation) -> None:
    client = shared.client()
    port = urlsplit(shared.url).port
    for own in (f"127.0.0.1:{port}", f"localhost:{port}", "localhost", socket.gethostname()):
        assert asked_as(client, own) == 200, own
    for foreign in (
        "evil.example",
        f"evil.example:{port}",
        "127.0.0.1.evil.example",
        "",
        "::1",
    ):
        assert asked_as(client, foreign) == 421, foreign


def test_foreign_origin_is_refused(shared: ScreenStation) -> None:
    client = shared.client()
    port = urlsplit(shared.url).port
    for origin in ("http://evil.example", f"https://127.0.0.1:{port}", "null", ""):
        assert client.post("/order", PAUSE, Origin=origin).status == 403, origin
        assert client.get("/live", Origin=origin).status == 403
    assert client.ask("POST", "/order", json.dumps(PAUSE).encode(), JSON).status == 403
    assert not shared.record.heard


def test_body_that_is_no_json_or_too_large_or_endless_is_refused(shared: ScreenStation) -> None:
    client = shared.client()
    own = {"Origin": client.url}

    def post(body: bytes, **headers: str) -> int:
        return client.ask("POST", "/order", body, own | JSON | headers).status

    assert client.ask("POST", "/order", b"order=pause", own).status == 415
    assert post(b"x" * 20_000) == 413
    assert post(b"{") == 400
    assert post(b"\xff\xfe") == 400
    assert post(b"[]") == 400
    with closing(client.connect()) as connection:
        connection.request("POST", "/order", iter([b"{}"]), own | JSON, encode_chunked=True)
        assert connection.getresponse().status == 411
    assert not shared.record.heard


NO_ORDERS: tuple[object, ...] = (
    {},
    {"order": {}},
    {"order": {"order": "open_the_doors"}},
    {"order": {"order": "pause", "more": 1}},
    {"order": {"order": "pause"}, "session": "mine"},
    {"order": {"order": "set_recipe", "recipe": 7, "lot": ""}},
    {"order": {"order": "set_recipe", "recipe": "x" * 65, "lot": ""}},
    {"order": {"order": "teach_product", "product": "../../etc"}},
    {"order": {"order": "pause"}, "reason": "x" * 201},
)


def test_order_that_is_none_never_reaches_record(shared: ScreenStation) -> None:
    client = shared.client()
    for form in NO_ORDERS:
        answer = client.post("/order", form)
        assert answer.status == 400
        assert answer.error.startswith("not understood: ")
    assert not shared.record.heard


NOWHERE = (
    "/part/xyz/1",
    "/part/" + "0" * 32 + "/x",
    "/part/" + "0" * 32 + "/-1",
    "/part/" + "0" * 32 + "/1e3",
    "/part/" + "0" * 32 + "/99999999999999999999",
    "/part/" + "0" * 32 + "/%D9%A3",  # a digit, but not an ASCII one
    "/part/..%2f..%2fetc/1/image",
    "/static/../process.py",
    "/static/%2e%2e/process.py",
    "/workshop/..%2f..%2f/good/x.png",
    "/workshop/a/good/..%2f..%2fbundle.toml",
    "/workshop/a/other/x.png",
    "/golden/x",
    "/nothing",
)


def test_path_that_leads_nowhere_is_one_line(shared: ScreenStation) -> None:
    client = shared.client()
    for path in NOWHERE:
        answer = client.get(path)
        assert answer.status == 404, path
        assert answer.error


def test_query_out_of_bounds_is_named(shared: ScreenStation) -> None:
    client = shared.client()
    for query in ("limit=0", "limit=1000000", "before=-1", "kinds=evil", "from=1e9"):
        answer = client.get(f"/api/parts?{query}")
        assert answer.status == 400
        assert answer.error.startswith(query.partition("=")[0])


def test_methods_that_nobody_needs_are_refused(shared: ScreenStation) -> None:
    client = shared.client()
    for method in ("PUT", "DELETE", "OPTIONS", "TRACE"):
        assert client.ask(method, "/", headers={"Origin": client.url}).status == 405
    assert client.get("/order").status == 405
    assert client.post("/live", {}).status == 405


def test_every_answer_forbids_what_is_not_its_own(shared: ScreenStation) -> None:
    client = shared.client()
    for path in ("/", "/static/app.js", "/api/people", "/nothing", "/metrics"):
        answer = client.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] in ("no-store", "no-cache")
        assert "access-control-allow-origin" not in answer.headers
        assert "server" not in answer.headers
    assert client.get("/static/app.js").headers["content-type"].startswith("text/javascript")


def test_client_that_asks_without_end_is_slowed_down_alone(root: Path) -> None:
    with showing(root) as station:
        client = station.client()
        answers = [client.post("/login", {"name": "otto", "pin": "9999"}) for _ in range(15)]
        assert [one.status for one in answers].count(429) >= 3
        assert answers[-1].error
        assert client.get("/api/people").status == 200


def test_garbage_on_the_socket_does_no_harm(root: Path) -> None:
    with showing(root) as station:
        where = urlsplit(station.url)
        for rubbish in (b"\x00" * 100, b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nHost: " + b"x" * 70_000):
            with socket.create_connection((where.hostname, where.port)) as raw:
                raw.sendall(rubbish)
        assert station.client().get("/").status == 200
        code, said = station.stop()
    assert code == 0
    assert "Traceback" not in said


# Who is there


def test_session_is_a_cookie_that_no_script_sees(root: Path) -> None:
    with showing(root) as station:
        client = station.client()
        answer = client.login("tina")
        assert answer.json["ok"] is True
        assert answer.json["person"] == {"name": "tina", "role": "technician"}
        assert answer.json["session"] == ""
        assert b"secret-of" not in answer.body
        flags = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")[1:]}
        assert {"httponly", "samesite=strict", "path=/"} <= flags
        assert "secure" not in flags
        assert Login(name="tina", pin="0815") in station.record.heard
        with client.stream() as events:
            assert events.next()["person"] == {"name": "tina", "role": "technician"}


def test_order_goes_to_record_with_its_session_or_without(root: Path) -> None:
    """It is record that refuses, and notes it: nothing is swallowed here."""
    with showing(root) as station:
        client = station.client()
        refused = client.post("/order", PAUSE)
        assert refused.status == 200
        assert (refused.json["ok"], refused.json["code"]) == (False, "no_session")
        client.login("otto")
        done = client.post("/order", PAUSE | {"reason": "lunch"})
        assert (done.json["ok"], done.json["text"]) == (True, "pause: done")
        orders = [one for one in station.record.heard if isinstance(one, Order)]
        assert orders[0].session == ""
        assert orders[1].session.startswith("secret-of-otto")
        assert orders[1].reason == "lunch"


def test_logout_ends_the_session_on_every_page(root: Path) -> None:
    with showing(root) as station:
        client = station.client()
        client.login("otto")
        with client.stream() as events:
            assert events.next()["person"]
            assert client.post("/logout", {}).json["ok"] is True
            assert events.until(person=None)
        assert not station.record.sessions
        assert client.cookie.endswith(("=", '=""'))


def test_forged_cookie_is_nobody(root: Path) -> None:
    with showing(root) as station:
        client = station.client()
        client.login("otto")
        name = client.cookie.partition("=")[0]
        for forged in ("guess", "x" * 500, "<script>"):
            client.cookie = f"{name}={forged}"
            with client.stream() as events:
                assert events.next()["person"] is None
            assert client.post("/order", PAUSE).json["code"] == "no_session"


def test_session_survives_a_restart_of_ui(root: Path) -> None:
    with showing(root, ui={"port": free_port()}) as station:
        client = station.client()
        client.login("emma")
        assert station.process
        station.process.kill()
        station.process.communicate()
        station.start()
        with client.stream() as events:
            assert events.next()["person"] == {"name": "emma", "role": "engineer"}


def test_session_that_record_has_ended_is_nobody_after_the_next_order(root: Path) -> None:
    with showing(root) as station:
        client = station.client()
        client.login("otto")
        station.record.sessions.clear()
        with client.stream() as events:
            assert events.next()["person"]
            assert client.post("/renew", {}).json["code"] == "no_session"
            assert events.until(person=None)


def test_record_that_began_anew_has_ended_all_sessions_and_pages_say_so(root: Path) -> None:
    with showing(root) as station:
        client = station.client()
        client.login("otto")
        with client.stream() as events:
            assert events.next()["person"]
            station.record.sessions.clear()
            station.record.begun_anew()
            assert events.until(person=None)


def test_login_ends_the_session_before_it(root: Path) -> None:
    with showing(root) as station:
        client = station.client()
        client.login("otto")
        client.login("emma")
        assert [one.name for one in station.record.sessions.values()] == ["emma"]


def test_record_that_does_not_answer_is_said_in_one_line(root: Path) -> None:
    with showing(root) as station:
        station.record.deaf = True
        answer = station.client().post("/order", PAUSE)
        assert answer.status == 503
        assert "record did not answer" in answer.error
        assert station.client().get("/api/people").status == 200


def test_login_to_view_shows_nothing_to_strangers(root: Path) -> None:
    with showing(root, ui={"login_to_view": True}) as station:
        client = station.client()
        station.keep(station.part(1))
        hidden = (
            "/live",
            "/api/parts",
            f"/part/{'0' * 32}/1",
            "/api/audit",
            "/metrics",
            "/golden/0",
        )
        assert {client.get(path).status for path in hidden} == {401}
        open_to_all = ("/", "/static/app.js", "/api/people", "/healthz")
        assert {client.get(path).status for path in open_to_all} <= {200, 503}
        client.login("otto")
        assert client.get("/api/parts").status == 200
        with client.stream() as events:
            assert events.next()["person"]["name"] == "otto"


# Where it listens


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def refused_start(paths: Paths) -> str:
    """The one line with which ui refuses to start."""
    command = [sys.executable, "-m", "inspector.ui", "--root", str(paths.state.parent)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 78
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_port_in_use_is_named_with_the_remedy(root: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        said = refused_start(screen_station(root, ui={"port": port}))
    assert f"ui.port = {port}" in said
    assert "choose another" in said


def test_address_elsewhere_needs_tls_and_login(root: Path) -> None:
    assert "ui.host = '0.0.0.0'" in refused_start(screen_station(root, ui={"host": "0.0.0.0"}))


def test_certificate_that_cannot_be_read_is_named(root: Path) -> None:
    files = {"tls_cert": str(root / "no.pem"), "tls_key": str(root / "no.key")}
    said = refused_start(screen_station(root, ui={**files, "login_to_view": True}))
    assert "ui.tls_cert" in said
    assert "No such file" in said
    (root / "no.pem").write_text("no certificate")
    (root / "no.key").write_text("no key")
    assert "cannot be used" in refused_start(screen_station(root, ui=files))


def test_station_without_a_screen_says_so(root: Path) -> None:
    paths = screen_station(root)
    text = paths.station_file.read_text()
    paths.station_file.write_text(text[: text.index("[ui]")])
    assert "[ui]" in refused_start(paths)


def test_with_a_certificate_the_cookie_is_for_tls_alone(root: Path) -> None:
    certificate, key = root / "own.pem", root / "own.key"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
    files_of = ["-subj", "/CN=localhost", "-keyout", str(key), "-out", str(certificate)]
    made = subprocess.run([*command.split(), *files_of], capture_output=True)
    assert made.returncode == 0, made.stderr
    files = {"tls_cert": str(certificate), "tls_key": str(key)}
    with showing(root, ui={**files, "login_to_view": True}) as station:
        assert station.url.startswith("https://")
        client = station.client()
        answer = client.login("otto")
        assert answer.json["ok"] is True
        assert "; secure" in answer.headers["set-cookie"].lower()
        with pytest.raises((http.client.HTTPException, OSError)):
            Client(station.url.replace("https", "http")).get("/")


def test_name_of_markup_comes_out_as_json_text(root: Path) -> None:
    """A page shows it as text; here it must not become anything else on the way."""
    evil = '</script><script>alert("x")</script>'
    with showing(root) as station:
        client = station.client()
        part = station.part(1, recipe=evil, lot=evil, reason=evil, source=evil)
        station.keep(part)
        answer: Answer = client.get(f"/part/{part.stream}/1")
        assert answer.headers["content-type"] == "application/json"
        assert answer.json["outcome"]["recipe"] == evil
        station.record.sessions["s"] = Person(name=evil, role=Role.OPERATOR)
        missing = client.get("/part/%3Cscript%3E/1")
        assert b"<script>" not in missing.body


def test_host_that_only_begins_like_the_stations_own_is_refused(shared: ScreenStation) -> None:
    client = shared.client()
    for host in ("localhost:80@evil.example", "localhost:x", "localhost:123456", "[::1", "a b"):
        assert asked_as(client, host) == 421, host


def test_page_of_another_site_can_neither_embed_nor_open_a_stream(shared: ScreenStation) -> None:
    client = shared.client()
    for site in ("cross-site", "same-site"):  # the latter: another port of this box
        for path in ("/live", "/api/people", "/static/app.js", "/healthz"):
            assert client.get(path, **{"Sec-Fetch-Site": site}).status == 403, (site, path)
        assert client.get("/", **{"Sec-Fetch-Site": site}).status == 200  # a link may lead here
    for site in ("same-origin", "none"):
        assert client.get("/api/people", **{"Sec-Fetch-Site": site}).status == 200


def test_stream_without_a_body_takes_no_place_of_a_screen(shared: ScreenStation) -> None:
    assert shared.client().ask("HEAD", "/live").status == 405


def test_connections_that_ask_nothing_lock_out_nobody(root: Path) -> None:
    """More of them than the server takes, silent or with half a request; they are cut."""
    with showing(root) as station, ExitStack() as stack:
        where = urlsplit(station.url)
        for number in range(200):
            raw = stack.enter_context(socket.create_connection((where.hostname, where.port)))
            if number % 2:
                with suppress(OSError):
                    raw.sendall(b"GET / HTTP/1.1\r\nHost: local")
        assert answers_in_time(station.client())


def test_one_client_leaves_connections_for_the_others(root: Path) -> None:
    with showing(root, ui={"host": "localhost"}) as station, ExitStack() as stack:
        where = urlsplit(station.url)
        for _ in range(200):
            stack.enter_context(
                socket.create_connection((where.hostname, where.port), source_address=OTHER)
            )
        assert station.client().get("/").status == 200


def answers_in_time(client: Client) -> bool:
    """Whether the page is there again, asked for some seconds."""
    for _ in range(100):
        with suppress(OSError, http.client.HTTPException):
            if client.get("/").status == 200:
                return True
        time.sleep(0.2)
    return False


def rest(events: Events) -> Iterator[dict[str, object]]:
    """What still comes, to the stream's end."""
    with suppress(EOFError):
        while True:
            yield events.next()


def test_stream_ends_with_the_session_where_one_has_to_be_logged_in(root: Path) -> None:
    with showing(root, ui={"login_to_view": True}) as station:
        client = station.client()
        client.login("otto")
        with client.stream() as events:
            assert events.next()["person"]["name"] == "otto"
            assert client.post("/logout", {}).json["ok"] is True
            assert all(event["person"] for event in rest(events))
        assert client.get("/live").status == 401


def test_stream_ends_with_a_session_that_record_has_ended(root: Path) -> None:
    with showing(root, ui={"login_to_view": True}) as station:
        client = station.client()
        client.login("otto")
        with client.stream() as events:
            assert events.next()["person"]
            station.record.sessions.clear()
            station.record.begun_anew()
            assert all(event["person"] for event in rest(events))
        assert client.get("/live").status == 401


def test_stranger_is_not_told_where_the_stations_files_lie(root: Path) -> None:
    with showing(root, ui={"login_to_view": True}) as station:
        station.paths.people.write_text("[[person]]\nname = 7\n")
        answer = station.client().get("/api/people")
        assert answer.status == 503
        assert str(root) not in answer.error
