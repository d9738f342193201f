"""A network of its own for what stands at the plant's end of the cable: a namespace behind a veth.

Promises: what listens in the namespace is reached at `Link.far` and nowhere else; `cut` is the
cable pulled at the far end: packets vanish, and nobody is told. `lose` drops the given share of
the packets in each direction, drawn anew for each, and counts them.
Never: changes a rule, a route or a device of the machine's own besides the one veth; both ends and
all rules go with the namespace.
"""

import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import pytest

SBIN = "/usr/sbin:/sbin:/usr/bin:/bin:/usr/local/sbin:/usr/local/bin"
TOOLS = {"ip": "iproute2", "nft": "nftables"}
_numbers = itertools.count()

# The share is of a hundred; a rule counts what passes it, so behind a match it counts the drops.
LOSS = """table inet plant {{
  chain in {{ type filter hook input priority 0
    iifname {device} numgen random mod 100 < {percent} counter drop
  }}
  chain out {{ type filter hook output priority 0
    oifname {device} numgen random mod 100 < {percent} counter drop
  }}
}}
"""


@cache
def lacking() -> str:
    """What there is not, to make networks here; empty where all is there."""
    for tool, package in TOOLS.items():
        if not _found(tool):
            return f"{tool} is not installed (apt-get install {package})"
    if os.geteuid():
        return "only root may make network namespaces"
    name = f"probe{os.getpid()}"
    made = subprocess.run([_found("ip"), "netns", "add", name], capture_output=True, text=True)
    if made.returncode:
        return f"no network namespace can be made: {made.stderr.strip()}"
    rules = subprocess.run(
        [*_inside(name), _found("nft"), "-f", "-"],
        input=LOSS.format(device="lo", percent=1),
        capture_output=True,
        text=True,
    )
    subprocess.run([_found("ip"), "netns", "del", name], check=True)
    return f"nft cannot drop at random: {rules.stderr.strip()}" if rules.returncode else ""


def needs_network() -> pytest.MarkDecorator:
    """Skip where no network can be made, saying what is absent."""
    return pytest.mark.skipif(bool(lacking()), reason=lacking() or "all there")


class Link:
    """A namespace, and the cable to it."""

    def __init__(self) -> None:
        number = next(_numbers)
        self.name = f"plant{os.getpid()}-{number}"
        self._near_device = f"pn{os.getpid()}-{number}"
        self._far_device = f"pf{os.getpid()}-{number}"
        # 198.18.0.0/15 is kept for benchmarks; of it four addresses by process and number.
        block = (os.getpid() * 16 + number) % 0x7FFF
        base = (198 << 24) + (18 << 16) + 4 * block
        self.near, self.far = _dotted(base + 1), _dotted(base + 2)

    @property
    def inside(self) -> list[str]:
        """What to put before a command that is to run at the far end."""
        return _inside(self.name)

    def make(self) -> None:
        near, far = self._near_device, self._far_device
        _ip("netns", "add", self.name)
        _ip("link", "add", near, "type", "veth", "peer", "name", far, "netns", self.name)
        _ip("addr", "add", f"{self.near}/30", "dev", near)
        _ip("link", "set", near, "up")
        _ip("-n", self.name, "addr", "add", f"{self.far}/30", "dev", far)
        _ip("-n", self.name, "link", "set", "lo", "up")
        self.restore()

    def remove(self) -> None:
        """With all that is in it; what still runs there must have ended."""
        _ip("netns", "del", self.name)

    def cut(self) -> None:
        _ip("-n", self.name, "link", "set", self._far_device, "down")

    def restore(self) -> None:
        _ip("-n", self.name, "link", "set", self._far_device, "up")

    @contextmanager
    def losing(self, percent: int) -> Iterator[None]:
        """Lose so many of a hundred packets in each direction for a while; some must be lost."""
        self._nft("-f", "-", text=LOSS.format(device=self._far_device, percent=percent))
        try:
            yield
            assert self._dropped() > 0, "no packet was there to lose"
        finally:
            self._nft("delete", "table", "inet", "plant")

    def _dropped(self) -> int:
        """Packets lost so far."""
        words = self._nft("list", "table", "inet", "plant").split()
        return sum(int(words[at + 1]) for at, word in enumerate(words) if word == "packets")

    def _nft(self, *arguments: str, text: str = "") -> str:
        return _run([*self.inside, _found("nft"), *arguments], text)


@contextmanager
def link() -> Iterator[Link]:
    """A namespace behind a cable, gone afterwards."""
    one = Link()
    one.make()
    try:
        yield one
    finally:
        one.remove()


def _inside(name: str) -> list[str]:
    return [_found("ip"), "netns", "exec", name]


def _found(tool: str) -> str:
    return shutil.which(tool, path=SBIN) or ""


def _ip(*arguments: str) -> None:
    _run([_found("ip"), *arguments])


def _run(command: list[str], text: str = "") -> str:
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    assert not done.returncode, f"{' '.join(command)}: {done.stderr.strip()}"
    return done.stdout


def _dotted(number: int) -> str:
    return ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))
