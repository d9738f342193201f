"""The table of metrics in configs/mqtt/SPARKPLUG.md, from the program's own list.

`python -m support.sparkplug_page` (run in tests/) writes it into the page.
"""

from pathlib import Path

from inspector.domain.egress.sparkplug_metrics import METRICS, Datatype, Metric

PAGE = Path(__file__).parents[2] / "configs" / "mqtt" / "SPARKPLUG.md"
BEGIN, END = "<!-- metrics -->\n", "<!-- /metrics -->\n"
TYPES = {
    Datatype.INT64: "Int64",
    Datatype.DOUBLE: "Double",
    Datatype.BOOLEAN: "Boolean",
    Datatype.STRING: "String",
    Datatype.DATETIME: "DateTime",
}


def table() -> str:
    rows = [_row(metric) for metric in METRICS.values()]
    return "\n".join(("| of | metric | alias | type | what |", "|---|---|---|---|---|", *rows, ""))


def written() -> str:
    """The page with the table as it should be."""
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}{table()}{END}{rest.split(END)[1]}"


def _row(metric: Metric) -> str:
    alias = metric.alias or "none"
    kind = TYPES[metric.datatype]
    return f"| {metric.owner.value} | `{metric.name}` | {alias} | {kind} | {metric.about} |"


if __name__ == "__main__":
    PAGE.write_text(written(), encoding="utf-8")
