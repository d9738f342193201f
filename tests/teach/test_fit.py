"""Promise: the same features and seed give the same memory; distances are what they say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from inspector.teach import fit


def grid(count: int, seed: int, side: int = 6, depth: int = 8) -> NDArray[np.float32]:
    raw = np.random.default_rng(seed).normal(size=(count, side, side, depth)).astype(np.float32)
    return np.asarray(raw / np.linalg.norm(raw, axis=-1, keepdims=True), np.float32)


@given(seed=st.integers(0, 99), weight=st.floats(0, 4), size=st.integers(1, 40))
def test_distances_match_the_definition(seed: int, weight: float, size: int) -> None:
    memory = fit.memorise(grid(3, seed), weight, size, seed)
    query = grid(2, seed + 1)
    cells = fit.placed(query, weight)
    slow = ((cells[:, None] - memory[None]) ** 2).sum(-1).min(1) / 2
    fast = fit.distances(query, memory, weight).ravel()
    np.testing.assert_allclose(fast, slow, atol=1e-4)
    assert (fast >= 0).all()


def test_without_weight_the_distance_is_one_minus_cosine() -> None:
    memory, query = fit.memorise(grid(3, 0), 0.0, 20, 0), grid(1, 1)
    cosine = (query.reshape(-1, 8) @ memory[:, :8].T).max(1)
    np.testing.assert_allclose(fit.distances(query, memory, 0.0).ravel(), 1 - cosine, atol=1e-5)


@given(seed=st.integers(0, 99), weight=st.floats(0, 4))
def test_what_is_remembered_whole_is_at_no_distance(seed: int, weight: float) -> None:
    taught = grid(2, seed)
    memory = fit.memorise(taught, weight, 10_000, seed)
    assert fit.distances(taught, memory, weight).max() < 1e-4


def test_a_piece_in_the_wrong_place_costs_only_with_weight() -> None:
    taught = grid(1, 0)
    moved = np.roll(taught, 3, axis=1)
    for weight, low, high in ((0.0, 0.0, 1e-4), (2.0, 0.3, 3.0)):
        memory = fit.memorise(taught, weight, 1000, 0)
        away = fit.distances(moved, memory, weight)
        assert low <= away.max() <= high


def test_the_same_seed_chooses_the_same_memory() -> None:
    first, again, other = (fit.memorise(grid(4, 0), 1.0, 20, seed) for seed in (5, 5, 6))
    assert (first == again).all()
    assert first.shape == other.shape == (20, 10)


def test_the_chosen_cells_cover_better_than_random_ones() -> None:
    cells = np.concatenate([grid(20, 0), np.repeat(grid(1, 9), 60, 0)]).reshape(-1, 8)
    drawn = cells[np.random.default_rng(0).choice(len(cells), 200, replace=False)]

    def uncovered(memory: NDArray[np.float32]) -> float:
        return float((1 - (cells @ memory.T).max(1)).max())

    assert uncovered(fit.coreset(cells, 200, 0)) < uncovered(drawn)


@pytest.mark.parametrize("worst", [1, 4])
def test_the_score_is_the_mean_of_the_worst_cells(worst: int) -> None:
    maps = np.arange(36, dtype=np.float32).reshape(1, 6, 6)
    assert fit.scores(maps, worst)[0] == np.arange(36 - worst, 36).mean()


def test_restless_places_count_less_and_what_is_not_looked_at_nothing() -> None:
    maps = np.full((40, 8, 8), 0.1, np.float32)
    maps[:, 2:5, 2:5] = 0.5
    looked_at = np.ones((8, 8), np.float32)
    looked_at[7] = 0
    gains = fit.gains(maps, looked_at)
    assert gains[3, 3] < 0.5 * gains[6, 6]
    assert (gains[7] == 0).all()


def test_few_images_are_hardly_trusted_about_restless_places() -> None:
    maps = np.full((40, 8, 8), 0.1, np.float32)
    maps[:, 2:5, 2:5] = 0.5
    all_over = np.ones((8, 8), np.float32)
    many, few = fit.gains(maps, all_over), fit.gains(maps[:5], all_over)
    assert many[3, 3] < few[3, 3] < 1


def test_left_out_gains_do_not_know_the_image_itself() -> None:
    maps = np.full((10, 8, 8), 0.1, np.float32)
    maps[4, 3, 3] = 5.0
    all_over = np.ones((8, 8), np.float32)
    left = fit.left_out_gains(maps, all_over)
    assert left[4, 3, 3] > 1.1 * left[5, 3, 3]
    np.testing.assert_allclose(left[4], fit.gains(np.delete(maps, 4, 0), all_over), rtol=1e-5)


def test_smoothing_keeps_a_flat_map_and_spreads_a_peak() -> None:
    flat = np.full((1, 8, 8), 0.3, np.float32)
    np.testing.assert_allclose(fit.smoothed(flat), flat, rtol=1e-5)
    peak = np.zeros((1, 8, 8), np.float32)
    peak[0, 4, 4] = 1
    assert fit.smoothed(peak)[0, 4, 4] == pytest.approx(0.58**2, rel=1e-5)
    assert fit.smoothed(peak).sum() == pytest.approx(1, rel=1e-5)
