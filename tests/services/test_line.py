"""The whole line, in its real processes: one trigger, one outcome, whatever is done to it."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.commands import inspector
from support.line import Line, accepted_twice, account, running, wait_for
from support.stations import (
    in_use,
    make_station,
    picture,
    put_in_use,
    small,
    write_images,
    write_recipe,
)

from inspector.cli.station import recorded
from inspector.cli.summary import rate
from inspector.core.terms import Cause, Kind
from inspector.devices.ring import last_count

pytestmark = pytest.mark.line

SERVICES = ("capture-cam0", "detect", "gate", "record", "publish")

# How long the random killing goes on; two minutes before a release.
KILLING_S = float(os.environ.get("INSPECTOR_KILLING_S", "20"))


def test_every_part_gets_its_verdict(root: Path) -> None:
    paths = make_station(root)
    with running(paths, committed=60) as line:
        assert line.stop() == 0
        parts = account(line)
    kinds = {part.outcome.source: part.outcome.kind for part in parts}
    assert {kinds[f"good/{index:03}.png"] for index in range(6)} == {Kind.PASS}
    assert {kinds[f"square/{index:03}.png"] for index in range(2)} == {Kind.FAIL}
    failed = next(part.outcome for part in parts if part.outcome.kind is Kind.FAIL)
    assert failed.boxes
    assert failed.heatmap
    assert failed.reason
    assert not accepted_twice(paths)


def test_line_drains_as_fast_as_it_can(root: Path) -> None:
    paths = make_station(root, takt_ms=0.0, parts=300)
    with running(paths, committed=300) as line:
        assert line.stop() == 0
        assert len(account(line)) == 300


@pytest.mark.parametrize("service", SERVICES)
def test_killed_process_comes_back_and_no_part_is_lost(root: Path, service: str) -> None:
    paths = make_station(root)
    with running(paths, committed=20) as line:
        assert line.kill(service)
        killed = time.time_ns()
        wait_for(paths, lambda live: live.last is not None and passed_since(live.last, killed))
        assert line.stop() == 0
        parts = account(line)
    assert not accepted_twice(paths)
    resumed = min(
        part.outcome.trigger_wall_ns for part in parts if passed_since(part.outcome, killed)
    )
    assert resumed - killed < 3e9, line.log


def passed_since(outcome: "object", wall_ns: int) -> bool:
    """A part that triggered after `wall_ns` and has a verdict."""
    return outcome.trigger_wall_ns > wall_ns and outcome.kind is not Kind.FAULT  # type: ignore[attr-defined]


def test_random_kills_under_load(root: Path) -> None:
    """Any process, any time: every trigger has exactly one outcome, and none passes by mistake."""
    paths = make_station(root, takt_ms=10.0)
    rng = random.Random(7)
    with running(paths, committed=20) as line:
        until = time.monotonic() + KILLING_S
        kills = 0
        while time.monotonic() < until:
            kills += line.kill(rng.choice(SERVICES))
            time.sleep(rng.uniform(0.05, 2.0))
        wait_for(paths, lambda live: passed_since(live.last, time.time_ns() - 10**9))
        assert line.stop() == 0
        parts = account(line)
    assert not accepted_twice(paths)
    assert kills > KILLING_S / 4
    faults = sum(part.outcome.kind is Kind.FAULT for part in parts)
    assert 0 < faults < len(parts)


def test_hung_detector_rejects_parts(root: Path) -> None:
    paths = make_station(root)
    with running(paths, committed=10) as line:
        assert line.kill("detect", signal.SIGSTOP)
        try:
            live = wait_for(paths, lambda live: live.counts.get(Kind.FAULT, 0) >= 20)
        finally:
            line.kill("detect", signal.SIGCONT)
        assert live.last is not None
        assert live.last.cause in (Cause.LATE, Cause.OVERLOAD, Cause.ENGINE)
        seen = live.committed
        wait_for(paths, lambda live: live.committed > seen and live.last.kind is not Kind.FAULT)
        assert line.stop() == 0
        account(line)


def test_overload_makes_late_parts_faults_and_the_line_stays_stable(root: Path) -> None:
    """Twice as many parts as the machine can take: some are decided in time, the others are
    faults, and nothing grows."""
    takt_ms = 500 / capacity(root / "measured")
    paths = make_station(root / "loaded", {"line": {"deadline_ms": 60.0}}, takt_ms=takt_ms)
    with running(paths, committed=50) as line:
        sizes = []
        for _ in range(8):
            time.sleep(2)
            sizes.append(memory_mb(line))
        assert line.stop() == 0
        parts = account(line)
    causes = {part.outcome.cause for part in parts if part.outcome.cause}
    assert causes
    assert causes <= {Cause.LATE, Cause.OVERLOAD, Cause.OVERRUN, Cause.LOST}
    assert Kind.PASS in {part.outcome.kind for part in parts}
    # On a loaded box some take seconds to warm up; what grows goes on growing.
    assert min(sizes[-2:]) < max(sizes[:5]) * 1.1 + 10, sizes


def capacity(root: Path) -> float:
    """Parts per second that the whole line decides when it is never short of one."""
    paths = make_station(root, {"line": {"in_flight": 4}}, takt_ms=0.0, parts=400)
    with running(paths, committed=400) as line:
        assert line.stop() == 0
    return rate([part.outcome for part in recorded(paths)][100:])


def memory_mb(line: Line) -> float:
    """Private memory of all services."""
    total = 0
    for service in SERVICES:
        for text in Path(f"/proc/{line.pid(service)}/smaps_rollup").read_text().splitlines():
            if text.startswith("Private_"):
                total += int(text.split()[1])
    return total / 1024


def test_recipe_switch_drops_no_part(root: Path) -> None:
    paths = make_station(root)
    write_recipe(paths, "strict", limits={"review": 0.001, "fail": 0.002})
    with running(paths, committed=20) as line:
        done = inspector("switch", "--root", root, "--recipe", "strict", "--lot", "L2")
        assert done.returncode == 0, done.stderr
        wait_for(paths, lambda live: live.last is not None and live.last.recipe == "strict")
        refused = inspector("switch", "--root", root, "--recipe", "absent")
        assert refused.returncode != 0
        assert "absent" in refused.stderr
        assert line.stop() == 0
        parts = account(line)
    assert Kind.FAULT not in {part.outcome.kind for part in parts}
    recipes = [part.outcome.recipe for part in parts]
    assert recipes == sorted(recipes, key=["plain", "strict"].index)
    after = [part.outcome for part in parts if part.outcome.recipe == "strict"]
    assert {outcome.kind for outcome in after} == {Kind.FAIL}
    assert "L2" in {outcome.lot for outcome in after}


def test_recipe_with_a_damaged_model_leaves_the_last_one_in_force(root: Path) -> None:
    paths = make_station(root)
    write_recipe(paths, "broken")
    with running(paths, committed=10) as line:
        (in_use(paths) / "model.bin").write_bytes(b"damaged")
        inspector("switch", "--root", root, "--recipe", "broken")
        live = wait_for(paths, lambda live: live.committed > 80)
        assert live.last is not None
        assert live.last.kind is not Kind.FAULT
        assert live.last.recipe == "plain"
        assert line.stop() == 0
        account(line)


def test_killed_detector_finds_its_model_damaged_and_goes_on_with_another(root: Path) -> None:
    """The recipe in force can no longer be loaded when detect starts again: the configured one
    decides instead, with an alarm, and the line goes on."""
    paths = make_station(root)
    put_in_use(paths, small(picture(3)), name="other")
    write_recipe(paths, "special", model="other")
    with running(paths, committed=10) as line:
        assert inspector("switch", "--root", root, "--recipe", "special").returncode == 0
        wait_for(paths, lambda live: live.last is not None and live.last.recipe == "special")
        (in_use(paths, "other") / "model.bin").write_bytes(b"damaged")
        time.sleep(0.5)
        assert line.kill("detect")
        killed = time.time_ns()
        live = wait_for(paths, lambda live: passed_since(live.last, killed))
        assert live.last is not None
        assert live.last.recipe == "plain"
        live = wait_for(paths, lambda live: bool(live.alarms))
        assert line.stop() == 0
        account(line)
    assert any("special.toml" in alarm.text or "other" in alarm.text for alarm in live.alarms)


def test_corrupt_empty_and_resized_images_are_faults(root: Path) -> None:
    import cv2

    images = write_images(root / "images", good=3, bad=0)
    (images / "good" / "100.png").write_bytes(b"")
    (images / "good" / "101.png").write_bytes(b"rubbish")
    cv2.imwrite(str(images / "good" / "102.png"), picture(1, width=80, height=64))
    paths = make_station(root, path=str(images))
    with running(paths, committed=20) as line:
        assert line.stop() == 0
        parts = account(line)
    causes = {part.outcome.source: part.outcome.cause for part in parts}
    assert causes["good/100.png"] is Cause.CAMERA
    assert causes["good/101.png"] is Cause.CAMERA
    assert causes["good/102.png"] is Cause.FRAME
    assert causes["good/000.png"] is None
    reasons = {part.outcome.source: part.outcome.reason for part in parts}
    assert "100.png" in reasons["good/100.png"]


def test_black_frame_is_rejected(root: Path) -> None:
    import cv2
    import numpy as np

    images = write_images(root / "images", good=2, bad=0)
    cv2.imwrite(str(images / "good" / "black.png"), np.zeros((128, 160), np.uint8))
    paths = make_station(root, path=str(images))
    with running(paths, committed=10) as line:
        assert line.stop() == 0
        parts = account(line)
    black = [part.outcome for part in parts if part.outcome.source == "good/black.png"]
    assert {outcome.cause for outcome in black} == {Cause.FRAME}
    assert "too dark" in black[0].reason


def test_second_instance_is_refused_in_one_line(root: Path) -> None:
    paths = make_station(root)
    with running(paths, committed=5) as line:
        second = inspector("run", "--root", root)
        assert second.returncode == 78
        assert second.stderr.count("\n") == 1
        assert "already running" in second.stderr
        before = wait_for(paths, lambda live: True).committed
        wait_for(paths, lambda live: live.committed > before)
        assert line.stop() == 0
        account(line)


def test_status_tells_every_process(root: Path) -> None:
    import json

    paths = make_station(root)
    with running(paths, committed=60) as line:
        wait_for(paths, lambda live: len(live.services) == len(SERVICES))
        told = json.loads(inspector("status", "--root", root, "--json").stdout)
        table = inspector("status", "--root", root, "--once").stdout
        assert line.stop() == 0
    assert {service["heartbeat"]["service"] for service in told["services"]} == set(SERVICES)
    assert all(service in table for service in SERVICES)


def test_supervisor_killed_leaves_no_process_behind(root: Path) -> None:
    paths = make_station(root)
    with running(paths, committed=5) as line:
        pids = [line.pid(service) for service in SERVICES]
        line.process.kill()
        line.process.wait()
        until = time.monotonic() + 10
        while any(alive(pid) for pid in pids) and time.monotonic() < until:
            time.sleep(0.05)
        assert not any(alive(pid) for pid in pids)
        line.note_count()
    with running(paths, committed=5) as again:  # delivers what the first left in the spool
        again.triggers.update(line.triggers)
        assert again.stop() == 0
        account(again)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def test_camera_on_another_host_is_inspected_too(root: Path) -> None:
    """Pixels inline over TCP: verdicts, evidence and accounts as for a camera of this host."""
    detect, gate = free_port(), free_port()
    listen = {
        name: f"tcp://127.0.0.1:{port}" for name, port in (("detect", detect), ("gate", gate))
    }
    far = make_station(root / "far", name="far", send_to=listen)
    paths = make_station(
        root / "near", {"listen": listen, "cameras": [{"kind": "remote", "name": "far"}]}
    )
    line = Line(paths)
    command = [sys.executable, "-m", "inspector.services.capture", "--camera", "far", "--root"]
    capture = subprocess.Popen([*command, str(root / "far")])
    try:
        wait_for(paths, lambda live: live.counts.get(Kind.PASS, 0) >= 60)
        capture.terminate()
        assert capture.wait(10) == 0
        time.sleep(0.5)  # the last parts are on their way
        assert line.stop() == 0
        line.triggers.clear()  # of rings that stand in for the far one
        count = last_count(far.ring("far"))
        assert count
        line.triggers[count.stream] = count.triggers
        parts = account(line)
    finally:
        capture.kill()
        line.close()
    kinds = {part.outcome.kind for part in parts}
    assert {Kind.PASS, Kind.FAIL} <= kinds, [part.outcome.reason for part in parts]
    assert list(paths.evidence.rglob("*-fail.jpg"))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
