"""The one network of a bundle: pixels in front of the foreign model, its head behind it.

Promises: input `frame` u8 [1,H,W,C], outputs of the bundle's task under their names, of fixed
shape; the same model makes the same bytes.
Never: changes what lies between, or its precision.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as ops

from inspector.adopt.terms import Head, Image, Source, Tensors

EXACTLY = {"INFERENCE_PRECISION_HINT": "f32"}


def composed(source: Source, front: tuple[ov.Node, ov.Node], head: Head) -> ov.Model:
    """`front`: the parameter `frame`, and what takes the place of the model's input. Raises
    MaintainerError where the head does not fit the model, or a shape stays open."""
    frame, values = front
    inner = source.model.clone()
    old = inner.inputs[0].get_node()
    for taker in old.output(0).get_target_inputs():
        taker.replace_source_output(values.output(0))
    try:
        ends = head.graph([result.get_node().input_value(0) for result in inner.outputs])
        for name, output in ends.items():
            output.set_names({name})
        results = [ops.result(output, name=name) for name, output in ends.items()]
        model = ov.Model(results, [frame], head.task)
        model.validate_nodes_and_infer_types()
    except RuntimeError as error:
        last = str(error).strip().splitlines()[-1][:200]
        raise source.refuse(
            f"outputs {source.outputs} cannot be read as {head.task} ({last})"
        ) from None
    for result in model.outputs:
        if result.partial_shape.is_dynamic:
            raise source.refuse(
                f"{result.any_name} stays {result.partial_shape} even with one picture of "
                f"{source.height}x{source.width}; export it with fixed shapes"
            )
    _rename(model, {"frame", *ends})
    return model


def _rename(model: ov.Model, kept: set[str]) -> None:
    """Number the nodes, since automatic names differ from run to run, and so the digest."""
    for number, node in enumerate(model.get_ordered_ops()):
        if node.get_friendly_name() not in kept:
            node.set_friendly_name(f"node_{number}")


def original(source: Source, inputs: Iterable[NDArray[Any]]) -> list[list[NDArray[Any]]]:
    """What the untouched model gives, output by output, for each of its own inputs."""
    compiled = _compiled(source, source.model)
    return [[_copy(one) for one in compiled(given).to_tuple()] for given in inputs]


def answers(source: Source, model: ov.Model, pictures: Sequence[Image]) -> list[Tensors]:
    """What the composed model gives by name for pictures of its own size."""
    compiled = _compiled(source, model)
    names = [output.any_name for output in compiled.outputs]
    said = []
    for picture in pictures:
        outputs = compiled(picture[None])
        said.append({name: _copy(outputs[name]) for name in names})
    return said


def _compiled(source: Source, model: ov.Model) -> ov.CompiledModel:
    try:
        return ov.Core().compile_model(model, "CPU", EXACTLY)
    except RuntimeError as error:
        last = str(error).strip().splitlines()[-1][:200]
        raise source.refuse(f"OpenVINO cannot compile it ({last})") from None


def _copy(tensor: Any) -> NDArray[Any]:
    found: NDArray[Any] = tensor.copy()
    return found
