"""inspector model import: a model made elsewhere becomes a bundle."""

import argparse
import re
from pathlib import Path
from typing import Any

from msgspec import Struct

from inspector.adopt.adopting import Adopted, Line, Order, adopt
from inspector.adopt.terms import KINDS, Asked, Image, Tensors
from inspector.cli.screen import command, print_json, remarks, results
from inspector.core.bundle import BundleManifest, Task
from inspector.core.errors import MaintainerError, OperatorError
from inspector.devices.cameras import IMAGES, FrameMissing, read_image
from inspector.devices.engine import fitted, reader_of

SHOWN = 20  # names of classes
SIZE = re.compile(r"^(?P<height>[0-9]{1,4})x(?P<width>[0-9]{1,4})\Z")


class Imported(Struct, frozen=True):
    """What came of it, as a machine reads it."""

    bundle: str
    folder: str
    kind: str
    colours: str
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    difference: float
    remarks: tuple[str, ...]
    manifest: BundleManifest


def add(group: Any) -> None:
    made = command(
        group,
        "import",
        "make a bundle of an OpenVINO IR or ONNX model that was made elsewhere",
        "inspector model import best.onnx --name lids --out models/lids --references parts/some",
    )
    made.add_argument("model", type=Path, metavar="MODEL", help=".xml (with its .bin) or .onnx")
    made.add_argument("--name", required=True, help="the product: a-z, 0-9, _ and -")
    made.add_argument("--out", type=Path, required=True, metavar="BUNDLE", help="a new folder")
    made.add_argument(
        "--references", type=Path, metavar="DIR", help="some of the station's own pictures"
    )
    made.add_argument("--kind", choices=("auto", *KINDS), default="auto", help="who exported it")
    made.add_argument("--classes", default="", metavar="A,B,C", help="in the model's order")
    made.add_argument("--size", metavar="HxW", help="for a model that takes pictures of any size")
    made.add_argument("--pixel", choices=("mono8", "bgr8"), help="what the camera gives")
    made.add_argument("--colours", choices=("rgb", "bgr"), help="the order the model wants")
    made.add_argument("--mean", default="", metavar="M,M,M", help="subtracted, on 0 to 255")
    made.add_argument("--scale", default="", metavar="S,S,S", help="divided by, on 0 to 255")
    made.add_argument("--review", type=float, help="score from which a part goes to review")
    made.add_argument("--fail", type=float, help="score from which it fails")
    made.set_defaults(command=_import)


def _import(arguments: argparse.Namespace) -> int:
    order = Order(
        name=arguments.name,
        out=arguments.out,
        asked=_asked(arguments),
        review=arguments.review,
        fail=arguments.fail,
    )
    frames = _frames(arguments.references) if arguments.references else []
    adopted = adopt(arguments.model, order, frames, Line(fitted, _values))
    if arguments.json:
        print_json(_imported(adopted, arguments.out))
    else:
        _show(adopted, arguments.out)
    return 0


def _asked(arguments: argparse.Namespace) -> Asked:
    size = None
    if arguments.size:
        match = SIZE.match(arguments.size)
        if not match:
            raise MaintainerError(f"--size {arguments.size}: give height and width, as in 480x640")
        size = int(match["height"]), int(match["width"])
    return Asked(
        kind=arguments.kind,
        classes=tuple(name.strip() for name in arguments.classes.split(",") if name.strip()),
        size=size,
        pixel=arguments.pixel,
        colours=arguments.colours,
        mean=_numbers("--mean", arguments.mean),
        scale=_numbers("--scale", arguments.scale),
    )


def _numbers(option: str, text: str) -> tuple[float, ...]:
    try:
        return tuple(float(one) for one in text.split(",") if one.strip())
    except ValueError:
        raise MaintainerError(f"{option} {text}: give numbers, as in 123.7,116.3,103.5") from None


def _frames(folder: Path) -> list[Image]:
    if not folder.is_dir():
        raise OperatorError(f"{folder}: no such folder")
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGES)
    if not files:
        raise OperatorError(f"{folder}: holds no image")
    try:
        return [read_image(path) for path in files]
    except FrameMissing as missing:
        raise OperatorError(f"{missing.reason}; remove it or copy it again") from None


def _values(task: Task, classes: tuple[str, ...], outputs: Tensors) -> tuple[float, ...]:
    return reader_of(task, classes)(outputs).values


def _imported(adopted: Adopted, out: Path) -> Imported:
    pixels = adopted.facts.pixels
    return Imported(
        bundle=adopted.manifest.id,
        folder=str(out),
        kind=adopted.facts.kind,
        colours=pixels.colours,
        mean=pixels.mean,
        scale=pixels.scale,
        difference=adopted.difference,
        remarks=adopted.remarks,
        manifest=adopted.manifest,
    )


def _show(adopted: Adopted, out: Path) -> None:
    manifest, pixels = adopted.manifest, adopted.facts.pixels
    size, limits = manifest.input, manifest.limits
    lines = [
        f"{manifest.id} in {out}: {manifest.task} ({adopted.facts.kind})",
        f"input: {size.width}x{size.height} {size.pixel}, {size.fit}; inside {pixels.colours}, "
        f"less {_listed(pixels.mean)}, by {_listed(pixels.scale)}",
        f"limits: review from {limits.review:g}, fail from {limits.fail:g}",
        f"proven on {len(manifest.proof.references)} pictures: at most {adopted.difference:.2g} "
        "from the original",
    ]
    if manifest.classes:
        lines.insert(2, f"classes: {_some(manifest.classes)}")
    results.print("\n".join(lines))
    for remark in adopted.remarks:
        remarks.print(f"note: {remark}")


def _some(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:SHOWN])
    return shown if len(names) <= SHOWN else f"{shown} and {len(names) - SHOWN} more"


def _listed(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:g}" for value in values)
