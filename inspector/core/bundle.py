"""What a model brings with it: the manifest `bundle.toml`, one definition.

Promises: every file of a bundle is named with its SHA-256, and every limit is stated.
Never: opens a file; reading and verifying is `devices.bundles`, writing is `teach`.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Share = Annotated[float, Meta(ge=0, le=1)]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]


class Input(Struct, frozen=True, forbid_unknown_fields=True):
    """The image the model itself takes, after the station's crop and resize."""

    width: Annotated[int, Meta(ge=16, le=4096)]
    height: Annotated[int, Meta(ge=16, le=4096)]
    pixel: Literal["mono8", "bgr8"]


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """Score from which a part goes to review, and from which it fails."""

    review: Annotated[float, Meta(ge=0, le=1e6)]
    fail: Annotated[float, Meta(ge=0, le=1e6)]


class Calibration(Struct, frozen=True, forbid_unknown_fields=True):
    """How the limits were found."""

    good_images: int
    target_overkill: Share
    overkill_low: Share
    overkill_high: Share
    position_weight: float
    memory: int


class Provenance(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the model comes from."""

    taught_from: str
    backbone_sha256: str
    inspector: str
    openvino: str


class BundleManifest(Struct, frozen=True, forbid_unknown_fields=True):
    """`bundle.toml`, whole."""

    schema: Literal[1]
    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}\Z")]
    version: Annotated[str, Meta(pattern=r"^[0-9a-f]{12}\Z")]
    task: Literal["anomaly"]
    input: Input
    limits: Limits
    calibration: Calibration
    provenance: Provenance
    files: dict[str, Sha256]

    @property
    def id(self) -> str:
        """`name@version`, as it stands in every outcome."""
        return f"{self.name}@{self.version}"
