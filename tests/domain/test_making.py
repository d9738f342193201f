"""What is made, as recorded parts say it."""

from hypothesis import given
from hypothesis import strategies as st
from support.outcomes import WALL, outcome

from inspector.core.messages import Outcome
from inspector.core.terms import Kind
from inspector.domain.making import Change, Made, Making, follow

OLD, NEW = Made("plain", "L1", "m@1"), Made("other", "L2", "m@2")


def part(seq: int, made: Made = OLD, camera: str = "cam0", kind: Kind = Kind.PASS) -> Outcome:
    return outcome(
        seq,
        kind,
        camera=camera,
        stream=camera.rjust(32, "0"),
        recipe=made.recipe,
        lot=made.lot,
        model=made.model,
    )


def told(*parts: Outcome, after: Making | None = None) -> list[Made]:
    return [change.made for change in follow(after or Making(), parts)[1]]


def test_first_part_of_all_says_what_is_made() -> None:
    making, changes = follow(Making(), [part(1), part(2)])
    assert changes == [Change(WALL + 1_000_000, OLD)]
    assert making.now == OLD


def test_each_change_of_recipe_lot_or_model_is_told_once() -> None:
    steps = [OLD, Made("plain", "L2", "m@1"), Made("plain", "L2", "m@2"), NEW]
    parts = [part(seq, made) for seq, made in enumerate(made for made in steps for _ in range(3))]
    assert told(*parts) == steps


def test_way_back_is_a_change_as_well() -> None:
    assert told(part(1), part(2, NEW), part(3)) == [OLD, NEW, OLD]


def test_several_cameras_do_not_flap() -> None:
    """Some still send parts from before the change when others have made it."""
    assert told(
        part(1),
        part(1, camera="cam1"),
        part(2, NEW),
        part(2, camera="cam1"),
        part(3, NEW),
        part(3, NEW, camera="cam1"),
        part(4, NEW),
        part(4, NEW, camera="cam1"),
    ) == [OLD, NEW]


@given(st.lists(st.integers(0, 3), max_size=60), st.data())
def test_one_change_is_one_notice_however_the_cameras_interleave(
    order: list[int], data: st.DataObject
) -> None:
    counts = {f"cam{n}": order.count(n) for n in range(4)}
    turns = {camera: data.draw(st.integers(0, count)) for camera, count in counts.items()}
    seen = dict.fromkeys(counts, 0)
    parts = []
    for number in order:
        camera = f"cam{number}"
        made = NEW if seen[camera] >= turns[camera] else OLD
        parts.append(part(seen[camera], made, camera))
        seen[camera] += 1
    begun, _ = follow(Making(), [part(0, OLD, camera) for camera in counts])
    found = told(*parts, after=begun)
    assert found == ([NEW] if any(counts[c] > turns[c] for c in counts) else [])


def test_part_that_is_settled_after_a_later_one_turns_nothing_back() -> None:
    assert told(part(1), part(3, NEW), part(2), part(4, NEW)) == [OLD, NEW]


def test_fault_shows_no_model() -> None:
    """The gate names the one that decides at present, which may be that of before."""
    assert told(part(1), part(2, Made("plain", "L1", "m@9"), kind=Kind.FAULT), part(3)) == [OLD]
    lot = Made("plain", "L2", "m@1")
    assert told(part(1), part(2, Made("plain", "L2", ""), kind=Kind.FAULT)) == [OLD, lot]


def test_new_run_of_a_camera_goes_on() -> None:
    again = outcome(0, camera="cam0", stream="f" * 32, recipe="other", lot="L2", model="m@2")
    assert told(part(900), again) == [OLD, NEW]


def test_failed_transaction_leaves_what_was_known() -> None:
    before, _ = follow(Making(), [part(1)])
    follow(before, [part(2, NEW)])
    assert follow(before, [part(2, NEW)])[1] == [Change(WALL + 2_000_000, NEW)]
