"""What of the units depends on the configuration: the ways out, the processors, the secrets.

Promises: the shipped units are closed to every network; a way out is opened for one service, to the
addresses that `station.toml` names, and for nothing else. The same settings and facts of the box
always give the same text.
Never: looks up a name, counts processors, or writes.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from os.path import normpath
from pathlib import Path
from urllib.parse import urlsplit

from inspector.core.config import LocalCamera, ModbusOutput, RemoteCamera, StationConfig
from inspector.core.config_mqtt import Publish
from inspector.core.credential import SECRETS, is_credential
from inspector.core.errors import MaintainerError
from inspector.core.topology import capture

HEAD = (
    "# Made by `inspector units` from station.toml; it is written anew there, not changed here.\n"
)
SCREEN = ("inspector-workshop.service", "inspector-ui.service")
TOUCHSCREEN = ("inspector-display.service", "inspector-kiosk.service")
FIXED = ("inspector-record.service", "inspector-publish.service", *SCREEN, *TOUCHSCREEN)

# Of the real-time priorities 1 to 99; the kernel's own threads for interrupts have 50.
PRIORITY = {"gate": 30, "capture": 25, "detect": 20}

# Where cameras of other hosts send from: a plant's own networks.
PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "link-local", "localhost")

Resolve = Callable[[str], tuple[str, ...]]


@dataclass(frozen=True)
class Box:
    """What the text depends on besides the settings."""

    cpus: frozenset[int]
    resolve: Resolve  # the addresses of a host's name; an address is its own
    name_servers: tuple[str, ...] = ()
    touchscreen: bool = False  # a compositor and a browser are installed
    graphics: bool = False  # a card that draws


@dataclass(frozen=True)
class Plan:
    """`drop_ins`: the text for each unit. `enabled`: what starts with the target, of all that a
    station may have or lack."""

    drop_ins: Mapping[str, str]
    enabled: frozenset[str]


def plan(config: StationConfig, box: Box, secrets: Path = SECRETS) -> Plan:
    """All that `inspector units` sees to. Raises MaintainerError for processors that are not
    there."""
    lines: dict[str, list[str]] = {}
    every = (*_outlets(config, box), *_secrets(config, secrets), *_share(config, box))
    more = (*_backups(config, secrets.parent), *_accelerator(config), *_page(config, box))
    for unit, line in (*every, *more):
        lines.setdefault(unit, []).append(line)
    text = {unit: HEAD + "[Service]\n" + "\n".join(said) + "\n" for unit, said in lines.items()}
    return Plan(text, frozenset(_enabled(config, box)))


def unit_of(service: str) -> str:
    """The unit of a process of the topology."""
    kind, dash, camera = service.partition("-")
    return f"inspector-{kind}@{camera}.service" if dash else f"inspector-{kind}.service"


def _cameras(config: StationConfig) -> Iterator[LocalCamera]:
    return (one for one in config.cameras if not isinstance(one, RemoteCamera))


def _enabled(config: StationConfig, box: Box) -> Iterator[str]:
    yield from (unit_of(capture(camera.name)) for camera in _cameras(config))
    if config.ui:
        yield from SCREEN
        if box.touchscreen:
            yield from TOUCHSCREEN


Line = tuple[str, str]


def _outlets(config: StationConfig, box: Box) -> Iterator[Line]:
    """Who reaches whom."""
    if isinstance(config.output, ModbusOutput):
        for unit in ("inspector-gate.service", "inspector-safe@.service"):
            yield from _way_to(unit, [config.output.host], box)
    if config.publish:
        yield from _way_to("inspector-publish.service", [config.publish.host], box)
    for camera in _cameras(config):
        yield from _way_to(unit_of(capture(camera.name)), _hosts_of(camera), box)
    if config.listen:
        yield from _door("inspector-detect.service", config.listen.detect)
        yield from _door("inspector-gate.service", config.listen.gate)


def _hosts_of(camera: LocalCamera) -> list[str]:
    ways = [camera.path]
    if camera.send_to:
        ways += [camera.send_to.detect, camera.send_to.gate]
    try:
        return [host for way in ways if "://" in way and (host := urlsplit(way).hostname)]
    except ValueError as error:
        raise MaintainerError(f"station.toml: camera {camera.name}: no address ({error})") from None


def _way_to(unit: str, hosts: Iterable[str], box: Box) -> Iterator[Line]:
    """To these hosts and no other; for a name also to whoever knows its address."""
    addresses: list[str] = []
    for host in hosts:
        found = box.resolve(host)
        named = not _is_address(host)
        addresses += [*found, *(box.name_servers if named else ())]
    if addresses:
        yield from _open(unit, dict.fromkeys(addresses))


def _is_address(host: str) -> bool:
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _door(unit: str, endpoint: str) -> Iterator[Line]:
    """For whoever sends here, from the plant's own networks; it listens at this port alone."""
    yield from _open(unit, PRIVATE)
    yield unit, "SocketBindDeny=any"
    yield unit, f"SocketBindAllow=tcp:{urlsplit(endpoint).port}"


def _open(unit: str, addresses: Iterable[str]) -> Iterator[Line]:
    yield unit, "PrivateNetwork=no"
    yield unit, "RestrictAddressFamilies=AF_INET AF_INET6"
    yield unit, f"IPAddressAllow={' '.join(addresses)}"


def _page(config: StationConfig, box: Box) -> Iterator[Line]:
    """What the touchscreen shows, the page on this box, and with what it draws."""
    if config.ui and config.ui.port:
        scheme = "https" if config.ui.tls_cert else "http"
        page = f"{scheme}://127.0.0.1:{config.ui.port}/"
        yield "inspector-kiosk.service", f"Environment=INSPECTOR_PAGE={page}"
        if box.graphics:
            yield from _graphics("inspector-kiosk.service")


def _secrets(config: StationConfig, secrets: Path) -> Iterator[Line]:
    """A file that is named without a slash is handed to its service alone."""
    named = {
        "inspector-publish.service": _of_publish(config.publish) if config.publish else (),
        "inspector-ui.service": (config.ui.tls_cert, config.ui.tls_key) if config.ui else (),
    }
    for unit, names in named.items():
        for name in dict.fromkeys(name for name in names if name and is_credential(name)):
            yield unit, f"LoadCredential={name}:{secrets / name}"


def _of_publish(publish: Publish) -> tuple[str | None, ...]:
    return publish.ca_file, publish.cert_file, publish.key_file, publish.password_file


def _backups(config: StationConfig, settings: Path) -> Iterator[Line]:
    if config.backup.folder:
        folder = normpath(settings / config.backup.folder)  # an absolute one stands for itself
        for unit in ("inspector-record.service", "inspector-backup.service"):
            yield unit, f"ReadWritePaths=-{folder}"


def _accelerator(config: StationConfig) -> Iterator[Line]:
    """For whoever compiles and proves models on it."""
    if config.detect.device != "CPU":
        for unit in ("inspector-detect.service", "inspector-workshop.service"):
            yield from _graphics(unit)
            yield unit, "DeviceAllow=char-accel rw"


def _graphics(unit: str) -> Iterator[Line]:
    yield unit, "PrivateDevices=no"
    yield unit, "DeviceAllow=char-drm rw"
    yield unit, "SupplementaryGroups=render"


def _share(config: StationConfig, box: Box) -> Iterator[Line]:
    """Processors for those who have a deadline, and the others for all else."""
    fast = {unit_of(capture(camera.name)): "capture" for camera in _cameras(config)}
    fast |= {unit_of(name): name for name in ("detect", "gate")}
    if own := _numbers(config.host.line_cpus, box.cpus):
        yield from ((unit, f"CPUAffinity={_listed(own)}") for unit in fast)
        if rest := box.cpus - own:
            yield from ((unit, f"CPUAffinity={_listed(rest)}") for unit in FIXED)
    if config.host.realtime:
        for unit, role in fast.items():
            yield from _realtime(unit, PRIORITY[role])


def _realtime(unit: str, priority: int) -> Iterator[Line]:
    yield unit, "CPUSchedulingPolicy=rr"
    yield unit, f"CPUSchedulingPriority={priority}"
    # Its threads say of themselves that they are what they are; higher they cannot get.
    yield unit, "RestrictRealtime=no"


def _numbers(text: str, there: frozenset[int]) -> frozenset[int]:
    """`2-3,5` as numbers. Raises MaintainerError for one that is not there."""
    found: set[int] = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        wanted = range(int(first), int(last or first) + 1)
        if not wanted:
            raise MaintainerError(f"station.toml: host.line_cpus = {text!r}: counts downwards")
        for one in wanted:
            if one not in there:
                raise MaintainerError(
                    f"station.toml: host.line_cpus = {text!r}: this box has no processor {one} "
                    f"(it has {_listed(there)})"
                )
            found.add(one)
    return frozenset(found)


def _listed(cpus: Iterable[int]) -> str:
    return " ".join(map(str, sorted(cpus)))
