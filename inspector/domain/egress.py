"""What may leave the station: one closed type, and the one way it becomes bytes.

Promises: only the fields of `Totals` leave, each typed and bounded, at most MAX_BYTES a message
and, in the long run, MESSAGES_PER_S a second. A total whose sums do not add up does not leave.
Never: lets bytes, a free text or an unknown field through.

The only word in a message that somebody types while the line runs is the lot. It leaves as it is
only in at most LOT_CHARS letters, digits, dots, underscores and dashes (GS1 allows a batch number
20 characters). Any other word leaves as `sha256-` and 16 digits of its hash: its parts are still
counted, and whoever knows the lot can find it. Pixels spelled as lots would leave at LOT_CHARS
times MESSAGES_PER_S characters a second at most, in as many rows of the ledger. What a person
types about a defect does not leave at all.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, NewType

import msgspec
from msgspec import Meta, Struct

from inspector.core.clock import SECOND
from inspector.core.config import Station
from inspector.core.errors import EngineerError
from inspector.core.terms import Cause, Kind
from inspector.domain.rate_limit import RateLimit
from inspector.domain.tally import TotalsRow

MAX_BYTES = 4096
LOT_CHARS = 32
MESSAGES_PER_S = 20.0
BURST = 200

# `\Z` and not `$`, which would let a line feed through at the end.
Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")]
Count = Annotated[int, Meta(ge=0, le=2**53 - 1)]  # whole in every JSON reader
Stream = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
Instant = Annotated[str, Meta(pattern=r"^[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}Z\Z")]
HASHED = "sha256-[0-9a-f]{16}"
RecipeName = Annotated[str, Meta(pattern=r"^([A-Za-z0-9][A-Za-z0-9_-]{0,63})?\Z")]
Lot = Annotated[str, Meta(pattern=rf"^[A-Za-z0-9._-]{{0,{LOT_CHARS}}}\Z")]
ModelId = Annotated[str, Meta(pattern=rf"^([a-z0-9][a-z0-9_-]{{0,63}}@[0-9a-f]{{12}}|{HASHED})?\Z")]
Milliseconds = Annotated[float, Meta(ge=0, le=86_400_000)]

Payload = NewType("Payload", bytes)  # bytes that may leave; made by `to_payload` alone


class Closed(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of what may leave."""


class Device(Closed, frozen=True, kw_only=True):
    """Which station this is, by the levels of ISA-95."""

    enterprise: Name
    site: Name
    area: Name
    line: Name
    cell: Name


class KindCounts(Closed, frozen=True, kw_only=True, rename={"pass_": "pass"}):
    """Parts by what happened to them."""

    pass_: Count
    fail: Count
    review: Count
    fault: Count

    @property
    def parts(self) -> int:
        return self.pass_ + self.fail + self.review + self.fault


class CauseCounts(Closed, frozen=True, kw_only=True):
    """Faults by their cause."""

    late: Count
    lost: Count
    camera: Count
    frame: Count
    overrun: Count
    overload: Count
    engine: Count
    model: Count
    record: Count
    paused: Count

    @property
    def faults(self) -> int:
        return sum(getattr(self, cause) for cause in Cause)


class Latency(Closed, frozen=True, kw_only=True):
    """Trigger to output, milliseconds, over the window's parts; all 0 where there are none."""

    p50_ms: Milliseconds
    p95_ms: Milliseconds
    max_ms: Milliseconds


class Totals(Closed, frozen=True, kw_only=True):
    """One window's totals of one recipe, lot and model. `(device, stream, seq)` is unique: a
    receiver that meets it twice counts it once. A higher `revision` of the same window, recipe,
    lot and model replaces the lower one."""

    schema: Literal[1] = 1
    device: Device
    stream: Stream  # the ledger's own identity
    seq: Count  # without gaps within the stream
    revision: Count
    start: Instant
    end: Instant
    recipe: RecipeName
    lot: Lot
    model: ModelId
    counts: KindCounts  # of this window
    causes: CauseCounts  # of this window
    cumulative: KindCounts  # of the whole stream, up to this row
    latency: Latency


def device_of(station: Station) -> Device:
    """The station's names as they leave."""
    return msgspec.convert(station, Device, from_attributes=True)


def topic_of(device: Device) -> str:
    """Where the totals of this device are published."""
    names = (device.enterprise, device.site, device.area, device.line, device.cell)
    return "/".join((*names, "vision/v1/totals"))


def safe_lot(lot: str) -> str:
    """The lot as it may leave: itself, or `sha256-` and the first 16 digits of its hash."""
    return _safe(lot, Lot)


def rfc3339(second: int) -> str:
    """A second since 1970-01-01 as a date and time in UTC."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def totals_of(device: Device, row: TotalsRow) -> Totals:
    """The totals that leave for one committed row."""
    counted, latency = row.totals, row.totals.latency
    return Totals(
        device=device,
        stream=row.ledger,
        seq=row.row,
        revision=row.revision,
        start=rfc3339(row.start_s),
        end=rfc3339(row.end_s),
        recipe=_safe(row.recipe, RecipeName),
        lot=safe_lot(row.lot),
        model=_safe(row.model, ModelId),
        counts=kind_counts(counted.counts),
        causes=cause_counts(counted.causes),
        cumulative=kind_counts(row.cumulative),
        latency=Latency(
            p50_ms=latency.p50_us / 1000, p95_ms=latency.p95_us / 1000, max_ms=latency.max_us / 1000
        ),
    )


def kind_counts(counts: Mapping[Kind, int]) -> KindCounts:
    """Counts by kind, 0 for a kind that is not there."""
    return KindCounts(
        pass_=counts.get(Kind.PASS, 0),
        fail=counts.get(Kind.FAIL, 0),
        review=counts.get(Kind.REVIEW, 0),
        fault=counts.get(Kind.FAULT, 0),
    )


def cause_counts(counts: Mapping[Cause, int]) -> CauseCounts:
    """Counts by cause, 0 for a cause that is not there."""
    return CauseCounts(**{cause.value: counts.get(cause, 0) for cause in Cause})


def to_payload(totals: Totals) -> Payload:
    """The totals as JSON, at most MAX_BYTES. Raises EngineerError when they may not leave."""
    checked = _checked(totals)
    _check_sums(checked)
    data = msgspec.json.encode(checked)
    if len(data) > MAX_BYTES:
        raise EngineerError(
            f"totals row {checked.seq}: {len(data)} bytes, {MAX_BYTES} may leave; it does not"
        )
    return Payload(data)


def _check_sums(totals: Totals) -> None:
    faults, causes = totals.counts.fault, totals.causes.faults
    if faults != causes:
        raise EngineerError(
            f"totals row {totals.seq}: {faults} faults, but {causes} causes; it does not leave"
        )
    if totals.counts.parts > totals.cumulative.parts:
        raise EngineerError(
            f"totals row {totals.seq}: {totals.counts.parts} parts in the window, but only "
            f"{totals.cumulative.parts} in all; it does not leave"
        )


def _safe(word: str, kind: Any) -> str:
    """The word, or its hash where it is no `kind`."""
    try:
        return str(msgspec.convert(word, kind, strict=True))
    except msgspec.ValidationError:
        digest = hashlib.sha256(word.encode("utf-8", "surrogatepass")).hexdigest()
        return f"sha256-{digest[:16]}"


def _checked(totals: Totals) -> Totals:
    """A copy built by the strict decoder: constructors check nothing, and a subclass might carry
    more. Bytes stay bytes on the way, so they are refused instead of spelled as text."""
    try:
        plain = msgspec.to_builtins(totals, builtin_types=(bytes, bytearray, memoryview))
        return msgspec.convert(plain, Totals, strict=True)
    except (msgspec.ValidationError, TypeError, ValueError) as error:
        raise EngineerError(f"totals that may not leave: {error}") from None


def rate_limit(now_ns: int) -> RateLimit:
    """How often something may leave: BURST at once, MESSAGES_PER_S in the long run."""
    return RateLimit(BURST, int(SECOND / MESSAGES_PER_S), now_ns)
