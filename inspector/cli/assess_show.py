"""An assessment as a person reads it: its numbers and their sources, the arithmetic, the answer.

Promises: what is assumed is named as that, and the answer stands last.
Never: computes anything.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct
from rich.table import Table
from rich.text import Text

from inspector.cli.assess_settings import Source, Value
from inspector.cli.screen import REMARK, results, table
from inspector.domain.assess.inputs import Stage
from inspector.domain.assess.steps import Step, n
from inspector.domain.assess.verdict import Assessment


class Report(Struct, frozen=True):
    """The whole, as a machine reads it."""

    frame: str
    sends: str
    pixels_may_leave: str
    residency_source: Source
    cloud_in_region: bool
    edge_source: str
    inputs: list[Value]
    facts: list[str]
    result: Assessment


def show(report: Report) -> None:
    """All of it."""
    found = report.result
    head = ("from these numbers", "value", "", "source", "flag", REMARK)
    results.print(table("", head, (_used(one) for one in report.inputs)))
    results.print(_latency(found))
    results.print(_arithmetic(found.arithmetic))
    results.print(_bytes(found))
    results.print(_money(found))
    for line in _words(report):
        results.print(Text(line), soft_wrap=True)
    for index, sentence in enumerate(found.sentences):
        results.print(Text(sentence, "" if index else "bold"), soft_wrap=True)


def _used(one: Value) -> Iterable[object]:
    return one.name, n(one.value), one.unit, one.source, one.flag, one.note


def _arithmetic(steps: Iterable[Step]) -> Table:
    """Each line: the formula, the numbers in it, and what they come to."""
    rows = (
        (one.what, f"{one.formula}\n= {one.numbers}", f"{short(one.value)} {one.unit}".rstrip())
        for one in steps
    )
    made = table("", ("the arithmetic", REMARK, "comes to"), rows)
    made.columns[1].header = "how"
    return made


def short(value: float) -> str:
    """A number to look at: three digits, or all of a whole one."""
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _latency(found: Assessment) -> Table:
    """Both ways beside each other; the p99 is what has to fit into the deadline."""
    told = found.latency
    names = dict.fromkeys(one.name for one in (*told.edge, *told.cloud))
    edge = {one.name: one for one in told.edge}
    cloud = {one.name: one for one in told.cloud}
    rows = [(name, *_ms(edge.get(name)), *_ms(cloud.get(name))) for name in names]
    rows.append(("all", *_ms(told.edge_total), *_ms(told.cloud_total)))
    deadline = f"{told.deadline_ms:.1f}"
    rows.append(("deadline", "", deadline, "", deadline))
    head = ("milliseconds", "edge, p50", "p99", "cloud, p50", "p99 or sum of p99s")
    return table("", head, rows)


def _ms(stage: Stage | None) -> tuple[str, str]:
    return (f"{stage.p50_ms:.1f}", f"{stage.p99_ms:.1f}") if stage else ("", "")


def _bytes(found: Assessment) -> Table:
    told = found.volume
    rows = (
        ("raw pixels", size(told.raw_day), size(told.raw_month)),
        ("as JPEG", size(told.jpeg_day), size(told.jpeg_month)),
        ("published totals", size(told.published_day), size(told.published_month)),
    )
    return table("", ("bytes", "a day", "a month"), rows)


def size(count: float) -> str:
    """Bytes in the unit that suits them, of powers of ten."""
    for unit, by in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= by:
            return f"{count / by:.3g} {unit}"
    return f"{count:.0f} B"


def _money(found: Assessment) -> Table:
    told = found.cost
    rows = (
        ("running", f"{told.edge_running:,.2f}", f"{told.cloud_running:,.2f}"),
        ("with the box at the line", f"{told.edge_month:,.2f}", f"{told.cloud_month:,.2f}"),
    )
    return table("", ("money a month", "edge", "cloud"), rows)


def _words(report: Report) -> Iterator[str]:
    """What else is to be known."""
    told = report.result.cost
    months, parts = told.break_even_months, told.break_even_parts
    if months is None or months > told.used_months:
        yield f"break-even: the edge does not save its price in {told.used_months:,.0f} months"
    else:
        yield f"break-even: the edge has saved its price after {months:,.1f} months"
    if parts is not None:
        yield f"break-even: both ways cost the same at {parts:,.0f} parts a month"
    if told.break_even_per_1000 is not None:
        price = short(told.break_even_per_1000)
        yield f"break-even: and at a price of {price} for 1,000 images in the cloud"
    if any(one.unit == "money" and one.source == "assumed" for one in report.inputs):
        yield "money: assumed prices are placeholders and no quotation; what follows from them too"
    yield from report.facts
    rule = {
        "yes": "pixels may leave",
        "no": "pixels may not leave",
        "region": "pixels may leave for a cloud in the region"
        + (", and it is there" if report.cloud_in_region else ", and it is not said to be there"),
    }[report.pixels_may_leave]
    if report.residency_source == "assumed":
        rule += " (assumed, --pixels-may-leave)"
    yield f"frames: {report.frame}, sent as {report.sends}; {rule}"
    yield f"latency at the edge: {report.edge_source}"
    assumed = [one.flag for one in report.inputs if one.source == "assumed"]
    yield (
        f"{len(assumed)} of {len(report.inputs)} numbers are assumptions, give your own: "
        + " ".join(assumed)
    )
