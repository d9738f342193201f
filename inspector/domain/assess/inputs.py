"""What an assessment is made from. Milliseconds, bytes, Mbit/s, hours; money in one currency.

Never: a default; those are named as assumptions where a person sees them.
"""

from dataclasses import dataclass
from typing import Literal

from msgspec import Struct

Residency = Literal["yes", "no", "region"]  # may pixels leave the plant?
Sends = Literal["jpeg", "raw"]  # what a cloud would be sent of each frame


class Stage(Struct, frozen=True):
    """One stage of a part's way: milliseconds as usual (p50), and the worst that counts (p99)."""

    name: str
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, kw_only=True)
class Line:
    """What the line asks for."""

    cameras: int
    takt_ms: float  # from part to part before one camera
    deadline_ms: float  # trigger to output
    hours: float  # of work a day
    days: float  # of work a month


@dataclass(frozen=True, kw_only=True)
class Edge:
    """A part's way on a box at the line. `line`: from camera to model and from verdict to output,
    which a cloud has to add too; `work`: what occupies the box for one part."""

    line: Stage
    work: Stage
    total: Stage  # as measured; the p99 of a sum is no sum of p99s


@dataclass(frozen=True, kw_only=True)
class Link:
    """The way to the cloud, on a connection that is open already."""

    rtt_ms: float
    rtt_p99_ms: float
    mbit_s: float  # upwards
    outage_h: float  # a month, within hours of work


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """What is done with a frame besides sending it."""

    encode_ms: float  # at the line, where JPEG is sent
    infer_ms: float
    infer_p99_ms: float


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One frame, bytes."""

    raw: float
    jpeg: float
    sends: Sends

    @property
    def sent(self) -> float:
        return self.jpeg if self.sends == "jpeg" else self.raw


@dataclass(frozen=True, kw_only=True)
class Published:
    """What a station publishes, bytes a message; `overhead`: of MQTT and the protocols below, each;
    `ping`: of one sign of life and its answer."""

    totals: float
    window_s: float
    state: float
    state_s: float
    event: float
    events: float  # a day
    overhead: float
    keepalive_s: float
    ping: float


@dataclass(frozen=True, kw_only=True)
class Prices:
    """In one currency. `per_hour`, where not None, counts instead of `per_1000`."""

    per_1000: float  # images judged in the cloud
    per_hour: float | None  # of one cloud instance
    per_gb: float  # upwards, 10^9 bytes
    box: float  # one edge box
    gateway: float  # the cloud's own box at the line: camera, trigger, output
    years: float  # that either is used for
    box_watts: float
    gateway_watts: float
    kwh: float
    upkeep: float  # a month, for either box


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Everything."""

    line: Line
    edge: Edge
    frame: Frame
    link: Link
    cloud: Cloud
    published: Published
    prices: Prices
    residency: Residency
    in_region: bool  # the cloud is in the region that pixels may not leave
