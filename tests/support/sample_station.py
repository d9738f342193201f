"""A station on disk that makes one of the sample products, with people who may use its screen.

Promises: the camera, the model and the settings of `inspector demo`; people of `support.people`.
Never: asks for more than the product ships.
"""

from inspector.cli import samples
from inspector.cli.station import write_recipe, write_station
from inspector.core.paths import Paths
from inspector.devices.bundles import open_bundle
from support.people import let_in


def sample_station(
    paths: Paths, product: str = samples.PRODUCT, takt_ms: float = 100.0, **sections: object
) -> Paths:
    """`sections` replace those of station.toml, as `ui={"port": 0}`."""
    bundle = open_bundle(samples.bundle(product))
    limits, name = bundle.manifest.limits, bundle.manifest.name
    write_recipe(paths, name, bundle.folder, {"review": limits.review, "fail": limits.fail})
    camera = {"path": str(samples.images(product)), "takt_ms": takt_ms, "shuffle_seed": 1}
    line = {"deadline_ms": 400.0, "recipe": name, "lot": "A-1047"}
    write_station(paths, camera, **{"line": line, "record": {"window_s": 10}, **sections})
    let_in(paths)
    return paths
