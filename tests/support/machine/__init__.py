"""A whole computer with a real systemd, for the tests that need one.

Promises: PID 1 is Debian 12's systemd in a container with its own network, in either layout of
control groups; every machine boots from a clean copy, and whatever becomes of the test, nothing
of it stays: no mount, no process, no control group.
Never: touches the host's own units, mounts or network.

    with boot(installed_root(), files=station_files()) as machine:
        machine.systemctl("start", "inspector.target")
"""

from .booting import boot, lacking, needs_machine
from .inside import Machine
from .roots import Root, base_root, installed_root, package, tree_root
from .station import station_files

__all__ = [
    "Machine",
    "Root",
    "base_root",
    "boot",
    "installed_root",
    "lacking",
    "needs_machine",
    "package",
    "station_files",
    "tree_root",
]
