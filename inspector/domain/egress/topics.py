"""Where everything goes and comes from: the topics of one station (ISA-95, a unified name space).

Promises: `ENTERPRISE/SITE/AREA/LINE/CELL/vision/v1/...`, from names that hold no wildcard, no
slash and no empty level; what is answered is answered below the station's own `reply/`.
Never: another root.
"""

import re
from dataclasses import dataclass

ASIDE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")


@dataclass(frozen=True)
class Topics:
    """Of one device, by its DeviceId."""

    device: str

    @property
    def root(self) -> str:
        return f"{self.device}/vision/v1"

    @property
    def totals(self) -> str:
        return f"{self.root}/totals"

    @property
    def state(self) -> str:
        return f"{self.root}/state"

    @property
    def events(self) -> str:
        return f"{self.root}/events"

    @property
    def ack(self) -> str:
        """Where the receiver says how far it has got."""
        return f"{self.root}/ack"

    @property
    def command(self) -> str:
        return f"{self.root}/command"

    @property
    def reply(self) -> str:
        """The answer to a command without a response topic."""
        return f"{self.root}/reply"

    def reply_to(self, asked: str) -> str | None:
        """The response topic of a command, or None where it is not the station's to use."""
        if not asked or asked == self.reply:
            return self.reply
        head, _, tail = asked.rpartition("/")
        return asked if head == self.reply and ASIDE.match(tail) else None
