"""The ledger: every outcome, every finding, every total, in one SQLite file.

Promises: what `Ledger.commit` has returned survives a kill and a power cut; the same part is
recorded once however often it is sent; a review adds a revision and overwrites nothing; totals
rows are numbered without gaps and are counted from committed rows alone.
Never: has two writers. `Ledger` is for the one recording process; all others use `LedgerReader`,
which can neither write nor checkpoint (SQLite before 3.51.3 can damage a log that two connections
checkpoint).
"""

from inspector.devices.ledger.challenges import RecordedChallenge
from inspector.devices.ledger.departures import Departure
from inspector.devices.ledger.failing import CannotWrite, Damaged
from inspector.devices.ledger.reader import LedgerReader, RecordedPart
from inspector.devices.ledger.sums import Sums
from inspector.devices.ledger.writer import Ledger

__all__ = [
    "CannotWrite",
    "Damaged",
    "Departure",
    "Ledger",
    "LedgerReader",
    "RecordedChallenge",
    "RecordedPart",
    "Sums",
]
