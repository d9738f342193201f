"""A part is of the recipe it was judged by, and of that recipe's lot."""

from hypothesis import given
from hypothesis import strategies as st

from inspector.core.current import Asked, Current
from inspector.domain.changeover import Changeover

CAPS = Current(recipe="caps", lot="L1")
BOLTS = Current(recipe="bolts", lot="L2")


def test_new_recipe_and_its_lot_take_effect_with_the_first_decision() -> None:
    line = Changeover(CAPS)
    line.switch("bolts", "L2")
    line.decided("caps")
    assert (line.stamp("caps"), line.stamp("")) == (CAPS, CAPS)
    line.decided("bolts")
    assert (line.stamp("bolts"), line.stamp("")) == (BOLTS, BOLTS)


def test_part_decided_before_the_change_and_settled_after_it_stays_with_its_lot() -> None:
    line = Changeover(CAPS)
    line.switch("bolts", "L2")
    line.decided("bolts")
    assert line.stamp("caps") == CAPS


def test_new_lot_of_the_same_recipe_takes_effect_at_once() -> None:
    line = Changeover(CAPS)
    line.switch("caps", "L9")
    assert line.stamp("caps").lot == line.stamp("").lot == "L9"


def test_change_under_way_is_taken_up_by_a_gate_that_starts() -> None:
    line = Changeover(Current(recipe="caps", lot="L1", asked=Asked("bolts", "L2", "me")))
    assert line.stamp("") == CAPS
    line.decided("bolts")
    assert line.stamp("") == BOLTS


def test_recipe_that_detect_refuses_changes_nothing() -> None:
    line = Changeover(CAPS)
    line.switch("bolts", "L2")
    line.switch("caps", "L3")
    line.decided("caps")
    assert line.stamp("") == Current(recipe="caps", lot="L3")


def test_detect_that_falls_back_to_another_recipe_leaves_the_lot() -> None:
    line = Changeover(CAPS)
    line.switch("bolts", "L2")
    line.decided("bolts")
    line.decided("caps")
    assert line.stamp("caps") == line.stamp("") == Current(recipe="caps", lot="L2")


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans())))
def test_part_bears_the_recipe_it_was_decided_with(steps: list[tuple[str, bool]]) -> None:
    line, decided = Changeover(Current(recipe="a", lot="0")), "a"
    for number, (recipe, switched) in enumerate(steps, 1):
        if switched:
            line.switch(recipe, str(number))
        else:
            line.decided(recipe)
            decided = recipe
        assert {line.stamp(each).recipe for each in "abc"} == set("abc")
        assert line.stamp("").recipe == decided
