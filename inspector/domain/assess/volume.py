"""How many parts and bytes: the pixels, and what a station publishes of them.

Promises: published bytes count every message that leaves, with the protocols below it.
"""

from msgspec import Struct

from inspector.domain.assess.inputs import Inputs
from inspector.domain.assess.steps import Step, n

HOUR_MS = 3_600_000.0
DAY_S = 86_400.0


class Volume(Struct, frozen=True):
    """Parts and bytes, a day and a month of work."""

    parts_day: float
    parts_month: float
    raw_day: float
    raw_month: float
    jpeg_day: float
    jpeg_month: float
    published_day: float
    published_month: float
    ratio: float  # raw pixels to published bytes
    unseen_month: float  # parts without a cloud's verdict while the link is down


def volume(inputs: Inputs) -> tuple[Volume, list[Step]]:
    """What the line makes and what would travel, and how it was computed."""
    line, frame = inputs.line, inputs.frame
    parts = _parts(inputs)
    published, steps = _published(inputs, parts.value)
    raw = _bytes("raw pixels a day", parts.value, frame.raw)
    jpeg = _bytes("as JPEG a day", parts.value, frame.jpeg)
    ratio = _ratio(raw.value, published.value)
    unseen = _unseen(inputs)
    found = Volume(
        parts_day=parts.value,
        parts_month=parts.value * line.days,
        raw_day=raw.value,
        raw_month=raw.value * line.days,
        jpeg_day=jpeg.value,
        jpeg_month=jpeg.value * line.days,
        published_day=published.value,
        published_month=published.value * line.days,
        ratio=ratio.value,
        unseen_month=unseen.value,
    )
    months = [
        _month(name, day, line.days)
        for name, day in (
            ("parts a month", parts),
            ("raw pixels a month", raw),
            ("as JPEG a month", jpeg),
            ("published a month", published),
        )
    ]
    return found, [parts, raw, jpeg, *steps, published, ratio, *months, unseen]


def _parts(inputs: Inputs) -> Step:
    line = inputs.line
    return Step(
        "parts a day",
        "cameras * hours * 3,600,000 / takt",
        f"{n(line.cameras)} * {n(line.hours)} * 3,600,000 / {n(line.takt_ms)}",
        line.cameras * line.hours * HOUR_MS / line.takt_ms,
        "",
    )


def _bytes(what: str, parts: float, size: float) -> Step:
    return Step(what, "parts * bytes", f"{n(parts)} * {n(size)}", parts * size, "bytes")


def _published(inputs: Inputs, parts: float) -> tuple[Step, list[Step]]:
    """A window without a part is not told of, so there are never more windows than parts; a ping
    goes only while nothing else does, so there may be fewer."""
    told, line = inputs.published, inputs.line
    windows = min(line.hours * 3600 / told.window_s, parts)
    states, pings = DAY_S / told.state_s, DAY_S / told.keepalive_s
    steps = [
        Step(
            "windows a day",
            "hours * 3600 / window, at most one a part",
            f"min({n(line.hours)} * 3600 / {n(told.window_s)}, {n(parts)})",
            windows,
            "",
        ),
        Step("states a day", "86,400 / repeated every", f"86,400 / {n(told.state_s)}", states, ""),
        Step("pings a day", "86,400 / keepalive", f"86,400 / {n(told.keepalive_s)}", pings, ""),
    ]
    messages = ((windows, told.totals), (states, told.state), (told.events, told.event))
    value = sum(count * (size + told.overhead) for count, size in messages) + pings * told.ping
    numbers = " + ".join(
        f"{n(count)} * ({n(size)} + {n(told.overhead)})" for count, size in messages
    )
    numbers += f" + {n(pings)} * {n(told.ping)}"
    formula = "windows * (totals + overhead) + states * (...) + events * (...) + pings * ping"
    return Step("published a day", formula, numbers, value, "bytes"), steps


def _ratio(raw: float, published: float) -> Step:
    value = raw / published if published else 0.0
    numbers = f"{n(raw)} / {n(published)}" if published else "0"
    return Step("pixels to published bytes", "raw / published", numbers, value, "times")


def _month(what: str, day: Step, days: float) -> Step:
    return Step(what, "a day * days", f"{n(day.value)} * {n(days)}", day.value * days, day.unit)


def _unseen(inputs: Inputs) -> Step:
    line, link = inputs.line, inputs.link
    return Step(
        "parts while the link is down",
        "cameras * hours down * 3,600,000 / takt",
        f"{n(line.cameras)} * {n(link.outage_h)} * 3,600,000 / {n(line.takt_ms)}",
        line.cameras * link.outage_h * HOUR_MS / line.takt_ms,
        "a month",
    )
