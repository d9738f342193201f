"""A session ends by itself, and there are never too many."""

from hypothesis import given
from hypothesis import strategies as st

from inspector.core.clock import SECOND
from inspector.core.orders import Person, Role
from inspector.domain.sessions import Sessions

ANNA = Person(name="anna", role=Role.OPERATOR)
OTTO = Person(name="otto", role=Role.ENGINEER)
IDLE = 300 * SECOND


def sessions(most: int = 16) -> Sessions:
    return Sessions(IDLE, most)


def test_token_is_the_one_of_the_person() -> None:
    open_ = sessions()
    open_.begin("a", ANNA, 0)
    open_.begin("o", OTTO, 0)
    assert open_.renew("a", 1) == ANNA
    assert open_.renew("o", 1) == OTTO
    assert open_.renew("", 1) is None
    assert open_.renew("x", 1) is None


@given(st.lists(st.integers(0, 2 * IDLE), max_size=30))
def test_session_lasts_while_it_is_used_and_ends_for_good(pauses: list[int]) -> None:
    open_, now, alive = sessions(), 0, True
    open_.begin("a", ANNA, now)
    for pause in pauses:
        now += pause
        alive = alive and pause < IDLE
        assert open_.renew("a", now) == (ANNA if alive else None)


def test_logout_ends_one_session() -> None:
    open_ = sessions()
    open_.begin("a", ANNA, 0)
    open_.begin("b", ANNA, 0)
    assert open_.end("a") == ANNA
    assert open_.end("a") is None
    assert open_.renew("b", 1) == ANNA


def test_whoever_is_no_longer_listed_is_out_everywhere() -> None:
    open_ = sessions()
    for token, person in (("a", ANNA), ("b", ANNA), ("o", OTTO)):
        open_.begin(token, person, 0)
    assert open_.end_all_of("anna") == 2
    assert [open_.renew(token, 1) for token in "abo"] == [None, None, OTTO]


@given(st.integers(1, 40))
def test_too_many_sessions_end_the_one_that_nobody_uses(count: int) -> None:
    open_ = sessions(most=4)
    open_.begin("used", ANNA, 0)
    for number in range(count):
        open_.begin(f"t{number}", OTTO, number + 1)
        assert open_.renew("used", number + 1) == ANNA
    alive = [number for number in range(count) if open_.renew(f"t{number}", count)]
    assert alive == list(range(count))[-3:]


def test_nothing_that_is_kept_opens_a_session() -> None:
    open_ = sessions()
    open_.begin("secret", ANNA, 0)
    assert "secret" not in repr(vars(open_))
