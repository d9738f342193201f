"""fit: may this process start? What systemd asks before each start, answered in a moment.

Promises: the settings, the recipe to begin with, and for a camera its section are read, and what is
wrong is one line with the exit code 78. `inspector check-config` looks further (models, cameras).
Never: opens a device, a socket or the ledger, or imports what is slow to import.
"""

import sys
from collections.abc import Sequence

from inspector.core.config import RemoteCamera, StationConfig, load_station
from inspector.core.errors import InspectorError, MaintainerError
from inspector.core.folders import role
from inspector.core.paths import Paths, of_root
from inspector.core.recipe import load_recipe

OF_THE_LINE = ("record", "gate", "detect", "workshop")  # who needs a recipe to begin with


def main(arguments: Sequence[str]) -> int:
    """`SERVICE [CAMERA]`. Returns the exit code."""
    service, *camera = arguments
    try:
        _require(service, camera[0] if camera else None, of_root(None))
    except InspectorError as error:
        print(f"inspector {service}: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _require(service: str, camera: str | None, paths: Paths) -> None:
    config = load_station(paths.station_file)
    if camera is not None:
        _require_camera(config, camera, paths)
    if role(service) in OF_THE_LINE:
        _require_recipe(config, paths)


def _require_recipe(config: StationConfig, paths: Paths) -> None:
    name = config.line.recipe
    file = paths.recipe(name)
    if not file.is_file():
        there = ", ".join(paths.recipe_names()) or "none"
        raise MaintainerError(
            f"{paths.station_file}: line.recipe = {name!r}: no such file in {paths.recipes} "
            f"(there: {there})"
        )
    load_recipe(file)


def _require_camera(config: StationConfig, camera: str, paths: Paths) -> None:
    for one in config.cameras:
        if one.name == camera and not isinstance(one, RemoteCamera):
            return
    raise MaintainerError(
        f"{paths.station_file}: no camera {camera!r} of this host is there; add it, or let "
        "`inspector units` disable its service"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
