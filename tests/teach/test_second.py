"""Promise: the second look sees twice as finely, with limits of its own, and proves itself too."""

from pathlib import Path

import numpy as np
import pytest
from support.washer import EYES, part, scratched

from inspector.core.config import Detect
from inspector.devices.bundles import open_bundle
from inspector.devices.cameras import read_image
from inspector.devices.engine import Engine
from inspector.domain.parity import difference
from inspector.teach import pipeline
from inspector.teach.settings import Settings

GIVEN = Settings(memory=200, weights=(0.0, 2.0), defects=12, folds=4, side=128, second_look=True)


@pytest.fixture
def bundle(good: Path, backbone: Path, tmp_path: Path) -> Path:
    pipeline.teach(good, backbone, "washer", tmp_path / "bundle", EYES, GIVEN)
    return tmp_path / "bundle"


def test_the_second_look_is_twice_as_fine(bundle: Path) -> None:
    manifest = open_bundle(bundle).manifest
    assert manifest.second
    first, second = manifest.input, manifest.second.input
    assert (second.width, second.height) == (2 * first.width, 2 * first.height)
    assert 0 < manifest.second.limits.review < manifest.second.limits.fail


def test_it_tells_bad_from_good(bundle: Path) -> None:
    manifest = open_bundle(bundle).manifest
    model = Engine(Detect(), bundle.parent / "cache").load(bundle, manifest, second=True)
    fine = [model.infer(part(seed)).score for seed in range(20, 26)]
    bad = [model.infer(scratched(seed)).score for seed in range(20, 26)]
    assert max(fine) < min(bad)
    assert manifest.second
    assert np.median(fine) < manifest.second.limits.fail < min(bad)


def test_the_engine_says_what_its_references_say(bundle: Path) -> None:
    manifest = open_bundle(bundle).manifest
    model = Engine(Detect(), bundle.parent / "cache").load(bundle, manifest, second=True)
    for reference in manifest.proof.references:
        found = model.infer(read_image(bundle / reference.image))
        score = reference.second[0]
        assert difference((score,), (found.score,)) < manifest.proof.tolerance
