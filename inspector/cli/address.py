"""Where a line's screen is, as soon as it listens.

Never: looks for the screen of another run.
"""

from pathlib import Path

import msgspec

from inspector.core.paths import Paths


class Address(msgspec.Struct):
    """`ui.json`."""

    url: str


class Waiting:
    """Tells where a station's screen is as soon as it listens."""

    def __init__(self, paths: Paths) -> None:
        self._path: Path | None = paths.screen
        paths.screen.unlink(missing_ok=True)

    def look(self) -> str | None:
        """The address, once."""
        if self._path is None or not self._path.is_file():
            return None
        try:
            url = msgspec.json.decode(self._path.read_bytes(), type=Address).url
        except (OSError, msgspec.MsgspecError):
            return None
        self._path = None
        return url
