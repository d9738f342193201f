"""What `inspector setup` has to know, from a file or from questions at a terminal.

Promises: the answers have the very types of the configuration; what can be asked has a default
wherever there is a sensible one.
Never: writes anything.
"""

import getpass
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from msgspec import Meta, field

from inspector.cli import samples
from inspector.core.config import (
    Camera,
    FolderCamera,
    ModbusOutput,
    Output,
    Station,
    Ui,
    VirtualOutput,
)
from inspector.core.config_care import Backup, Host, Retention
from inspector.core.config_mqtt import Publish
from inspector.core.errors import OperatorError
from inspector.core.people import PersonName
from inspector.core.section import Name, Section
from inspector.core.toml import read_toml
from inspector.domain.pins import problem

SAMPLE_TAKT_MS = 500.0
PASSWORD = "mqtt-password"  # the name of the credential, as systemd hands it to publish

Ask = Callable[[str, str], str]  # a question and its default


class Person(Section, frozen=True, kw_only=True):
    """The first who may log in at the screen, as an engineer."""

    name: PersonName
    pin: str


class Answers(Section, frozen=True, kw_only=True):
    """A file of answers, whole. Each section is that of station.toml."""

    station: Station
    person: Person | None = None
    cameras: Annotated[tuple[Camera, ...], Meta(max_length=16)] = ()  # none: the sample parts
    product: Name = samples.PRODUCT  # what is made at first: a sample product, until one is taught
    lot: str = ""
    deadline_ms: Annotated[float, Meta(ge=1, le=60_000)] = 400.0
    output: Output = VirtualOutput()
    publish: Publish | None = None
    secrets: dict[Name, str] = field(default_factory=dict)  # by name, as [publish] names them
    ui: Ui = Ui()
    host: Host = Host()
    backup: Backup = Backup()
    retention: Retention = Retention()


def read(path: Path) -> Answers:
    """The answers in a file. Raises MaintainerError, or OperatorError for a PIN that is none."""
    answers = read_toml(path, Answers)
    if answers.person and (wrong := problem(answers.person.pin)):
        raise OperatorError(f"{path}: person.pin: {wrong}")
    return answers


def sample_camera() -> FolderCamera:
    """Plays the sample parts; the path is that of whatever release runs."""
    images = samples.images()
    installed = Path("/opt/inspector/current/share")
    if samples.ROOT.parent.parent == installed.parent.parent / "releases":
        images = installed / images.relative_to(samples.ROOT)
    return FolderCamera(name="cam0", path=str(images), takt_ms=SAMPLE_TAKT_MS, shuffle_seed=1)


def ask_all(ask: Ask | None = None, secret: Callable[[str], str] = getpass.getpass) -> Answers:
    """The answers of a person at a terminal. Raises OperatorError where there is none."""
    ask = ask or _at_terminal()
    levels = {level: ask(f"{level} of this station", default) for level, default in _LEVELS}
    folder = ask("folder with the camera's images (empty: the sample parts)", "")
    cameras = (FolderCamera(name="cam0", path=folder, takt_ms=SAMPLE_TAKT_MS),) if folder else ()
    plc = ask("address of the PLC, Modbus TCP (empty: none)", "")
    broker = ask("address of the MQTT broker (empty: none)", "")
    user = ask("user at the broker (empty: none)", "") if broker else ""
    secrets = {PASSWORD: secret("password at the broker: ")} if user else {}
    return Answers(
        station=Station(**levels),
        cameras=cameras,
        output=ModbusOutput(host=plc) if plc else VirtualOutput(),
        publish=_broker(broker, user, ask) if broker else None,
        secrets=secrets,
        person=_person(ask, secret),
    )


_LEVELS = (
    ("enterprise", "acme"),
    ("site", "site1"),
    ("area", "hall1"),
    ("line", "line1"),
    ("cell", "cell1"),
)


def _broker(host: str, user: str, ask: Ask) -> Publish:
    tls = ask("encrypted (TLS), yes or no", "yes") != "no"
    port = ask("port of the broker", "8883" if tls else "1883")
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise OperatorError(f"port {port!r}: 1 to 65535 is wanted; nothing was changed")
    return Publish(
        host=host,
        port=int(port),
        tls=tls,
        username=user or None,
        password_file=PASSWORD if user else None,
    )


def _person(ask: Ask, secret: Callable[[str], str]) -> Person:
    name = ask("name of the first engineer, as it is touched on the screen", "engineer")
    pin = secret("PIN, 4 to 8 digits: ")
    if wrong := problem(pin):
        raise OperatorError(wrong)
    if secret("once more: ") != pin:
        raise OperatorError("the two PINs differ; nothing was changed")
    return Person(name=name, pin=pin)


def _at_terminal() -> Ask:
    if not sys.stdin.isatty():
        raise OperatorError("questions are asked at a terminal; give --file ANSWERS in a script")

    def ask(question: str, default: str) -> str:
        shown = f" [{default}]" if default else ""
        return input(f"{question}{shown}: ").strip() or default

    return ask
