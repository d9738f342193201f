"""The part of the units that `inspector units` writes, on this box: reading, comparing, putting in
place.

Promises: a file is there whole or not at all; only files of our own name are written or removed;
what is enabled or disabled is what a plan names.
Never: starts or stops a unit, or touches what a maintainer has written beside it.
"""

import os
import socket
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

from inspector.core.errors import MaintainerError
from inspector.domain.units import SCREEN, TOUCHSCREEN, Box, Plan

SYSTEM = Path("/etc/systemd/system")
RUNNING = Path("/run/systemd/system")  # there while systemd is PID 1
RESOLVERS = Path("/etc/resolv.conf")
FILE = "50-station.conf"
WANTS = "inspector.target.wants"
BROWSERS = (Path("/usr/bin/weston"), Path("/usr/bin/chromium"))
GRAPHICS = Path("/dev/dri")
PATIENCE_S = 30.0


def this_box() -> Box:
    """The facts that a plan needs."""
    return Box(
        cpus=frozenset(range(os.cpu_count() or 1)),
        resolve=addresses,
        name_servers=tuple(_name_servers()),
        touchscreen=all(path.exists() for path in BROWSERS),
        graphics=any(GRAPHICS.glob("renderD*")),
    )


def addresses(host: str) -> tuple[str, ...]:
    """The addresses of a host's name, sorted; an address is its own, a name that nobody knows now
    has none."""
    with suppress(ValueError):
        return (str(ip_address(host.strip("[]").partition("%")[0])),)
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, ValueError):  # of what cannot be a name at all
        return ()
    return tuple(sorted({str(one[4][0]).partition("%")[0] for one in found}))


def _name_servers() -> Iterator[str]:
    with suppress(OSError):
        for line in RESOLVERS.read_text(encoding="utf-8", errors="replace").splitlines():
            word, *rest = line.split()[:2] or [""]
            if word == "nameserver" and rest:
                yield from addresses(rest[0])


def differences(plan: Plan, system: Path = SYSTEM) -> list[str]:
    """What is not as planned, one line each."""
    found = [
        f"{_place(system, unit)}: is not what station.toml asks for"
        for unit, text in plan.drop_ins.items()
        if _text(_place(system, unit)) != text
    ]
    found += [f"{path}: is no longer asked for" for path in _left_over(plan, system)]
    wanted, there = plan.enabled, _enabled(system)
    found += [f"{unit}: is not enabled" for unit in sorted(wanted - there)]
    return found + [f"{unit}: is enabled without need" for unit in sorted(there - wanted)]


def put_in_place(plan: Plan, system: Path = SYSTEM) -> None:
    """Make it as planned, and have systemd read it. Raises MaintainerError."""
    try:
        for unit, text in plan.drop_ins.items():
            _write(_place(system, unit), text)
        for path in _left_over(plan, system):
            path.unlink()
            with suppress(OSError):  # what a maintainer has written there stays
                path.parent.rmdir()
    except OSError as error:
        raise MaintainerError(
            f"{error.filename or system}: cannot be written ({error.strerror}); be root, and mend "
            "its mount"
        ) from None
    wanted, there = plan.enabled, _enabled(system)
    _systemctl("enable", sorted(wanted - there))
    _systemctl("disable", sorted(there - wanted))
    if RUNNING.is_dir():
        _systemctl("daemon-reload", ())


def _systemctl(
    verb: str, units: Iterable[str], run: Callable[..., object] = subprocess.run
) -> None:
    units = list(units)
    if not units and verb != "daemon-reload":
        return
    try:
        run(
            ["systemctl", "--quiet", verb, *units],
            check=True,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
    except subprocess.CalledProcessError as error:
        why = (error.stderr.strip() or f"exit code {error.returncode}").splitlines()[-1]
        raise MaintainerError(f"systemctl {verb} {' '.join(units)}: {why}") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MaintainerError(f"systemctl {verb} {' '.join(units)}: {error}") from None


def _place(system: Path, unit: str) -> Path:
    return system / f"{unit}.d" / FILE


def _left_over(plan: Plan, system: Path) -> list[Path]:
    """Files of ours that no plan asks for any more."""
    wanted = {_place(system, unit) for unit in plan.drop_ins}
    return sorted(set(system.glob(f"inspector-*.service.d/{FILE}")) - wanted)


def _enabled(system: Path) -> frozenset[str]:
    """Of what a station may have or lack, that which starts with the target."""
    optional = (*SCREEN, *TOUCHSCREEN)
    names = {path.name for path in (system / WANTS).glob("inspector-*.service")}
    return frozenset(
        name for name in names if name in optional or name.startswith("inspector-capture@")
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def _write(path: Path, text: str) -> None:
    if _text(path) == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o755)  # as all may read what systemd reads, whatever the umask
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text, encoding="utf-8")
    fresh.chmod(0o644)
    with fresh.open("rb") as file:
        os.fsync(file.fileno())
    fresh.replace(path)
