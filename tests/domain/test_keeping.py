"""Which images are kept, and which go."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.outcomes import outcome

from inspector.core.terms import FrameFormat, FrameRef, Heatmap, Kind, Pixel
from inspector.domain.keeping import (
    evidence_name,
    excess,
    is_pass,
    keeps,
    keeps_detail,
    keeps_outcome,
    next_to_go,
)

not_passed = st.sampled_from([Kind.FAIL, Kind.REVIEW, Kind.FAULT])
HEATMAP = Heatmap(width=1, height=1, scale=1.0, region=(0, 0, 16, 16), data=b"\0")


def frame(slot: int = 0) -> FrameRef:
    format = FrameFormat(width=16, height=16, pixel=Pixel.MONO8)
    return FrameRef(slot=slot, generation=1, format=format)


@given(not_passed, st.integers(0, 10**9), st.integers(0, 100))
def test_every_part_that_did_not_pass_is_kept(kind: Kind, seq: int, one_in: int) -> None:
    assert keeps(kind, seq, True, one_in)
    assert not keeps(kind, seq, False, one_in)


@given(st.integers(0, 1000), st.integers(1, 50))
def test_one_pass_in_n_is_kept(first: int, one_in: int) -> None:
    kept = [seq for seq in range(first, first + one_in) if keeps(Kind.PASS, seq, True, one_in)]
    assert len(kept) == 1


def test_no_pass_is_kept_when_none_is_wanted() -> None:
    assert not any(keeps(Kind.PASS, seq, True, 0) for seq in range(100))


def test_frame_that_is_not_in_a_ring_is_not_kept() -> None:
    assert keeps_outcome(outcome(1, Kind.FAIL, frame=frame()), 0)
    assert not keeps_outcome(outcome(1, Kind.FAIL, frame=frame(slot=-1)), 0)
    assert not keeps_outcome(outcome(1, Kind.FAIL), 0)


def test_heatmap_of_a_pass_is_kept_with_its_image_only() -> None:
    assert keeps_detail(outcome(4, heatmap=HEATMAP, frame=frame()), 4)
    assert not keeps_detail(outcome(5, heatmap=HEATMAP, frame=frame()), 4)
    assert keeps_detail(outcome(5, Kind.FAIL, heatmap=HEATMAP), 4)
    assert not keeps_detail(outcome(5, Kind.FAIL), 4)


@given(st.text(max_size=64), st.integers(0, 10**12), st.sampled_from(Kind))
def test_name_never_leads_out_of_the_folder(stream: str, seq: int, kind: Kind) -> None:
    name = evidence_name(1_700_000_000 * 10**9, stream, seq, kind, "jpg")
    day, file = PurePosixPath(name).parts
    assert day == "2023-11-14"
    assert ".." not in file
    assert "\0" not in file
    assert is_pass(file) == (kind is Kind.PASS)


def test_there_is_room_below_the_quota() -> None:
    assert excess(used=100, free=1000, quota=100, keep_free=1000) == 0


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(1, 10**9), st.integers(0, 10**9))
def test_deleting_the_excess_makes_room(used: int, free: int, quota: int, keep: int) -> None:
    gone = excess(used, free, quota, keep)
    assert used - gone <= quota
    assert free + gone >= keep


def test_oldest_passes_go_before_all_else() -> None:
    days = [("2025-01-02", 5, 5), ("2025-01-01", 0, 5), ("2025-01-03", 5, 0)]
    assert next_to_go(days) == ("2025-01-02", True)
    assert next_to_go(days[1:2]) == ("2025-01-01", False)
    assert next_to_go([("2025-01-01", 0, 0)]) is None


@pytest.mark.parametrize("name", ["a-000000001-pass.jpg", "x-pass-000000001-pass.png"])
def test_passes_are_known_by_their_names(name: str) -> None:
    assert is_pass(name)
    assert not is_pass(name.replace("1-pass", "1-fail"))
