"""Nothing of ours lets OpenVINO or NNCF send events, or leave a client's number behind."""

import subprocess
import sys
from pathlib import Path

import pytest

CHECK = """
import inspector.devices.engine, sys
import openvino.tools.ovc.telemetry_utils as used
assert used.tm.__name__ == "openvino.tools.ovc.telemetry_stub", used.tm
assert sys.modules["openvino_telemetry"] is None
assert not [name for name in sys.modules if name.startswith("openvino_telemetry.")]
"""
NNCF = "from inspector.adopt import int8; import inspector; int8.nncf()"


def run(code: str, home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_openvino_sends_no_event_at_import(tmp_path: Path) -> None:
    run(CHECK, tmp_path)
    assert not list(tmp_path.iterdir())


def test_nncf_sends_no_event(tmp_path: Path) -> None:
    pytest.importorskip("nncf")
    run(NNCF, tmp_path)
    assert not (tmp_path / "intel").exists()
