"""Export a checkpoint: `python -m models.training.export RUN_FOLDER models/backbone`.

Promises: writes backbone.xml, backbone.bin (weights as FP16) and backbone.toml with their origin.
The IR takes "image" f32 [1,3,256,256], BGR 0..255 (grey: thrice the same), and gives "features"
f32 [1,96,32,32] of unit length over the channels; the scaling to the network's range is inside.
It may be reshaped to any other sides that are multiples of 32.
Never trains, never reads an image.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path
from typing import Any

import openvino as ov
import torch
from torch import Tensor, nn

from .network import FEATURES, Backbone

SIDE = 256


class Exported(nn.Module):
    """The averaged backbone with its input scaling."""

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, image: Tensor) -> Tensor:
        return self.backbone(image * (4 / 255) - 2)


def load(state: dict[str, Any]) -> Backbone:
    """The averaged weights of a checkpoint."""
    backbone = Backbone()
    prefix = "module."
    average = state["average"].items()
    backbone.load_state_dict(
        {k.removeprefix(prefix): v for k, v in average if k.startswith(prefix)}
    )
    return backbone.eval()


def export(backbone: Backbone, folder: Path) -> str:
    """Write the IR; returns the SHA-256 over backbone.xml and backbone.bin."""
    example = torch.zeros(1, 3, SIDE, SIDE)
    model = ov.convert_model(
        Exported(backbone).eval(), example_input=example, input=[("image", [1, 3, SIDE, SIDE])]
    )
    model.inputs[0].get_tensor().set_names({"image"})
    model.outputs[0].get_tensor().set_names({"features"})
    folder.mkdir(parents=True, exist_ok=True)
    ov.save_model(model, folder / "backbone.xml", compress_to_fp16=True)
    written = [(folder / f"backbone.{part}").read_bytes() for part in ("xml", "bin")]
    return hashlib.sha256(b"".join(written)).hexdigest()


def origin(state: dict[str, Any], sha256: str) -> str:
    """backbone.toml: where these weights come from and how to feed them."""
    stages = "\n\n".join(_stage(stage) for stage in state["history"])
    return f"""\
schema = 1
sha256 = "{sha256}"  # of backbone.xml followed by backbone.bin
features = {FEATURES}
stride = 8

[input]
name = "image"
shape = [1, 3, {SIDE}, {SIDE}]  # sides may be other multiples of 32
range = [0, 255]  # blue, green, red; grey is replicated

# How the weights were made, stage by stage. All images were generated; no photograph was used.

{stages}
"""


def _stage(stage: dict[str, Any]) -> str:
    """One stage of training as a TOML table."""
    lines = [f'did = "{stage["stage"]}"']
    lines += [f"steps = {stage['steps']}", f"minutes = {stage['minutes']:.1f}"]
    lines += [f'note = "{stage["note"]}"'] if "note" in stage else []
    return "\n".join(["[[training]]", *lines])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--untrained", action="store_true", help="random weights, for comparison")
    given = parser.parse_args()
    state = torch.load(given.run / "checkpoint.pt")
    torch.manual_seed(0)
    backbone = Backbone().eval() if given.untrained else load(state)
    sha256 = export(backbone, given.folder)
    if given.untrained:
        state |= {"history": []}
    (given.folder / "backbone.toml").write_text(origin(state, sha256), encoding="utf-8")
    print(f"{given.folder}: sha256 {sha256}")


if __name__ == "__main__":
    main()
