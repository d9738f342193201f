"""A reader of the journal's own protocol, and a journal to send to.

Promises: reads what systemd.io/JOURNAL_NATIVE_PROTOCOL says, and nothing else.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def parsed(entry: bytes) -> dict[str, str]:
    """The fields of one entry, each of them once. Raises ValueError where it is none."""
    found: dict[str, str] = {}
    while entry:
        line, _, rest = entry.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            length = int.from_bytes(rest[:8], "little")
            value, entry = rest[8 : 8 + length], rest[9 + length :]
            assert rest[8 + length : 9 + length] == b"\n"
        else:
            entry = rest
        assert name.decode() not in found
        found[name.decode()] = value.decode("utf-8")
    return found


@contextmanager
def journal(path: Path) -> Iterator[socket.socket]:
    """A journal that keeps what it is sent until it is read."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(path))
        channel.settimeout(5)
        yield channel
