"""inspector user: who may log in at the screen."""

import argparse
import getpass
import grp
import re
import secrets
import sys
from contextlib import suppress
from typing import Any

from msgspec import structs

from inspector.cli.screen import add_root, command, print_json, results, table
from inspector.core.errors import MaintainerError, OperatorError
from inspector.core.folders import Group
from inspector.core.orders import Role
from inspector.core.paths import INSTALLED, Paths, of_root
from inspector.core.people import LONGEST_NAME, NAME, Listed, change_people, load_people
from inspector.domain.pins import SALT_BYTES, hashed, problem

ROLES = (Role.OPERATOR, Role.TECHNICIAN, Role.ENGINEER)
People = tuple[Listed, ...]


def add(commands: Any) -> None:
    top = commands.add_parser(
        "user",
        help="who may log in at the screen",
        description="Who may log in at the screen: names, roles and PINs. "
        "A change counts at once; no process has to be started anew.",
        epilog="example:\n  inspector user add anna --role operator --root /srv/station",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    group = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    made = _one(group, "add", "let somebody log in", "anna --role operator", _add)
    made.add_argument("--role", required=True, choices=ROLES, type=Role, help="what they may do")
    _pin_stdin(made)
    made = command(
        group, "list", "who may log in, and as what", "inspector user list --root /srv/station"
    )
    add_root(made)
    made.set_defaults(command=_list)
    _one(group, "remove", "let somebody log in no more; their sessions end", "anna", _remove)
    _pin_stdin(_one(group, "pin", "give somebody another PIN; their sessions end", "anna", _pin))


def _one(group: Any, name: str, summary: str, example: str, act: Any) -> argparse.ArgumentParser:
    """A command on one person."""
    example = f"inspector user {name} {example} --root /srv/station"
    made = command(group, name, summary, example)
    made.add_argument("name", metavar="NAME", help="as it is touched on the screen")
    add_root(made)
    made.set_defaults(command=act)
    return made


def _pin_stdin(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--pin-stdin", action="store_true", help="read the PIN from standard input, for scripts"
    )


def _add(arguments: argparse.Namespace) -> int:
    paths, name = _station(arguments), arguments.name
    if any(one.name == name for one in load_people(paths.people)):
        raise OperatorError(f"{name}: is listed already; `inspector user pin` changes the PIN")
    if not re.search(NAME, name) or len(name) > LONGEST_NAME:
        raise OperatorError(f"{name!r}: a name has 1 to 64 characters, no space first or last")
    pin = _new_pin(arguments.pin_stdin)
    listed = Listed(name=name, role=arguments.role.value, pin=pin)

    def added(people: People) -> People:
        return (*(one for one in people if one.name != name), listed)

    _change(paths, added)
    return _told(arguments, f"{name}: may log in as {listed.role}", role=listed.role)


def _remove(arguments: argparse.Namespace) -> int:
    paths, name = _station(arguments), arguments.name
    _listed(paths, name)
    _change(paths, lambda people: tuple(one for one in people if one.name != name))
    return _told(arguments, f"{name}: may log in no more")


def _pin(arguments: argparse.Namespace) -> int:
    paths, name = _station(arguments), arguments.name
    _listed(paths, name)
    pin = _new_pin(arguments.pin_stdin)

    def changed(people: People) -> People:
        return tuple(structs.replace(one, pin=pin) if one.name == name else one for one in people)

    _change(paths, changed)
    return _told(arguments, f"{name}: has another PIN")


def _list(arguments: argparse.Namespace) -> int:
    paths = _station(arguments)
    people = load_people(paths.people)
    if arguments.json:
        print_json({"people": [{"name": one.name, "role": one.role} for one in people]})
    elif not people:
        results.print("nobody can log in yet; `inspector user add NAME` adds people")
    else:
        rows = [(one.name, one.role) for one in people]
        results.print(table(str(paths.people), ("name", "role"), rows))
    return 0


def _station(arguments: argparse.Namespace) -> Paths:
    paths = of_root(arguments.root)
    if not paths.config.is_dir():
        raise MaintainerError(f"{paths.config}: no such folder; give the station's own --root")
    return paths


def _listed(paths: Paths, name: str) -> None:
    names = [one.name for one in load_people(paths.people)]
    if name not in names:
        known = ", ".join(names) or "nobody"
        raise OperatorError(f"{name}: is not listed (there: {known})")


def _change(paths: Paths, change: Any) -> None:
    """The station's own processes have to be able to read the file, and nobody else."""
    change_people(paths.people, change, people_group(paths))


def people_group(paths: Paths) -> int | None:
    """The group that may read who may log in: on an installed station one for this alone."""
    with suppress(KeyError):
        if paths == INSTALLED:
            return grp.getgrnam(Group.PEOPLE).gr_gid
    with suppress(OSError):
        return paths.state.stat().st_gid
    return None


def _new_pin(from_stdin: bool) -> str:
    """A PIN that somebody has chosen, hashed. Raises OperatorError when it is none."""
    pin = sys.stdin.readline().strip() if from_stdin else _asked()
    if wrong := problem(pin):
        raise OperatorError(wrong)
    return hashed(pin, secrets.token_bytes(SALT_BYTES))


def _asked() -> str:
    if not sys.stdin.isatty():
        raise OperatorError("a PIN is asked for at a terminal; give --pin-stdin in a script")
    pin = getpass.getpass("PIN: ")
    if wrong := problem(pin):
        raise OperatorError(wrong)
    if getpass.getpass("once more: ") != pin:
        raise OperatorError("the two differ; nothing was changed")
    return pin


def _told(arguments: argparse.Namespace, text: str, **more: str) -> int:
    if arguments.json:
        print_json({"name": arguments.name, "text": text, **more})
    else:
        results.print(text)
    return 0
