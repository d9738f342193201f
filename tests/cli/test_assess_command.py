"""inspector assess: an answer with its arithmetic, from a real ledger, a measurement or numbers."""

import json
import socket
from pathlib import Path

import pytest
from support.commands import inspector, refusals
from support.mosquitto import needs_mosquitto
from support.stations import in_use, make_station, write_images

from inspector.cli.assess_settings import SETTINGS
from inspector.cli.main import parser

EDGE = ("--edge-ms", "15", "--edge-p99-ms", "20")
FRAME = ("--frame", "640x480", "--jpeg-bytes", "60000", "--encode-ms", "1")
GENTLE = (*EDGE, *FRAME, "--takt-ms", "20000", "--deadline-ms", "3000", "--rtt-ms", "20")
GENTLE = (*GENTLE, "--mbit-s", "100", "--per-1000", "0.1")


@pytest.fixture(autouse=True)
def _no_station(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INSPECTOR_ROOT", raising=False)


def assess(*arguments: str | Path) -> dict[str, object]:
    done = inspector("assess", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    told: dict[str, object] = json.loads(done.stdout)
    return told


def sources(told: dict[str, object]) -> dict[str, str]:
    inputs: list[dict[str, str]] = told["inputs"]  # type: ignore[assignment]
    return {one["name"]: one["source"] for one in inputs}


def test_a_line_for_which_the_cloud_would_do() -> None:
    result = assess(*GENTLE)["result"]
    assert (result["verdict"], result["cloud_would_do"]) == ("cloud", True)
    assert result["against_cloud"] == []
    assert result["sentences"][0].startswith("The cloud would do here, and costs less")


def test_a_line_for_which_residency_alone_decides() -> None:
    result = assess(*GENTLE, "--pixels-may-leave", "no")["result"]
    assert (result["verdict"], result["against_cloud"]) == ("edge", ["residency"])
    assert any("Residency alone decides" in one for one in result["sentences"])
    kept = assess(*GENTLE, "--pixels-may-leave", "region")["result"]
    assert kept["against_cloud"] == ["residency"]
    inside = assess(*GENTLE, "--pixels-may-leave", "region", "--in-region")["result"]
    assert inside["verdict"] == "cloud"


def test_a_fast_line_needs_the_edge() -> None:
    told = assess(*EDGE, "--takt-ms", "50", "--deadline-ms", "40", "--frame", "2448x2048")
    assert told["result"]["verdict"] == "edge"
    assert set(told["result"]["against_cloud"]) == {"deadline", "link"}
    assert sources(told)["jpeg_bytes"] == "measured"
    assert told["result"]["volume"]["ratio"] > 1e6


def test_for_a_person_the_arithmetic_is_shown() -> None:
    done = inspector("assess", *GENTLE)
    assert done.returncode == 0, done.stderr
    assert "= 60,000 * 8 / (100 * 1,000)" in done.stdout
    assert "4.8 ms" in done.stdout
    assert "numbers are assumptions, give your own: --cameras" in done.stdout
    assert "pixels may leave (assumed, --pixels-may-leave)" in done.stdout
    assert "The cloud would do here, and costs less" in done.stdout
    for name in ("per_gb", "box", "kwh"):
        row = next(line for line in done.stdout.splitlines() if f" {name} " in line)
        assert "assumed" in row


def test_every_assumption_can_be_given() -> None:
    given: list[str] = []
    for one in SETTINGS.values():
        value = one.most if one.name.endswith("p99_ms") else one.assumed or one.least
        given += [one.flag, f"{value:g}"]
    told = assess(*given, "--frame", "640x480")
    assert set(sources(told).values()) == {"given"}
    assert sources(told).keys() == SETTINGS.keys()


def test_help_names_every_assumption() -> None:
    text = inspector("assess", "--help").stdout
    for one in SETTINGS.values():
        assert one.flag in text
    assert parser().parse_args(["assess"]).command
    assert "(assumed: 3 times --rtt-ms)" in " ".join(text.split())


def test_measured_on_this_box(root: Path) -> None:
    bundle = in_use(make_station(root))
    told = assess("--bundle", bundle, "--frame", "320x240")
    assert sources(told)["edge_ms"] == "measured"
    assert "on this box" in told["edge_source"]
    assert told["result"]["latency"]["edge_total"]["p50_ms"] > 5


def test_a_station_without_a_part_yet(root: Path) -> None:
    make_station(root, takt_ms=40.0)
    told = assess("--root", root)
    found = sources(told)
    for name in ("cameras", "takt_ms", "deadline_ms", "window_s"):
        assert found[name] == "station"
    assert (found["edge_ms"], found["totals_bytes"]) == ("measured", "computed")
    assert told["frame"] == "160x128 mono8"


def test_a_round_trip_that_is_measured() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        where = f"127.0.0.1:{server.getsockname()[1]}"
        told = assess(*EDGE, *FRAME, "--cloud", where)
    assert sources(told)["rtt_ms"] == sources(told)["rtt_p99_ms"] == "measured"


@pytest.mark.line
@needs_mosquitto
def test_a_real_ledger(root: Path) -> None:
    """Latency, frames, takt and published bytes are then the station's own."""
    images = write_images(root / "images")
    bundle = in_use(make_station(root / "station", path=str(images)))
    kept = root / "kept"
    done = inspector(
        *("demo", "--parts", "80", "--takt-ms", "40", "--headless", "--broker", "--root", kept),
        *("--images", images, "--bundle", bundle, "--json"),
    )
    assert done.returncode == 0, done.stderr
    demo = json.loads(done.stdout)
    told = assess("--root", kept)
    found = sources(told)
    for name in ("edge_ms", "edge_p99_ms", "totals_bytes", "state_bytes"):
        assert found[name] == "ledger", told
    assert told["frame"] == "160x128 mono8"
    total = told["result"]["latency"]["edge_total"]
    assert total["p50_ms"] == pytest.approx(demo["latency_ms"]["p50"], abs=0.01)
    assert total["p99_ms"] == pytest.approx(demo["latency_ms"]["p99"], abs=0.01)
    assert found["jpeg_bytes"] == "measured"
    (fact,) = told["facts"]
    assert f"{80 * 160 * 128:,} bytes of pixels" in fact


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["--takt-ms", "soon"], "--takt-ms: 'soon': 0.1 to 86,400,000 ms is wanted"),
        (["--takt-ms", "nan"], "--takt-ms: 'nan'"),
        (["--hours", "25"], "--hours: '25': 0.1 to 24 h is wanted"),
        (["--cameras", "1.5"], "--cameras: '1.5'"),
        (["--mbit-s", "inf"], "--mbit-s: 'inf'"),
        (["--per-1000", "-1"], "--per-1000: '-1': 0 to 1,000,000 money is wanted"),
        (["--frame", "5MP"], "--frame: '5MP': WIDTHxHEIGHT is wanted"),
        (["--frame", "0x480"], "--frame: '0x480'"),
        (["--pixels-may-leave", "perhaps"], "--pixels-may-leave: invalid choice"),
        (["--edge-ms", "5"], "--edge-ms and --edge-p99-ms belong together"),
        (["--edge-ms", "9", "--edge-p99-ms", "5"], "a p99 is never below its p50"),
        ([*EDGE, "--rtt-ms", "50", "--rtt-p99-ms", "5"], "--rtt-p99-ms 5 (given) is below"),
        ([*EDGE, "--cloud", "cloud"], "'cloud': give HOST:PORT"),
        ([*EDGE, "--cloud", "127.0.0.1:1"], "127.0.0.1:1: cannot be measured"),
        ([*EDGE, "--upload", "http://127.0.0.1:1/"], "127.0.0.1:1: cannot be measured"),
        (["--bundle", "/nowhere"], "/nowhere"),
        (["--root", "/nowhere"], "/nowhere/config/station.toml"),
    ],
)
def test_bad_input_is_one_clear_line(arguments: list[str], wanted: str) -> None:
    done = inspector("assess", *arguments)
    assert done.returncode != 0
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    (line,) = refusals(done)
    assert wanted in line
