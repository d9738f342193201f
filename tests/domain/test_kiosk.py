"""What is done about the page on the touchscreen, by what is seen of it."""

from hypothesis import given
from hypothesis import strategies as st

from inspector.domain.kiosk import BLANK_S, NOTICE, SILENT_S, TRIES, Sight, Step, Watch

PAGE = "http://127.0.0.1:8085/"
SHOWN = Sight(f"{PAGE}#/line", 400)
EMPTY = Sight(PAGE, 0)
WORDS = Sight(NOTICE, 80)
ERROR = Sight("chrome-error://chromewebdata/", 160)

sights = st.sampled_from([SHOWN, EMPTY, WORDS, ERROR, Sight(NOTICE, 0), None])


def test_page_that_is_there_is_left_alone_with_and_without_its_server() -> None:
    watch = Watch(PAGE, 0)
    for second, server in enumerate((True, False) * 100):
        assert watch.look(SHOWN, server, second) is Step.LEAVE
        assert watch.shown


def test_server_that_is_away_is_waited_for_and_then_opened() -> None:
    watch = Watch(PAGE, 0)
    assert watch.look(Sight(NOTICE, 0), False, 0) is Step.TELL
    assert watch.look(WORDS, False, 1) is Step.LEAVE
    assert watch.look(WORDS, True, 2) is Step.OPEN
    assert watch.look(SHOWN, True, 3) is Step.LEAVE


def test_browsers_own_error_page_gives_way_to_the_page() -> None:
    watch = Watch(PAGE, 0)
    assert watch.look(ERROR, False, 0) is Step.TELL
    assert watch.look(ERROR, True, 1) is Step.OPEN


def test_another_page_gives_way_to_the_stations() -> None:
    watch = Watch(PAGE, 0)
    assert watch.look(Sight("http://127.0.0.1:80850/", 10), True, 0) is Step.OPEN


def test_page_may_be_empty_while_it_is_painted() -> None:
    watch = Watch(PAGE, 0)
    assert watch.look(EMPTY, True, BLANK_S - 1) is Step.LEAVE
    assert not watch.shown
    assert watch.look(SHOWN, True, BLANK_S) is Step.LEAVE


def test_blank_page_is_opened_anew_and_then_the_browser_is_given_up() -> None:
    assert steps(EMPTY, BLANK_S) == [Step.OPEN] * TRIES + [Step.GIVE_UP]


def test_hung_page_is_opened_anew_and_then_the_browser_is_given_up() -> None:
    assert steps(None, SILENT_S) == [Step.OPEN] * TRIES + [Step.GIVE_UP]


def test_page_that_came_back_has_all_its_tries_again() -> None:
    watch = Watch(PAGE, 0)
    for hour in range(10):
        begun = hour * 3600.0
        watch.look(SHOWN, True, begun)
        assert watch.look(None, True, begun + SILENT_S) is Step.OPEN


@given(st.lists(st.tuples(sights, st.booleans()), max_size=60))
def test_something_to_read_comes_within_half_a_minute(
    looks: list[tuple[Sight | None, bool]],
) -> None:
    """Or the browser is given up: it never stays as it is, whatever was before."""
    watch, now = Watch(PAGE, 0), 0.0
    for sight, server in looks:
        now += 1
        if watch.look(sight, server, now) is Step.GIVE_UP:
            return
    late = [watch.look(None, True, now + second) for second in range(1, 31)]
    assert Step.GIVE_UP in late


def steps(sight: Sight | None, every_s: float) -> list[Step]:
    """What is done about the same sight again and again."""
    watch, found, now = Watch(PAGE, 0), [], 0.0
    while Step.GIVE_UP not in found:
        now += every_s / 2
        step = watch.look(sight, True, now)
        found += [step] if step is not Step.LEAVE else []
    return found
