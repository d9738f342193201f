"""Booting a machine, and being rid of it.

Promises: what the machine writes goes into a layer of its own; the mounts live in a namespace that
ends with it; should the test process die, so does the machine.
Never: leaves a control group behind, or puts the machine into one of the host's units.
"""

import ctypes
import itertools
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Literal

import pytest

from .inside import Machine, descendants, end, text_of
from .roots import KEPT, Root

Cgroups = Literal["v2", "hybrid"]
Files = Mapping[str, str | Path]
CGROUPS = Path("/sys/fs/cgroup")
# Which controllers bite: with v2 IPAddressDeny= and DevicePolicy=; with hybrid MemoryMax=,
# TasksMax= and CPUQuota=, where the kernel's older hierarchies hold these.
CONTROLLERS = ("memory", "pids", "cpu", "cpuacct")
TOOLS = {
    "systemd-nspawn": "systemd-container",
    "debootstrap": "debootstrap",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "mkfs.ext4": "e2fsprogs",
}
PR_SET_PDEATHSIG = 1
BOOT_S = 60.0  # generous: it takes one on an idle box
_numbers = itertools.count()

# $GROUPS: this machine's control groups, of which it enters each.
START = """
set -eu
export PATH="$PATH:/usr/sbin:/sbin"
if [ "$CG" = v2 ]; then
  umount -R /sys/fs/cgroup
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
  mkdir "/sys/fs/cgroup/$NAME"
  echo $$ >"/sys/fs/cgroup/$NAME/cgroup.procs"
else
  for group in /sys/fs/cgroup/{memory,pids,cpu,cpuacct,devices,freezer,blkio,systemd,unified}; do
    mkdir "$group/$NAME"
    echo $$ >"$group/$NAME/cgroup.procs"
  done
fi
[ -z "$IMAGE" ] || mount -o loop "$IMAGE" "$DISK"
mkdir -p "$DISK/upper" "$DISK/work"
chmod 755 "$DISK/upper"
mount -t overlay overlay -o "lowerdir=$LOWER,upperdir=$DISK/upper,workdir=$DISK/work" "$ROOT"
tar -C "$FILES" --owner=0 --group=0 -c . | tar -C "$ROOT" --no-overwrite-dir -x
exec systemd-nspawn -q -D "$ROOT" -b --register=no --keep-unit --private-network \
  --machine="$NAME" --system-call-filter=bpf --console=pipe --link-journal=no "$@"
"""


@cache
def lacking() -> str:
    """What there is not, to boot machines here; empty where all is there."""
    for tool, package in TOOLS.items():
        if shutil.which(tool, path=os.environ["PATH"] + ":/usr/sbin:/sbin") is None:
            return f"{tool} is not installed (apt-get install {package})"
    if os.geteuid():
        return "only root may boot machines"
    made = subprocess.run(["unshare", "-m", "true"], capture_output=True, text=True)
    return f"no namespace can be made: {made.stderr.strip()}" if made.returncode else ""


def needs_machine() -> pytest.MarkDecorator:
    """Skip where no machine can be booted, saying what is absent."""
    return pytest.mark.skipif(bool(lacking()), reason=lacking() or "all there")


@contextmanager
def boot(
    root: Path | Root,
    cgroups: Cgroups = "v2",
    files: Files | None = None,
    binds: Mapping[str, Path] | None = None,
    disk: Path | None = None,
    wait: bool = True,
    options: tuple[str, ...] = (),
) -> Iterator[Machine]:
    """A machine that runs until the end of the block.

    `files`: text by path inside, or a Path for a symbolic link, there before it starts. `binds`:
    folders of the host by path inside, writable. `disk`: a folder, or a file that holds a file
    system, which keeps what the machine writes, for a later boot from it; without one it is
    forgotten. `wait`: until every unit has started or failed. `options`: more of systemd-nspawn's.
    What the journal said last is printed when the block fails.
    """
    root = root if isinstance(root, Root) else Root((root,))
    KEPT.mkdir(parents=True, exist_ok=True)
    _bury_the_dead()
    name = f"im{os.getpid()}-{next(_numbers)}"
    folder = KEPT / name
    folder.mkdir()
    try:
        process = _start(root, folder, disk or folder, name, cgroups, files or {}, binds, options)
        try:
            machine = Machine(process, _leader(process, folder), folder)
            yield from _lived(machine, cgroups, wait)
        finally:
            end(process)
    finally:
        _remove_groups(name)
        shutil.rmtree(folder, ignore_errors=True)


def _lived(machine: Machine, cgroups: Cgroups, wait: bool) -> Iterator[Machine]:
    try:
        machine.wait_for_manager(BOOT_S)
        if cgroups == "hybrid":
            _hand_controllers(machine)
        if wait:
            machine.run("systemctl", "is-system-running", "--wait", check=False, timeout=120)
        yield machine
    except BaseException:
        print(machine.last_words(), file=sys.stderr)
        raise


def _start(
    root: Root,
    folder: Path,
    disk: Path,
    name: str,
    cgroups: Cgroups,
    files: Files,
    binds: Mapping[str, Path] | None,
    options: tuple[str, ...],
) -> "subprocess.Popen[bytes]":
    image = disk if disk.is_file() else None
    disk = folder / "disk" if image else disk
    for made in (folder / "root", folder / "files", disk):
        made.mkdir(parents=True, exist_ok=True)
    for path, text in files.items():
        place = folder / "files" / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, Path):
            place.symlink_to(text)
        else:
            place.write_text(text)
    environment = {
        **os.environ,
        "CG": cgroups,
        "NAME": name,
        "ROOT": str(folder / "root"),
        "FILES": str(folder / "files"),
        "LOWER": ":".join(map(str, root.layers)),
        "DISK": str(disk),
        "IMAGE": str(image or ""),
    }
    bound = [f"--bind={outside}:{inside}" for inside, outside in (binds or {}).items()]
    bound += [f"--bind-ro={outside}:{inside}" for inside, outside in root.read_only.items()]
    # In a process namespace of its own, all of which ends with its first process.
    own = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    command = [*own, "--propagation", "private", "bash", "-c", START, "boot"]
    with (folder / "console").open("wb") as console:
        return subprocess.Popen(
            [*command, *bound, *options],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            preexec_fn=_die_with_us,
            start_new_session=True,
        )


def _die_with_us() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _leader(process: "subprocess.Popen[bytes]", folder: Path) -> int:
    """The machine's PID 1, by the host's number."""
    until = time.monotonic() + BOOT_S
    while time.monotonic() < until and process.poll() is None:
        for number in descendants(process.pid):
            if text_of(Path(f"/proc/{number}/comm")).strip() == "systemd":
                return number
        time.sleep(0.01)
    console = (folder / "console").read_text(errors="replace")
    raise RuntimeError(f"the machine does not start: {console[-2000:]}")


def _hand_controllers(machine: Machine) -> None:
    """Give the machine's systemd the controllers that a container is not given."""
    for name in CONTROLLERS:
        machine.run("mount", "-o", "remount,rw,bind", str(CGROUPS / name))
    machine.systemctl("daemon-reexec")


def _bury_the_dead() -> None:
    """What machines left whose test process was killed: folders and control groups."""
    for folder in KEPT.glob("im*-*"):
        if not Path(f"/proc/{folder.name[2:].split('-')[0]}").exists():
            _remove_groups(folder.name)
            shutil.rmtree(folder, ignore_errors=True)


def _remove_groups(name: str) -> None:
    """This machine's control groups, innermost first, once the kernel lets go of them."""
    for top in [*CGROUPS.glob(f"*/{name}"), CGROUPS / name]:
        for group in [*sorted((p for p in top.rglob("*") if p.is_dir()), reverse=True), top]:
            _remove_group(group)


def _remove_group(group: Path) -> None:
    for _ in range(100):
        try:
            group.rmdir()
        except FileNotFoundError:
            return
        except OSError:  # busy: its processes are still being buried
            time.sleep(0.02)
        else:
            return
