"""Disks that are small, and full."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """A file system of `size` (as mount has it) on `folder`; skips the test where that needs a
    right which it has not."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("mounting a small file system is not allowed here")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def remount(folder: Path, how: str) -> None:
    """Make a file system read-only (`ro`) or writable (`rw`)."""
    subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True)


@contextmanager
def failing(pid: int, calls: str, error: str) -> Iterator[None]:
    """Have these system calls of a process, comma-separated, end with an error."""
    inject = f"inject={calls}:error={error}"
    command = ["strace", "-q", "-f", "-p", str(pid), "-e", f"trace={calls}", "-e", inject]
    try:
        tracer = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    except FileNotFoundError:
        pytest.skip("strace is not installed")
    try:
        yield
    finally:
        tracer.terminate()  # it lets the process go on
        tracer.wait()


def fill(folder: Path, leave: int = 0) -> Path:
    """Take all free room but `leave` bytes. Returns the file that takes it."""
    filler = folder / "filler"
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(folder).free - leave)
    return filler
