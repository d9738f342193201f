"""The station's and the recipes' configuration: every setting once, strict, with its bounds.

Promises: an unknown key, a missing key, a wrong type or a value out of range is refused with one
line that names file, line, key, value and remedy. A default is written here and nowhere else.
Never: reads a setting that is not declared here, or changes one at run time.
"""

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from inspector.core.errors import MaintainerError
from inspector.core.terms import GOLDEN_LOT
from inspector.core.toml import read_toml

Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")]
Limit = Annotated[float, Meta(gt=0, le=1e6)]  # bounded: infinity would let everything pass
Endpoint = Annotated[str, Meta(pattern=r"^tcp://[^/ ]+:[0-9]+\Z")]
TimeOfDay = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z")]
Port = Annotated[int, Meta(ge=1, le=65535)]


class Section(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of all sections."""


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

    name: Name
    path: str
    loop: bool = True
    shuffle_seed: Annotated[int, Meta(ge=0)] | None = None
    takt_ms: Annotated[float, Meta(ge=0, le=3_600_000)] = 0.0  # 0: as fast as the line drains
    parts: Annotated[int, Meta(ge=1)] | None = None  # stop after so many
    cache_mb: Annotated[int, Meta(ge=0, le=16384)] = 128  # decoded images kept in memory
    send_to: SendTo | None = None  # set on the camera's own host when that is not the station


class VideoCamera(Section, tag="video", tag_field="kind", frozen=True, kw_only=True):
    """Plays a video file."""

    name: Name
    path: str
    loop: bool = True
    takt_ms: Annotated[float, Meta(ge=0, le=3_600_000)] = 0.0
    parts: Annotated[int, Meta(ge=1)] | None = None
    send_to: SendTo | None = None


class RemoteCamera(Section, tag="remote", tag_field="kind", frozen=True, kw_only=True):
    """A camera on another host, whose capture sends its frames here (see [listen])."""

    name: Name


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

    host: str
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


class Publish(Section, frozen=True, kw_only=True):
    """The broker that gets the totals."""

    host: str
    port: Port = 8883
    tls: bool = True
    ca_file: str | None = None
    username: str | None = None
    password_file: str | None = None
    keepalive_s: Annotated[int, Meta(ge=5, le=3600)] = 30
    ack_timeout_s: Annotated[float, Meta(gt=0, le=600)] = 20.0


class Alarms(Section, frozen=True, kw_only=True):
    """From when on the screen calls a person."""

    consecutive_rejects: Annotated[int, Meta(ge=0, le=10_000)] = 10  # 0: never
    fault_percent: Annotated[float, Meta(gt=0, le=100)] = 5.0  # of the last fault_parts
    fault_parts: Annotated[int, Meta(ge=10, le=10_000)] = 100
    drift: Annotated[float, Meta(ge=0, le=10)] = 0.25  # population stability index; 0: never
    drift_parts: Annotated[int, Meta(ge=50, le=100_000)] = 500


class Ui(Section, frozen=True, kw_only=True):
    """The touchscreen's page, and who may see it."""

    host: str = "127.0.0.1"  # another address needs tls_cert, tls_key and login_to_view
    port: Annotated[int, Meta(ge=0, le=65535)] = 8085  # 0: any that is free
    tls_cert: str | None = None
    tls_key: str | None = None
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


class Region(Section, frozen=True, kw_only=True):
    """The part of the frame that is inspected, in pixels."""

    x: Annotated[int, Meta(ge=0)]
    y: Annotated[int, Meta(ge=0)]
    width: Annotated[int, Meta(ge=16)]
    height: Annotated[int, Meta(ge=16)]


class RecipeLimits(Section, frozen=True, kw_only=True):
    """Score from which a part goes to review, and from which it fails."""

    review: Limit
    fail: Limit


class FrameCheck(Section, frozen=True, kw_only=True):
    """What a frame must be before it may be judged. Grey values 0 to 255."""

    min_mean: Annotated[float, Meta(ge=0, le=255)] = 8.0
    max_mean: Annotated[float, Meta(ge=0, le=255)] = 247.0
    min_contrast: Annotated[float, Meta(ge=0, le=128)] = 2.0  # standard deviation
    min_focus: Annotated[float, Meta(ge=0)] = 0.0  # variance of the Laplacian; 0: not checked
    refuse_identical: bool = True  # looks the very same as the frame before: camera frozen


class Findings(Section, frozen=True, kw_only=True):
    """What counts of a model that names its findings (boxes, areas or classes)."""

    classes: tuple[str, ...] = ()  # none: every class that the model knows, but `good`
    min_size_mm: Annotated[float, Meta(ge=0, le=10_000)] = 0.0  # longer side; needs mm_per_px
    count: Annotated[int, Meta(ge=1, le=100)] = 1  # so many are a defect


class GoldenPart(Section, frozen=True, kw_only=True):
    """A part that lies in a drawer beside the line, and what the line must say of it."""

    name: Annotated[str, Meta(min_length=1, max_length=32)]
    expect: Literal["pass", "fail"]  # fail: any verdict but pass


class Challenge(Section, frozen=True, kw_only=True):
    """The test with golden parts."""

    parts: Annotated[tuple[GoldenPart, ...], Meta(min_length=1, max_length=20)]
    every_h: Annotated[float, Meta(ge=0, le=1000)] = 0.0  # 0: no test falls due by hours
    at_shift_start: bool = False
    on_failure: Literal["alarm", "stop"] = "alarm"  # stop: the inspection is paused
    on_overdue: Literal["alarm", "stop"] = "alarm"


class Recipe(Section, frozen=True, kw_only=True):
    """`recipes/NAME.toml`: what one product needs."""

    schema: Literal[1]
    name: Name
    model: Annotated[str, Meta(min_length=1, max_length=255)]  # in the store, or a folder's path
    limits: RecipeLimits
    region: Region | None = None
    frame: FrameCheck = FrameCheck()
    min_defect_px: Annotated[int, Meta(ge=0)] = 0  # smaller suspicious areas are not boxed
    mm_per_px: Annotated[float, Meta(gt=0, le=1000)] | None = None  # scale of the frame
    findings: Findings = Findings()
    second_look: bool = True  # where the bundle brings one and the deadline leaves time
    challenge: Challenge | None = None
    reason_for: tuple[
        Literal["set_recipe", "pause", "review_part", "abandon_challenge", "use_model"], ...
    ] = ()  # orders that need a reason while this product is made


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
    return config


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


def load_recipe(path: Path) -> Recipe:
    """One recipe. Raises MaintainerError naming file, line and key."""
    recipe = read_toml(path, Recipe)
    if recipe.name != path.stem:
        raise MaintainerError(
            f"{path}: name = {recipe.name!r} must be the file's own name, {path.stem!r}"
        )
    if recipe.limits.review > recipe.limits.fail:
        raise MaintainerError(
            f"{path}: limits.review = {recipe.limits.review:g} lies above "
            f"limits.fail = {recipe.limits.fail:g}; review must come first"
        )
    if recipe.findings.min_size_mm and recipe.mm_per_px is None:
        raise MaintainerError(
            f"{path}: findings.min_size_mm = {recipe.findings.min_size_mm:g} needs the scale of "
            "the frame; add mm_per_px"
        )
    if recipe.frame.min_mean >= recipe.frame.max_mean:
        raise MaintainerError(
            f"{path}: frame.min_mean = {recipe.frame.min_mean:g} must lie below "
            f"frame.max_mean = {recipe.frame.max_mean:g}"
        )
    return recipe
