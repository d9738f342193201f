"""What OpenVINO can run on, on this box.

Promises: facts only, as OpenVINO tells them.
Never: judges (that is `domain.fitness`), or compiles anything.
"""

import openvino as ov
from msgspec import Struct


class Accelerator(Struct, frozen=True):
    """A device that OpenVINO can use. `preferred`: the precision it takes where none is asked."""

    name: str
    full_name: str
    capabilities: tuple[str, ...]
    preferred: str  # f32, bf16, f16, or empty where it does not say


def accelerators() -> list[Accelerator]:
    """All devices, in OpenVINO's order. One that cannot be asked is left out."""
    core = ov.Core()
    found = []
    for name in core.available_devices:
        try:
            found.append(_accelerator(core, name))
        except RuntimeError:
            continue
    return found


def _accelerator(core: ov.Core, name: str) -> Accelerator:
    able = core.get_property(name, "OPTIMIZATION_CAPABILITIES")
    try:
        preferred = str(core.get_property(name, "INFERENCE_PRECISION_HINT").get_type_name())
    except (RuntimeError, AttributeError):
        preferred = ""
    full = str(core.get_property(name, "FULL_DEVICE_NAME"))
    return Accelerator(name, full, tuple(sorted(map(str, able))), preferred)
