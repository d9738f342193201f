"""What can be wrong with a ledger that is written: it may pass, or the file is damaged.

Promises: whoever catches one knows whether trying again may help.
Never: hides which file it is.
"""

from inspector.core.errors import MaintainerError


class CannotWrite(MaintainerError):
    """Nothing was written; the same may succeed later. `full`: for want of room."""

    def __init__(self, text: str, full: bool = False) -> None:
        super().__init__(text)
        self.full = full


class Damaged(MaintainerError):
    """The file itself is damaged; opening it again sets it aside."""
