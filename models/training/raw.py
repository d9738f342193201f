"""No network at all, in the backbone's place: `python -m models.training.raw FOLDER`.

Promises: writes backbone.xml and backbone.bin whose features are the pixels themselves, each 8x8
patch of a colour image as one vector, so that the gain of a trained network can be told.
Never learns anything.

The memory wants unit vectors. A patch x, in units of a full patch's length, becomes
(x/R, sqrt(1 - |x/R|^2)): with R = 2 the half squared distance of two such vectors is that of the
pixels over R^2, up to a few percent.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import openvino as ov
from openvino import opset13 as ops

SIDE, PATCH, RADIUS = 256, 8, 2.0


def model() -> ov.Model:
    """`image` f32 [1,3,S,S] in 0..255 to `features` f32 [1,193,S/8,S/8]."""
    image = ops.parameter([1, 3, SIDE, SIDE], ov.Type.f32, name="image")
    whole = np.float32(255 * RADIUS * np.sqrt(3 * PATCH * PATCH))
    patches = ops.space_to_depth(ops.divide(image, whole), "blocks_first", PATCH)
    squares = ops.reduce_sum(ops.multiply(patches, patches), ops.constant(np.array([1])), True)
    rest = ops.sqrt(ops.subtract(np.float32(1), squares))
    features = ops.concat([patches, rest], 1)
    image.output(0).set_names({"image"})
    features.output(0).set_names({"features"})
    return ov.Model([features], [image], "raw")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where backbone.xml is written")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    ov.save_model(model(), given.folder / "backbone.xml", compress_to_fp16=False)
    print(given.folder / "backbone.xml")


if __name__ == "__main__":
    main()
