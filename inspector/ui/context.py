"""What the routes share: one of each, made once.

Promises: routes get all they need from here and hold nothing themselves.
Never: does anything but say what is made now.
"""

from dataclasses import dataclass

from inspector.core.config import StationConfig
from inspector.core.current import read_current
from inspector.core.paths import Paths
from inspector.ui.control import Control
from inspector.ui.feed import Feed
from inspector.ui.ledger_access import LedgerAccess
from inspector.ui.pictures import Pictures, Rings
from inspector.ui.pool import Pool


@dataclass(frozen=True)
class Context:
    """All that one server has."""

    config: StationConfig
    paths: Paths
    feed: Feed
    control: Control
    ledger: LedgerAccess
    pictures: Pictures
    drawing: Pool[Rings]  # disk and JPEG

    def recipe_now(self) -> str:
        """The recipe in force, as far as is known."""
        live = self.feed.live
        return live.recipe if live else read_current(self.paths.current, self.config.line).recipe
