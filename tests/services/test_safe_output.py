"""The output goes into its safe state without the gate: the guard, and what systemd runs."""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.plc import FIRST, Plc

from inspector.core.config import ModbusOutput, VirtualOutput
from inspector.core.paths import INSTALLED
from inspector.devices.modbus import LANE, REJECT, STATE, STOPPED, safe_state
from inspector.services import safe
from inspector.services.gate.guard import PROGRAM, Guard

SAFE = [(FIRST + STATE, [STOPPED]), (FIRST + LANE, [REJECT])]


@pytest.fixture
def plc() -> Iterator[Plc]:
    one = Plc().start()
    yield one
    one.close()


@pytest.fixture
def left(root: Path, plc: Plc) -> Path:
    """What a gate with this PLC leaves."""
    path = root / "safe-state"
    path.write_text(safe_state(output(plc.port)))
    return path


def output(port: int, **more: float) -> ModbusOutput:
    return ModbusOutput(host="127.0.0.1", port=port, register=FIRST, **more)  # type: ignore[arg-type]


def wait_told(plc: Plc) -> None:
    until = time.monotonic() + 20
    while plc.writes != SAFE:
        assert time.monotonic() < until, plc.writes
        time.sleep(0.01)


def test_plc_is_told_to_stop_and_to_reject_and_its_count_is_left_alone(
    left: Path, plc: Plc
) -> None:
    assert safe.make_safe(left, 10)
    assert plc.writes == SAFE


def test_output_without_a_plc_needs_nothing(root: Path) -> None:
    assert safe.make_safe(root / "safe-state", 10)


def test_plc_that_is_not_there_is_given_up_and_told(
    left: Path, plc: Plc, capsys: pytest.CaptureFixture[str]
) -> None:
    plc.stop()
    assert not safe.make_safe(left, 0.2)
    assert "could not be told to stop" in capsys.readouterr().err
    plc.start()


def test_plc_that_takes_the_call_and_keeps_quiet_is_not_waited_for_as_long_as_it_may_take(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The next gate would not start before; `output.timeout_ms` may be ten seconds."""
    with socket.create_server(("127.0.0.1", 0)) as quiet:
        path = root / "safe-state"
        path.write_text(safe_state(output(quiet.getsockname()[1], timeout_ms=10_000)))
        began = time.monotonic()
        assert not safe.make_safe(path, 0.5)
        assert time.monotonic() - began < 5  # of the half second, on a loaded box
    assert "could not be told to stop" in capsys.readouterr().err


def test_plc_that_refuses_the_registers_is_told(root: Path, plc: Plc) -> None:
    path = root / "safe-state"
    beyond = ModbusOutput(host="127.0.0.1", port=plc.port, register=5000)
    path.write_text(safe_state(beyond))
    assert not safe.make_safe(path, 0.1)


def test_gate_that_dies_is_survived_by_its_guard(root: Path, plc: Plc) -> None:
    """Killed like the gate is: without a word, and with a signal for all that it has started."""
    script = (
        "import sys, time\nfrom pathlib import Path\n"
        "from inspector.core.config import ModbusOutput\n"
        "from inspector.services.gate.guard import Guard\n"
        f"Guard(Path({str(root / 'safe-state')!r}), "
        f"ModbusOutput(host='127.0.0.1', port={plc.port}, register={FIRST}))\n"
        "print('there', flush=True)\ntime.sleep(60)\n"
    )
    gate = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert gate.stdout is not None
    assert gate.stdout.readline() == b"there\n"
    (guard,) = Path(f"/proc/{gate.pid}/task/{gate.pid}/children").read_text().split()
    wait_ignoring(int(guard))
    gate.kill()
    gate.wait()
    wait_told(plc)
    gate.stdout.close()


def test_gate_that_ends_in_good_order_needs_no_guard(root: Path, plc: Plc) -> None:
    guard = Guard(root / "safe-state", output(plc.port))
    guard.close()
    assert plc.writes == []


def test_guard_that_falls_is_started_again(root: Path, plc: Plc) -> None:
    guard = Guard(root / "safe-state", output(plc.port))
    process = guard._process
    assert process is not None
    process.kill()
    process.wait()
    guard.look()
    assert guard._process is not process
    guard.close()


def test_guard_of_an_output_without_a_plc_is_none_and_leaves_nothing_old(root: Path) -> None:
    (root / "safe-state").write_text("of an output that was")
    guard = Guard(root / "safe-state", VirtualOutput())
    assert not (root / "safe-state").exists()
    guard.look()
    guard.close()


def test_living_gate_is_seen_by_its_lock(root: Path) -> None:
    assert not safe.gate_lives(root / "gate.lock")
    with (root / "gate.lock").open("w") as handle:
        assert not safe.gate_lives(root / "gate.lock")
        fcntl.flock(handle, fcntl.LOCK_EX)
        assert safe.gate_lives(root / "gate.lock")


def test_guard_that_comes_late_leaves_the_next_gate_alone(left: Path, plc: Plc) -> None:
    """It runs its lane; a word to stop would be taken from it, and never be taken back."""
    with left.with_name(safe.LOCK).open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        command = [sys.executable, "-IS", str(PROGRAM), "--guard", str(left), "1"]
        assert subprocess.run(command, stdin=subprocess.DEVNULL).returncode == 0
    assert plc.writes == []


def test_guard_does_not_take_the_dying_gate_for_the_next(left: Path, plc: Plc) -> None:
    """The pipe may close before the lock goes."""
    with left.with_name(safe.LOCK).open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        handle.write("4711")
        handle.flush()
        command = [sys.executable, "-IS", str(PROGRAM), "--guard", str(left), "4711"]
        assert subprocess.run(command, stdin=subprocess.DEVNULL).returncode == 0
    assert plc.writes == SAFE


def test_end_in_good_order_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_RESULT", "success")
    monkeypatch.delenv("MONITOR_SERVICE_RESULT", raising=False)
    monkeypatch.setattr(safe, "make_safe", lambda *_: pytest.fail("nothing is wrong"))
    assert safe.main(["inspector-gate"]) == 0


def test_it_looks_where_the_gate_leaves_things() -> None:
    """Written twice, since importing the paths would cost the time that it has."""
    assert INSTALLED.safe_state == safe.RUN / "safe-state"
    assert INSTALLED.lock("gate") == safe.RUN / safe.LOCK


def test_it_starts_without_what_is_slow_to_import(root: Path) -> None:
    """As a file, without site-packages: nothing but the standard library may be needed."""
    command = [sys.executable, "-IS", str(PROGRAM), "--guard", str(root / "none"), "1"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


def test_guard_outlives_the_signals_that_mean_the_gate(left: Path, plc: Plc) -> None:
    """Ctrl-C on a bench, and systemd's word to all that is left of a service."""
    command = [sys.executable, "-IS", str(PROGRAM), "--guard", str(left), "1"]
    guard = subprocess.Popen(command, stdin=subprocess.PIPE)
    assert guard.stdin is not None
    wait_ignoring(guard.pid)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.kill(guard.pid, number)
    guard.stdin.close()
    assert guard.wait(20) == 0
    assert plc.writes == SAFE


def wait_ignoring(guard: int) -> None:
    """Until it takes no SIGTERM any more, which is when it begins to wait."""
    until = time.monotonic() + 20
    while not _ignored(guard) >> (signal.SIGTERM - 1) & 1:
        assert time.monotonic() < until
        time.sleep(0.01)


def _ignored(process: int) -> int:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("SigIgn")), 16)
