"""Time of a bundle's whole network: `python models/latency.py BUNDLE [BUNDLE...]`.

Promises: every bundle at f32 and at `auto` (bfloat16 where the processor multiplies it), all of
them by turns in one run, so that a machine whose speed drifts changes all alike; the inputs' values
are random, the network's time does not depend on them.
Never: measures what comes before the network; `resize.py` does that, and `inspector benchmark`
the whole line.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import inspector  # before openvino: keeps its telemetry off

import openvino as ov  # isort: skip

assert inspector.__version__
BOTH = ("f32", "auto")
WARM, TURN = 30, 10  # inferences before the clock counts, and in one turn


@dataclass
class Subject:
    """One network at one precision, and its times in milliseconds."""

    bundle: Path
    precision: str
    request: ov.InferRequest
    times: list[float] = field(default_factory=list)

    def turn(self) -> None:
        for _ in range(TURN):
            started = time.perf_counter()
            self.request.infer()
            self.times.append(1000 * (time.perf_counter() - started))

    def row(self, slowest: float) -> str:
        p50, p99 = np.percentile(self.times, [50, 99])
        size = sum((self.bundle / f"model.{part}").stat().st_size for part in ("xml", "bin"))
        cells = [self.bundle.name, self.precision, f"{size / 1e6:.1f} MB", f"{p50:.2f} ms"]
        cells += [f"{p99:.2f} ms", f"{p99 / p50:.1f}", f"{slowest / p50:.1f}"]
        return "| " + " | ".join(cells) + " |"


def subject(bundle: Path, precision: str, threads: int) -> Subject:
    """Compiled as the line compiles it, and warmed up."""
    options: dict[str, str | int] = {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": "1"}
    options["INFERENCE_NUM_THREADS"] = threads
    if precision == "f32":
        options["INFERENCE_PRECISION_HINT"] = "f32"
    compiled = ov.Core().compile_model(bundle / "model.xml", "CPU", options)
    request = compiled.create_infer_request()
    data = request.get_input_tensor().data
    data[...] = np.random.default_rng(0).integers(0, 256, data.shape)
    for _ in range(WARM):
        request.infer()
    return Subject(bundle, precision, request)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundles", type=Path, nargs="+", help="the first is 1.0 times")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precisions", nargs="+", choices=BOTH, default=BOTH)
    parser.add_argument("--count", type=int, default=500, help="inferences of each")
    given = parser.parse_args()
    subjects = [
        subject(bundle, precision, given.threads)
        for bundle in given.bundles
        for precision in given.precisions
    ]
    for _ in range(given.count // TURN):
        for one in subjects:
            one.turn()
    first = float(np.median(subjects[0].times))
    print("| bundle | precision | IR | p50 | p99 | p99 / p50 | times as fast |")
    print("|---|---|---|---|---|---|---|")
    for one in subjects:
        print(one.row(first))


if __name__ == "__main__":
    main()
