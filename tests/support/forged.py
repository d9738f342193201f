"""Bundles with a fault inside and sound digests around it, made of a real one.

Promises: the manifest, the references and their expected values are those of the sound bundle;
only scoring the references can tell.
Never: alters the sound one.
"""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import openvino as ov
from msgspec import structs
from openvino import opset13 as ops

from inspector.core import bundle_folder
from inspector.core.bundle import BundleManifest
from inspector.core.bundle_folder import MODEL, WEIGHTS
from inspector.devices.bundles import open_bundle

Change = Callable[[ov.Model], None]


def forge(sound: Path, folder: Path, change: Change) -> Path:
    """The bundle `sound` with its model changed, as the bundle `folder`."""
    model = ov.Core().read_model(sound / MODEL)
    change(model)
    model.validate_nodes_and_infer_types()
    with tempfile.TemporaryDirectory() as scratch:
        ov.save_model(model, Path(scratch) / MODEL, compress_to_fp16=False)
        files = {name: (Path(scratch) / name).read_bytes() for name in (MODEL, WEIGHTS)}
    return with_files(sound, folder, files)


def with_files(sound: Path, folder: Path, files: Mapping[str, bytes], **changes: object) -> Path:
    """The bundle `sound` with other files and another manifest, digests and version made anew."""
    manifest = open_bundle(sound).manifest
    kept = {name: (sound / name).read_bytes() for name in manifest.files}

    def describe(version: str, digests: dict[str, str]) -> BundleManifest:
        return structs.replace(manifest, version=version, files=digests, **changes)

    folder.parent.mkdir(parents=True, exist_ok=True)
    bundle_folder.write(folder, {**kept, **files}, describe)
    return folder


def few_levels(model: ov.Model) -> None:
    """A quantisation that went wrong: weights of eight levels between their extremes."""
    _on_weights(model, lambda values: np.round(values / _step(values)) * _step(values))


def wrong_scale(model: ov.Model) -> None:
    """A quantisation with the scale of the first convolution 30 % off."""
    done = []

    def first_only(values: np.ndarray) -> np.ndarray:
        done.append(values)
        return values * 1.3 if len(done) == 1 else values

    _on_weights(model, first_only)


def not_a_number(model: ov.Model) -> None:
    _on_weights(model, lambda values: values * np.nan)


def swapped_colours(model: ov.Model) -> None:
    """RGB where the model was made for BGR."""
    order, axis = ops.constant(np.array([2, 1, 0])), ops.constant(3)
    _at_input(model, lambda image: ops.gather(image, order, axis))


def not_normalised(model: ov.Model) -> None:
    """Pixels of 0..1 where the model expects 0..255."""
    _at_input(
        model,
        lambda image: ops.divide(ops.convert(image, np.float32), ops.constant(np.float32(255))),
    )


def _at_input(model: ov.Model, made: Callable[[ov.Node], ov.Node]) -> None:
    frame = model.get_parameters()[0]
    readers = list(frame.output(0).get_target_inputs())
    changed = made(frame)
    for reader in readers:
        reader.replace_source_output(changed.output(0))


def _on_weights(model: ov.Model, made: Callable[[np.ndarray], np.ndarray]) -> None:
    for node in model.get_ordered_ops():
        if node.get_type_name() == "Constant" and len(node.get_output_shape(0)) == 4:
            values = node.data
            if values.size > 100 and values.dtype.kind == "f":
                fresh = ops.constant(made(values.astype(np.float32)).astype(values.dtype))
                node.output(0).replace(fresh.output(0))


def _step(values: np.ndarray) -> float:
    return float(np.abs(values).max()) / 4
