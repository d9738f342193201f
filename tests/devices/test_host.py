"""A process and its host: one instance, orderly signals, a watchdog fed by finished work."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from inspector.core.errors import EngineerError, MaintainerError
from inspector.devices.host import Lifecycle, guarded, notify


@pytest.fixture(autouse=True)
def _signals_as_before() -> "object":
    before = {
        number: signal.getsignal(number)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    }
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_second_instance_is_named(root: Path) -> None:
    lock = root / "gate.lock"
    with (
        Lifecycle("gate", lock),
        pytest.raises(MaintainerError, match=f"already running here.*{os.getpid()}"),
    ):
        Lifecycle("gate", lock)


def test_lock_of_a_killed_process_is_free(root: Path) -> None:
    lock = root / "gate.lock"
    code = (
        "import sys, time; from pathlib import Path; from inspector.devices.host import Lifecycle;"
        "life = Lifecycle('gate', Path(sys.argv[1])); print('up', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(lock)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "up\n"
        with pytest.raises(MaintainerError):
            Lifecycle("gate", lock)
        holder.kill()
    Lifecycle("gate", lock).close()


def test_sigterm_asks_for_an_orderly_end(root: Path) -> None:
    """In a process of its own: libraries that other tests have loaded do not bear a signal."""
    code = (
        "import os, signal, sys; from pathlib import Path;"
        "from inspector.devices.host import Lifecycle; life = Lifecycle('gate', Path(sys.argv[1]));"
        "before = life.running; os.kill(os.getpid(), signal.SIGTERM); print(before, life.running)"
    )
    command = [sys.executable, "-c", code, str(root / "lock")]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=30)
    assert done.stdout == "True False\n"


def test_unwritable_lock_is_one_line(root: Path) -> None:
    with pytest.raises(MaintainerError, match="cannot be written"):
        Lifecycle("gate", root / "absent" / "lock")


def test_service_manager_is_told(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(root / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(root / "notify"))
        with Lifecycle("gate", root / "lock") as life:
            life.ready()
            for _ in range(100):
                life.finished_work()
        manager.settimeout(1)
        told = [manager.recv(100) for _ in range(3)]
    assert told == [b"READY=1", b"WATCHDOG=1", b"STOPPING=1"]  # 100 rounds are one ping


def test_without_a_service_manager_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify("READY=1")


def test_expected_error_is_one_line_and_its_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    def body() -> None:
        raise EngineerError("the model promises what it does not keep")

    assert guarded("detect", body) == EngineerError.exit_code
    told = capsys.readouterr()
    assert told.err == "inspector detect: the model promises what it does not keep\n"
    assert told.out == ""
