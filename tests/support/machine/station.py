"""The configuration of a machine's station: the sample product, as `inspector setup` and `inspector
units` write it.

Promises: camera, model and limits are the product's own samples, where the package puts them.
Never: writes anything; `boot` puts the files into the machine.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from inspector.cli import samples
from inspector.cli.station import write_recipe, write_station
from inspector.core.config import load_station
from inspector.core.paths import Paths, under
from inspector.devices.bundles import open_bundle
from inspector.devices.station_units import FILE, SYSTEM, WANTS
from inspector.domain.units import Box, plan
from support.people import let_in

SHARE = Path("/opt/inspector/current/share")
LIB = Path("/usr/lib/systemd/system")
CONFIG = "/etc/inspector"


def station_files(
    takt_ms: float = 100.0, product: str = samples.PRODUCT, **sections: object
) -> dict[str, str | Path]:
    """Files for `boot`. `sections` replace those of station.toml, as `output={...}`."""
    with tempfile.TemporaryDirectory() as scratch:
        paths = under(Path(scratch))
        _write(paths, product, takt_ms, sections)
        files: dict[str, str | Path] = {
            f"{CONFIG}/{path.relative_to(paths.config)}": path.read_text()
            for path in paths.config.rglob("*.toml")
        }
        files[f"{SYSTEM}/multi-user.target.wants/inspector.target"] = LIB / "inspector.target"
        return files | dict(_units(paths))


def _units(paths: Paths) -> Iterator[tuple[str, str | Path]]:
    """What `inspector units` would put in place."""
    box = Box(cpus=frozenset(range(os.cpu_count() or 1)), resolve=lambda host: (host,))
    made = plan(load_station(paths.station_file), box)
    for unit, text in made.drop_ins.items():
        yield f"{SYSTEM}/{unit}.d/{FILE}", text
    for unit in made.enabled:
        name, at, _ = unit.partition("@")
        yield f"{SYSTEM}/{WANTS}/{unit}", LIB / (f"{name}@.service" if at else unit)


def _write(paths: Paths, product: str, takt_ms: float, sections: dict[str, object]) -> None:
    limits = open_bundle(samples.bundle(product)).manifest.limits
    model = SHARE / "models" / product
    write_recipe(paths, product, model, {"review": limits.review, "fail": limits.fail})
    images = SHARE / "sample_data" / product / "test"
    camera = {"path": str(images), "takt_ms": takt_ms, "shuffle_seed": 1}
    line = {"deadline_ms": 400.0, "recipe": product, "lot": "A-1047"}
    ui = {"port": 8085}
    write_station(paths, camera, **{"line": line, "record": {"window_s": 10}, "ui": ui, **sections})
    let_in(paths)
