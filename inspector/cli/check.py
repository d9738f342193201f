"""inspector check-config: is this station fit to start? Everything that is wrong, a line each."""

import argparse
from typing import Any

from inspector.cli.screen import add_root, command, print_json, results, say
from inspector.core.config import Camera, RemoteCamera, StationConfig, Ui, load_station
from inspector.core.errors import InspectorError
from inspector.core.paths import Paths, of_root
from inspector.core.people import load_people
from inspector.core.recipe import load_recipe
from inspector.devices.bundles import find, open_bundle
from inspector.devices.cameras import open_camera
from inspector.devices.tls import check_certificate


def add(commands: Any) -> None:
    made = command(
        commands,
        "check-config",
        "check configuration, recipes, models and cameras without starting anything",
        "inspector check-config --root /srv/station",
    )
    add_root(made)
    made.set_defaults(command=_check)


def _check(arguments: argparse.Namespace) -> int:
    paths = of_root(arguments.root)
    found = problems(paths)
    if arguments.json:
        print_json({"ok": not found, "problems": found})
    elif found:
        for line in found:
            say(line)
    else:
        results.print(f"{paths.config}: fit to start")
    return 78 if found else 0


def problems(paths: Paths) -> list[str]:
    """All that would keep the station from inspecting, one line each."""
    try:
        config = load_station(paths.station_file)
    except InspectorError as error:
        return [str(error)]
    cameras = [line for camera in config.cameras for line in _camera(camera)]
    return recipes(paths, config) + cameras + _screen(paths, config.ui)


def _screen(paths: Paths, ui: Ui | None) -> list[str]:
    """Who may log in, and what is shown to whom."""
    lines = []
    for look in (lambda: load_people(paths.people), lambda: _certificate(ui)):
        try:
            look()
        except InspectorError as error:
            lines.append(str(error))
    return lines


def _certificate(ui: Ui | None) -> None:
    if ui and ui.tls_cert and ui.tls_key:
        check_certificate(ui.tls_cert, ui.tls_key)


def recipes(paths: Paths, config: StationConfig) -> list[str]:
    """Every recipe that is there is checked, and the one to start with has to be."""
    files = [paths.recipe(name) for name in paths.recipe_names()]
    lines = []
    if config.line.recipe not in paths.recipe_names():
        names = ", ".join(paths.recipe_names()) or "none"
        lines.append(
            f"{paths.station_file}: line.recipe = {config.line.recipe!r}: "
            f"no such file in {paths.recipes} (there: {names})"
        )
    for file in files:
        try:
            open_bundle(find(load_recipe(file).model, paths.models))
        except InspectorError as error:
            lines.append(str(error))
    return lines


def _camera(camera: Camera) -> list[str]:
    if isinstance(camera, RemoteCamera):
        return []
    try:
        open_camera(camera).close()
    except InspectorError as error:
        return [str(error)]
    return []
