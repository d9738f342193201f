"""Post-training INT8 with NNCF: which operations become integers, and how ranges are found.

Promises: only what computes much becomes INT8: convolutions (matrix products where a model has no
convolutions) and what lies between them; what comes behind the last of them, distances and
decoding, stays in floating point, since there small differences of large numbers count. Weights
keep to 7 bits, so that processors without VNNI, whose 16-bit sums overflow, say the same as those
with it.
Never: judges the result, sends telemetry, or is needed on the line; NNCF is an extra.
"""

import contextlib
import io
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from inspector.adopt import graphs
from inspector.core.errors import EngineerError, MaintainerError

Image = NDArray[np.uint8]
Prepare = Callable[[Image], NDArray[Any]]  # a picture as the model's input tensor
Progress = Callable[[float], None]  # share of the calibration done, 0..1


@dataclass(frozen=True)
class Care:
    """How much is kept in floating point, and how hard the rest is corrected."""

    sums: bool = True  # residual sums
    ends: bool = False  # the first and the last convolution
    thorough: bool = False  # each bias corrected by running the network, slow


FAST = Care()
CAREFUL = Care(ends=True, thorough=True)


def nncf() -> ModuleType:
    """The library, silent and without telemetry. Raises MaintainerError where it is missing."""
    try:
        library = import_module("nncf")
        wrapper = import_module("nncf.telemetry.wrapper")
    except ModuleNotFoundError as missing:
        if missing.name != "nncf":
            raise
        raise MaintainerError(
            "nncf is not installed; on the computer that optimises: pip install inspector[optimize]"
        ) from None
    if isinstance(wrapper.telemetry, wrapper.NNCFTelemetry):
        raise EngineerError("nncf was loaded before inspector, so its telemetry is on; report this")
    library.set_log_level(logging.ERROR)
    return library


def quantised(
    model: ov.Model,
    pictures: Sequence[Image],
    prepare: Prepare,
    care: Care = FAST,
    progress: Progress = lambda _: None,
) -> ov.Model:
    """`model` with its heavy operations in INT8, ranges from `pictures`; `model` is left alone.

    Raises EngineerError where NNCF cannot quantise it.
    """
    library = nncf()
    copy = model.clone()
    told = _told(pictures, prepare, progress)
    ranges = _ranges()
    advanced = library.AdvancedQuantizationParameters(
        overflow_fix=library.OverflowFix.ENABLE, activations_range_estimator_params=ranges
    )
    try:
        with _quiet():
            made = library.quantize(
                copy,
                library.Dataset(list(range(len(pictures))), told),
                preset=library.QuantizationPreset.MIXED,
                target_device=library.TargetDevice.CPU,
                subset_size=len(pictures),
                fast_bias_correction=not care.thorough,
                ignored_scope=library.IgnoredScope(names=kept(copy, care), validate=False),
                advanced_parameters=advanced,
            )
    except (RuntimeError, ValueError, library.InternalError) as error:
        last = str(error).strip().splitlines()[-1][:200]
        raise EngineerError(f"NNCF cannot quantise this model ({last})") from None
    assert isinstance(made, ov.Model)
    return made


def _ranges() -> Any:
    """A range per tensor from the histogram of all pictures: the least error of the whole, while
    the mean of each picture's extremes cuts bright and dark pictures off."""
    return import_module("nncf.quantization.range_estimator").RangeEstimatorParametersSet.HISTOGRAM


def count(model: ov.Model) -> int:
    """How many operations of a quantised model take INT8."""
    return sum(node.get_type_name() == "FakeQuantize" for node in model.get_ops())


def kept(model: ov.Model, care: Care) -> list[str]:
    """Names of the operations that stay in floating point."""
    found = heavy(model)
    names = _behind(model, found)
    if care.sums:
        names += [node.get_friendly_name() for node in model.get_ordered_ops() if _is_sum(node)]
    if care.ends and len(found) > 2:
        names += [found[0].get_friendly_name(), found[-1].get_friendly_name()]
    return sorted(set(names))


def heavy(model: ov.Model) -> list[ov.Node]:
    """The convolutions; of a model with but one or none, the products with weights, too."""
    ordered = model.get_ordered_ops()
    found = [node for node in ordered if "Convolution" in node.get_type_name()]
    if len(found) > 1:
        return found
    return [node for node in ordered if "Convolution" in node.get_type_name() or _weighs(node)]


def _weighs(node: ov.Node) -> bool:
    """A product with weights."""
    return bool(node.get_type_name() == "MatMul") and not _of_computed(node)


def _is_sum(node: ov.Node) -> bool:
    """An addition of two computed values, as beside an identity (He et al. 2016)."""
    return bool(node.get_type_name() == "Add") and _of_computed(node)


def _of_computed(node: ov.Node) -> bool:
    """None of the two operands is a constant."""
    return not any(_constant(node.input_value(number).get_node()) for number in range(2))


def _constant(node: ov.Node) -> bool:
    """A constant, perhaps stored in another type."""
    while node.get_type_name() in ("Convert", "FakeQuantize", "Multiply", "Subtract", "Reshape"):
        node = node.input_value(0).get_node()
    return bool(node.get_type_name() == "Constant")


def _behind(model: ov.Model, heaviest: Sequence[ov.Node]) -> list[str]:
    """The operations from which no heavy one is reached, nor is one themselves."""
    before = {node.get_friendly_name() for node in heaviest}
    behind = []
    for node in reversed(model.get_ordered_ops()):
        takers = [taker.get_node() for out in node.outputs() for taker in out.get_target_inputs()]
        name = node.get_friendly_name()
        if name in before or any(taker.get_friendly_name() in before for taker in takers):
            before.add(name)
        elif node.get_type_name() not in ("Constant", "Parameter", "Result"):
            behind.append(name)
    return behind


def _told(
    pictures: Sequence[Image], prepare: Prepare, progress: Progress
) -> Callable[[int], NDArray[Any]]:
    """Hands out the pictures by number; NNCF may go through them several times."""
    most = 0

    def told(number: int) -> NDArray[Any]:
        nonlocal most
        most = max(most, number + 1)
        progress(most / len(pictures))
        return prepare(pictures[number])

    return told


def serialised(model: ov.Model) -> dict[str, bytes]:
    """The model's two files, what is not INT8 as it was; names do not differ from run to run."""
    named = model.clone()
    for number, node in enumerate(named.get_ordered_ops()):
        if node.get_type_name() not in ("Parameter", "Result"):
            node.set_friendly_name(f"node_{number}")
    return graphs.serialised(named)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """NNCF draws its own bars on standard output, where only results may stand."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield
