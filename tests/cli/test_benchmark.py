"""The benchmark measures what it says, in one run."""

import json
from pathlib import Path

import pytest
from support.commands import inspector
from support.stations import in_use, make_station, write_images

pytestmark = pytest.mark.line


def test_benchmark_tells_ratios_and_memory(root: Path) -> None:
    images = write_images(root / "images", bad=0) / "good"
    bundle = in_use(make_station(root / "station", path=str(images)))
    done = inspector(
        *("benchmark", "line", "--json", "--sizes", "0.3", "--parts", "60", "--rounds", "1"),
        *("--images", images, "--bundle", bundle),
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    (size,) = told["sizes"]
    assert size["frame"] == "640x480 mono8"
    assert size["throughput_efficiency"] == pytest.approx(
        size["line_per_s"] / size["inference_per_s"], rel=0.05
    )
    assert size["latency_ratio"] > 1
    assert set(told["memory_mb"]) == {"capture-cam0", "detect", "gate", "publish", "record"}
    assert told["memory_sum_mb"] == pytest.approx(sum(told["memory_mb"].values()), abs=0.2)


def test_unknown_size_is_one_line() -> None:
    done = inspector("benchmark", "line", "--sizes", "7")
    assert done.returncode == 78
    assert "--sizes 7: choose from 0.3,1.3,5" in done.stderr
