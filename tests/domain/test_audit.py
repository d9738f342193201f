"""The audit chain shows what was done to it."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from inspector.domain.audit import START, Entry, broken_at, first_break, link


def chain(count: int) -> list[Entry]:
    entries: list[Entry] = []
    for id in range(1, count + 1):
        previous = entries[-1].hash if entries else START
        entries.append(link(previous, id, id * 10, "anna", "review", f'{{"seq":"{id}"}}'))
    return entries


@given(st.integers(0, 20))
def test_untouched_chain_is_whole(count: int) -> None:
    assert broken_at(chain(count)) is None


@given(st.integers(2, 12), st.data(), st.sampled_from(["who", "action", "detail"]))
def test_changed_entry_breaks_the_chain(count: int, data: st.DataObject, field: str) -> None:
    entries = chain(count)
    at = data.draw(st.integers(0, count - 1))
    entries[at] = replace(entries[at], **{field: "other"})
    assert broken_at(entries) == at + 1


@given(st.integers(2, 12), st.data())
def test_removed_entry_breaks_the_chain(count: int, data: st.DataObject) -> None:
    entries = chain(count)
    at = data.draw(st.integers(0, count - 2))  # the last may go unseen
    del entries[at]
    assert broken_at(entries) == at + 2


def told(entries: list[Entry]) -> tuple[int, str]:
    found = first_break(entries)
    assert found is not None
    return found.entry.id, found.what


def test_what_was_done_is_told() -> None:
    entries = chain(6)
    changed = [*entries[:2], replace(entries[2], who="otto"), *entries[3:]]
    id, what = told(changed)
    assert (id, what.split(":")[0]) == (3, "its time, name, action or detail was changed")
    assert told(entries[:2] + entries[3:]) == (4, "entry 3 was removed before it")
    assert told(entries[:1] + entries[4:]) == (5, "entries 2 to 4 were removed before it")


def test_entry_put_in_with_a_hash_of_its_own_shows_at_the_next() -> None:
    entries = chain(4)
    put_in = link(entries[1].hash, 3, 25, "otto", "pause", "{}")
    moved = [replace(entry, id=entry.id + 1) for entry in entries[2:]]
    id, what = told([*entries[:2], put_in, *moved])
    assert id == 4
    assert "follows another entry" in what


def test_entry_rewritten_with_its_hash_shows_at_the_next() -> None:
    entries = chain(4)
    forged = link(entries[0].hash, 2, 20, "otto", "review", "{}")
    id, what = told([entries[0], forged, *entries[2:]])
    assert id == 3
    assert "put in or rewritten" in what


def test_number_that_stands_there_twice_is_told() -> None:
    entries = chain(3)
    assert told([*entries, entries[2]]) == (3, "its number should be 4: it was put in or moved")
