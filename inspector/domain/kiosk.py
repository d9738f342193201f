"""What to do about the page on the touchscreen, by what is seen of it.

Promises: a page that is there is left alone; one that is gone, empty, hung or another comes back,
first by opening it anew, then by a new browser; while its server is away, the screen says so.
Never: a clock, a browser or a socket of its own.
"""

from dataclasses import dataclass
from enum import StrEnum

NOTICE = "about:blank"  # where the words are shown while there is no page
BLANK_S = 5.0  # a page that is being painted may be empty for so long
SILENT_S = 6.0  # and a busy one may keep quiet for so long
TRIES = 1  # then only a new browser helps


@dataclass(frozen=True)
class Sight:
    """One look at what is on the screen."""

    url: str
    letters: int  # of the words that a person would see


class Step(StrEnum):
    """What to do now."""

    LEAVE = "leave"  # it is as it should be, or will be in a moment
    OPEN = "open"  # go to the page
    TELL = "tell"  # say that the server is awaited
    GIVE_UP = "give up"  # this browser will not do it any more


class Watch:
    """Looks once a round; times are seconds of any clock that only goes forward."""

    def __init__(self, page: str, now: float) -> None:
        """`page` is the address to show, whole."""
        self._page = page.rstrip("/") + "/"
        self._well = now  # when all was last as it should be
        self._tried = 0
        self.shown = False  # true: something that a person can read stands on the screen

    def look(self, sight: Sight | None, server: bool, now: float) -> Step:
        """`sight` is None where the browser gave no answer; `server`: the page's is there."""
        self.shown = sight is not None and sight.letters > 0
        if sight is not None and self._as_it_should_be(sight, server):
            self._well, self._tried = now, 0
            return Step.LEAVE
        if sight is not None and not sight.url.startswith(self._page):
            return self._elsewhere(server, now)
        patience = SILENT_S if sight is None else BLANK_S
        if now - self._well < patience:
            return Step.LEAVE
        return self._again(now)

    def _as_it_should_be(self, sight: Sight, server: bool) -> bool:
        """The page, also while its server is away: it says by itself that it is old."""
        if sight.url == NOTICE:
            return not server and sight.letters > 0
        return sight.url.startswith(self._page) and sight.letters > 0

    def _elsewhere(self, server: bool, now: float) -> Step:
        """The browser's own error, its first empty page, or what somebody has led it to."""
        self._well = now
        return Step.OPEN if server else Step.TELL

    def _again(self, now: float) -> Step:
        if self._tried >= TRIES:
            return Step.GIVE_UP
        self._tried += 1
        self._well = now
        return Step.OPEN
