"""Reading a model that was made elsewhere.

Promises: what is returned has one picture as its input, of fixed size, with one or three
channels, and its metadata flat; anything else is refused in one line that says what is missing.
Never: guesses a size, or changes what the model computes.
"""

import hashlib
import json
import re
from ast import literal_eval
from itertools import takewhile
from pathlib import Path
from typing import Any, Literal

import openvino as ov
from openvino import frontend

from inspector.adopt.terms import Source
from inspector.core.errors import MaintainerError

FAILURES = (
    frontend.GeneralFailure,
    frontend.InitializationFailure,
    frontend.NotImplementedFailure,
    frontend.OpConversionFailure,
    frontend.OpValidationFailure,
)
SIDE = (16, 4096)  # what a bundle may state
SIDECAR = "metadata.json"  # Anomalib 1.x writes its thresholds there
NAMES = "metadata.yaml"  # Ultralytics writes the names of the classes there, with their spaces
NAME = re.compile(r"""^  (?P<number>[0-9]+): (?P<quote>['"]?)(?P<name>.*)(?P=quote)\Z""")


def read(path: Path, size: tuple[int, int] | None = None) -> Source:
    """The model in an .xml (with its .bin beside it) or .onnx file. `size`: (height, width), for
    a model that has none. Raises MaintainerError."""
    digest = _digest(path)
    model = _converted(path)
    notes = _notes(model, path)
    if len(model.inputs) != 1:
        names = ", ".join(sorted(str(one.any_name) for one in model.inputs)) or "it is empty"
        raise MaintainerError(
            f"{path}: takes {len(model.inputs)} inputs ({names}); a model with the picture as its "
            "one input can be taken"
        )
    kind = model.inputs[0].element_type
    if kind == ov.Type.string:
        raise MaintainerError(f"{path}: takes {kind.get_type_name()}; a picture is of numbers")
    layout, channels = _layout(path, model.inputs[0].partial_shape)
    height, width = _fixed(path, model, layout, notes, size)
    return Source(path, digest, model, notes, layout, height, width, channels)


def _digest(path: Path) -> str:
    if path.suffix.lower() not in (".xml", ".onnx"):
        raise MaintainerError(f"{path}: is neither .xml nor .onnx; export to OpenVINO IR or ONNX")
    files = [path, path.with_suffix(".bin")]
    if path.suffix.lower() == ".onnx":
        outside = path.with_name(f"{path.name}.data")  # where PyTorch puts the weights
        files = [path, outside] if outside.is_file() else [path]
    found = hashlib.sha256()
    for file in files:
        try:
            found.update(file.read_bytes())
        except OSError as error:
            raise MaintainerError(f"{file}: cannot be read ({error.strerror})") from None
    return found.hexdigest()


def _converted(path: Path) -> ov.Model:
    try:
        # Asked by its name: the others would each try the file, and talk about it.
        kind = "ir" if path.suffix.lower() == ".xml" else "onnx"
        reader = frontend.FrontEndManager().load_by_framework(kind)
        return reader.convert(reader.load(str(path)))
    except (RuntimeError, *FAILURES) as error:
        raise MaintainerError(
            f"{path}: OpenVINO cannot convert it ({_telling(error)}); copy it again, or export it "
            "with operations that OpenVINO knows"
        ) from None


def _telling(error: Exception) -> str:
    """OpenVINO's own words in one line, without its stack of source files."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    reasons = [line.removeprefix("-- ") for line in lines if line.startswith("-- ")]
    said = [one for one in lines if not one.startswith(("Exception from", "Check '", "Summary:"))]
    return " ".join((reasons or said or lines or ["no reason given"])[:2])[:240]


def _notes(model: ov.Model, path: Path) -> dict[str, str]:
    """All metadata, flat. ONNX's own stands under "framework" once OpenVINO has read it."""
    flat: dict[str, str] = {}
    _flatten(model.get_rt_info(), "", flat)
    for key in list(flat):
        if key.startswith("framework/"):  # model_api writes "model_info labels" into ONNX
            flat.setdefault(key.removeprefix("framework/").replace(" ", "/"), flat[key])
    sidecar = path.with_name(SIDECAR)
    if sidecar.is_file():
        flat |= {f"export/{key}": str(value) for key, value in _sidecar(sidecar).items()}
    names = path.with_name(NAMES)
    if "names" not in flat and names.is_file():
        found = [match["name"] for match in map(NAME.match, _lines(names)) if match]
        flat["names"] = str(dict(enumerate(found)))
    return flat


def _lines(path: Path) -> list[str]:
    """Those of the section `names:`. Ultralytics writes one name a line; no more is read of it."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise MaintainerError(f"{path}: cannot be read ({error}); export again") from None
    start = lines.index("names:") + 1 if "names:" in lines else len(lines)
    return list(takewhile(lambda line: line.startswith("  "), lines[start:]))


def _flatten(table: Any, where: str, flat: dict[str, str]) -> None:
    for key, value in table.items():
        value = getattr(value, "value", value)
        if isinstance(value, dict):
            _flatten(value, f"{where}{key}/", flat)
        elif isinstance(value, list | tuple):
            flat[f"{where}{key}"] = " ".join(str(one) for one in value)
        else:
            flat[f"{where}{key}"] = str(value)


def _sidecar(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise MaintainerError(f"{path}: is no readable JSON ({error}); export again") from None
    return found if isinstance(found, dict) else {}


def _layout(path: Path, shape: ov.PartialShape) -> tuple[Literal["NCHW", "NHWC"], int]:
    """Where the channels stand, and how many there are."""
    if shape.rank.is_dynamic or shape.rank.get_length() != 4:
        raise MaintainerError(f"{path}: takes {shape}; a picture is [1,C,H,W] or [1,H,W,C]")
    second, last = (shape[axis].to_string() for axis in (1, 3))
    if second in ("1", "3"):
        return "NCHW", int(second)
    if last in ("1", "3"):
        return "NHWC", int(last)
    raise MaintainerError(
        f"{path}: takes {shape}, a wrong number of channels; pictures have 1 (grey) or 3 (colour)"
    )


def _fixed(
    path: Path, model: ov.Model, layout: str, notes: dict[str, str], size: tuple[int, int] | None
) -> tuple[int, int]:
    """Height and width; the model is made to take exactly one picture of that size."""
    shape = model.inputs[0].partial_shape
    rows, columns = (2, 3) if layout == "NCHW" else (1, 2)
    own = None
    if shape[rows].is_static and shape[columns].is_static:
        own = (shape[rows].get_length(), shape[columns].get_length())
        if size and size != own:
            raise MaintainerError(
                f"{path}: takes {own[0]}x{own[1]} and nothing else; leave --size away"
            )
    chosen = own or size or _stated(notes)
    if chosen is None:
        raise MaintainerError(
            f"{path}: takes pictures of any size ({shape}), and its metadata states none (imgsz, "
            "orig_height and orig_width); give --size HxW"
        )
    if not all(SIDE[0] <= side <= SIDE[1] for side in chosen):
        raise MaintainerError(
            f"{path}: takes {chosen[0]}x{chosen[1]}; {SIDE[0]} to {SIDE[1]} pixels are allowed"
        )
    fixed = [1, *shape[1:]]
    fixed[rows], fixed[columns] = chosen
    try:
        model.reshape(ov.PartialShape(fixed))
    except RuntimeError as error:
        raise MaintainerError(
            f"{path}: cannot take one picture of {chosen[0]}x{chosen[1]} ({_telling(error)}); "
            "give another --size, or export it with a fixed one"
        ) from None
    return chosen


def _stated(notes: dict[str, str]) -> tuple[int, int] | None:
    """The size that the metadata states: Ultralytics' imgsz, model_api's orig_height/orig_width."""
    found: Any = (notes.get("model_info/orig_height"), notes.get("model_info/orig_width"))
    if "imgsz" in notes:
        try:
            found = literal_eval(notes["imgsz"])
        except (ValueError, SyntaxError):
            return None
    try:
        height, width = (int(side) for side in found)
    except (TypeError, ValueError):
        return None
    return height, width
