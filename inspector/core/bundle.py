"""What a model brings with it: the manifest `bundle.toml`, one definition.

Promises: every file of a bundle is named with its SHA-256, every limit is stated, and the scores
that the model must give on this box for known images stand beside it.
Never: opens a file; reading and verifying is `devices.bundles`, writing is `teach` and `adopt`.
"""

import hashlib
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct, convert, structs, to_builtins

LOST = 2.0  # times the fail limit: the least score of a view whose part was not found

Share = Annotated[float, Meta(ge=0, le=1)]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
File = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}(/[a-z0-9][a-z0-9_.-]{0,63})?\Z")]
Label = Annotated[str, Meta(min_length=1, max_length=64)]
Task = Literal["anomaly", "detection", "segmentation", "classification"]


class Section(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of all sections."""


class Input(Section, frozen=True, kw_only=True):
    """The image the model itself takes, after the station's crop, registration and resize.

    `letterbox` keeps the proportions and fills the rest with grey `pad`, as detectors are trained.
    """

    width: Annotated[int, Meta(ge=16, le=4096)]
    height: Annotated[int, Meta(ge=16, le=4096)]
    pixel: Literal["mono8", "bgr8"]
    fit: Literal["stretch", "letterbox"] = "stretch"
    pad: Annotated[int, Meta(ge=0, le=255)] = 114


class Registration(Section, frozen=True, kw_only=True):
    """How a part is turned and moved onto the picture it was taught with."""

    template: File  # the upright part, as the model sees it
    extent: Annotated[float, Meta(gt=0, le=2)]  # longer side of the view, in those of the frame
    turn_deg: Annotated[float, Meta(ge=0, le=180)]  # how far a part may be turned, either way
    score: Share  # likeness to the template below which a part is lost, and cannot pass


class Limits(Section, frozen=True, kw_only=True):
    """Score from which a part goes to review, and from which it fails."""

    review: Annotated[float, Meta(ge=0, le=1e6)]
    fail: Annotated[float, Meta(ge=0, le=1e6)]


class SecondLook(Section, frozen=True, kw_only=True):
    """A slower model of the same bundle, for parts between review and fail."""

    model: File  # its .xml; the .bin lies beside it
    input: Input
    limits: Limits


class Calibration(Section, frozen=True, kw_only=True):
    """How the limits were found."""

    good_images: int
    set_aside: int = 0  # images among the good that were not taught from
    defect_images: int = 0  # labelled defects that sharpened the limits
    target_overkill: Share
    overkill_low: Share  # 95 % interval of what the held-out good parts showed
    overkill_high: Share
    position_weight: float  # 0: a pattern may lie anywhere; more: it must lie where it lay
    evened: bool = False  # restless places of the part count less
    alarm: bool = False  # labelled defects are recognised, too
    memory: int


class Provenance(Section, frozen=True, kw_only=True):
    """Where the model comes from."""

    made_from: str  # the folder it was taught from, or the file it was imported from
    source_sha256: Sha256  # of the backbone, or of the imported model
    inspector: str
    openvino: str


class Reference(Section, frozen=True, kw_only=True):
    """An image and what the model must say of it (`domain.parity` gives the values' order)."""

    image: File  # a whole frame, before crop, registration and resize
    values: tuple[float, ...]
    second: tuple[float, ...] = ()  # what the second look must say


class Proof(Section, frozen=True, kw_only=True):
    """What the model must show on a box before it may decide there (export parity)."""

    tolerance: Annotated[float, Meta(gt=0, le=1)]  # largest difference of any value
    references: Annotated[tuple[Reference, ...], Meta(min_length=1, max_length=64)]


class Golden(Section, frozen=True, kw_only=True):
    """Parts that a person knows: images which must pass, and images which must not."""

    good: tuple[File, ...] = ()
    defective: tuple[File, ...] = ()


class Metric(Section, frozen=True, kw_only=True):
    """One figure, with its 95 % interval where it is a rate, and the data it was measured on."""

    name: Label
    value: float
    low: float | None = None
    high: float | None = None
    images: int
    data: str  # what the images were, in a few words


class BundleManifest(Section, frozen=True, kw_only=True):
    """`bundle.toml`, whole."""

    schema: Literal[1]
    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}\Z")]
    version: Annotated[str, Meta(pattern=r"^[0-9a-f]{12}\Z")]  # follows from all the rest
    task: Task
    classes: tuple[Label, ...] = ()  # what the model names, in the order of its outputs
    input: Input
    limits: Limits
    registration: Registration | None = None
    second: SecondLook | None = None
    calibration: Calibration | None = None  # of a taught model
    provenance: Provenance
    proof: Proof
    golden: Golden = Golden()
    metrics: tuple[Metric, ...] = ()
    files: dict[File, Sha256]

    @property
    def id(self) -> str:
        """`name@version`, as it stands in every outcome."""
        return f"{self.name}@{self.version}"


UNNUMBERED = "0" * 12


def version_of(manifest: BundleManifest) -> str:
    """A bundle's version: 12 hex digits that follow from all that the manifest says, so from every
    file's digest and every limit, but the version itself."""
    said = to_builtins(structs.replace(manifest, version=UNNUMBERED))
    read = convert(said, BundleManifest)  # as it comes back from a file: 1 is 1.0
    content = msgspec.json.encode(read, order="sorted")
    return hashlib.sha256(content).hexdigest()[:12]
