"""What has been proven on this box: a small file for each model under each condition.

Promises: a stamp counts for exactly the facts it was made for; one that cannot be read counts for
nothing, so that the proof is made again.
Never: proves, or stops anything because a stamp cannot be kept.
"""

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

MOST = 200  # stamps kept

Facts = Mapping[str, str]


class Stamp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A proof that was made."""

    facts: dict[str, str]
    difference: float  # the largest of all references


class Stamps:
    """The stamps in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def holds(self, facts: Facts) -> bool:
        """True when these very facts have been proven here."""
        try:
            stamp = msgspec.json.decode(self._path(facts).read_bytes(), type=Stamp)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return False
        return stamp.facts == dict(facts)

    def keep(self, facts: Facts, difference: float) -> bool:
        """Note a proof. False when it cannot be kept: it will be made again, and no harm done."""
        path = self._path(facts)
        fresh = path.with_name(f".{path.name}-{os.getpid()}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            fresh.write_bytes(msgspec.json.encode(Stamp(dict(facts), difference)))
            fresh.replace(path)
            self._forget_oldest()
        except OSError:
            with suppress(OSError):
                fresh.unlink(missing_ok=True)
            return False
        return True

    def _forget_oldest(self) -> None:
        stamps = sorted(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
        for path in stamps[:-MOST]:
            path.unlink(missing_ok=True)

    def _path(self, facts: Facts) -> Path:
        """One file for each set of facts."""
        text = msgspec.json.encode(sorted(facts.items()))
        return self._folder / f"{hashlib.sha256(text).hexdigest()[:32]}.json"
