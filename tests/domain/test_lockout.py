"""Wrong PINs cost ever more time, for every name alike."""

from hypothesis import given
from hypothesis import strategies as st

from inspector.core.clock import SECOND
from inspector.domain.lockout import FORGOTTEN_NS, FREE, LONGEST_NS, Lockout, delay_ns

DAY = 24 * 3600 * SECOND


def guess(lockout: Lockout, name: str, until: int) -> int:
    """Try as often as may be. Returns how many tries there were."""
    now = count = 0
    while now <= until:
        if wait := lockout.wait_ns(name, now):
            now += wait
            continue
        lockout.tried(name, now)
        count += 1
    return count


def test_three_tries_are_free_then_the_wait_doubles_to_a_quarter_of_an_hour() -> None:
    waits = [delay_ns(wrong) // SECOND for wrong in range(13)]
    assert waits == [0, 0, 0, 5, 10, 20, 40, 80, 160, 320, 640, 900, 900]
    assert delay_ns(10**9) == LONGEST_NS


def test_a_day_of_guessing_is_about_a_hundred_tries() -> None:
    assert guess(Lockout(), "anna", DAY) <= 106


@given(st.lists(st.integers(0, 3 * DAY), max_size=60))
def test_however_the_tries_are_spread_they_are_few(moments: list[int]) -> None:
    """Nobody gains by waiting: not more tries in any time than by trying as soon as one may."""
    lockout, made = Lockout(), 0
    for now in sorted(moments):
        if not lockout.wait_ns("anna", now):
            lockout.tried("anna", now)
            made += 1
    assert made <= guess(Lockout(), "anna", max(moments, default=0)) + FREE


@given(st.integers(1, 40), st.integers(0, DAY))
def test_wait_ends_when_it_was_said_to(wrong: int, begin: int) -> None:
    lockout, now = Lockout(), begin
    for _ in range(wrong):
        now += lockout.wait_ns("anna", now)
        lockout.tried("anna", now)
    wait = lockout.wait_ns("anna", now)
    assert wait == delay_ns(wrong)
    assert lockout.wait_ns("anna", now + wait) == 0
    assert wait == 0 or lockout.wait_ns("anna", now + wait - 1) == 1


@given(st.lists(st.sampled_from(["anna", "nobody"]), max_size=20))
def test_names_that_nobody_bears_are_treated_alike(order: list[str]) -> None:
    lockout, counts = Lockout(), {"anna": 0, "nobody": 0}
    for now, name in enumerate(order):
        lockout.tried(name, now)
        counts[name] += 1
        last = max(at for at, each in enumerate(order[: now + 1]) if each == name)
        assert lockout.wait_ns(name, now) == max(0, last + delay_ns(counts[name]) - now)


def test_one_name_does_not_lock_another() -> None:
    lockout = Lockout()
    for _ in range(10):
        lockout.tried("anna", 0)
    assert lockout.wait_ns("anna", 0)
    assert not lockout.wait_ns("otto", 0)


def test_right_pin_makes_all_tries_free_again() -> None:
    lockout = Lockout()
    for _ in range(5):
        lockout.tried("anna", 0)
    lockout.right("anna")
    assert not lockout.wait_ns("anna", 0)


def test_many_at_once_gain_nothing() -> None:
    """A try counts when it begins, not when its slow check has ended."""
    lockout = Lockout()
    begun = 0
    for _ in range(100):
        if not lockout.wait_ns("anna", 7):
            lockout.tried("anna", 7)
            begun += 1
    assert begun == FREE


def test_forgotten_after_a_day_of_peace() -> None:
    lockout = Lockout()
    for _ in range(20):
        lockout.tried("anna", 0)
    lockout.tried("anna", FORGOTTEN_NS + 1)
    assert not lockout.wait_ns("anna", FORGOTTEN_NS + 1)


@given(st.integers(1, 50))
def test_flood_of_names_takes_bounded_memory_and_frees_nobody(names: int) -> None:
    lockout = Lockout(names=10)
    for _ in range(4):
        lockout.tried("anna", 0)
    for number in range(names):
        lockout.tried(f"nobody{number}", 1, kept={"anna"})
    assert lockout.wait_ns("anna", 1)
    assert len(lockout._tries) <= 11
