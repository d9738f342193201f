"""Each of our messages, read by the specification's own decoder in JavaScript."""

from pathlib import Path
from typing import Any

from support.publishing import line_status
from support.sparkplug import decoded

from inspector.core.terms import Cause, Kind
from inspector.devices.sparkplug import encode
from inspector.domain.egress.letter import MAX_BYTES
from inspector.domain.egress.sparkplug import (
    Group,
    SparkplugMessage,
    Verb,
    death,
    sparkplug_letter,
)
from inspector.domain.egress.sparkplug_metrics import METRICS, Datatype
from inspector.domain.sparkplug.values import (
    birth_groups,
    live_groups,
    node_values,
    past_groups,
)
from inspector.domain.tally import Cycle, Latency, Totals, TotalsRow

TYPES = {
    Datatype.INT64: "Int64",
    Datatype.DOUBLE: "Double",
    Datatype.BOOLEAN: "Boolean",
    Datatype.STRING: "String",
    Datatype.DATETIME: "DateTime",
}
# As large as a row can be: all that can be counted, and words of their full length.
ROW = TotalsRow(
    ledger="a" * 32,
    row=2**53 - 1,
    start_s=1_700_000_000,
    end_s=1_700_000_060,
    recipe="r" * 64,
    lot="l" * 32,
    model="m" * 64 + "@0123456789ab",
    revision=2**53 - 1,
    totals=Totals(
        counts=dict.fromkeys(Kind, 2**50),
        causes=dict.fromkeys(Cause, 2**50),
        first_pass=2**53 - 1,
        reviewed=2**53 - 1,
        overkill=2**53 - 1,
        escape=2**53 - 1,
        latency=Latency(1_234_567, 2_345_678, 3_456_789),
        cycle=Cycle(1_000_001, 2_000_002),
    ),
    cumulative=dict.fromkeys(Kind, 2**50),
)
STATUS = line_status(recipe="r" * 64, lot="l" * 32, model=ROW.model)
NODE = node_values(255, "/".join(["e" * 64] * 5), "0.1.0", 2**53 - 1)


def message(verb: Verb, seq: int, groups: tuple[Group, ...]) -> SparkplugMessage:
    return SparkplugMessage(verb=verb, timestamp=1_700_000_061_000, seq=seq, groups=groups)


MESSAGES = (
    death(255),
    message(Verb.NBIRTH, 0, (Group(at=5, values=NODE),)),
    message(Verb.NDATA, 7, (Group(at=5, values={"Node/Commands Refused": 9}),)),
    message(Verb.DBIRTH, 1, birth_groups(STATUS, ROW, ROW, 1_700_000_061_000)),
    message(Verb.DBIRTH, 1, birth_groups(None, None, None, 1_700_000_061_000)),
    message(Verb.DDATA, 2, live_groups(ROW, False, 1_700_000_061_000)),
    message(Verb.DDATA, 3, live_groups(ROW, True, 1_700_000_061_000)),
    message(Verb.DDATA, 255, past_groups(ROW, False)),
    message(Verb.DDATA, 0, past_groups(ROW, True)),
)


def test_the_specifications_own_decoder_reads_every_message(peer: Path) -> None:
    letters = [sparkplug_letter(one, "spBv1.0/g/x/n", encode) for one in MESSAGES]
    assert max(letter.bytes for letter in letters) <= MAX_BYTES
    found = decoded(peer, [bytes(letter.payload) for letter in letters])
    for one, payload in zip(MESSAGES, found, strict=True):
        assert payload.get("timestamp") == one.timestamp
        assert payload.get("seq") == one.seq
        assert [_of(metric) for metric in payload["metrics"]] == _told(one)


def _of(metric: dict[str, Any]) -> tuple[Any, ...]:
    return (
        metric.get("name") or _name(metric["alias"]),
        metric["type"],
        metric.get("value"),
        metric.get("timestamp"),
        metric.get("isHistorical", False),
    )


def _told(one: SparkplugMessage) -> list[tuple[Any, ...]]:
    return [
        (name, TYPES[METRICS[name].datatype], value, group.at, group.historical)
        for group in one.groups
        for name, value in group.values.items()
    ]


def _name(alias: int) -> str:
    return next(name for name, metric in METRICS.items() if metric.alias == alias)
