"""The receiver's own word: what it settles, and what goes again."""

from hypothesis import given
from hypothesis import strategies as st

from inspector.core.clock import SECOND
from inspector.domain.receipts import BATCH, LONGEST_WAIT_NS, Receipts

LEDGER, OTHER = "a" * 32, "b" * 32
RESEND = 60 * SECOND


def receipts(sent: int = 0, received: int = 0) -> Receipts:
    made = Receipts(RESEND)
    made.begin(LEDGER, sent, received, 0)
    return made


def test_word_of_the_receiver_settles_what_was_sent() -> None:
    held = receipts()
    for row in range(1, 6):
        held.sending(row, 0)
    held.hear(LEDGER, 3, 0)
    assert (held.through, held.missing) == (3, True)
    held.hear(LEDGER, 5, 0)
    assert (held.through, held.missing) == (5, False)


def test_word_of_another_stream_changes_nothing() -> None:
    held = receipts(sent=10)
    held.hear(OTHER, 7, 0)
    assert held.through == 0


def test_word_beyond_what_was_sent_changes_nothing() -> None:
    held = receipts(sent=10, received=4)
    held.hear(LEDGER, 11, 0)
    assert (held.through, held.base) == (4, 4)


def test_word_beyond_what_a_restored_ledger_has_counts_for_all_that_it_has() -> None:
    receipts = Receipts(10 * SECOND)
    receipts.begin("a" * 32, 3, 3, 0, renumbered=True)
    for row in (4, 5):
        receipts.sending(row, 0)
    receipts.hear("a" * 32, 9, 0)
    assert (receipts.through, receipts.base, receipts.missing) == (5, 5, False)


def test_word_beyond_what_was_sent_counts_once_those_rows_are_sent() -> None:
    """After a kill the ledger may not know what the receiver has already got."""
    held = receipts(sent=10, received=4)
    held.hear(LEDGER, 12, 0)
    held.sending(11, 0)
    assert held.through == 4
    held.sending(12, 0)
    assert held.through == 12


def test_word_is_never_taken_back() -> None:
    held = receipts(sent=10)
    held.hear(LEDGER, 8, 0)
    held.hear(LEDGER, 3, 0)
    assert held.through == 8


def test_silent_receiver_is_sent_the_same_again_ever_more_slowly() -> None:
    held, now, waits = receipts(), 0, []
    held.sending(1, now)
    for _ in range(7):
        began = now
        while not held.due(now):
            now += SECOND
        waits.append((now - began) // SECOND)
        held.again(1, now)
    assert waits == [60, 120, 240, 480, 600, 600, 600]
    assert LONGEST_WAIT_NS == 600 * SECOND


def test_nothing_goes_again_while_the_receiver_gets_on() -> None:
    held = receipts()
    for row in range(1, 100):
        now = row * SECOND * 30
        held.sending(row, now)
        held.hear(LEDGER, row - 1, now)
        assert not held.due(now)


def test_receiver_that_has_all_waits_for_nothing() -> None:
    held = receipts(sent=5, received=5)
    assert not held.due(1000 * RESEND)
    held.sending(6, 1000 * RESEND)
    assert not held.due(1001 * RESEND - 1)
    assert held.due(1001 * RESEND)


def test_where_sending_again_helped_the_next_rows_go_at_once() -> None:
    """A broker lost two thousand rows of an absent receiver: they need not wait a minute each
    five hundred."""
    held = receipts(sent=2000)
    assert held.due(RESEND)
    held.again(BATCH, RESEND)
    held.hear(LEDGER, BATCH - 1, RESEND)
    assert not held.due(RESEND)
    held.hear(LEDGER, BATCH, RESEND)
    assert held.due(RESEND)
    assert held.base == BATCH


def test_receiver_that_has_lost_its_own_memory_gets_what_it_lacks() -> None:
    held = receipts(sent=10, received=10)
    held.hear(LEDGER, 2, 0)
    assert (held.through, held.base, held.missing) == (10, 2, True)


def test_receiver_that_is_away_for_weeks_is_asked_with_a_row_and_not_with_hundreds() -> None:
    held, now, rows = receipts(sent=60_000), 0, 0
    while now < 86_400 * SECOND:
        now += RESEND
        if held.due(now):
            rows += held.batch
            held.again(held.base + held.batch, now)
    assert rows < 5 * BATCH
    held.hear(LEDGER, held.base + held.batch, now)
    assert held.due(now)
    assert held.batch == BATCH


def test_pause_that_is_configured_longer_than_the_longest_is_kept() -> None:
    day = 86_400 * SECOND
    held = Receipts(day)
    held.begin(LEDGER, 10, 0, 0)
    held.again(10, day)
    assert not held.due(2 * day - 1)


def test_receiver_with_an_older_memory_gets_on_as_soon_as_any_other() -> None:
    """It was set up anew from a backup: thousands of rows need not wait ten minutes each five
    hundred."""
    held = receipts(sent=5000, received=5000)
    held.hear(LEDGER, 50, 0)
    assert held.due(RESEND)
    held.again(550, RESEND)
    held.hear(LEDGER, 550, RESEND)
    assert held.due(RESEND)
    assert (held.base, held.through) == (550, 5000)


def test_word_that_came_before_the_ledger_was_known_counts() -> None:
    """The broker tells what it has kept as soon as there is a connection."""
    held = Receipts(RESEND)
    held.hear(OTHER, 9, 0)
    held.hear(LEDGER, 7, 0)
    held.begin(LEDGER, 8, 3, 0)
    assert (held.through, held.base) == (7, 7)
    held.begin(OTHER, 8, 0, 0)
    assert held.through == 0


words = st.tuples(
    st.sampled_from(["send", "hear", "other", "again"]), st.integers(0, 40), st.integers(0, 200)
)


@given(st.lists(words, max_size=80))
def test_whatever_is_heard_nothing_counts_as_received_that_was_not_sent(
    steps: list[tuple[str, int, int]],
) -> None:
    held, now, sent, heard = receipts(), 0, 0, {0}
    for what, number, seconds in steps:
        now += seconds * SECOND
        before = held.through
        if what == "send":
            sent += 1
            held.sending(sent, now)
        elif what == "hear":
            heard.add(number)
            held.hear(LEDGER, number, now)
        elif what == "other":
            held.hear(OTHER, number, now)
            assert held.through == before
        elif held.due(now):
            held.again(min(sent, held.base + BATCH), now)
        assert before <= held.through <= sent
        assert held.through in heard
        assert 0 <= held.base <= sent
