"""What was refused, and to whom: noted in the audit chain, but not without bounds.

Promises: every refusal is noted, or counted in the next note; a flood of one person's refusals, or
of strangers', hides nobody else's and cannot fill the disk.
Never: is in the way of the answer: a note that cannot be written is counted too.
"""

from collections.abc import Mapping

from inspector.core.clock import SECOND, Clock
from inspector.devices.ledger import CannotWrite, Ledger
from inspector.domain.rate_limit import RateLimit

BURST = 20
EVERY_NS = 60 * SECOND  # a flood of a whole day takes less than a megabyte
STRANGER = ""  # who is not known has no name


class Refusals:
    """The notes of one run of record."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._allowances: dict[str, RateLimit] = {}

    def note(
        self,
        ledger: Ledger,
        who: str,
        action: str,
        detail: Mapping[str, str],
        group: str = STRANGER,
        always: bool = False,
    ) -> None:
        """Note a refusal. `group`: whose allowance it takes, a listed person's or the strangers';
        `always`: whether or not there is any left. Raises Damaged."""
        allowance = self._allowance(group)
        if always or allowance.take(self._clock.monotonic_ns()):
            self._write(ledger, allowance, who, action, detail)

    def tidy(self, ledger: Ledger) -> None:
        """Say how many were left out, once there is an allowance again; to be called about once
        a second. Raises Damaged."""
        now = self._clock.monotonic_ns()
        for group, allowance in self._allowances.items():
            if allowance.left_out and allowance.ready(now):
                allowance.take(now)
                self._write(ledger, allowance, group, "refused", {"code": "many"})

    def _write(
        self, ledger: Ledger, allowance: RateLimit, who: str, action: str, detail: Mapping[str, str]
    ) -> None:
        more = {"left_out": str(allowance.left_out)} if allowance.left_out else {}
        try:
            ledger.audit(who, action, {**detail, **more}, self._clock.wall_ns())
        except CannotWrite:
            allowance.left_out += 1
        else:
            allowance.left_out = 0

    def _allowance(self, group: str) -> RateLimit:
        if group not in self._allowances:
            self._allowances[group] = RateLimit(BURST, EVERY_NS, self._clock.monotonic_ns())
        return self._allowances[group]
