"""inspector benchmark: what the whole line costs over bare inference, on this very machine.

`line` alternates, in one run, the whole line with bare OpenVINO inference of the same model at
the same number of threads, so that a machine whose speed drifts changes both alike:
  throughput_efficiency = decisions/s of the line / inferences/s without it
  latency_ratio         = p50 from trigger to outcome, one part at a time / p50 of bare inference
Memory is the proportional set size (PSS) of each process while the line runs.
"""

import argparse
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
from msgspec import Struct

from inspector.cli import samples
from inspector.cli.screen import command, print_json, progress, results, say, table
from inspector.cli.station import OnLive, folder, recorded, run_line, write_recipe, write_station
from inspector.cli.summary import Spread, rate, spread
from inspector.core.config import Detect
from inspector.core.errors import MaintainerError
from inspector.core.messages import Outcome
from inspector.core.paths import Paths
from inspector.devices.bundles import Bundle, open_bundle
from inspector.devices.cameras import IMAGES, read_image
from inspector.devices.engine import Engine, Image, OpenVinoModel

Outcomes = Sequence[Outcome]

SIZES = {"0.3": (640, 480), "1.3": (1280, 1024), "5": (2448, 2048)}
PICTURES = 6  # different frames that the camera plays
ALL_PASS = {"review": 100.0, "fail": 100.0}  # the images of failures are not what is measured
WARM_UP = 0.1  # share of every run that does not count


class Size(Struct, frozen=True):
    """The figures at one frame size; milliseconds, parts a second, shares."""

    frame: str
    throughput_efficiency: float
    latency_ratio: float
    line_per_s: float
    inference_per_s: float
    latency_ms: Spread
    inference_ms: Spread  # bare, in this process
    reduce_ms: float  # from the frame to the model's input, p50
    faults: int


class Benchmark(Struct, frozen=True):
    """The whole result."""

    model: str
    threads: int
    precision: str
    rounds: int
    sizes: list[Size]
    memory_mb: dict[str, float]
    memory_sum_mb: float


def add(commands: Any) -> None:
    made = command(
        commands,
        "benchmark",
        "measure the line against bare inference",
        "inspector benchmark line --json",
    )
    made.add_argument("what", choices=["line"], help="line: throughput, latency and memory")
    made.add_argument("--bundle", type=Path, metavar="DIR", help="default: the sample product's")
    made.add_argument("--images", type=Path, metavar="DIR", help="default: the sample's good parts")
    made.add_argument("--sizes", default="0.3,1.3,5", help="megapixels, of %(default)s")
    made.add_argument("--pixel", choices=["mono8", "bgr8"], default="mono8")
    made.add_argument("--threads", type=int, default=2, help="default: %(default)s")
    made.add_argument("--precision", choices=["f32", "auto"], default="f32")
    made.add_argument("--parts", type=int, default=400, help="a run (default: %(default)s)")
    made.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    made.set_defaults(command=_benchmark)


def _benchmark(arguments: argparse.Namespace) -> int:
    unknown = set(arguments.sizes.split(",")) - SIZES.keys()
    if unknown:
        raise MaintainerError(f"--sizes {','.join(sorted(unknown))}: choose from {','.join(SIZES)}")
    bundle = open_bundle(arguments.bundle or samples.bundle())
    images = arguments.images or samples.images() / "good"
    memory: dict[str, float] = {}
    with progress() as bar:
        sizes = arguments.sizes.split(",")
        task = bar.add_task("runs", total=len(sizes) * arguments.rounds)
        found = []
        for name in sizes:
            rounds = _Rounds(bundle, images, SIZES[name], arguments, memory)
            for _ in range(arguments.rounds):
                rounds.once()
                bar.advance(task)
            rounds.weigh()
            found.append(rounds.result())
            say(f"{found[-1].frame}: done")
    result = Benchmark(
        model=bundle.manifest.id,
        threads=arguments.threads,
        precision=arguments.precision,
        rounds=arguments.rounds,
        sizes=found,
        memory_mb=memory,
        memory_sum_mb=round(sum(memory.values()), 1),
    )
    if arguments.json:
        print_json(result)
    else:
        show(result)
    return 0


class _Rounds:
    """Bare inference and the line in turn, at one frame size."""

    def __init__(
        self,
        bundle: Bundle,
        images: Path,
        size: tuple[int, int],
        arguments: argparse.Namespace,
        memory: dict[str, float],
    ) -> None:
        self._bundle, self._memory, self._arguments = bundle, memory, arguments
        self._frames = _frames(images, size, arguments.pixel)
        self._label = f"{size[0]}x{size[1]} {arguments.pixel}"
        self._bare: list[float] = []  # milliseconds
        self._reduce: list[float] = []
        self._bare_rates: list[float] = []
        self._line_rates: list[float] = []
        self._latencies: list[float] = []
        self._faults = 0

    def once(self) -> None:
        self._infer()
        full = self._line(in_flight=3)
        self._line_rates.append(rate(full))
        self._infer()
        single = self._line(in_flight=1)
        self._latencies += [outcome.latency_us / 1000 for outcome in single]
        self._faults += sum(outcome.cause is not None for outcome in [*full, *single])

    def weigh(self) -> None:
        """Memory in a run of its own: to measure it takes time from the line."""
        self._line(in_flight=3, on_live=lambda _, pids: _remember_pss(pids, self._memory))

    def result(self) -> Size:
        latency, bare = spread(self._latencies), spread(self._bare)
        line_per_s, bare_per_s = median(self._line_rates), median(self._bare_rates)
        return Size(
            frame=self._label,
            throughput_efficiency=round(line_per_s / bare_per_s, 3),
            latency_ratio=round(latency.p50 / bare.p50, 3),
            line_per_s=round(line_per_s, 1),
            inference_per_s=round(bare_per_s, 1),
            latency_ms=latency,
            inference_ms=bare,
            reduce_ms=round(median(self._reduce), 3),
            faults=self._faults,
        )

    def _infer(self) -> None:
        """Bare inference of the same model; its input is filled outside the time taken."""
        with _loaded(self._bundle, self._arguments) as model:
            times = []
            count = self._arguments.parts // 2
            for index in range(count):
                started = time.perf_counter()
                model.put(self._frames[index % len(self._frames)])
                put = time.perf_counter()
                model.start()
                model.finish()
                times.append(1000 * (time.perf_counter() - put))
                self._reduce.append(1000 * (put - started))
        counted = times[int(count * WARM_UP) :]
        self._bare += counted
        self._bare_rates.append(1000 * len(counted) / sum(counted))

    def _line(self, in_flight: int, on_live: OnLive = lambda _live, _pids: None) -> Outcomes:
        parts = self._arguments.parts
        with folder(None) as paths:
            self._write(paths, in_flight)
            run_line(paths, parts, on_live)
            outcomes = [part.outcome for part in recorded(paths)]
        return sorted(outcomes, key=lambda outcome: outcome.seq)[int(parts * WARM_UP) :]

    def _write(self, paths: Paths, in_flight: int) -> None:
        arguments = self._arguments
        played = paths.config.parent / "frames"
        played.mkdir(parents=True)
        for index, frame in enumerate(self._frames):
            cv2.imwrite(str(played / f"{index}.bmp"), frame)
        write_recipe(paths, "bench", self._bundle.folder, ALL_PASS)
        write_station(
            paths,
            {"path": str(played), "parts": arguments.parts, "cache_mb": 256},
            line={"deadline_ms": 2000.0, "recipe": "bench", "in_flight": in_flight},
            detect={"threads": arguments.threads, "precision": arguments.precision},
        )


@contextmanager
def _loaded(bundle: Bundle, arguments: argparse.Namespace) -> Iterator[OpenVinoModel]:
    """The model in this process, gone again before the line runs."""
    settings = Detect(threads=arguments.threads, precision=arguments.precision)
    with folder(None) as paths:
        yield Engine(settings, paths.cache).load(bundle.folder, bundle.manifest)


def _frames(images: Path, size: tuple[int, int], pixel: str) -> list[Image]:
    """A few sample images, enlarged or reduced to `size` (width, height)."""
    files = sorted(path for path in images.iterdir() if path.suffix.lower() in IMAGES)
    frames = []
    for file in files[:PICTURES]:
        frame = np.asarray(cv2.resize(read_image(file), size, interpolation=cv2.INTER_CUBIC))
        if pixel == "mono8" and frame.ndim == 3:
            frame = np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY))
        elif pixel == "bgr8" and frame.ndim == 2:
            frame = np.asarray(cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR))
        frames.append(frame.reshape(size[1], size[0], -1).astype(np.uint8))
    if not frames:
        raise MaintainerError(f"{images}: holds no image to play")
    return frames


def _remember_pss(pids: Mapping[str, int], memory: dict[str, float]) -> None:
    """The largest PSS of each process so far, in MiB."""
    for name, pid in pids.items():
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        kib = next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
        memory[name] = max(memory.get(name, 0.0), round(kib / 1024, 1))


def show(found: Benchmark) -> None:
    """The tables for a person."""
    title = f"{found.model}, {found.threads} threads, {found.precision}, {found.rounds} rounds"
    columns = ["frame", "efficiency", "line/s", "bare/s", "latency ratio", "p50 ms", "p99", "p99.9"]
    columns += ["bare p50 ms", "reduce ms", "faults"]
    rows = [
        (
            size.frame,
            f"{size.throughput_efficiency:.3f}",
            f"{size.line_per_s:.1f}",
            f"{size.inference_per_s:.1f}",
            f"{size.latency_ratio:.3f}",
            f"{size.latency_ms.p50:.2f}",
            f"{size.latency_ms.p99:.2f}",
            f"{size.latency_ms.p999:.2f}",
            f"{size.inference_ms.p50:.2f}",
            f"{size.reduce_ms:.2f}",
            size.faults,
        )
        for size in found.sizes
    ]
    results.print(table(title, columns, rows))
    memory = [*found.memory_mb.items(), ("sum", found.memory_sum_mb)]
    results.print(table("memory (PSS)", ("process", "MiB"), memory))
