"""What either way costs a month, and from when on the edge has paid for itself.

Promises: both ways pay for a box at the line, its power and its upkeep: a camera, a trigger and
an output are there in either case.
Never: knows a price of its own.
"""

import math

from msgspec import Struct

from inspector.domain.assess.inputs import Inputs
from inspector.domain.assess.latency import FULL, Latency
from inspector.domain.assess.steps import Step, n
from inspector.domain.assess.volume import Volume

GB = 1e9
NOTHING = 1e-9  # of money: a price below it is none
MONTH_H = 730.0  # of power: a box is not switched off at night


class Cost(Struct, frozen=True):
    """Money a month. `running` is without the boxes' price. None: never."""

    edge_month: float
    cloud_month: float
    edge_running: float
    cloud_running: float
    break_even_months: float | None  # until the dearer box is paid for by what it saves
    used_months: float  # that a box is used
    break_even_parts: float | None  # a month, from which on the edge is the cheaper way
    break_even_per_1000: float | None  # images in the cloud, below which it is the cheaper way


def cost(inputs: Inputs, latency: Latency, volume: Volume) -> tuple[Cost, list[Step]]:
    """Both ways, and how they were computed."""
    prices, boxes = inputs.prices, latency.boxes
    power = [
        _power("power of the edge", boxes, prices.box_watts, prices.kwh),
        _power("power of the gateway", 1, prices.gateway_watts, prices.kwh),
    ]
    judged = _judged(inputs, volume)
    sent = _sent("pixels on the link", _pixels(inputs, volume), prices.per_gb)
    told = _sent("totals on the link", volume.published_month, prices.per_gb)
    edge = _total("edge, running", power[0].value, told.value, boxes * prices.upkeep)
    cloud = _total("cloud, running", power[1].value, judged.value + sent.value, prices.upkeep)
    owned = [
        _owned("edge, with its boxes", edge.value, boxes * prices.box, prices.years),
        _owned("cloud, with its gateway", cloud.value, prices.gateway, prices.years),
    ]
    paid = _paid(boxes * prices.box - prices.gateway, cloud.value - edge.value)
    parts = _even_parts(inputs, owned[0].value, owned[1].value, judged.value + sent.value, volume)
    price = _even_price(owned[0].value, owned[1].value - judged.value, volume)
    found = Cost(
        edge_month=owned[0].value,
        cloud_month=owned[1].value,
        edge_running=edge.value,
        cloud_running=cloud.value,
        break_even_months=paid.value if paid else None,
        used_months=prices.years * 12,
        break_even_parts=parts.value if parts else None,
        break_even_per_1000=price.value if price else None,
    )
    steps = [*power, judged, sent, told, edge, cloud, *owned]
    return found, steps + [one for one in (paid, parts, price) if one]


def _power(what: str, boxes: int, watts: float, kwh: float) -> Step:
    return Step(
        what,
        "boxes * W / 1000 * 730 h * price of a kWh",
        f"{n(boxes)} * {n(watts)} / 1000 * 730 * {n(kwh)}",
        boxes * watts / 1000 * MONTH_H * kwh,
        "money",
    )


def _judged(inputs: Inputs, volume: Volume) -> Step:
    """What the cloud asks for its inference."""
    prices, line = inputs.prices, inputs.line
    what = "inference in the cloud"
    if prices.per_hour is None:
        return Step(
            what,
            "images / 1000 * price",
            f"{n(volume.parts_month)} / 1000 * {n(prices.per_1000)}",
            volume.parts_month / 1000 * prices.per_1000,
            "money",
        )
    load = line.cameras * inputs.cloud.infer_ms / line.takt_ms
    instances = max(1, math.ceil(load / FULL))
    return Step(
        what,
        f"instances (at {FULL:.0%} load) * hours * days * price of an hour",
        f"{n(instances)} * {n(line.hours)} * {n(line.days)} * {n(prices.per_hour)}",
        instances * line.hours * line.days * prices.per_hour,
        "money",
    )


def _pixels(inputs: Inputs, volume: Volume) -> float:
    return volume.jpeg_month if inputs.frame.sends == "jpeg" else volume.raw_month


def _sent(what: str, size: float, per_gb: float) -> Step:
    numbers = f"{n(size)} / 1,000,000,000 * {n(per_gb)}"
    return Step(what, "bytes a month / 10^9 * price", numbers, size / GB * per_gb, "money")


def _total(what: str, power: float, used: float, upkeep: float) -> Step:
    numbers = f"{n(power)} + {n(used)} + {n(upkeep)}"
    return Step(what, "power + use + upkeep", numbers, power + used + upkeep, "money")


def _owned(what: str, running: float, price: float, years: float) -> Step:
    numbers = f"{n(running)} + {n(price)} / ({n(years)} * 12)"
    value = running + price / (years * 12)
    return Step(what, "running + price / (years * 12)", numbers, value, "money")


def _paid(dearer: float, saved: float) -> Step | None:
    """None: it is never paid for."""
    if dearer <= 0:
        return Step("paid for after", "the edge box is not dearer", "0", 0.0, "months")
    if saved < NOTHING:
        return None
    numbers = f"{n(dearer)} / {n(saved)}"
    return Step("paid for after", "dearer by / saved a month", numbers, dearer / saved, "months")


def _even_parts(
    inputs: Inputs, edge: float, cloud: float, by_parts: float, volume: Volume
) -> Step | None:
    """Of as many parts a month either way costs the same; None where parts change nothing."""
    each = by_parts / volume.parts_month
    if inputs.prices.per_hour is not None or each < NOTHING:
        return None
    fixed = cloud - by_parts
    value = max(0.0, (edge - fixed) / each)
    return Step(
        "as dear at",
        "(edge - cloud without parts) / cloud's price of a part",
        f"max(0, ({n(edge)} - {n(fixed)}) / {n(each)})",
        value,
        "parts a month",
    )


def _even_price(edge: float, free: float, volume: Volume) -> Step | None:
    """The price of inference at which either way costs the same; None where even a free one is
    too dear."""
    if edge <= free:
        return None
    return Step(
        "as dear at a price of",
        "(edge - cloud with free inference) / parts a month * 1000",
        f"({n(edge)} - {n(free)}) / {n(volume.parts_month)} * 1000",
        (edge - free) / volume.parts_month * 1000,
        "money for 1,000",
    )
