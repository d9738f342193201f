"""inspector: the command line. Finds the command's room and turns errors into one line.

Promises: results go to standard output, everything else to standard error; an expected error is
one line and a non-zero exit code; every command has --help with an example.
Never: shows a traceback for something a person can mend.
"""

import argparse
import sys
from collections.abc import Sequence

from inspector import __version__
from inspector.cli import (
    assess,
    audit,
    backup,
    benchmark,
    check,
    collect,
    demo,
    doctor,
    evaluate,
    export,
    model,
    mqtt_check,
    receive,
    replay,
    restore,
    run,
    selftest,
    setup,
    status,
    support_bundle,
    switch,
    teach,
    totals,
    units,
    upgrade,
    user,
    why,
)
from inspector.cli.screen import say
from inspector.core.errors import InspectorError

COMMANDS = (
    demo,
    doctor,
    setup,
    run,
    status,
    why,
    switch,
    user,
    units,
    upgrade,
    audit,
    backup,
    restore,
    selftest,
    teach,
    model,
    evaluate,
    check,
    collect,
    replay,
    totals,
    receive,
    mqtt_check,
    export,
    support_bundle,
    benchmark,
    assess,
)

EXAMPLES = """examples:
  inspector demo                          a whole line on the rendered sample parts
  inspector run --root /srv/station       the line of a station's own configuration
  inspector status --root /srv/station    what every process is doing
  inspector teach good/ --name cap --out models/cap
"""


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        "inspector",
        description="Looks at every part, decides in time, tells the outside only totals.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"inspector {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for room in COMMANDS:
        room.add(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code."""
    arguments = parser().parse_args(argv)
    try:
        return int(arguments.command(arguments))
    except InspectorError as error:
        say(f"inspector: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
