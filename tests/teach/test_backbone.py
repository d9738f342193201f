"""Promise: the backbone that is delivered keeps its contract and is the one its origin names."""

import hashlib
import tomllib
from pathlib import Path

import numpy as np
import pytest
from support.washer import part, shrink

from inspector.core.errors import MaintainerError
from inspector.teach import images
from inspector.teach.features import Backbone, to_planes
from inspector.teach.settings import SIDE

DELIVERED = Path(__file__).parents[2] / "models" / "backbone" / "backbone.xml"


def test_features_have_unit_length_and_the_promised_shape() -> None:
    frames = images.as_pixel([shrink(part(seed)) for seed in range(2)], "mono8")
    features = Backbone(DELIVERED, SIDE, SIDE)(frames)
    assert features.shape == (2, 32, 32, 96)
    assert features.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(features, axis=-1), 1, atol=1e-3)


def test_the_digest_is_the_one_in_its_origin() -> None:
    origin = tomllib.loads((DELIVERED.parent / "backbone.toml").read_text())
    content = DELIVERED.read_bytes() + DELIVERED.with_suffix(".bin").read_bytes()
    assert (
        hashlib.sha256(content).hexdigest()
        == origin["sha256"]
        == Backbone(DELIVERED, SIDE, SIDE).sha256
    )


def test_a_broken_backbone_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "backbone.xml").write_text("<net>")
    (tmp_path / "backbone.bin").write_bytes(b"")
    with pytest.raises(MaintainerError, match=r"backbone\.xml: cannot be loaded") as caught:
        Backbone(tmp_path / "backbone.xml", SIDE, SIDE)
    assert "\n" not in str(caught.value)


def test_grey_stands_in_all_three_channels() -> None:
    planes = to_planes(np.full((1, 2, 4, 1), 100, np.uint8))
    assert planes.shape == (1, 3, 2, 4)
    assert (planes == 100).all()


def test_another_size_is_another_grid() -> None:
    features = Backbone(DELIVERED, 384, 384)(np.zeros((1, 384, 384, 3), np.uint8))
    assert features.shape == (1, 48, 48, 96)
