"""What a model's metadata says of itself: its kind, its pixels, its classes, its thresholds.

Promises: each exporter's keys are read where that exporter writes them, and what is needed and
not there is refused by its name. What the person says overrides the metadata.
Never: looks at a picture; `openvino-model-api`, which wrote these keys, is not needed.
"""

import json
from ast import literal_eval
from math import isfinite

from inspector.adopt.terms import (
    KINDS,
    ULTRALYTICS,
    Asked,
    Colours,
    Facts,
    Fit,
    Pixels,
    Source,
    Thresholds,
    lacking,
    name_of,
)
from inspector.core.errors import MaintainerError

TASKS = {"detect": "yolo-detect", "segment": "yolo-segment", "classify": "yolo-classify"}
TYPES = {
    "anomalydetection": "geti-anomaly",
    "ssd": "geti-detect",
    "maskrcnn": "geti-detect",
    "classification": "geti-classify",
    "segmentation": "geti-segment",
}
YOLO = ("yolo", "yolov5", "yolov8", "yolo11")
GETI = ("label_info", "optimization_config", "otx_version")  # keys that only Geti and OTX write
EMPTY = "otx_empty_lbl"  # a class that Geti puts in front of instance segmentations
LETTERBOX = "fit_to_window_letterbox"
WHITE = 255.0
LONGEST = 64  # letters of a class name, as in core.bundle


def read(source: Source, asked: Asked) -> Facts:
    """All that is known. Raises MaintainerError naming what is missing."""
    kind = _kind(source) if asked.kind == "auto" else asked.kind
    if kind not in KINDS:
        raise source.refuse(f"kind {kind!r} is not known; choose one of {', '.join(KINDS)}")
    if kind in ("anomalib", "geti-anomaly"):
        known = _anomaly(source, asked, kind)
    else:
        known = (_ultralytics if kind in ULTRALYTICS else _geti)(source, asked, kind)
    _check_pixels(source, known.pixels)
    _check_names(source, known.classes)
    return known


def _check_pixels(source: Source, pixels: Pixels) -> None:
    """Whoever stated them: numbers that make a picture, one for all channels or one for each."""
    for key, values in (("mean_values", pixels.mean), ("scale_values", pixels.scale)):
        if len(values) not in (1, source.channels):
            raise source.refuse(
                f"{key} has {len(values)} numbers for {source.channels} channels; "
                "give --mean and --scale"
            )
        if not all(isfinite(value) for value in values):
            raise source.refuse(f"{key} holds a value that is not finite; give --mean and --scale")
    if not all(value > 0 for value in pixels.scale):
        raise source.refuse("scale_values holds one that is not above 0; give --scale")


def _check_names(source: Source, classes: tuple[str, ...]) -> None:
    """A recipe names classes, so each name must mean one, and a manifest must hold it."""
    for name in classes:
        if not 0 < len(name) <= LONGEST:
            raise source.refuse(
                f"class name {name[:20]!r}... has {len(name)} letters, 1 to {LONGEST} are allowed; "
                "give --classes"
            )
        if classes.count(name) > 1:
            raise source.refuse(f"two classes bear the name {name!r}; give --classes")


def _kind(source: Source) -> str:
    """The kind by its metadata, or else by the names of its outputs."""
    if "task" in source.notes and "names" in source.notes:
        task = source.notes["task"]
        if task not in TASKS:
            raise source.refuse(f"task {task!r} cannot be taken; {', '.join(TASKS)} can")
        return TASKS[task]
    stated = source.given("model_type")
    if stated and stated.lower() in YOLO:
        return _yolo_by_shape(source)
    if stated and stated.lower() in TYPES:
        return TYPES[stated.lower()]
    if stated:
        known = "AnomalyDetection, Classification, MaskRCNN, Segmentation, SSD, YOLO"
        raise source.refuse(f"model_info/model_type {stated!r} cannot be taken; {known} can")
    names = {name for output in source.model.outputs for name in output.names}
    if "export/image_threshold" in source.notes or names & {"pred_score", "anomaly_map"}:
        return "anomalib"
    raise source.refuse(
        f"its metadata lacks task and model_info/model_type, and outputs {source.outputs} tell no "
        f"exporter; give --kind ({', '.join(KINDS)})"
    )


def _yolo_by_shape(source: Source) -> str:
    """Ultralytics' OpenVINO export states no task in the IR."""
    ranks = [len(output.partial_shape) for output in source.model.outputs]
    if ranks == [2]:
        return "yolo-classify"
    return "yolo-segment" if ranks == [3, 4] else "yolo-detect"


def _ultralytics(source: Source, asked: Asked, kind: str) -> Facts:
    classify = kind == "yolo-classify"
    pixels = Pixels(
        colours=asked.colours or "rgb",
        mean=asked.mean or (0.0,),
        scale=asked.scale or (WHITE,),
        fit="stretch" if classify else "letterbox",
    )
    remarks = []
    if classify:
        remarks.append("trained on square middles of pictures; set the recipe's region square")
    if kind == "yolo-segment":
        remarks.append("boxes are used, masks are not")
    classes = asked.classes or _names(source) or _labels(source)
    return Facts(kind, pixels, classes, remarks=tuple(remarks))


def _names(source: Source) -> tuple[str, ...]:
    """Ultralytics' `names`: a dictionary in Python's notation."""
    if "names" not in source.notes:
        return ()
    try:
        found = literal_eval(source.notes["names"])
        return tuple(str(found[number]) for number in range(len(found)))
    except (ValueError, SyntaxError, KeyError, TypeError):
        raise source.refuse("its metadata names cannot be read; give --classes") from None


def _labels(source: Source) -> tuple[str, ...]:
    """model_api's `labels`, whose spaces are underscores; Geti's label_info has the real names."""
    labels = tuple((source.given("labels") or "").split())
    labels = labels[1:] if labels[:1] == (EMPTY,) else labels
    try:
        real = json.loads(source.given("label_info") or "{}").get("label_names", [])
    except (ValueError, AttributeError):
        real = []
    real = tuple(str(name) for name in real if name != EMPTY)
    return real if len(real) == len(labels) else labels


def _anomaly(source: Source, asked: Asked, kind: str) -> Facts:
    """Anomalib takes RGB in 0..1 and normalises inside; Geti's older exports say otherwise."""
    says = source.given("scale_values") or asked.scale
    pixels = _stated_pixels(source, asked) if says else Pixels("rgb", (0.0,), (WHITE,))
    if asked.colours:
        pixels = Pixels(asked.colours, pixels.mean, pixels.scale, pixels.fit, pixels.pad)
    names = {name for output in source.model.outputs for name in output.names}
    if names & {"pred_score", "anomaly_map"}:
        return Facts(kind, pixels)
    return Facts(kind, pixels, thresholds=_thresholds(source))


def _thresholds(source: Source) -> Thresholds:
    """Of a raw map: model_info of the IR, or the metadata.json that Anomalib 1.x writes."""
    if source.given("image_threshold") is not None:
        image = _number(source, "model_info/image_threshold")
        spread = _number(source, "model_info/normalization_scale")
        if spread <= 0:
            raise source.refuse(
                f"metadata model_info/normalization_scale = {spread:g} is not above 0; export again"
            )
        pixel = image
        if source.given("pixel_threshold") is not None:
            pixel = _number(source, "model_info/pixel_threshold")
        return Thresholds(image, spread, pixel, spread)
    remedy = "Anomalib 1.x writes metadata.json beside the model: put it there"
    if "export/image_threshold" not in source.notes:
        raise lacking(source, "image_threshold (model_info or metadata.json)", remedy)
    image = _number(source, "export/image_threshold")
    pixel = image
    if "export/pixel_threshold" in source.notes:
        pixel = _number(source, "export/pixel_threshold")
    spread = _spread(source, "pred_scores", remedy)
    cells = spread
    if "export/anomaly_maps.max" in source.notes:
        cells = _spread(source, "anomaly_maps", remedy)
    return Thresholds(image, spread, pixel, cells)


def _spread(source: Source, of: str, remedy: str) -> float:
    """max - min, under the names of Anomalib 1.1 and later, or of 1.0."""
    low, high = f"export/{of}.min", f"export/{of}.max"
    if low not in source.notes:
        low, high = "export/min", "export/max"
    for key in (low, high):
        if key not in source.notes:
            raise lacking(source, f"{of}.{key[-3:]} (metadata.json)", remedy)
    spread = _number(source, high) - _number(source, low)
    if spread <= 0:
        raise source.refuse(f"metadata.json: {of} max does not lie above min; export again")
    return spread


def _geti(source: Source, asked: Asked, kind: str) -> Facts:
    if source.given("hierarchical") in ("True", "YES"):
        raise source.refuse("model_info/hierarchical: classes in a tree cannot be taken")
    confidence = source.given("confidence_threshold")
    return Facts(
        kind=kind,
        pixels=_stated_pixels(source, asked),
        classes=asked.classes or _labels(source),
        confidence=_number(source, "model_info/confidence_threshold") if confidence else None,
        multilabel=source.given("multilabel") in ("True", "YES"),
        remarks=("boxes are used, masks are not",) if _masks(source) else (),
    )


def _masks(source: Source) -> bool:
    return any("masks" in name_of(output) for output in source.model.outputs)


def _stated_pixels(source: Source, asked: Asked) -> Pixels:
    """mean_values, scale_values, reverse_input_channels and resize_type of model_info."""
    if source.given("embedded_processing") in ("True", "YES"):
        return Pixels(asked.colours or "bgr", fit=_fit(source), pad=_pad(source))
    mode = source.given("intensity_mode")
    if mode not in (None, "none"):
        raise source.refuse(f"model_info/intensity_mode {mode!r} cannot be taken; none can")
    mean = asked.mean or _numbers(source, "mean_values")
    scale = asked.scale or _numbers(source, "scale_values")
    if not scale:
        raise lacking(
            source,
            "model_info/scale_values",
            "give --scale and --mean on 0..255 (--scale 1 where the model takes 0..255 as it is)",
        )
    colours = asked.colours or _colours(source)
    return Pixels(colours, mean or (0.0,), scale, _fit(source), _pad(source))


def _colours(source: Source) -> Colours:
    """Geti feeds RGB, model_api's other users BGR; reverse_input_channels turns either round."""
    turned = source.given("reverse_input_channels") in ("True", "YES")
    geti = any(source.given(key) is not None for key in GETI)
    return "rgb" if turned != geti else "bgr"


def _fit(source: Source) -> Fit:
    stated = source.given("resize_type") or "standard"
    if stated not in ("standard", LETTERBOX):
        raise source.refuse(
            f"model_info/resize_type {stated!r} cannot be taken; standard and {LETTERBOX} can"
        )
    return "letterbox" if stated == LETTERBOX else "stretch"


def _pad(source: Source) -> int:
    """model_api's default is black."""
    if source.given("pad_value") is None:
        return 0
    return min(255, max(0, int(_number(source, "model_info/pad_value"))))


def _numbers(source: Source, key: str) -> tuple[float, ...]:
    text = (source.given(key) or "").replace(",", " ").strip("[]()")
    try:
        return tuple(float(one) for one in text.split())
    except ValueError:
        raise _no_number(source, f"model_info/{key}") from None


def _number(source: Source, key: str) -> float:
    if key not in source.notes:
        raise lacking(source, key, "export it with its metadata")
    try:
        value = float(source.notes[key])
    except ValueError:
        raise _no_number(source, key) from None
    if not isfinite(value):  # a threshold that no score reaches passes every part
        raise _no_number(source, key)
    return value


def _no_number(source: Source, key: str) -> MaintainerError:
    return source.refuse(f"metadata {key} = {source.notes.get(key)!r} is no number; export again")
