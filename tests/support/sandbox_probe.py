"""Run inside a service's own sandbox: tries what no service may do, and says how far it came.

    python3 -I sandbox_probe.py ARGUMENTS      ARGUMENTS: a JSON file, see `Given`

Promises: the standard library alone; one line `PROBE {"attempt": "done" | "refused: why"}` on
standard output; what an attempt made is undone where that is possible.
Never: stops at an attempt that fails, or ends a process.
"""

import ctypes
import errno
import json
import mmap
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

# Of x86-64, by asm/unistd_64.h.
PTRACE, SETNS, MOUNT, UNSHARE, BPF = 101, 308, 165, 272, 321
ADD_KEY, KEYCTL, PERF, IO_URING, USERFAULTFD = 248, 250, 298, 425, 323
PROCESS_VM_READV, INIT_MODULE, REBOOT, SWAPON, CLOCK_SETTIME = 310, 175, 169, 167, 227
SETHOSTNAME, CHROOT, MKNOD, PERSONALITY, SETUID, KEXEC = 170, 161, 133, 135, 105, 246
PTRACE_ATTACH, PTRACE_DETACH = 16, 17
NEWUSER, NEWNS, NEWNET = 0x10000000, 0x00020000, 0x40000000
ADDR_NO_RANDOMIZE = 0x0040000
SIGNAL_NONE = 0

libc = ctypes.CDLL(None, use_errno=True)
Attempt = Callable[[], object]


def main() -> int:
    given = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    found = {name: _tried(attempt) for name, attempt in attempts(given)}
    print("PROBE " + json.dumps(found), flush=True)
    return 0


def attempts(given: dict[str, list[str]]) -> Iterator[tuple[str, Attempt]]:
    """`given`: files to `read`, folders to `write` into, HOST:PORT to `reach`, processes to
    `touch` (by what they are)."""
    for path in given["read"]:
        yield f"read {path}", lambda path=path: Path(path).read_bytes()
    for path in given["list"]:
        yield f"list {path}", lambda path=path: list(Path(path).iterdir())
    for path in given["change"]:
        yield f"change {path}", lambda path=path: os.close(os.open(path, os.O_RDWR))
    for path in given["write"]:
        yield f"write {path}", lambda path=path: _make_file(Path(path))
    for place in given["reach"]:
        yield f"reach {place}", lambda place=place: _reach(place)
    for what in given["touch"]:
        name, number = what.rsplit(" ", 1)
        yield from _on_process(name, int(number))
    yield from _kernel()
    yield from _sockets()
    yield from _devices()
    yield "memory written and run", _write_and_run
    yield "order systemd", _order_systemd
    yield "become root", lambda: _call(SETUID, 0)
    yield "realtime", lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))
    yield "higher priority", _raise_priority


def _raise_priority() -> None:
    """Above what the unit itself gives."""
    os.setpriority(os.PRIO_PROCESS, 0, os.getpriority(os.PRIO_PROCESS, 0) - 5)


def _on_process(name: str, number: int) -> Iterator[tuple[str, Attempt]]:
    yield f"trace {name}", lambda: _trace(number)
    yield f"signal {name}", lambda: os.kill(number, SIGNAL_NONE)
    yield f"memory of {name}", lambda: Path(f"/proc/{number}/mem").open("rb").close()
    yield f"environment of {name}", lambda: Path(f"/proc/{number}/environ").read_bytes()
    yield f"files of {name}", lambda: list(Path(f"/proc/{number}/fd").iterdir())
    yield f"namespace of {name}", lambda: _enter(f"/proc/{number}/ns/net")


def _kernel() -> Iterator[tuple[str, Attempt]]:
    yield "namespace user", lambda: _in_child(lambda: _call(UNSHARE, NEWUSER))
    yield "namespace mount", lambda: _in_child(lambda: _call(UNSHARE, NEWNS))
    yield "namespace network", lambda: _in_child(lambda: _call(UNSHARE, NEWNET))
    yield "mount", lambda: _in_child(lambda: _call(MOUNT, b"none", b"/tmp", b"tmpfs", 0, None))
    yield "chroot", lambda: _in_child(lambda: _call(CHROOT, b"/"))
    yield "host name", lambda: _call(SETHOSTNAME, socket.gethostname().encode(), 2)
    yield "clock", lambda: _call(CLOCK_SETTIME, 0, None)
    yield "module", lambda: _call(INIT_MODULE, None, 0, b"")
    yield "kexec", lambda: _call(KEXEC, 0, 0, None, 0)
    yield "swap", lambda: _call(SWAPON, b"/nowhere", 0)
    yield "reboot", lambda: _call(REBOOT, 0, 0, 0, None)  # with magic numbers that are none
    yield "bpf", lambda: _call(BPF, 0, None, 0)
    yield "perf", lambda: _call(PERF, None, 0, -1, -1, 0)
    yield "io_uring", lambda: _call(IO_URING, 1, None)
    yield "userfaultfd", lambda: _call(USERFAULTFD, 1)
    yield "key", lambda: _call(ADD_KEY, b"user", b"probe", b"x", 1, -2)
    yield "keyring", lambda: _call(KEYCTL, 0, -3, 0)
    yield "personality", lambda: _call(PERSONALITY, ADDR_NO_RANDOMIZE)
    yield "sysctl", lambda: os.close(os.open("/proc/sys/kernel/hostname", os.O_WRONLY))
    yield "kernel log", lambda: os.close(os.open("/dev/kmsg", os.O_RDONLY))
    yield "control group", lambda: _join_group()
    yield "set-user-id", lambda: _set_user_id()


def _sockets() -> Iterator[tuple[str, Attempt]]:
    kinds = {
        "internet": (socket.AF_INET, socket.SOCK_STREAM, 0),
        "raw": (socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
        "packet": (socket.AF_PACKET, socket.SOCK_RAW, 0),
        "netlink": (socket.AF_NETLINK, socket.SOCK_RAW, 0),
        "vsock": (socket.AF_VSOCK, socket.SOCK_STREAM, 0),
    }
    for name, kind in kinds.items():
        yield f"socket {name}", lambda kind=kind: socket.socket(*kind).close()


def _devices() -> Iterator[tuple[str, Attempt]]:
    for path in ("/dev/mem", "/dev/port", "/dev/sda", "/dev/vda", "/dev/loop0", "/dev/fuse"):
        yield f"device {path}", lambda path=path: os.close(os.open(path, os.O_RDONLY))
    yield "device made", lambda: _call(MKNOD, b"/tmp/probe-disk", 0o60600, os.makedev(7, 0))


def _tried(attempt: Attempt) -> str:
    try:
        attempt()
    except OSError as error:
        return f"refused: {errno.errorcode.get(error.errno or 0, str(error))}"
    except subprocess.SubprocessError as error:
        return f"refused: {error}"
    return "done"


def _call(number: int, *arguments: object) -> int:
    """A system call by its number. Raises OSError."""
    given = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    answer = int(libc.syscall(ctypes.c_long(number), *given))
    if answer < 0:
        raise OSError(ctypes.get_errno(), "")
    return answer


def _in_child(attempt: Attempt) -> None:
    """What cannot be undone is tried in a process that ends with it."""
    child = os.fork()
    if not child:
        try:
            attempt()
        except OSError as error:
            os._exit(error.errno or 255)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code:
        raise OSError(code, "")


def _make_file(folder: Path) -> None:
    path = folder / f".probe-{os.getpid()}"
    path.write_bytes(b"x")
    path.unlink()


def _reach(place: str) -> None:
    host, port = place.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=1.0) as channel:
        if channel.recv(1) != b"!":
            raise OSError(errno.ECONNRESET, "")


def _trace(number: int) -> None:
    _call(PTRACE, PTRACE_ATTACH, number, None, None)
    os.waitpid(number, 0x40000000)  # __WALL
    _call(PTRACE, PTRACE_DETACH, number, None, None)


def _enter(path: str) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        _in_child(lambda: _call(SETNS, handle, 0))
    finally:
        os.close(handle)


def _write_and_run() -> None:
    everything = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
    mmap.mmap(-1, mmap.PAGESIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, everything).close()


def _join_group() -> None:
    for path in Path("/sys/fs/cgroup").rglob("cgroup.procs"):
        path.write_text(str(os.getpid()))
        return


def _set_user_id() -> None:
    path = Path("/tmp/probe-suid")
    path.write_bytes(b"")
    try:
        path.chmod(0o4755)
    finally:
        path.unlink()


def _order_systemd() -> None:
    command = ["systemctl", "--no-ask-password", "set-environment", "PROBE=1"]
    subprocess.run(command, check=True, capture_output=True, timeout=10)


if __name__ == "__main__":
    sys.exit(main())
