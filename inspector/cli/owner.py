"""What a maintainer makes as root in an installed station belongs to the process that uses it.

Promises: every file below a folder gets the folder's own user and group, where root runs the
command; on a bench, and for everybody else, nothing happens.
Never: follows a link, also one that is put there meanwhile, or changes a mode.
"""

import argparse
import os
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from pathlib import Path

from inspector.core.paths import INSTALLED, of_root

Command = Callable[[argparse.Namespace], int]


def hand_over(folder: Path) -> None:
    """Give what lies below a folder to the folder's user and group."""
    if os.geteuid() or not folder.is_dir():
        return
    owner = folder.lstat()
    # By open folders and not by paths, which their owner may exchange for links meanwhile.
    for _, folders, files, opened in os.fwalk(folder):
        for name in (*folders, *files):
            with suppress(FileNotFoundError):  # the line goes on beside this
                os.chown(name, owner.st_uid, owner.st_gid, dir_fd=opened, follow_symlinks=False)


def handing_over(command: Command) -> Command:
    """The command; after it, however it ends, models and what was compiled of them belong to the
    station's processes again, which could read them all the while."""

    @wraps(command)
    def run(arguments: argparse.Namespace) -> int:
        if of_root(arguments.root) != INSTALLED:
            return command(arguments)
        os.umask(0o027)  # as the units have it, whatever the shell's
        try:
            return command(arguments)
        finally:
            for folder in (INSTALLED.models, INSTALLED.cache):
                hand_over(folder)

    return run
