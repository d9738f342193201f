"""Settings of how a station looks after itself: what it keeps, its backups, its share of the box.

Promises: as `config`: every setting once, strict, with its bounds and its default.
Never: lets totals that have not been delivered be deleted by age.
"""

from typing import Annotated

from msgspec import Meta

from inspector.core.section import FolderName, Section

Days = Annotated[int, Meta(ge=1, le=36_500)]


class Retention(Section, frozen=True, kw_only=True):
    """How long the ledger keeps what, and how large it may grow. What is older goes; so does the
    oldest beyond ledger_mb. Totals that have not been delivered stay, and so does the audit chain.
    """

    parts_days: Days = 365  # outcomes, with their scores and reviews
    totals_days: Days = 3650  # windows, once delivered
    departures_days: Days = 90  # word for word what has left
    events_days: Days = 365
    ledger_mb: Annotated[int, Meta(ge=64, le=16_777_216)] = 16_384


class Backup(Section, frozen=True, kw_only=True):
    """Where backups of ledger and configuration go, and how many stay."""

    folder: FolderName | None = None  # none: `backups` in the state folder; another disk is better
    keep: Annotated[int, Meta(ge=1, le=1000)] = 7


class Host(Section, frozen=True, kw_only=True):
    """The box's share for the line. `inspector units` hands it to systemd."""

    line_cpus: Annotated[str, Meta(pattern=r"^([0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*)?\Z")] = ""
    realtime: bool = False  # capture, detect and gate before all that is not (SCHED_RR)
