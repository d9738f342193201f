"""What the desk knows of people: who is listed, who has logged in, who has guessed.

Promises: wrong PINs count over a restart of record; what a restart forgets are the sessions.
Never: keeps anything of its own on the disk: the tries are those that the audit chain tells of.
"""

from dataclasses import dataclass

from inspector.core.clock import SECOND, Clock
from inspector.core.config import Ui
from inspector.core.paths import Paths
from inspector.devices.console import Console, open_console
from inspector.devices.ledger import CannotWrite, Ledger
from inspector.devices.ledger.chain import tries
from inspector.domain.lockout import FORGOTTEN_NS, Lockout
from inspector.domain.sessions import Sessions
from inspector.services.record.people_file import PeopleFile


@dataclass(frozen=True)
class Access:
    """Of one run of record."""

    listing: PeopleFile
    console: Console
    sessions: Sessions
    lockout: Lockout


def open_access(paths: Paths, ui: Ui, ledger: Ledger, clock: Clock) -> Access:
    """A new console key, no sessions, and the tries of before. Raises MaintainerError."""
    listing = PeopleFile(paths.people)
    return Access(
        listing,
        open_console(paths.console_key),
        Sessions(ui.logout_s * SECOND),
        _tries_of_before(ledger, listing, clock),
    )


def _tries_of_before(ledger: Ledger, listing: PeopleFile, clock: Clock) -> Lockout:
    lockout, now, wall = Lockout(), clock.monotonic_ns(), clock.wall_ns()
    try:
        found = tries(ledger, wall - 2 * FORGOTTEN_NS)
    except CannotWrite:  # it starts all the same, and tells of its ledger elsewhere
        return lockout
    for one in found:
        # The clock may have been set back since: then it counts as of now.
        at = now - max(0, wall - one.wall_ns)
        if one.right:
            lockout.right(one.name)
        else:
            lockout.tried(one.name, at, listing.people)
    return lockout
