"""inspector model: the station's models: put in, put in use, taken back, proven."""

import argparse
import time
from pathlib import Path
from typing import Any

from msgspec import Struct

from inspector.cli import model_import, model_optimize, model_prove
from inspector.cli.console import give_order
from inspector.cli.owner import handing_over
from inspector.cli.screen import REMARK, add_root, command, print_json, results, table
from inspector.core.bundle import BundleManifest
from inspector.core.config import load_station
from inspector.core.current import read_current
from inspector.core.errors import MaintainerError
from inspector.core.orders import SetRecipe
from inspector.core.paths import Paths, of_root
from inspector.core.topology import LIVE
from inspector.devices.bundles import Bundle, Store, find, open_bundle
from inspector.devices.bus import Bus, Inbox, newest_live
from inspector.procedures.proving import prove_here, recipe_in

BROADCAST_MS = 2000.0  # record speaks at least once a second
RELOADED_S = 30.0


class Version(Struct, frozen=True):
    """An installed version, as a machine reads it. `problem`: why it cannot be used."""

    name: str
    version: str
    use: str  # current, previous or nothing
    digest: str
    problem: str


def add(commands: Any) -> None:
    top = commands.add_parser(
        "model",
        help="install, choose, prove, import and optimise models",
        description="The station's models: put in, put in use, taken back, proven.",
        epilog="example:\n  inspector model install models/cap --root /srv/station",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    group = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_store(group)
    for room in (model_prove, model_import, model_optimize):
        room.add(group)


def _add_store(group: Any) -> None:
    made = command(
        group,
        "install",
        "copy a bundle into the station's store; the first of its name is put in use",
        "inspector model install models/cap --root /srv/station",
    )
    made.add_argument("bundle", type=Path, metavar="BUNDLE")
    add_root(made)
    made.set_defaults(command=handing_over(_install))
    made = command(
        group, "list", "all installed versions", "inspector model list --root /srv/station"
    )
    add_root(made)
    made.set_defaults(command=_list)
    made = command(
        group,
        "use",
        "prove a version here and put it in use; a running line takes it between two parts",
        "inspector model use cap 9de9aca7adf6 --root /srv/station",
    )
    made.add_argument("name", metavar="NAME")
    made.add_argument("version", metavar="VERSION")
    add_root(made)
    made.set_defaults(command=handing_over(_use))
    made = command(
        group,
        "back",
        "put the version in use that was so before",
        "inspector model back cap --root /srv/station",
    )
    made.add_argument("name", metavar="NAME")
    add_root(made)
    made.set_defaults(command=handing_over(_back))
    made = command(
        group,
        "remove",
        "delete a version that is neither in use nor the one before",
        "inspector model remove cap 9de9aca7adf6 --root /srv/station",
    )
    made.add_argument("name", metavar="NAME")
    made.add_argument("version", metavar="VERSION")
    add_root(made)
    made.set_defaults(command=handing_over(_remove))


def _install(arguments: argparse.Namespace) -> int:
    paths = of_root(arguments.root)
    store = Store(paths.models)
    bundle = store.install(arguments.bundle)
    name, version = bundle.manifest.name, bundle.manifest.version
    try:
        first = find(name, paths.models) == bundle.folder
    except MaintainerError:  # the first of its name
        prove_here(bundle, paths)
        store.use(name, version)
        first = True
    decides = first and _reload(bundle.manifest, paths)  # it may have gone on without it
    if arguments.json:
        told = {"bundle": bundle.manifest.id, "digest": bundle.digest, "in_use": first}
        print_json(told | {"decides": decides})
    elif first:
        running = ", decides on the running line" if decides else ""
        results.print(f"{bundle.manifest.id}: installed and in use{running}")
    else:
        results.print(
            f"{bundle.manifest.id}: installed; `inspector model use {name} {version}` "
            "puts it in use"
        )
    return 0


def _list(arguments: argparse.Namespace) -> int:
    paths = of_root(arguments.root)
    if not paths.models.is_dir() and not paths.config.is_dir():
        raise MaintainerError(f"{paths.models}: no such folder; give the station's own --root")
    found = [
        Version(
            one.name,
            one.version,
            "current" if one.current else "previous" if one.previous else "",
            one.digest,
            one.problem,
        )
        for one in Store(paths.models).listed()
    ]
    if arguments.json:
        print_json({"versions": found})
        return 0
    rows = [(one.name, one.version, one.use, one.problem or "in order") for one in found]
    results.print(table(str(paths.models), ("name", "version", "in use", REMARK), rows))
    return 0


def _use(arguments: argparse.Namespace) -> int:
    paths = of_root(arguments.root)
    store = Store(paths.models)
    folder = store.folder(arguments.name, arguments.version)
    prove_here(open_bundle(folder), paths)
    return _in_force(store.use(arguments.name, arguments.version), paths, arguments.json)


def _back(arguments: argparse.Namespace) -> int:
    paths = of_root(arguments.root)
    store = Store(paths.models)
    prove_here(open_bundle(store.before(arguments.name)), paths)
    return _in_force(store.back(arguments.name), paths, arguments.json)


def _remove(arguments: argparse.Namespace) -> int:
    Store(of_root(arguments.root).models).remove(arguments.name, arguments.version)
    if arguments.json:
        print_json({"removed": f"{arguments.name}@{arguments.version}"})
    else:
        results.print(f"{arguments.name}@{arguments.version}: removed")
    return 0


def _in_force(bundle: Bundle, paths: Paths, json: bool) -> int:
    """Say what became of it; a running line is asked to take the model up."""
    decides = _reload(bundle.manifest, paths)
    if json:
        print_json({"bundle": bundle.manifest.id, "digest": bundle.digest, "decides": decides})
    else:
        how = "decides on the running line" if decides else "in use from its recipe's next start on"
        results.print(f"{bundle.manifest.id}: {how}")
    return 0


def _reload(manifest: BundleManifest, paths: Paths) -> bool:
    """Ask record for the recipe in force once more. False when no line runs, or one that makes
    another product. Raises MaintainerError when the model is refused there."""
    if not paths.station_file.exists():
        return False
    recipe, lot = read_current(paths.current, load_station(paths.station_file).line).newest
    made = recipe_in(paths.recipe(recipe))
    if made is None or made.model != manifest.name:
        return False
    with Bus() as bus:
        inbox = bus.listen(paths.socket(LIVE))
        if newest_live(inbox, BROADCAST_MS) is None:
            return False
        began = time.time_ns()
        why = f"{manifest.id} is in use"
        give_order(bus, paths, SetRecipe(recipe=recipe, lot=lot), why)
        return _taken_up(inbox, manifest.id, began)


def _taken_up(inbox: Inbox, model_id: str, began_wall_ns: int) -> bool:
    """Wait until detect says that it decides with the model. Raises MaintainerError when it
    refuses."""
    until = time.monotonic() + RELOADED_S
    while time.monotonic() < until:
        live = newest_live(inbox, 200)
        if live is None:
            continue
        if any(one.heartbeat.note.endswith(f" {model_id}") for one in live.services):
            return True
        for alarm in live.alarms:
            if alarm.code == "model_refused" and alarm.raised_wall_ns >= began_wall_ns:
                raise MaintainerError(alarm.text)
    raise MaintainerError(
        f"{model_id}: the line did not take it up within {RELOADED_S:g} s; see `inspector status`"
    )
