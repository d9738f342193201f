"""The station's configuration: every setting once, strict, with its bounds.

Promises: an unknown key, a missing key, a wrong type or a value out of range is refused with one
line that names file, line, key, value and remedy. A default is written here and nowhere else.
Never: reads a setting that is not declared here, or changes one at run time.
"""

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from inspector.core.config_care import Backup, Host, Retention
from inspector.core.config_mqtt import Publish
from inspector.core.errors import MaintainerError
from inspector.core.section import (
    CameraName,
    Endpoint,
    HostName,
    Name,
    Port,
    SecretFile,
    Section,
    TimeOfDay,
)
from inspector.core.terms import GOLDEN_LOT
from inspector.core.toml import read_toml


class Station(Section, frozen=True, kw_only=True):
    """Who this box is, by the levels of ISA-95."""

    enterprise: Name
    site: Name
    area: Name
    line: Name
    cell: Name


class SendTo(Section, frozen=True, kw_only=True):
    """For a camera on another host: where detect and gate of its station listen."""

    detect: Endpoint
    gate: Endpoint


class FolderCamera(Section, tag="folder", tag_field="kind", frozen=True, kw_only=True):
    """Plays the images below a folder, sorted by path."""

    name: CameraName
    path: str
    loop: bool = True
    shuffle_seed: Annotated[int, Meta(ge=0)] | None = None
    takt_ms: Annotated[float, Meta(ge=0, le=3_600_000)] = 0.0  # 0: as fast as the line drains
    parts: Annotated[int, Meta(ge=1)] | None = None  # stop after so many
    cache_mb: Annotated[int, Meta(ge=0, le=16384)] = 128  # decoded images kept in memory
    send_to: SendTo | None = None  # set on the camera's own host when that is not the station


class VideoCamera(Section, tag="video", tag_field="kind", frozen=True, kw_only=True):
    """Plays a video file."""

    name: CameraName
    path: str
    loop: bool = True
    takt_ms: Annotated[float, Meta(ge=0, le=3_600_000)] = 0.0
    parts: Annotated[int, Meta(ge=1)] | None = None
    send_to: SendTo | None = None


class RemoteCamera(Section, tag="remote", tag_field="kind", frozen=True, kw_only=True):
    """A camera on another host, whose capture sends its frames here (see [listen])."""

    name: CameraName


LocalCamera = FolderCamera | VideoCamera
Camera = LocalCamera | RemoteCamera


class Listen(Section, frozen=True, kw_only=True):
    """Where the station takes frames and triggers of cameras on other hosts."""

    detect: Endpoint
    gate: Endpoint


class Line(Section, frozen=True, kw_only=True):
    """The line's own times and habits."""

    deadline_ms: Annotated[float, Meta(ge=1, le=60_000)]  # trigger to output
    recipe: Name  # what is made when the station starts for the first time
    lot: Annotated[str, Meta(max_length=64)] = ""
    review_lane: Literal["accept", "reject"] = "reject"
    in_flight: Annotated[int, Meta(ge=1, le=64)] = 2  # with takt_ms = 0: parts on their way at once
    pause: Literal["reject", "hold"] = "reject"  # hold: while paused, the PLC is told to stop too
    shifts: Annotated[tuple[TimeOfDay, ...], Meta(min_length=1, max_length=24)] = (
        "06:00",
        "14:00",
        "22:00",
    )  # when one begins, by the box's own time zone


class Ring(Section, frozen=True, kw_only=True):
    """The shared memory between capture and its readers."""

    slots: Annotated[int, Meta(ge=3, le=1024)] | None = None  # none: as many as budget_mb holds
    budget_mb: Annotated[int, Meta(ge=1, le=16384)] = 64


class Detect(Section, frozen=True, kw_only=True):
    """How OpenVINO runs."""

    device: Annotated[str, Meta(pattern=r"^[A-Z][A-Z0-9_.:,()-]*\Z")] = "CPU"
    threads: Annotated[int, Meta(ge=1, le=256)] = 2
    precision: Literal["f32", "auto"] = "f32"  # auto: what the device likes best (bf16, f16)


class VirtualOutput(Section, tag="virtual", tag_field="kind", frozen=True, kw_only=True):
    """No PLC: lanes are written to a log with their times."""


class ModbusOutput(Section, tag="modbus", tag_field="kind", frozen=True, kw_only=True):
    """Lanes and a heartbeat as holding registers of a PLC."""

    host: HostName
    port: Port = 502
    unit: Annotated[int, Meta(ge=0, le=247)] = 1
    register: Annotated[int, Meta(ge=0, le=65_500)] = 0  # the first of the block
    timeout_ms: Annotated[float, Meta(ge=1, le=10_000)] = 100.0
    heartbeat_ms: Annotated[float, Meta(ge=5, le=10_000)] = 25.0


Output = VirtualOutput | ModbusOutput


class Evidence(Section, frozen=True, kw_only=True):
    """Which images are kept on the station, how, and how many."""

    image: Literal["png", "jpeg", "none"] = "jpeg"
    jpeg_quality: Annotated[int, Meta(ge=1, le=100)] = 92
    pass_one_in: Annotated[int, Meta(ge=0)] = 50  # 1: every pass, 0: no pass
    quota_mb: Annotated[int, Meta(ge=1)] = 2048
    keep_free_mb: Annotated[int, Meta(ge=0)] = 256
    queue: Annotated[int, Meta(ge=1, le=1024)] = 16


class Record(Section, frozen=True, kw_only=True):
    """How decisions are kept."""

    commit_ms: Annotated[float, Meta(ge=1, le=50)] = 40.0
    window_s: Annotated[int, Meta(ge=1, le=86_400)] = 60
    ballast_mb: Annotated[int, Meta(ge=0, le=4096)] = 8


class Alarms(Section, frozen=True, kw_only=True):
    """From when on the screen calls a person."""

    consecutive_rejects: Annotated[int, Meta(ge=0, le=10_000)] = 10  # 0: never
    fault_percent: Annotated[float, Meta(gt=0, le=100)] = 5.0  # of the last fault_parts
    fault_parts: Annotated[int, Meta(ge=10, le=10_000)] = 100
    drift: Annotated[float, Meta(ge=0, le=10)] = 0.25  # population stability index; 0: never
    drift_parts: Annotated[int, Meta(ge=50, le=100_000)] = 500


class Ui(Section, frozen=True, kw_only=True):
    """The touchscreen's page, and who may see it."""

    host: HostName = "127.0.0.1"  # another address needs tls_cert, tls_key and login_to_view
    port: Annotated[int, Meta(ge=0, le=65535)] = 8085  # 0: any that is free
    tls_cert: SecretFile | None = None  # without a slash it is one of systemd's credentials
    tls_key: SecretFile | None = None
    login_to_view: bool = False
    language: Literal["en", "de", "es", "zh-CN"] = "en"  # until somebody chooses another
    logout_s: Annotated[int, Meta(ge=30, le=86_400)] = 300  # without a touch


class StationConfig(Section, frozen=True, kw_only=True):
    """`station.toml`, whole."""

    schema: Literal[1]
    station: Station
    cameras: Annotated[tuple[Camera, ...], Meta(min_length=1, max_length=16)]
    line: Line
    listen: Listen | None = None
    ring: Ring = Ring()
    detect: Detect = Detect()
    output: Output = VirtualOutput()
    record: Record = Record()
    evidence: Evidence = Evidence()
    publish: Publish | None = None
    alarms: Alarms = Alarms()
    ui: Ui | None = None
    retention: Retention = Retention()
    backup: Backup = Backup()
    host: Host = Host()
    production: bool = False  # true: publish refuses to run where it could open frames or images


def load_station(path: Path) -> StationConfig:
    """The station's settings. Raises MaintainerError naming file, line and key."""
    config = read_toml(path, StationConfig)
    names = [camera.name for camera in config.cameras]
    if len(set(names)) != len(names):
        raise MaintainerError(f"{path}: two cameras bear one name ({', '.join(names)})")
    for camera in config.cameras:
        if isinstance(camera, RemoteCamera) and config.listen is None:
            raise MaintainerError(
                f"{path}: camera {camera.name!r} is remote; add [listen] with detect and gate"
            )
        if not isinstance(camera, RemoteCamera) and camera.send_to and not camera.takt_ms:
            raise MaintainerError(
                f"{path}: camera {camera.name!r} sends to another host; give it a takt_ms above 0"
            )
    if config.line.lot == GOLDEN_LOT:
        raise MaintainerError(
            f"{path}: line.lot = {GOLDEN_LOT!r} is kept for golden parts; choose another"
        )
    if config.ui:
        _check_ui(config.ui, path)
    if config.publish:
        _check_publish(config.publish, path)
    return config


def _check_publish(publish: Publish, path: Path) -> None:
    if (publish.cert_file is None) != (publish.key_file is None):
        raise MaintainerError(
            f"{path}: publish.cert_file and publish.key_file belong together; give both"
        )
    if publish.cert_file and not publish.tls:
        raise MaintainerError(f"{path}: publish.cert_file needs publish.tls = true")
    if publish.password_file and publish.username is None:
        raise MaintainerError(f"{path}: publish.password_file needs publish.username; give both")


def _check_ui(ui: Ui, path: Path) -> None:
    if (ui.tls_cert is None) != (ui.tls_key is None):
        raise MaintainerError(f"{path}: ui.tls_cert and ui.tls_key belong together; give both")
    if ui.host in ("127.0.0.1", "::1", "localhost"):
        return
    if ui.tls_cert is None or not ui.login_to_view:
        raise MaintainerError(
            f"{path}: ui.host = {ui.host!r} can be reached from elsewhere; give ui.tls_cert, "
            "ui.tls_key and ui.login_to_view = true, or ui.host = '127.0.0.1'"
        )
