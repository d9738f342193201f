"""INT8 of the backbone: `python -m models.training.quantise models/backbone`.

Promises: from backbone.xml it writes backbone-int8.xml, .bin and .toml beside it, calibrated on
generated images and validated on others, which calibration never saw; the same command on the same
backbone makes the same bytes. The IR takes and gives what backbone.xml does, at any sides that
are multiples of 32. Nothing is written where the features differ by more than ERROR.
Never reads a photograph, never trains.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import tempfile
from collections.abc import Iterable
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as ops

from inspector.adopt import int8
from inspector.cli.screen import progress

from .defects import spoil
from .parts import SIDE, piece
from .views import Camera, Pose, crop

Images = NDArray[np.uint8]  # [N,256,256,3] BGR
Floats = NDArray[np.float32]

CALIBRATION, VALIDATION = 1_000_000, 2_000_000  # first product number of each; training: from 0
ERROR = 0.003  # mean distance (1 - cosine) of a cell from the same cell in f32
LEVEL = 4 / 255  # of one grey level in the backbone's own range
MIDDLE = 128  # the grey level that becomes integer 0
NAME = "backbone-int8"
PARTS = ("xml", "bin")


def image(number: int) -> NDArray[np.uint8]:
    """Product `number` as some camera sees it, every third with a defect. uint8 [256,256,3]."""
    rng = np.random.default_rng([11, number])
    view = Camera.random(rng).view(rng, SIDE)
    scene = crop(piece(number, 0), Pose.random(rng), SIDE)
    if number % 3 == 0:
        donor = crop(piece(number, 1), Pose.random(rng), SIDE)
        scene = spoil(scene, donor, max(0.02, 1.5 * view.camera.noise), rng)
    return view.sense(view.expose(scene), rng)


def images(first: int, count: int, workers: int) -> Images:
    """`count` generated images, products `first` and on."""
    with get_context("spawn").Pool(workers, cv2.setNumThreads, (1,)) as pool, progress() as bar:
        numbers = range(first, first + count)
        made: Iterable[NDArray[np.uint8]] = pool.imap(image, numbers, chunksize=4)
        return np.stack(list(bar.track(made, total=count, description="images")))


def planes(picture: NDArray[np.uint8]) -> Floats:
    """What the backbone takes. float32 [1,3,S,S]."""
    return np.ascontiguousarray(picture.transpose(2, 0, 1)[None], np.float32)


def aligned(model: ov.Model) -> ov.Model:
    """The same backbone with its input scaling moved by half a grey level, so that each of the 256
    levels falls on an integer: then nothing is lost at the input."""
    scaled = _only_taker(model.input("image").get_node())
    shifted = _only_taker(scaled)
    if (scaled.get_type_name(), shifted.get_type_name()) != ("Multiply", "Add"):
        raise SystemExit("the backbone no longer begins with Multiply and Add; mend `aligned`")
    shifted.input(1).replace_source_output(_scalar(-MIDDLE * LEVEL))
    return model


def exact(model: ov.Model) -> ov.Model:
    """The first quantiser spans exactly the 256 grey levels, whatever calibration saw of them."""
    node = model.input("image").get_node()
    while node.get_type_name() != "FakeQuantize":
        node = _only_taker(node)
    for number, level in enumerate((-MIDDLE, 255 - MIDDLE, -MIDDLE, 255 - MIDDLE), 1):
        node.input(number).replace_source_output(_scalar(level * LEVEL))
    return model


def _only_taker(node: ov.Node) -> ov.Node:
    (taker,) = node.output(0).get_target_inputs()
    return taker.get_node()


def _scalar(value: float) -> ov.Output:
    return ops.constant(np.full((1, 1, 1, 1), value, np.float32)).output(0)


def renamed(model: ov.Model) -> ov.Model:
    """With numbers for names, since automatic ones differ from run to run."""
    for number, node in enumerate(model.get_ordered_ops()):
        if node.get_type_name() not in ("Parameter", "Result"):
            node.set_friendly_name(f"node_{number}")
    return model


def features(model: ov.Model, pictures: Images) -> Floats:
    """[N,h,w,96]."""
    options = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = ov.Core().compile_model(model, "CPU", options)
    grids = [compiled(planes(picture))["features"][0].transpose(1, 2, 0) for picture in pictures]
    return np.stack(grids)


def serialised(model: ov.Model) -> dict[str, bytes]:
    """The two files, what is not INT8 as FP16."""
    with tempfile.TemporaryDirectory() as folder:
        ov.save_model(model, Path(folder) / f"{NAME}.xml", compress_to_fp16=True)
        return {f"{NAME}.{part}": (Path(folder) / f"{NAME}.{part}").read_bytes() for part in PARTS}


def origin(folder: Path, files: dict[str, bytes], given: argparse.Namespace, away: Floats) -> str:
    """backbone-int8.toml: where these weights come from, and how near they are to the others."""
    source = b"".join((folder / f"backbone.{part}").read_bytes() for part in PARTS)
    own = b"".join(files[f"{NAME}.{part}"] for part in PARTS)
    return f"""\
schema = 1
sha256 = "{hashlib.sha256(own).hexdigest()}"  # of {NAME}.xml followed by {NAME}.bin
source_sha256 = "{hashlib.sha256(source).hexdigest()}"  # of backbone.xml and backbone.bin

[quantisation]
command = "python -m models.training.quantise models/backbone"
nncf = "{version("nncf")}"
openvino = "{ov.__version__}"
calibration_images = {given.images}  # all generated, from product {CALIBRATION} on
validation_images = {given.validate}  # all generated, from product {VALIDATION} on
mean_error = {away.mean():.5f}  # distance (1 - cosine) from the f32 features, validation images
p99_error = {np.percentile(away, 99):.5f}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="holds backbone.xml and backbone.bin")
    parser.add_argument("--images", type=int, default=300, help="to calibrate with")
    parser.add_argument("--validate", type=int, default=60, help="other images to judge by")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    given = parser.parse_args()
    calibration = images(CALIBRATION, given.images, given.workers)
    validation = images(VALIDATION, given.validate, given.workers)
    read = ov.Core().read_model(given.folder / "backbone.xml")
    with progress() as bar:
        task = bar.add_task("calibration", total=1.0)
        made = int8.quantised(
            aligned(read.clone()),
            list(calibration),
            planes,
            progress=lambda done: bar.update(task, completed=done),
        )
    made = renamed(exact(made))
    away = 1 - (features(made, validation) * features(read, validation)).sum(-1)
    print(f"mean error {away.mean():.5f}, p99 {np.percentile(away, 99):.5f}")
    if away.mean() > ERROR:
        raise SystemExit(f"above {ERROR}: nothing written")
    files = serialised(made)
    for name, content in files.items():
        (given.folder / name).write_bytes(content)
        print(f"{given.folder / name}: {len(content) / 1e6:.2f} MB")
    text = origin(given.folder, files, given, away)
    (given.folder / f"{NAME}.toml").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
