"""How long a part takes, here and by way of a cloud, stage by stage; and who keeps up.

Promises: at its worst, the cloud's way is the sum of its stages' worst, with the frames of all
cameras on the link at once; the edge's is as measured.
"""

import math

from msgspec import Struct

from inspector.domain.assess.inputs import Inputs, Stage
from inspector.domain.assess.steps import Step, n

FULL = 0.8  # of a box or a link: beyond, waiting grows without bounds


class Latency(Struct, frozen=True):
    """The two ways. Margins are what is left of the deadline at the worst; loads are shares of
    what one box, and the link, can do (1: all of it)."""

    edge: list[Stage]
    cloud: list[Stage]
    edge_total: Stage
    cloud_total: Stage
    deadline_ms: float
    takt_ms: float
    edge_margin_ms: float
    cloud_margin_ms: float
    box_load: float
    boxes: int
    uplink_load: float


def budget(inputs: Inputs) -> tuple[Latency, list[Step]]:
    """The latency of both ways, and how it was computed."""
    upload, steps = _upload(inputs)
    cloud = _cloud_stages(inputs, upload)
    cloud_total, summed = _sum(cloud)
    edge_total, deadline = inputs.edge.total, inputs.line.deadline_ms
    edge_margin = _margin("the edge", deadline, edge_total.p99_ms)
    cloud_margin = _margin("the cloud", deadline, cloud_total.p99_ms)
    load, boxes, uplink = _box_load(inputs), _boxes(inputs), _uplink_load(inputs)
    found = Latency(
        edge=[inputs.edge.line, inputs.edge.work],
        cloud=cloud,
        edge_total=edge_total,
        cloud_total=cloud_total,
        deadline_ms=deadline,
        takt_ms=inputs.line.takt_ms,
        edge_margin_ms=edge_margin.value,
        cloud_margin_ms=cloud_margin.value,
        box_load=load.value,
        boxes=int(boxes.value),
        uplink_load=uplink.value,
    )
    return found, [*steps, *summed, edge_margin, cloud_margin, load, boxes, uplink]


def _upload(inputs: Inputs) -> tuple[Stage, list[Step]]:
    """One frame alone on the link, and those of all cameras at once."""
    sent, rate, cameras = inputs.frame.sent, inputs.link.mbit_s, inputs.line.cameras
    alone = sent * 8 / (rate * 1000)
    together = cameras * alone
    steps = [
        Step(
            "upload of one frame",
            "bytes * 8 / (Mbit/s * 1000)",
            f"{n(sent)} * 8 / ({n(rate)} * 1,000)",
            alone,
            "ms",
        ),
        Step(
            "of all cameras at once",
            "cameras * upload",
            f"{n(cameras)} * {n(alone)}",
            together,
            "ms",
        ),
    ]
    return Stage("upload", alone, together), steps


def _cloud_stages(inputs: Inputs, upload: Stage) -> list[Stage]:
    link, cloud = inputs.link, inputs.cloud
    stages = [inputs.edge.line]
    if inputs.frame.sends == "jpeg":
        stages.append(Stage("JPEG at the line", cloud.encode_ms, cloud.encode_ms))
    stages += [
        upload,
        Stage("round trip", link.rtt_ms, link.rtt_p99_ms),
        Stage("inference in the cloud", cloud.infer_ms, cloud.infer_p99_ms),
    ]
    return stages


def _sum(stages: list[Stage]) -> tuple[Stage, list[Step]]:
    usual, worst = [one.p50_ms for one in stages], [one.p99_ms for one in stages]
    names = " + ".join(one.name for one in stages)
    steps = [
        Step(f"cloud, {label}", names, " + ".join(map(n, times)), sum(times), "ms")
        for label, times in (("usual", usual), ("worst", worst))
    ]
    return Stage("all", sum(usual), sum(worst)), steps


def _margin(whose: str, deadline_ms: float, p99_ms: float) -> Step:
    numbers = f"{n(deadline_ms)} - {n(p99_ms)}"
    return Step(f"left to {whose}", "deadline - worst", numbers, deadline_ms - p99_ms, "ms")


def _box_load(inputs: Inputs) -> Step:
    """How much of one box all cameras take."""
    work, line = inputs.edge.work.p50_ms, inputs.line
    return Step(
        "load of one box",
        "cameras * work / takt",
        f"{n(line.cameras)} * {n(work)} / {n(line.takt_ms)}",
        line.cameras * work / line.takt_ms,
        "",
    )


def _boxes(inputs: Inputs) -> Step:
    """How many boxes keep up, each with whole cameras."""
    work, line = inputs.edge.work.p50_ms, inputs.line
    each = max(1, math.floor(FULL * line.takt_ms / work)) if work else line.cameras
    return Step(
        "edge boxes",
        f"cameras / (cameras that fill {FULL:.0%} of a box), rounded up",
        f"ceil({n(line.cameras)} / {n(each)})",
        math.ceil(line.cameras / each),
        "",
    )


def _uplink_load(inputs: Inputs) -> Step:
    line, sent, rate = inputs.line, inputs.frame.sent, inputs.link.mbit_s
    return Step(
        "load of the link",
        "cameras * bytes * 8 / takt / (Mbit/s * 1000)",
        f"{n(line.cameras)} * {n(sent)} * 8 / {n(line.takt_ms)} / ({n(rate)} * 1,000)",
        line.cameras * sent * 8 / line.takt_ms / (rate * 1000),
        "",
    )
