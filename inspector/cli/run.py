"""inspector run: the line of a station's own configuration, supervised on a bench."""

import argparse
import signal
import time
from types import FrameType
from typing import IO, Any

from inspector.cli.address import Waiting
from inspector.cli.check import problems
from inspector.cli.screen import add_root, command, print_json, say
from inspector.core.config import load_station
from inspector.core.errors import MaintainerError
from inspector.core.paths import INSTALLED, Paths, of_root
from inspector.devices.host import Lifecycle
from inspector.services.run import Supervisor

WATCH_S = 0.02


def add(commands: Any) -> None:
    made = command(
        commands,
        "run",
        "run the line in this terminal; Ctrl-C stops all in order",
        "inspector run --root /srv/station",
    )
    add_root(made)
    made.set_defaults(command=_run)


def _run(arguments: argparse.Namespace) -> int:
    paths = of_root(arguments.root)
    if paths == INSTALLED:
        raise MaintainerError(
            f"the station of {paths.config} is run by systemd (systemctl start inspector.target); "
            "give --root DIR for one of a bench"
        )
    if found := problems(paths):
        raise MaintainerError(found[0])
    paths.create()
    with Lifecycle("run", paths.lock("run")) as life:
        screen = Waiting(paths)
        supervisor = start(paths)
        try:
            life.ready()
            while life.running:
                supervisor.watch()
                if url := screen.look():
                    say(f"screen: {url}")
                life.finished_work()
                time.sleep(WATCH_S)
        finally:
            stop(supervisor)
    if arguments.json:
        print_json({"restarts": {one.process.name: one.restarts for one in supervisor.children}})
    return 0


def start(paths: Paths, log: IO[bytes] | None = None) -> Supervisor:
    """All processes of the station in `paths`, started; what they say goes to `log`."""
    supervisor = Supervisor(load_station(paths.station_file), paths.config.parent, say, log)
    try:
        supervisor.start()
    except OSError as error:
        supervisor.stop()
        raise MaintainerError(f"a process cannot be started ({error.strerror})") from None
    return supervisor


def stop(supervisor: Supervisor) -> None:
    """Stop all in order; a second Ctrl-C meanwhile does not leave half of them behind."""

    def patience(_number: int, _frame: FrameType | None) -> None:
        say("stopping; every part gets its outcome first")

    signal.signal(signal.SIGINT, patience)
    supervisor.stop()
