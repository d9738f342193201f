"""What `inspector assess` finds out by itself: of the station, its ledger, this box, the link.

Promises: a ledger's own parts go before a measurement, and a measurement before an assumption; a
running line is not measured beside.
Never: sends a picture anywhere.
"""

import argparse
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import mean, median

import cv2

from inspector.cli import samples
from inspector.cli.assess_settings import Found, Source
from inspector.cli.station_checks import Station
from inspector.cli.summary import Spread, spread
from inspector.cli.timing import frame_for, measure
from inspector.core.errors import InspectorError, MaintainerError
from inspector.core.messages import Outcome
from inspector.core.paths import Paths, cache_of_user
from inspector.core.terms import Cause, FrameFormat, Pixel
from inspector.devices import uplink
from inspector.devices.bundles import Bundle, open_bundle
from inspector.devices.cameras import IMAGES, read_image
from inspector.devices.engine import Image
from inspector.devices.ledger import LedgerReader
from inspector.domain import fitness
from inspector.domain.assess.inputs import Edge, Stage
from inspector.domain.assess.typical import sizes

PARTS, MESSAGES, PICTURES = 5000, 2000, 5
JPEG_QUALITY = 92
FEWEST_PARTS = 20  # fewer say little of a p99
FIVE_MEGAPIXELS = FrameFormat(width=2448, height=2048, pixel=Pixel.MONO8)
LINE_STAGE, WORK_STAGE = "camera, gate and output", "frame check and inference"

# Of these the time is the line's own, whatever became of the part.
TIMED = (None, Cause.LATE, Cause.OVERLOAD)


def of_station(station: Station) -> dict[str, Found]:
    """What its configuration says."""
    config = station.config
    if config is None:
        return {}
    found = {
        "cameras": Found(len(config.cameras), "station"),
        "deadline_ms": Found(config.line.deadline_ms, "station"),
        "window_s": Found(config.record.window_s, "station"),
    }
    if station.takt_ms:
        found["takt_ms"] = Found(station.takt_ms * len(config.cameras), "station")
    if config.publish:
        found["state_s"] = Found(config.publish.state_s, "station")
        found["keepalive_s"] = Found(config.publish.keepalive_s, "station")
    return found


class Ledger:
    """What a station's ledger tells; empty where there is none."""

    def __init__(self, paths: Paths | None) -> None:
        self.outcomes: list[Outcome] = []
        self.facts: list[str] = []
        self.messages: dict[str, list[int]] = defaultdict(list)
        if paths and paths.ledger.exists():
            reader = LedgerReader(paths.ledger)
            try:
                self._read(reader)
            finally:
                reader.close()

    def _read(self, reader: LedgerReader) -> None:
        parts = [part.outcome for part in reader.parts(PARTS)]
        self.outcomes = [one for one in parts if one.frame and one.cause in TIMED]
        for message in reader.departures(MESSAGES):
            self.messages[message.topic.rpartition("/")[2]].append(message.bytes)
        sums = reader.sums()
        if sums.departed:
            ratio = sums.pixel_bytes / sums.departed_bytes
            self.facts.append(
                f"this ledger: {sums.departed:,} messages of {sums.departed_bytes:,} bytes left, "
                f"{sums.pixel_bytes:,} bytes of pixels were looked at ({ratio:,.0f} times as many)"
            )

    @property
    def format(self) -> FrameFormat | None:
        """Of the largest camera's frames."""
        formats = [one.frame.format for one in self.outcomes if one.frame]
        return max(formats, key=lambda one: one.nbytes, default=None)

    def takt(self) -> dict[str, Found]:
        """From one trigger of a camera to its next, as usual."""
        streams: dict[str, dict[int, int]] = defaultdict(dict)
        for one in self.outcomes:
            streams[one.stream][one.seq] = one.trigger_wall_ns
        steps = [
            (stream[after] - stream[before]) / 1e6
            for stream in streams.values()
            for before, after in pairwise(sorted(stream))
            if after == before + 1
        ]
        usual = median(steps) if steps else 0.0
        return {"takt_ms": Found(round(usual, 3), "ledger")} if usual >= 0.1 else {}

    def published(self) -> dict[str, Found]:
        """The mean size of each kind of message that has left."""
        names = {"totals": "totals_bytes", "state": "state_bytes", "events": "event_bytes"}
        return {
            name: Found(round(mean(self.messages[kind])), "ledger", f"mean of {len(found)}")
            for kind, name in names.items()
            if (found := self.messages.get(kind))
        }

    def edge(self) -> tuple[Edge, str] | None:
        """A part's way, stage by stage; None with too few parts."""
        if len(self.outcomes) < FEWEST_PARTS:
            return None
        work = spread(_work_ms(one) for one in self.outcomes)
        rest = spread(one.latency_us / 1000 - _work_ms(one) for one in self.outcomes)
        total = spread(one.latency_us / 1000 for one in self.outcomes)
        edge = Edge(
            line=_stage(LINE_STAGE, rest), work=_stage(WORK_STAGE, work), total=_stage("all", total)
        )
        return edge, f"of {len(self.outcomes):,} parts"


def computed(device: str, parts: float) -> dict[str, Found]:
    """Sizes of typical messages, for what has never left."""
    typical = sizes(device, max(1, round(parts)))
    return {
        "totals_bytes": Found(typical.totals, "computed"),
        "state_bytes": Found(typical.state, "computed"),
        "event_bytes": Found(typical.event, "computed"),
    }


def edge_given(p50_ms: float, p99_ms: float) -> Edge:
    """From the whole alone: what the line takes is assumed, as `inspector doctor` does."""
    line = min(fitness.LINE_MS, p50_ms / 2)
    return Edge(
        line=Stage(LINE_STAGE, line, line),
        work=Stage(WORK_STAGE, p50_ms - line, p99_ms - line),
        total=Stage("all", p50_ms, p99_ms),
    )


def edge_measured(station: Station, bundle: Bundle, frame: Image) -> tuple[Edge, str]:
    """Timed on this box now. Raises MaintainerError where the model does not run here."""
    if station.live:
        raise MaintainerError(
            "the line runs and has too few parts to tell its latency; ask again later, or give "
            "--edge-ms and --edge-p99-ms"
        )
    told = measure(bundle, station.detect, "", cache_of_user(), frame)
    if told.problem:
        raise MaintainerError(told.problem)
    ms = fitness.LINE_MS
    edge = Edge(
        line=Stage(LINE_STAGE, ms, ms),
        work=Stage(WORK_STAGE, told.p50_ms, told.p99_ms),
        total=Stage("all", told.p50_ms + ms, told.p99_ms + ms),
    )
    return edge, f"{bundle.manifest.id} on this box, and {ms:g} ms assumed for the line"


def bundle_of(station: Station, folder: Path | None) -> Bundle:
    """The one to measure: given, in use, or the sample product's."""
    return open_bundle(folder or station.bundle or samples.bundle())


def jpeg(
    paths: Paths | None, bundle: Callable[[], Bundle], format: FrameFormat
) -> dict[str, Found]:
    """Bytes and milliseconds of a frame as JPEG: of the station's evidence, else of a reference
    picture of the bundle, scaled to the frame."""
    pictures = [one for one in _evidence(paths) if one.shape == format.shape]
    note = f"of {len(pictures)} pictures of this station"
    if not pictures:
        pictures, note = (
            [frame_for(bundle(), format)],
            "of a reference picture, scaled to the frame",
        )
    made = [_encoded(one) for one in pictures]
    source: Source = "measured"
    return {
        "jpeg_bytes": Found(round(mean(size for size, _ in made)), source, note),
        "encode_ms": Found(round(median(ms for _, ms in made), 3), source, note),
    }


def measured_link(arguments: argparse.Namespace) -> tuple[dict[str, Found], list[str]]:
    """Round trips to --cloud and a rate to --upload, where they are given."""
    found: dict[str, Found] = {}
    facts = []
    if arguments.cloud:
        remote = uplink.remote_of(arguments.cloud)
        trip = uplink.round_trip(remote)
        note = f"TCP to {remote.name}, {trip.samples} times"
        found["rtt_ms"] = Found(round(trip.p50_ms, 3), "measured", note)
        found["rtt_p99_ms"] = Found(round(trip.worst_ms, 3), "measured", f"{note}, the worst")
        if trip.tls_ms is not None:
            facts.append(
                f"a TLS handshake with {remote.name} takes {trip.tls_ms:.1f} ms more: not in the "
                "budget, as the connection stays open"
            )
    if arguments.upload:
        remote = uplink.remote_of(arguments.upload)
        rate = uplink.upload_mbit_s(remote)
        found["mbit_s"] = Found(round(rate, 3), "measured", f"POST to {remote.name}")
    return found, facts


def _work_ms(outcome: Outcome) -> float:
    timing = outcome.timing
    return (timing.check_us + timing.inference_us + timing.second_us) / 1000


def _stage(name: str, found: Spread) -> Stage:
    return Stage(name, found.p50, found.p99)


def _evidence(paths: Paths | None) -> Sequence[Image]:
    """The newest pictures of the station that can be read."""
    if paths is None:
        return []
    files = sorted(one for one in paths.evidence.glob("*/*") if one.suffix.lower() in IMAGES)
    found = []
    for file in files[-PICTURES:]:
        try:
            found.append(read_image(file))
        except InspectorError:  # removed meanwhile, to make room
            continue
    return found


def _encoded(picture: Image) -> tuple[int, float]:
    """Bytes, and the median of some times."""
    times = []
    for _ in range(PICTURES):
        began = time.perf_counter()
        _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        times.append(1000 * (time.perf_counter() - began))
    return len(data), median(times)
