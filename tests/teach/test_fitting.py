"""Promise: an odd good image is named, an image with a spot of its own too; limits come from
images that were not learnt from."""

import numpy as np

from inspector.core.bundle import Input
from inspector.devices.engine import Whole
from inspector.teach import fitting, looks
from inspector.teach.settings import Settings

NEAR = np.ones((16, 16), np.float32)
PLAIN = looks.Choice(look=0, weight=1.0, evened=True, worst=4, separation=1.0)
GIVEN = Settings(memory=150, folds=4, choosing_folds=3)


def maps(count: int, seed: int) -> fitting.Maps:
    heat = np.random.default_rng(seed).gamma(20, 0.01, (count, 16, 16)).astype(np.float32)
    return fitting.Maps(heat, heat, NEAR, NEAR)


def grid(count: int, seed: int) -> np.ndarray:
    cells = np.random.default_rng(seed).normal(0, 0.1, (count, 16, 16, 12)) + np.eye(12)[0]
    return (cells / np.linalg.norm(cells, axis=-1, keepdims=True)).astype(np.float32)


def seen(count: int, known: int = 0) -> looks.Seen:
    spoilt = grid(count, 1)
    spoilt[:, 4:7, 5:8, 3] += 0.9
    defects = grid(known, 2)
    defects[:, 9:11, 2:4, 5] += 0.8
    for some in (spoilt, defects):
        some /= np.linalg.norm(some, axis=-1, keepdims=True)
    size = Input(width=128, height=128, pixel="mono8")
    look = looks.Look("whole frame", size, Whole())
    return looks.Seen(
        look, grid(count, 0), spoilt, np.zeros(count, bool), NEAR, defects if known else None
    )


def test_an_image_unlike_the_others_is_odd() -> None:
    some = maps(20, 0)
    some.good[7] *= 4
    assert list(fitting.odd(some, 4)) == [7]


def test_usual_variation_is_not_odd_nor_spotted() -> None:
    assert len(fitting.odd(maps(20, 1), 4)) == 0
    assert len(fitting.spotted(maps(20, 1), NEAR)) == 0


def test_images_with_a_spot_of_their_own_are_told() -> None:
    some, rng = maps(20, 2), np.random.default_rng(0)
    for index in range(0, 20, 2):
        row, column = rng.integers(1, 13, 2)
        some.good[index, row : row + 2, column : column + 2] *= 3
    assert list(fitting.spotted(some, NEAR)) == list(range(0, 20, 2))


def test_dropping_an_image_drops_its_copies() -> None:
    left = fitting.without(seen(8), np.array([2, 5]))
    assert len(left.good) == len(left.spoilt) == len(left.lost) == 6


def test_dropping_an_image_keeps_the_labelled_defects() -> None:
    before = seen(8, known=3)
    left = fitting.without(before, np.array([2]))
    assert left.known is before.known
    assert left.gone is before.gone


def test_good_images_stay_below_the_limit_and_defects_do_not() -> None:
    some = seen(24, known=6)
    found = fitting.fitted(some, PLAIN, fitting.mapped(some, PLAIN, GIVEN), GIVEN)
    assert (found.good < 1).mean() > 0.9
    assert (found.spoilt >= 1).all()
    assert (found.defects >= 1).all()
    assert len(found.head.memory) == 150
    assert fitting.described(found)[0].startswith("6 of 6 labelled defects fail")


def test_without_labelled_defects_nothing_is_said_of_them() -> None:
    some = seen(12)
    found = fitting.fitted(some, PLAIN, fitting.mapped(some, PLAIN, GIVEN), GIVEN)
    assert fitting.described(found) == []
    assert found.learnt is None


def test_labelled_defects_take_part_in_the_choice() -> None:
    alone = looks.compare(seen(12), 0, GIVEN)
    helped = looks.compare(seen(12, known=5), 0, GIVEN)
    assert len(alone) == len(helped) == 2 * len(GIVEN.weights) * len(GIVEN.worst)
    assert all(b.separation > a.separation for a, b in zip(alone, helped, strict=True))


def test_a_later_choice_must_be_better_by_more_than_chance() -> None:
    first = looks.Choice(0, 1.0, False, 4, 2.0)
    hardly = looks.Choice(1, 1.0, False, 4, 2.0 + looks.BETTER / 2)
    clearly = looks.Choice(1, 0.0, True, 16, 2.0 + 2 * looks.BETTER)
    assert looks.best([first, hardly]) is first
    assert looks.best([first, hardly, clearly]) is clearly
