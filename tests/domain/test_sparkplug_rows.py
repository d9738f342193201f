"""Which totals rows are told live and which as history, and when one counts as heard."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from inspector.core.clock import SECOND
from inspector.domain.sparkplug.rows import MARK_NS, Rows

SURE = 60 * SECOND


def telling(through: int = 0, last: int = 0) -> Rows:
    rows = Rows(SURE)
    rows.follow("a" * 32, through)
    rows.born(last)
    return rows


def tell(rows: Rows, row: int, historical: bool, now: int = 0) -> None:
    rows.chosen(row, historical)
    rows.written(row, historical, now)


def test_what_was_there_at_the_birth_is_history() -> None:
    rows = telling(through=3, last=5)
    assert (rows.past_from, rows.live_from) == (4, 6)


def test_what_comes_after_the_birth_is_live() -> None:
    rows = telling(through=5, last=5)
    assert (rows.past_from, rows.live_from) == (None, 6)


def test_a_row_is_not_heard_when_it_is_written() -> None:
    rows = telling(through=5, last=5)
    tell(rows, 6, False, now=0)
    rows.settle(SURE - 1)
    assert rows.through == 5
    rows.settle(SURE + MARK_NS)
    assert rows.through == 6


def test_a_cut_tells_the_last_rows_again_as_history() -> None:
    rows = telling(through=5, last=5)
    tell(rows, 6, False, now=0)
    rows.silence()
    rows.settle(10 * SURE)
    rows.born(7)
    assert (rows.past_from, rows.boundary, rows.live_from) == (6, 7, 8)


def test_live_rows_do_not_hide_history_that_is_left() -> None:
    rows = telling(through=0, last=5)
    tell(rows, 6, False, now=0)
    tell(rows, 1, True, now=0)
    rows.settle(SURE + MARK_NS)
    assert rows.through == 1
    for row in (2, 3, 4, 5):
        tell(rows, row, True, now=2 * SURE)
    rows.settle(3 * SURE + MARK_NS)
    assert rows.through == 6


def test_a_rebirth_neither_forgets_nor_repeats() -> None:
    rows = telling(through=0, last=2)
    tell(rows, 1, True)
    rows.chosen(2, True)
    rows.chosen(3, False)
    rows.withdrawn()
    rows.born(9)
    assert (rows.past_from, rows.boundary, rows.live_from) == (2, 2, 3)


def test_another_ledger_begins_anew() -> None:
    rows = telling(through=5, last=9)
    assert not rows.follow("a" * 32, 7)
    assert rows.follow("b" * 32, 0)
    rows.born(2)
    assert (rows.through, rows.past_from, rows.live_from) == (0, 1, 3)


def test_a_steady_stream_is_settled_too() -> None:
    rows = telling()
    for row in range(1, 10_001):
        tell(rows, row, False, now=row * SECOND // 100)
    rows.settle(SURE + 50 * SECOND)
    assert 4_900 <= rows.through <= 5_000


@dataclass
class World:
    """A ledger that grows, and a host that hears what is written while the connection stands."""

    rows: Rows = field(default_factory=lambda: telling())
    last: int = 0
    now: int = 0
    up: bool = True
    heard: set[int] = field(default_factory=set)
    unsure: list[tuple[int, int]] = field(default_factory=list)

    def write(self, most: int) -> None:
        for _ in range(most):
            if self.rows.live_from <= self.last:
                self._tell(self.rows.live_from, False)
            elif self.rows.past_from is not None:
                self._tell(self.rows.past_from, True)

    def _tell(self, row: int, historical: bool) -> None:
        tell(self.rows, row, historical, self.now)
        self.unsure.append((row, self.now))

    def wait(self, ns: int) -> None:
        self.now += ns
        self.heard |= {row for row, at in self.unsure if self.now - at >= SURE}
        self.unsure = [one for one in self.unsure if self.now - one[1] < SURE]
        self.rows.settle(self.now)

    def cut(self, lost: bool) -> None:
        """The connection goes; what was written last arrived, or not."""
        self.heard |= set() if lost else {row for row, _ in self.unsure}
        self.unsure.clear()
        self.rows.withdrawn()
        self.rows.silence()
        self.rows.born(self.last)


STEP = st.tuples(
    st.sampled_from(["grow", "write", "wait", "cut", "gone", "rebirth"]), st.integers(1, 80)
)


@given(st.lists(STEP, max_size=80))
def test_every_row_is_heard_whatever_is_cut(steps: list[tuple[str, int]]) -> None:
    world = World()
    for what, much in steps:
        match what:
            case "grow":
                world.last += much
            case "write":
                world.write(much)
            case "wait":
                world.wait(much * SECOND)
            case "cut" | "gone":
                world.cut(lost=what == "cut")
            case "rebirth":
                world.rows.withdrawn()
                world.rows.born(world.last)
        assert set(range(1, world.rows.through + 1)) <= world.heard
    world.write(10_000)
    world.wait(2 * SURE)
    assert world.rows.through == world.last
    assert world.heard >= set(range(1, world.last + 1))
