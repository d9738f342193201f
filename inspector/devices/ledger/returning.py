"""The ledger over an upgrade that may have to be undone: a copy before it, and the way back.

Promises: the copy is of a ledger that nobody writes, in one file, on the disk when the call
returns; a ledger that the previous program cannot use is set aside and never deleted; outcomes
that were committed into it are carried over, each once. All of it may be done again after a cut.
Never: is used while record runs.
"""

import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

from inspector.core.bundle_folder import flush
from inspector.core.errors import InspectorError, MaintainerError
from inspector.core.messages import Outcome
from inspector.devices.ledger import epochs, rows
from inspector.devices.ledger.lost import lost_ledger
from inspector.devices.ledger.opening import find_damage
from inspector.devices.ledger.reader import PARTS
from inspector.devices.ledger.reading import open_stopped
from inspector.devices.ledger.writer import Ledger

SPARE_BYTES = 64 << 20  # left on the disk besides the copy
PAGE = 1000
SENT = "totals of the release that was returned from had left; totals go on in a new stream"
_SINCE = PARTS.replace("outcome.id < ?", "outcome.id > ?").replace("id DESC", "id")


def require_room(ledger: Path) -> None:
    """Raises MaintainerError when the disk has no room for a copy."""
    needed = sum(_size(path) for path in (ledger, _log(ledger))) + SPARE_BYTES
    free = shutil.disk_usage(ledger.parent).free
    if free < needed:
        raise MaintainerError(
            f"{ledger.parent}: {needed >> 20} MB are needed for a copy of the ledger, {free >> 20} "
            "MB are free; make room"
        )


def copy_stopped(ledger: Path, copy: Path) -> None:
    """Copy a ledger that nobody writes. Raises MaintainerError."""
    shutil.rmtree(copy.parent, ignore_errors=True)
    copy.parent.mkdir(mode=0o700)
    for source, target in ((_log(ledger), _log(copy)), (ledger, copy)):
        if source.exists():
            _duplicate(source, target)
    if copy.exists():
        _settle(copy)
        flush(copy)
    flush(copy.parent)


def version_of(ledger: Path) -> int | None:
    """The version of its tables; None where there is no ledger, or none that can be read."""
    if not ledger.exists():
        return None
    with suppress(sqlite3.Error), closing(open_stopped(ledger)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
    return None


def is_whole(ledger: Path) -> bool:
    """False when this program cannot use it."""
    try:
        return find_damage(ledger) is None
    except InspectorError:
        return False


def give_back(ledger: Path, copy: Path, aside: Path) -> None:
    """Set the ledger aside and put the copy in its place."""
    if ledger.exists():
        with suppress(sqlite3.Error):
            _settle(ledger)
        ledger.replace(aside)
    if _log(ledger).exists():
        _log(ledger).replace(_log(aside))
    ledger.with_name(ledger.name + "-shm").unlink(missing_ok=True)
    draft = ledger.with_name(f"{ledger.name}.returned")
    draft.unlink(missing_ok=True)
    _duplicate(copy, draft)
    flush(draft)
    draft.replace(ledger)
    flush(ledger.parent)


def forget(folder: Path) -> None:
    """The copy is not needed any more."""
    shutil.rmtree(folder, ignore_errors=True)


def carry_over(aside: Path, ledger: Ledger, copy: Path) -> int:
    """Record outcomes of the ledger set aside that the copy has not. Returns how many were new.
    Raises MaintainerError when they cannot be read."""
    carried = 0
    try:
        for outcomes in _since(aside, _last(copy)):
            carried += len(ledger.commit([(outcome, True) for outcome in outcomes]))
    except (sqlite3.Error, ValueError, TypeError, KeyError) as error:
        raise MaintainerError(f"{aside}: its outcomes cannot be read ({error})") from None
    return carried


def part_ways(aside: Path, ledger: Ledger, copy: Path, wall_ns: int) -> bool:
    """Nothing is to leave the station while a release is on trial. Should the ledger set aside show
    that totals have left all the same, what comes now is of another identity, and what has left is
    not counted again. True when that is so. Raises CannotWrite or Damaged."""
    with suppress(sqlite3.Error), closing(open_stopped(copy)) as before, lost_ledger(aside) as lost:
        identity, reached = epochs.newest(before).ledger, epochs.reached(before)
        if lost.has_sent(*reached):
            with closing(open_stopped(ledger.path)) as now:
                due = epochs.due_windows(now, lost)
            return ledger.write(lambda db: _parted(db, identity, wall_ns, due))
    return False


def _parted(db: sqlite3.Connection, identity: str, wall_ns: int, due: epochs.Due) -> bool:
    if epochs.newest(db).ledger == identity:  # else it was done before a power cut
        epochs.begin_next(db, wall_ns, SENT, due)
    return True


def _since(ledger: Path, last: int) -> Iterator[Sequence[Outcome]]:
    with closing(open_stopped(ledger)) as connection:
        while page := connection.execute(_SINCE, (last, PAGE)).fetchall():
            # Before the part's number stand the columns of the outcome.
            yield [rows.outcome_of(row[:-5]) for row in page]
            last = page[-1][-5]


def _last(ledger: Path) -> int:
    with closing(open_stopped(ledger)) as connection:
        return int(connection.execute("SELECT coalesce(max(id), 0) FROM outcome").fetchone()[0])


def _settle(ledger: Path) -> None:
    """Move what is in its log into the file."""
    with closing(sqlite3.connect(ledger)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()


def _duplicate(source: Path, target: Path) -> None:
    """With its owner, and without a second copy of the data where the file system can do that."""
    command = ["cp", "--reflink=auto", "--preserve=mode,ownership", str(source), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MaintainerError(f"{target}: cannot be written ({done.stderr.strip()})")


def _log(ledger: Path) -> Path:
    return ledger.with_name(f"{ledger.name}-wal")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
