"""A plate is what its fields say, cell for cell, before any picture of it is made."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

RENDER = Path(__file__).parents[2] / "sample_data" / "render"
SEED = 5


@pytest.fixture(scope="module")
def plate() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(RENDER)
        yield importlib.import_module("plate")


@pytest.fixture(scope="module")
def defects(plate: ModuleType) -> ModuleType:
    return importlib.import_module("plate_defects")


@pytest.fixture(scope="module")
def clean(plate: ModuleType) -> Any:
    return plate.build(plate.draw(np.random.default_rng(SEED)))


def differing(first: object, second: object) -> np.ndarray:
    """The cells in which two surfaces are not the same."""
    pairs = [(getattr(first, f.name), getattr(second, f.name)) for f in fields(first)]
    apart = [a != b if a.ndim == 2 else (a != b).any(-1) for a, b in pairs]
    return np.any(apart, axis=0)


def test_the_same_plate_gives_the_same_surface(plate: ModuleType, clean: Any) -> None:
    again = plate.build(plate.draw(np.random.default_rng(SEED)))
    assert not differing(clean, again).any()


def test_no_two_good_plates_are_alike(plate: ModuleType, clean: Any) -> None:
    other = plate.build(plate.draw(np.random.default_rng(SEED + 1)))
    assert differing(clean, other).mean() > 0.9


def test_an_absent_hole_changes_nothing_beside_it(plate: ModuleType, clean: Any) -> None:
    part = plate.draw(np.random.default_rng(SEED))
    absent = replace(part, holes=("full", "absent", "full", "full"))
    surface = importlib.import_module("surface")
    away, _ = surface.polar(plate.BOLTS[1])
    changed = differing(clean, plate.build(absent))
    assert changed[away < 1.5].all()
    assert not changed[away > 3.5].any()


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_every_damage_is_on_the_plate(plate: ModuleType, defects: ModuleType, level: float) -> None:
    clean = plate.build(plate.draw(np.random.default_rng(SEED)))
    for kind, damage in defects.DAMAGE.items():
        broken = clean.copy()
        damage(broken, level, np.random.default_rng(SEED))
        cells = np.abs(broken.tint - clean.tint).max(-1) > 0.05
        cells |= np.abs(broken.height - clean.height) > 0.02
        cells |= np.abs(broken.coat - clean.coat) > 0.1
        assert 30 < cells.sum() < 0.1 * cells.size, kind
        assert (clean.height[cells] > 0).mean() > 0.99, kind


def test_every_wrong_print_is_another_mistake(plate: ModuleType, defects: ModuleType) -> None:
    part = plate.draw(np.random.default_rng(SEED))
    rng = np.random.default_rng(SEED)
    prints = [defects.wrong_print(part, level, rng).print for level in np.linspace(0, 1, 8)]
    assert len({*prints, part.print}) == 9
