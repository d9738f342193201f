"""inspector audit: what people have changed, and the proof that nobody has changed that."""

import argparse
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from inspector.cli.screen import REMARK, add_root, command, print_json, results, table, whole
from inspector.core.clock import SECOND
from inspector.core.errors import OperatorError
from inspector.core.paths import of_root
from inspector.devices.ledger.chain import entries, newest
from inspector.domain.audit import Break, Entry, first_break

_KEPT = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})")


def add(commands: Any) -> None:
    top = commands.add_parser(
        "audit",
        help="what people have changed, and the proof of it",
        description="What people have changed at the station, and the proof that nobody has "
        "changed that since.",
        epilog="example:\n  inspector audit verify --root /srv/station",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    group = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    made = _one(
        group,
        "verify",
        "prove the chain, or name its first broken link; needs no running line",
        "inspector audit verify --file backup/ledger.db",
    )
    made.add_argument(
        "--kept",
        type=_kept,
        metavar="ID:HASH",
        help="an entry as `verify` once named it: shows whether the end was cut off, or all "
        "written anew",
    )
    made.set_defaults(command=_verify)
    made = _one(
        group,
        "show",
        "the newest entries",
        "inspector audit show --root /srv/station --limit 50",
    )
    made.add_argument("--limit", type=whole(1, 100_000), default=20, metavar="N")
    made.set_defaults(command=_show)


def _one(group: Any, name: str, summary: str, example: str) -> argparse.ArgumentParser:
    made = command(group, name, summary, example)
    add_root(made)
    made.add_argument("--file", type=Path, metavar="LEDGER", help="a copy of a ledger instead")
    return made


def _kept(text: str) -> tuple[int, str]:
    """An argument's type. Raises ArgumentTypeError."""
    if found := _KEPT.fullmatch(text.strip()):
        return int(found[1]), found[2]
    raise argparse.ArgumentTypeError(f"{text!r}: ID:HASH is wanted, as `verify` prints it")


class _Passing:
    """The entries that pass by: how many, the last, and the one that was kept."""

    def __init__(self, kept: int | None) -> None:
        self.count = 0
        self.last: Entry | None = None
        self.found = ""  # the hash of the kept one
        self._kept = kept

    def by(self, chain: Iterable[Entry]) -> Iterator[Entry]:
        for entry in chain:
            self.count += 1
            self.last = entry
            if entry.id == self._kept:
                self.found = entry.hash
            yield entry


def _verify(arguments: argparse.Namespace) -> int:
    file = _file(arguments)
    kept_id, kept_hash = arguments.kept or (None, "")
    passing = _Passing(kept_id)
    broken = first_break(passing.by(entries(file)))
    problem = _explained(broken) if broken else ""
    if not problem and passing.found != kept_hash:
        gone = "is not there" if not passing.found else "has another hash"
        problem = f"entry {kept_id} {gone}: the chain was cut off or written anew since it was kept"
    if arguments.json:
        print_json(_proof(file, passing, broken, problem))
        return OperatorError.exit_code if problem else 0
    if problem:
        raise OperatorError(f"{file}: {problem}")
    results.print(_whole(file, passing))
    return 0


def _whole(file: Path, passing: _Passing) -> str:
    if passing.last is None:
        return f"{file}: the chain has no entry yet"
    last = passing.last
    return (
        f"{file}: the chain of {passing.count} entries is whole, up to {_when(last.wall_ns)}\n"
        "keep this elsewhere, to see later that nothing before it was changed:\n"
        f"  --kept {last.id}:{last.hash}"
    )


def _explained(broken: Break) -> str:
    one = broken.entry
    who, action = _plain(one.who) or "nobody", _plain(one.action)
    return f"entry {one.id} ({_when(one.wall_ns)}, {who}, {action}): {broken.what}"


def _proof(file: Path, passing: _Passing, broken: Break | None, problem: str) -> dict[str, Any]:
    last = passing.last
    return {
        "file": str(file),
        "whole": not problem,
        "entries": passing.count,  # up to the broken one
        "problem": problem,
        "broken": {"what": broken.what, "entry": broken.entry} if broken else None,
        "kept": f"{last.id}:{last.hash}" if last and not problem else "",
    }


def _show(arguments: argparse.Namespace) -> int:
    found = newest(_file(arguments), arguments.limit)
    if arguments.json:
        print_json({"entries": found})
    elif not found:
        results.print("nobody has changed anything yet")
    else:
        results.print(table("", ("entry", "time (UTC)", "who", "what", REMARK), map(_row, found)))
    return 0


def _row(entry: Entry) -> tuple[object, ...]:
    words = (_plain(text) for text in (entry.who, entry.action, entry.detail))
    return entry.id, _when(entry.wall_ns), *words


def _plain(text: str) -> str:
    """Whoever gave a name at a login chose it: nothing in it may steer the terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _file(arguments: argparse.Namespace) -> Path:
    return arguments.file or of_root(arguments.root).ledger


def _when(wall_ns: int) -> str:
    try:
        return f"{datetime.fromtimestamp(wall_ns // SECOND, UTC):%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError):
        return f"{wall_ns} ns"
