"""A tiny bundle with a second look: the same distance at twice the size, and as slow as wanted.

Promises: the second model brings its own reference values, so that it is proven as a real one.
Never: a better detector than the first.
"""

import tempfile
from pathlib import Path

import cv2
import numpy as np
import openvino as ov
from msgspec import structs
from openvino import opset13 as ops

from inspector.core.bundle import Input, Limits, Proof, SecondLook
from inspector.core.paths import Paths
from inspector.devices.bundles import Store, open_bundle
from inspector.domain.parity import of_heatmap

from .forged import with_files
from .tiny_model import write_bundle

SIDE = 128


def write_two_looks(
    folder: Path, picture: np.ndarray, limits: Limits, slow: int = 0, broken: bool = False
) -> Path:
    """A bundle on `picture`, a frame of the line; `slow`: convolutions of some 50 ms that the
    second look has to do; `broken`: its score is not a number."""
    with tempfile.TemporaryDirectory() as scratch:
        small = cv2.resize(picture, (64, 64), interpolation=cv2.INTER_AREA)[:, :, None]
        first = write_bundle(Path(scratch) / "first", small)
        large = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        model = _model(large, slow, broken)
        ov.save_model(model, Path(scratch) / "second.xml", compress_to_fp16=False)
        files = {name: (Path(scratch) / name).read_bytes() for name in ("second.xml", "second.bin")}
        size = Input(width=SIDE, height=SIDE, pixel="mono8")
        second = SecondLook(model="second.xml", input=size, limits=limits)
        return with_files(first, folder, files, second=second, proof=_proof(first, model))


def put_two_looks_in_use(
    paths: Paths, picture: np.ndarray, limits: Limits, slow: int = 0, broken: bool = False
) -> None:
    """`write_two_looks` into a station's store, in use."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = write_two_looks(Path(scratch) / "tiny", picture, limits, slow, broken)
        store = Store(paths.models)
        store.use("tiny", store.install(folder).manifest.version)


def _proof(first: Path, model: ov.Model) -> Proof:
    """The first look's own reference, and what the second says of it."""
    proof = open_bundle(first).manifest.proof
    (reference,) = proof.references
    seen = cv2.imread(str(first / reference.image), cv2.IMREAD_GRAYSCALE)
    frame = cv2.resize(seen, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)[None, :, :, None]
    outputs = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(frame)
    values = of_heatmap(float(outputs["score"].item()), outputs["heatmap"][0])
    finite = tuple(float(np.nan_to_num(value)) for value in values)
    return structs.replace(proof, references=(structs.replace(reference, second=finite),))


def _model(reference: np.ndarray, slow: int, broken: bool) -> ov.Model:
    frame = ops.parameter([1, SIDE, SIDE, 1], np.uint8, name="frame")
    expected = ops.constant(reference[None, :, :, None].astype(np.float32))
    apart = ops.abs(ops.subtract(ops.convert(frame, np.float32), expected))
    image = ops.reshape(apart, ops.constant([1, 1, SIDE, SIDE]), False)
    image = ops.add(image, _busy(image, slow)) if slow else image
    cells = ops.avg_pool(image, [8, 8], [0, 0], [0, 0], [8, 8], True)
    scale = np.float32(np.nan if broken else 40.0)
    heatmap = ops.divide(ops.squeeze(cells, ops.constant([1])), ops.constant(scale))
    score = ops.reduce_max(heatmap, ops.constant([1, 2]), keep_dims=False)
    outputs = []
    for node, label in ((heatmap, "heatmap"), (score, "score")):
        node.output(0).set_names({label})
        outputs.append(ops.result(node))
    frame.output(0).set_names({"frame"})
    return ov.Model(outputs, [frame], "second")


def _busy(image: ov.Node, times: int) -> ov.Node:
    """Work that comes to almost nothing."""
    rng = np.random.default_rng(0)
    weights = ops.constant(rng.normal(0, 1e-3, (64, 64, 7, 7)).astype(np.float32))
    work = ops.concat([image] * 64, 1)
    for _ in range(times):
        work = ops.relu(ops.convolution(work, weights, [1, 1], [3, 3], [3, 3], [1, 1]))
    return ops.multiply(
        ops.reduce_mean(work, ops.constant([1]), keep_dims=True), ops.constant(np.float32(1e-9))
    )
