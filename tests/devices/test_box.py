"""Promise: facts as the kernel tells them, and None where it tells nothing."""

from pathlib import Path

import pytest

from inspector.devices import box
from inspector.devices.accelerators import accelerators
from inspector.devices.box import MIB

MEMINFO = "MemTotal:        8192000 kB\nMemFree:   100 kB\nMemAvailable:    4096000 kB\n"


@pytest.fixture
def meminfo(tmp_path: Path) -> Path:
    path = tmp_path / "meminfo"
    path.write_text(MEMINFO)
    return path


def test_memory_of_the_box(meminfo: Path, tmp_path: Path) -> None:
    found = box.memory(meminfo, tmp_path / "no group")
    assert found == box.Memory(8192000 * 1024, 4096000 * 1024)


def test_the_limit_of_a_container_counts(meminfo: Path, tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text(f"{2000 * MIB}\n")
    (tmp_path / "memory.current").write_text(f"{1900 * MIB}\n")
    assert box.memory(meminfo, tmp_path) == box.Memory(2000 * MIB, 100 * MIB)


def test_no_limit_is_no_limit(meminfo: Path, tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("1\n")
    assert box.memory(meminfo, tmp_path) == box.Memory(8192000 * 1024, 4096000 * 1024)


@pytest.mark.parametrize("text", ["", "MemTotal: 5 kB\n", "MemTotal: x\nMemAvailable: y\n"])
def test_memory_that_cannot_be_learned(tmp_path: Path, text: str) -> None:
    (tmp_path / "meminfo").write_text(text)
    assert box.memory(tmp_path / "meminfo", tmp_path) is None
    assert box.memory(tmp_path / "absent", tmp_path) is None


def test_memory_of_this_process(tmp_path: Path) -> None:
    assert box.resident() > 10 * MIB
    assert box.resident(tmp_path / "absent") == 0
    (tmp_path / "status").write_text("Name:\tx\nVmRSS:\t   2048 kB\n")
    assert box.resident(tmp_path / "status") == 2 * MIB


def test_free_room_of_a_folder_that_is_still_to_be_made(tmp_path: Path) -> None:
    here, below = box.free(tmp_path), box.free(tmp_path / "a" / "b")
    assert here is not None
    assert below is not None
    assert abs(below - here) < 1000 * MIB


def test_room_that_files_take(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.png").write_bytes(bytes(1000))
    (tmp_path / "y.png").write_bytes(bytes(500))
    assert box.used(tmp_path) == 1500
    assert box.used(tmp_path / "absent") == 0


def test_the_mark_of_the_time_service_counts(tmp_path: Path) -> None:
    mark = tmp_path / "synchronized"
    assert box.synchronised(mark, lambda: False) is False
    assert box.synchronised(mark, lambda: True) is True
    assert box.synchronised(mark, lambda: None) is None
    mark.touch()
    assert box.synchronised(mark, lambda: False) is True


def test_the_kernel_is_asked_without_harm() -> None:
    assert box.kernel_clock() in (True, False, None)


def test_openvino_sees_the_processor() -> None:
    found = {one.name: one for one in accelerators()}
    assert "FP32" in found["CPU"].capabilities
    assert found["CPU"].full_name
    assert found["CPU"].preferred in ("f32", "bf16", "f16")


def test_temperature_is_that_of_the_hottest_sensor(tmp_path: Path) -> None:
    assert box.temperature(tmp_path) is None
    for number, text in enumerate(("41000\n", "67500\n", "900000\n", "-1000\n", "broken")):
        zone = tmp_path / f"thermal_zone{number}"
        zone.mkdir()
        (zone / "temp").write_text(text)
    assert box.temperature(tmp_path) == 67.5  # 900 degrees is a sensor that lies


def test_time_since_the_box_was_started(tmp_path: Path) -> None:
    assert box.uptime(tmp_path / "none") is None
    (tmp_path / "uptime").write_text("")
    assert box.uptime(tmp_path / "uptime") is None
    (tmp_path / "uptime").write_text("24058.22 90000.10\n")
    assert box.uptime(tmp_path / "uptime") == 24058.22


def test_disk_of_a_folder_that_is_still_to_come(tmp_path: Path) -> None:
    whole, free = box.size(tmp_path / "a" / "b"), box.free(tmp_path / "a" / "b")
    assert whole
    assert free is not None
    assert 0 <= free <= whole
