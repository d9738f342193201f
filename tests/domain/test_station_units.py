"""What the settings open, close and hand out in the units."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from inspector.core.config import (
    Backup,
    Detect,
    FolderCamera,
    Host,
    Listen,
    ModbusOutput,
    RemoteCamera,
    SendTo,
    Ui,
    VideoCamera,
    load_station,
)
from inspector.core.config_mqtt import Publish
from inspector.core.errors import MaintainerError
from inspector.devices.station_units import addresses
from inspector.domain.units import Box, plan

CONFIGS = Path(__file__).parents[2] / "configs"
PLAIN = structs.replace(load_station(CONFIGS / "station.toml"), ui=None)
KNOWN = {"broker.plant.example": ("192.0.2.20", "2001:db8::20")}


def resolve(host: str) -> tuple[str, ...]:
    return KNOWN.get(host, ()) if "example" in host else (host,)


BOX = Box(frozenset(range(4)), resolve, name_servers=("192.0.2.53",))


def made(box: Box = BOX, **settings: Any) -> dict[str, list[str]]:
    """The settings of each unit, without the head."""
    found = plan(structs.replace(PLAIN, **settings), box).drop_ins
    return {unit: text.split("[Service]\n")[1].splitlines() for unit, text in found.items()}


def opened(drop_ins: dict[str, list[str]]) -> dict[str, str]:
    """Who reaches whom."""
    return {
        unit: line.removeprefix("IPAddressAllow=")
        for unit, lines in drop_ins.items()
        for line in lines
        if line.startswith("IPAddressAllow=")
    }


def test_station_without_plc_and_broker_opens_nothing() -> None:
    assert made() == {}


def test_gate_reaches_the_plc_and_so_does_who_makes_the_output_safe() -> None:
    drop_ins = made(output=ModbusOutput(host="192.0.2.7"))
    assert opened(drop_ins) == {
        "inspector-gate.service": "192.0.2.7",
        "inspector-safe@.service": "192.0.2.7",
    }
    for lines in drop_ins.values():
        assert "PrivateNetwork=no" in lines
        assert "RestrictAddressFamilies=AF_INET AF_INET6" in lines


def test_publish_reaches_the_broker_and_for_a_name_who_knows_it() -> None:
    unit = "inspector-publish.service"
    assert opened(made(publish=Publish(host="192.0.2.8"))) == {unit: "192.0.2.8"}
    named = made(publish=Publish(host="broker.plant.example"))
    assert opened(named) == {unit: "192.0.2.20 2001:db8::20 192.0.2.53"}
    unknown = made(publish=Publish(host="gone.plant.example"))
    assert opened(unknown) == {unit: "192.0.2.53"}


def test_camera_that_sends_to_another_host_reaches_that_host_alone() -> None:
    far = SendTo(detect="tcp://192.0.2.5:7001", gate="tcp://192.0.2.5:7002")
    cameras = (
        FolderCamera(name="near", path="/srv/images"),
        FolderCamera(name="far", path="/srv/images", takt_ms=100, send_to=far),
    )
    assert opened(made(cameras=cameras)) == {"inspector-capture@far.service": "192.0.2.5"}


def test_for_cameras_elsewhere_a_service_listens_at_its_own_port_alone() -> None:
    listen = Listen(detect="tcp://0.0.0.0:7001", gate="tcp://0.0.0.0:7002")
    drop_ins = made(cameras=(RemoteCamera(name="far"),), listen=listen)
    assert set(drop_ins) == {"inspector-detect.service", "inspector-gate.service"}
    assert "SocketBindAllow=tcp:7001" in drop_ins["inspector-detect.service"]
    for lines in drop_ins.values():
        assert "SocketBindDeny=any" in lines
    assert all("0.0.0.0/0" not in allowed for allowed in opened(drop_ins).values())


def test_secret_named_without_a_slash_is_handed_to_publish_alone() -> None:
    publish = Publish(
        host="192.0.2.8",
        username="station",
        password_file="mqtt-password",
        ca_file="/etc/ssl/plant.pem",
        cert_file="station.pem",
        key_file="station.pem",
    )
    drop_ins = made(publish=publish)
    assert [line for line in drop_ins["inspector-publish.service"] if "Credential" in line] == [
        "LoadCredential=station.pem:/etc/inspector/secrets/station.pem",
        "LoadCredential=mqtt-password:/etc/inspector/secrets/mqtt-password",
    ]
    assert list(drop_ins) == ["inspector-publish.service"]


def test_processors_of_the_line_are_kept_free_of_all_else() -> None:
    drop_ins = made(host=Host(line_cpus="2-3"))
    for role in ("gate", "detect", "capture@cam0"):
        assert drop_ins[f"inspector-{role}.service"] == ["CPUAffinity=2 3"]
    for role in ("record", "publish", "workshop", "ui", "kiosk"):
        assert drop_ins[f"inspector-{role}.service"] == ["CPUAffinity=0 1"]


def test_all_processors_for_the_line_leave_the_others_where_they_are() -> None:
    assert "inspector-record.service" not in made(host=Host(line_cpus="0-3"))


def test_processor_that_is_not_there_is_refused_by_its_number() -> None:
    with pytest.raises(MaintainerError, match=r"host\.line_cpus = '3-5'.*no processor 4"):
        made(host=Host(line_cpus="3-5"))


def test_realtime_is_for_those_with_a_deadline_and_the_gate_goes_first() -> None:
    drop_ins = made(host=Host(realtime=True))
    assert set(drop_ins) == {
        f"inspector-{role}.service" for role in ("gate", "detect", "capture@cam0")
    }
    assert "CPUSchedulingPriority=30" in drop_ins["inspector-gate.service"]
    assert "CPUSchedulingPriority=20" in drop_ins["inspector-detect.service"]


def test_backups_on_another_disk_can_be_written_there() -> None:
    drop_ins = made(backup=Backup(folder="/mnt/backup"))
    line = ["ReadWritePaths=-/mnt/backup"]
    assert drop_ins == {f"inspector-{name}.service": line for name in ("record", "backup")}


def test_backups_named_from_the_settings_folder_can_be_written_there() -> None:
    """systemd takes no path with `..` in it, and no relative one."""
    drop_ins = made(backup=Backup(folder="../../srv/backups"))
    assert drop_ins["inspector-record.service"] == ["ReadWritePaths=-/srv/backups"]


def test_address_in_another_spelling_opens_no_way_to_a_name_server() -> None:
    box = replace(BOX, resolve=addresses)
    for host in ("[2001:db8::7]", "2001:DB8::7", "2001:db8:0::7"):
        drop_ins = made(box, output=ModbusOutput(host=host))
        assert opened(drop_ins)["inspector-gate.service"] == "2001:db8::7"


def test_camera_with_an_address_that_is_none_is_one_line() -> None:
    camera = VideoCamera(name="cam0", path="rtsp://[camera/stream")
    with pytest.raises(MaintainerError, match=r"cam0.*no address"):
        made(cameras=(camera,))


@pytest.mark.parametrize("cpus", ["3-2", "0-99999999999"])
def test_range_of_processors_that_is_none_is_refused(cpus: str) -> None:
    with pytest.raises(MaintainerError, match=rf"host\.line_cpus = '{cpus}'"):
        made(host=Host(line_cpus=cpus))


@pytest.mark.parametrize("device", ["GPU", "GPU.1", "NPU", "AUTO:GPU,CPU", "HETERO:GPU,CPU"])
def test_accelerator_is_opened_for_those_who_infer_on_it_and_for_nobody_else(device: str) -> None:
    drop_ins = made(detect=Detect(device=device))
    assert set(drop_ins) == {"inspector-detect.service", "inspector-workshop.service"}
    for lines in drop_ins.values():
        assert lines == [
            "PrivateDevices=no",
            "DeviceAllow=char-drm rw",
            "SupplementaryGroups=render",
            "DeviceAllow=char-accel rw",
        ]


def test_each_camera_of_this_host_is_enabled_and_the_screen_where_there_is_one() -> None:
    cameras = (*PLAIN.cameras, RemoteCamera(name="far"))
    with_screen = plan(structs.replace(PLAIN, cameras=cameras, ui=Ui()), BOX)
    assert with_screen.enabled == {
        "inspector-capture@cam0.service",
        "inspector-workshop.service",
        "inspector-ui.service",
    }
    kiosk = Box(BOX.cpus, resolve, touchscreen=True)
    assert "inspector-kiosk.service" in plan(structs.replace(PLAIN, ui=Ui()), kiosk).enabled
    without = plan(structs.replace(PLAIN, ui=None), kiosk)
    assert without.enabled == {"inspector-capture@cam0.service"}


def test_key_of_the_screen_is_handed_to_ui_alone() -> None:
    screen = Ui(host="192.0.2.4", tls_cert="screen.pem", tls_key="screen.pem", login_to_view=True)
    drop_ins = made(ui=screen)
    assert drop_ins["inspector-ui.service"] == [
        "LoadCredential=screen.pem:/etc/inspector/secrets/screen.pem"
    ]
