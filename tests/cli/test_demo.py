"""The demo: one JSON object, every trigger accounted for."""

import csv
import json
from pathlib import Path

import pytest
from support.commands import inspector
from support.stations import in_use, make_station, write_images

pytestmark = pytest.mark.line


def test_demo_prints_one_json_object_and_ends(root: Path) -> None:
    images = write_images(root / "images")
    bundle = in_use(make_station(root / "station", path=str(images)))
    done = inspector(
        *("demo", "--parts", "100", "--headless", "--json"),
        *("--images", images, "--bundle", bundle),
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["triggers"] == 100
    assert told["pass"] + told["fail"] + told["review"] + told["fault"] == 100
    assert told["escapes"] == 0
    assert told["overkill"] == 0
    assert told["defective"] > 0
    for times in ("latency_ms", "inference_ms"):
        spread = told[times]
        assert (
            0 < spread["p50"] <= spread["p95"] <= spread["p99"] <= spread["p999"] <= spread["max"]
        )


def test_demo_on_the_shipped_samples() -> None:
    done = inspector("demo", "--parts", "120", "--headless", "--json", timeout=200)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["triggers"] == 120
    assert told["pass"] + told["fail"] + told["review"] + told["fault"] == 120
    assert told["pass"] > 0
    assert told["escapes"] < told["defective"] / 2


def test_demo_keeps_its_station_where_told(root: Path) -> None:
    images = write_images(root / "images")
    bundle = in_use(make_station(root / "station", path=str(images)))
    kept = root / "kept"
    arguments = ("--headless", "--images", images, "--bundle", bundle, "--root", kept)
    assert inspector("demo", "--parts", "30", *arguments).returncode == 0
    exported = inspector("export", "parts", "--root", kept, "--out", kept / "parts.csv")
    assert exported.returncode == 0, exported.stderr
    with (kept / "parts.csv").open(newline="") as file:
        assert {row["kind"] for row in csv.DictReader(file)} == {"pass", "fail"}
    again = inspector("demo", "--parts", "30", *arguments)
    assert again.returncode == 78
    assert "holds a station's records already" in again.stderr
    totals = json.loads(inspector("totals", "--root", kept, "--json").stdout)["windows"]
    assert sum(sum(window["totals"]["counts"].values()) for window in totals) <= 30
