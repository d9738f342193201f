"""What a page can ask for: parts, queues, lists, recipes, models, the box; and when it cannot."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
from support.outcomes import STREAM, WALL, outcome
from support.recording import until
from support.screen import Client, ScreenStation, line_state, made, showing
from support.stations import write_recipe

from inspector.core.live import Alarm, LineState, ServiceHealth
from inspector.core.messages import Departed, Heartbeat
from inspector.core.orders import ReviewPart
from inspector.core.terms import Cause, Kind, Severity
from inspector.devices.ledger import schema


def hears(client: Client, text: str) -> str:
    """/metrics, once it says this."""

    def page() -> str:
        found = client.get("/metrics").body.decode()
        return found if text in found else ""

    found: str = until(page)
    return found


def test_part_is_told_with_its_finding(root: Path) -> None:
    with showing(root) as station:
        client = station.client()
        station.keep(station.part(1, Kind.FAIL))
        told = client.get(f"/part/{STREAM}/1").json
        assert (told["outcome"]["kind"], told["finding"], told["image"]) == ("fail", None, True)
        assert told["outcome"]["heatmap"]["data"] == ""
        assert station.ledger
        review = ReviewPart(stream=STREAM, seq=1, verdict="fail", defect_class="scratch")
        station.ledger.review(review, "otto", "", WALL)
        told = client.get(f"/part/{STREAM}/1").json
        assert (told["finding"], told["defect_class"]) == ("fail", "scratch")
        assert told["reviewed_by"] == "otto"
        missing = client.get(f"/part/{STREAM}/2")
        assert missing.status == 404
        assert missing.error == "no such part is recorded"


def test_parts_come_newest_first_by_pages_kinds_and_time(root: Path) -> None:
    with showing(root) as station:
        client = station.client()
        kinds = (Kind.PASS, Kind.FAIL, Kind.REVIEW, Kind.FAULT)
        station.keep(*(outcome(seq, kinds[seq % 4]) for seq in range(40)))

        def seqs(query: str) -> list[int]:
            return [
                one["outcome"]["seq"] for one in client.get(f"/api/parts?{query}").json["parts"]
            ]

        assert seqs("limit=3") == [39, 38, 37]
        last = client.get("/api/parts?limit=3").json["parts"][-1]["id"]
        assert seqs(f"limit=3&before={last}") == [36, 35, 34]
        assert seqs("kinds=fail,review&limit=4") == [38, 37, 34, 33]
        start, end = WALL + 10 * 10**6, WALL + 13 * 10**6
        assert seqs(f"from={start}&to={end}") == [12, 11, 10]


def test_review_queue_has_its_length_and_the_classes_there_are(root: Path) -> None:
    with showing(root) as station:
        client = station.client()
        station.keep(*(outcome(seq, Kind.REVIEW) for seq in range(5)))
        assert station.ledger
        review = ReviewPart(stream=STREAM, seq=4, verdict="fail", defect_class="chip")
        station.ledger.review(review, "otto", "", WALL)
        told = client.get("/api/review?limit=2").json
        assert told["total"] == 4
        assert [one["outcome"]["seq"] for one in told["parts"]] == [3, 2]
        assert told["classes"] == ["chip"]


def test_what_left_the_station_is_shown_word_for_word(root: Path) -> None:
    with showing(root) as station:
        station.keep(station.part(1))
        assert station.ledger
        left = [
            Departed(
                wall_ns=WALL + n,
                topic="spBv1.0/x",
                payload=f'{{"n":{n},"text":"<b>ü</b>"}}',
                bytes=10 + n,  # as protobuf, of which the text says what it says
            )
            for n in range(3)
        ]
        station.ledger.commit((), departed=left, wall_ns=WALL)
        told = station.client().get("/api/departures?limit=2").json
        assert [one["payload"] for one in told["messages"]] == [left[2].payload, left[1].payload]
        assert told["messages"][0]["bytes"] == 12
        assert (told["count"], told["pixel_bytes"]) == (3, 160 * 128)
        assert told["bytes"] == 10 + 11 + 12


def test_audit_is_shown_newest_first(root: Path) -> None:
    with showing(root) as station:
        station.keep()
        assert station.ledger
        for number in range(5):
            station.ledger.audit("otto", "pause", {"number": str(number)}, WALL)
        told = station.client().get("/api/audit?limit=2").json["entries"]
        assert [one["id"] for one in told] == [5, 4]
        before = station.client().get("/api/audit?limit=2&before=4").json["entries"]
        assert [one["id"] for one in before] == [3, 2]


def test_recipe_deleted_or_broken_while_on_screen_is_named_and_the_rest_stays(root: Path) -> None:
    with showing(root) as station:
        client = station.client()
        write_recipe(station.paths, "other", reason_for=["pause"])
        write_recipe(station.paths, "wrong", model="nothing")
        (station.paths.recipes / "broken.toml").write_text("schema = ")
        told = client.get("/api/recipes").json
        problems = {one["name"]: one["problem"] for one in told["recipes"]}
        assert list(problems) == ["broken", "other", "plain", "wrong"]
        assert (problems["other"], problems["plain"]) == ("", "")
        assert "TOML" in problems["broken"]
        assert "holds no bundle" in problems["wrong"]
        assert told["limits"] == {"review": 0.7, "fail": 1.0}
        station.paths.recipe("plain").unlink()
        gone = client.get("/api/recipes").json
        assert [one["name"] for one in gone["recipes"]] == ["broken", "other", "wrong"]
        assert (gone["limits"], gone["challenge"], gone["reason_for"]) == (None, None, [])
        assert client.get("/api/golden").json == {"good": []}
        station.keep()
        assert client.get("/api/review").status == 200
        with client.stream() as events:
            assert events.until(stale=False)["live"]["recipe"] == "plain"


def test_what_the_recipe_in_force_demands_is_told(root: Path) -> None:
    with showing(root) as station:
        parts = [{"name": "good 1", "expect": "pass"}]
        write_recipe(station.paths, "strict", reason_for=["pause"], challenge={"parts": parts})
        station.record.state = line_state(recipe="strict")
        client = station.client()
        assert until(lambda: client.get("/api/recipes").json["reason_for"] == ["pause"])
        assert client.get("/api/recipes").json["challenge"]["parts"] == parts


def test_models_are_told_with_what_they_say_of_themselves(root: Path) -> None:
    with showing(root) as station:
        client = station.client()
        (one,) = client.get("/api/models").json["models"]
        assert (one["name"], one["current"], one["problem"], one["task"]) == (
            *("tiny", True, "", "anomaly"),
        )
        damaged = next(station.paths.models.glob("tiny/*/model.bin"))
        damaged.write_bytes(b"something else")
        (one,) = client.get("/api/models").json["models"]
        assert "altered or damaged" in one["problem"]


def test_collected_pictures_are_listed_and_shown_in_small(root: Path) -> None:
    with showing(root) as station:
        client = station.client()
        folder = station.paths.workshop / "cap" / "good"
        assert client.get("/api/workshop/good?product=cap").json == {"files": []}
        folder.mkdir(parents=True)
        cv2.imwrite(str(folder / "b-000000001.png"), np.full((600, 800), 77, np.uint8))
        (folder / "half.png.part").write_bytes(b"x")
        assert client.get("/api/workshop/good?product=cap").json == {"files": ["b-000000001.png"]}
        answer = client.get("/workshop/cap/good/b-000000001.png")
        image = cv2.imdecode(np.frombuffer(answer.body, np.uint8), cv2.IMREAD_UNCHANGED)
        assert image is not None
        assert image.shape[:2] == (240, 320)
        assert client.get("/api/workshop/good?product=../x").status == 404


def test_box_is_told_and_what_is_unknown_is_null(root: Path) -> None:
    with showing(root) as station:
        told = station.client().get("/api/health").json
    assert told["disk"]["total_bytes"] > told["disk"]["free_bytes"] > 0
    assert told["evidence"] == {"used_bytes": 0, "quota_bytes": 50 * 2**20}
    assert told["memory"]["total"] > told["memory"]["ui"] > 0
    assert told["temperature_c"] is None or 0 < told["temperature_c"] < 150
    assert told["clock"]["synchronised"] in (True, False, None)
    assert told["broker"] == {"configured": False, "state": None, "note": "", "pending": None}
    assert {"inspector", "python", "openvino", "sqlite"} <= told["versions"].keys()


# The ledger


def test_no_ledger_yet_is_said_and_forgotten_once_there_is_one(root: Path) -> None:
    with showing(root) as station:
        client = station.client()
        for path in (
            "/api/parts",
            "/api/review",
            "/api/departures",
            "/api/audit",
            "/api/challenges",
        ):
            answer = client.get(path)
            assert answer.status == 503, path
            assert "ledger.db" in answer.error
        assert client.get("/api/recipes").status == 200
        station.keep(outcome(1))
        assert len(client.get("/api/parts").json["parts"]) == 1


def test_empty_ledger_is_an_empty_list(root: Path) -> None:
    with showing(root) as station:
        station.keep()
        client = station.client()
        assert client.get("/api/parts").json == {"parts": []}
        assert client.get("/api/review").json["total"] == 0
        assert client.get("/api/trends?span=shift").status == 200


def test_ledger_of_a_newer_program_is_named(root: Path) -> None:
    with showing(root) as station:
        with closing(sqlite3.connect(station.paths.ledger)) as newer:
            newer.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS) + 1}")
            newer.commit()
        answer = station.client().get("/api/parts")
        assert answer.status == 503
        assert "ledger version" in answer.error


def test_locked_ledger_is_said_and_the_live_page_goes_on(root: Path) -> None:
    with showing(root) as station:
        station.keep(outcome(1))
        client = station.client()
        assert station.ledger
        station.ledger.close()
        with closing(sqlite3.connect(station.paths.ledger, isolation_level=None)) as greedy:
            greedy.execute("PRAGMA locking_mode = EXCLUSIVE")
            greedy.execute("PRAGMA journal_mode = DELETE")
            greedy.execute("BEGIN EXCLUSIVE")
            with client.stream() as events:
                answer = client.get("/api/parts")
                assert answer.status == 503
                assert "locked" in answer.error
                assert events.until(stale=False)
            greedy.execute("COMMIT")


# For whoever watches the box


def busy(station: ScreenStation) -> None:
    """Record tells of a line at work."""
    beat = Heartbeat(
        service="detect",
        pid=1,
        number=1,
        sent_ns=0,
        started_ns=0,
        state="running",
        handled=10,
        per_s=5.0,
        queue=3,
        p50_ms=2.0,
        p99_ms=9.0,
    )
    alarm = Alarm(
        id=1,
        code="camera",
        service="capture-cam0",
        severity=Severity.ALARM,
        text="unplugged",
        raised_wall_ns=WALL,
        active=True,
    )
    station.record.state = made(
        outcome(1),
        counts={Kind.PASS: 8, Kind.FAIL: 1, Kind.REVIEW: 0, Kind.FAULT: 1},
        causes={Cause.LATE: 1},
        latency=(0, 4, 5, 0, 0, 0, 0, 0, 0, 1),
        latency_sum_us=1_500_000,
        services=(ServiceHealth(heartbeat=beat, age_ms=100, restarts=2),),
        alarms=(alarm,),
        to_review=7,
        drift=0.125,
        committed=10,
    )


def test_metrics_are_those_of_the_newest_state(root: Path) -> None:
    with showing(root) as station:
        busy(station)
        page = hears(station.client(), 'inspector_parts_total{kind="pass"} 8.0')
    for line in (
        'inspector_parts_total{kind="fault"} 1.0',
        'inspector_faults_total{cause="late"} 1.0',
        'inspector_latency_seconds_bucket{le="0.005"} 4.0',
        'inspector_latency_seconds_bucket{le="0.01"} 9.0',
        'inspector_latency_seconds_bucket{le="+Inf"} 10.0',
        "inspector_latency_seconds_count 10.0",
        "inspector_latency_seconds_sum 1.5",
        'inspector_service_up{service="detect"} 1.0',
        'inspector_service_queue{service="detect"} 3.0',
        'inspector_service_restarts{service="detect"} 2.0',
        'inspector_alarm_active{code="camera",service="capture-cam0",severity="alarm"} 1.0',
        "inspector_review_queue 7.0",
        "inspector_drift 0.125",
        'inspector_line_state{state="running"} 1.0',
        'inspector_line_state{state="stopped"} 0.0',
        'inspector_model_info{lot="L1",model="tiny@0123456789ab",recipe="plain"} 1.0',
        "inspector_line_heard 1.0",
    ):
        assert line in page.splitlines(), line
    assert "inspector_disk_free_bytes" in page
    assert "inspector_program_info" in page


def test_figures_of_a_silent_line_are_not_told_as_if_they_were_live(root: Path) -> None:
    with showing(root) as station:
        busy(station)
        client = station.client()
        hears(client, "inspector_parts_total")
        station.record.silent = True
        page = hears(client, "inspector_line_heard 0.0")
    assert "inspector_parts_total" not in page


def test_healthz_is_well_only_while_the_line_is_looked_after(root: Path) -> None:
    with showing(root) as station:
        client = station.client()
        assert until(lambda: client.get("/healthz").status == 200)
        assert client.get("/healthz").json["state"] == "running"
        station.record.state = line_state(state=LineState.STOPPED, why="camera")
        assert until(lambda: client.get("/healthz").status == 503)
        assert client.get("/healthz").json["why"] == "camera"
        station.record.state = line_state()
        assert until(lambda: client.get("/healthz").status == 200)
        station.record.silent = True
        assert until(lambda: client.get("/healthz").status == 503)


def test_everything_is_on_the_box(root: Path) -> None:
    """The page and all it is made of come from here, and name no other place."""
    with showing(root) as station:
        client = station.client()
        page = client.get("/")
        assert page.headers["content-type"].startswith("text/html")
        assert b"http://" not in page.body
        assert b"https://" not in page.body
        again = client.get("/", **{"If-None-Match": page.headers["etag"]})
        assert again.status in (200, 304)


def test_ui_killed_comes_back_at_its_address(root: Path) -> None:
    with showing(root) as station:
        client = station.client()
        with client.stream() as events:
            version = events.next()["version"]
        assert station.process
        station.process.kill()
        station.process.communicate()
        text = station.paths.station_file.read_text()
        port = client.url.rpartition(":")[2]
        station.paths.station_file.write_text(text.replace("port = 0", f"port = {port}"))
        began = time.monotonic()
        station.start()
        with client.stream() as events:
            event = events.until(stale=False)
        assert event["version"] == version  # or the page would load itself anew
        assert time.monotonic() - began < 20
