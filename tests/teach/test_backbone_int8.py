"""Promise: the INT8 backbone is that of the delivered one, and gives its features at any sides."""

import hashlib
import tomllib
from pathlib import Path

import numpy as np
import pytest
from support.washer import part, shrink

from inspector.teach import images
from inspector.teach.features import Backbone

FOLDER = Path(__file__).parents[2] / "models" / "backbone"
INT8, FULL = FOLDER / "backbone-int8.xml", FOLDER / "backbone.xml"
AGAIN = "python -m models.training.quantise models/backbone"


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes() + path.with_suffix(".bin").read_bytes()).hexdigest()


def test_it_was_made_of_the_delivered_backbone() -> None:
    origin = tomllib.loads(INT8.with_suffix(".toml").read_text())
    assert origin["sha256"] == digest(INT8), AGAIN
    assert origin["source_sha256"] == digest(FULL), AGAIN


@pytest.mark.parametrize("sides", [(256, 256), (320, 192)])
def test_its_features_are_those_of_the_full_one(sides: tuple[int, int]) -> None:
    frame = np.asarray(shrink(part(0)))
    frames = images.as_pixel([np.resize(frame, (sides[1], sides[0]))], "mono8")
    found, expected = Backbone(INT8, *sides)(frames), Backbone(FULL, *sides)(frames)
    assert found.shape == (1, sides[1] // 8, sides[0] // 8, 96)
    np.testing.assert_allclose(np.linalg.norm(found, axis=-1), 1, atol=1e-3)
    assert float((1 - (found * expected).sum(-1)).mean()) < 0.005
