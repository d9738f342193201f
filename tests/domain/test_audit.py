"""The audit chain shows what was done to it."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from inspector.domain.audit import START, Entry, broken_at, link


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
