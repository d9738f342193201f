"""inspector model prove: does a bundle say on this box what it said where it was made?"""

import argparse
from pathlib import Path
from typing import Any

from msgspec import Struct, structs

from inspector.cli.screen import REMARK, add_root, command, print_json, results, table
from inspector.core.errors import InspectorError, MaintainerError
from inspector.core.paths import cache_of_user, of_root
from inspector.devices.bundles import Bundle, find, open_bundle
from inspector.devices.engine import Engine
from inspector.procedures.judge import Judge
from inspector.procedures.proof import Shown, check, check_golden, show
from inspector.procedures.proving import rules_of, settings_of


class Proven(Struct, frozen=True):
    """What a proof showed."""

    bundle: str
    digest: str
    openvino: str
    device: str
    precision: str
    processor: str
    tolerance: float
    references: list[Shown]
    golden: int
    refused: str  # empty: proven


def add(group: Any) -> None:
    made = command(
        group,
        "prove",
        "score a bundle's reference images on this box and compare",
        "inspector model prove models/cap --precision auto",
    )
    made.add_argument("bundle", metavar="BUNDLE_OR_NAME", help="a folder, or a name in the store")
    made.add_argument("--device", metavar="DEVICE", help="default: the station's, or CPU")
    made.add_argument("--precision", choices=["f32", "auto"], help="default: the station's, or f32")
    add_root(made)
    made.set_defaults(command=_prove)


def _prove(arguments: argparse.Namespace) -> int:
    folder, station = Path(arguments.bundle), None
    if arguments.root or not folder.is_dir():
        station = of_root(arguments.root)
    if not folder.is_dir() and station:
        folder = find(arguments.bundle, station.models)
    settings = settings_of(station)
    if arguments.device:
        settings = structs.replace(settings, device=arguments.device)
    if arguments.precision:
        settings = structs.replace(settings, precision=arguments.precision)
    engine = Engine(settings, station.cache if station else cache_of_user())
    bundle = open_bundle(folder)
    proven = _shown(bundle, engine)
    if proven.refused:  # as detect does it: its kept form may be what is damaged
        engine.forget(bundle.manifest)
        proven = _shown(bundle, engine)
    if arguments.json:
        print_json(proven)
    else:
        _print(proven)
    if proven.refused:
        raise MaintainerError(proven.refused)
    return 0


def _shown(bundle: Bundle, engine: Engine) -> Proven:
    """All references scored, and judged afterwards: a refusal shows its figures too."""
    manifest, refused = bundle.manifest, ""
    model = engine.load(bundle.folder, manifest)
    shown = show(bundle, model)
    if manifest.second:
        slower = engine.load(bundle.folder, manifest, second=True)
        shown += show(bundle, slower, "second")
    try:
        check(bundle, shown)
        check_golden(bundle, Judge(rules_of(bundle), model, manifest.id))
    except InspectorError as error:
        refused = str(error)
    return Proven(
        bundle=manifest.id,
        digest=bundle.digest,
        **engine.identity(),
        tolerance=manifest.proof.tolerance,
        references=shown,
        golden=len(manifest.golden.good) + len(manifest.golden.defective),
        refused=refused,
    )


def _print(proven: Proven) -> None:
    title = (
        f"{proven.bundle} on {proven.device}, {proven.precision}, OpenVINO {proven.openvino}; "
        f"tolerance {proven.tolerance:g}"
    )
    rows = [
        (
            one.image,
            one.look,
            one.value,
            f"{one.expected:.4f}",
            f"{one.found:.4f}",
            f"{one.difference:.4f}",
            "" if one.difference <= proven.tolerance else "refused",
        )
        for one in proven.references
    ]
    columns = ("reference", "look", "furthest apart", "expected", "found", "difference", REMARK)
    results.print(table(title, columns, rows))
    if not proven.refused:
        golden = f", {proven.golden} golden parts judged rightly" if proven.golden else ""
        results.print(f"{proven.bundle}: proven{golden}")
