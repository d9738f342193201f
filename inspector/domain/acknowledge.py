"""Up to which number the gate may forget its outcomes.

Promises: a number is acknowledged only when every outcome the gate still holds up to it has been
committed, across lost messages, a restart of either side and numbers that begin anew.
Never: takes a number that has merely arrived for one that is committed.

The gate sends in ascending order, and sends again from the lowest number it still holds. So a
number not above the one before it begins a pass, and what lies below it the gate needs no more.
Before the first pass begins nothing is known of what the gate holds, and nothing is acknowledged;
a new session, or a second without a word, lets the gate begin one.
"""


class Acknowledgement:
    """Follows arrivals and commits of one session."""

    def __init__(self) -> None:
        self.through: int | None = None  # None: not yet known
        self._last: int | None = None
        self._pass = 0
        self._ahead: set[int] = set()

    @property
    def complete(self) -> bool:
        """True when all that has arrived is acknowledged, and repeating so can do no harm: a word
        to a gate whose outcomes were dropped would keep it from sending them again."""
        return self.through is not None and self.through == self._last

    @property
    def heard(self) -> bool:
        """True when anything has arrived in this session."""
        return self._last is not None

    def arrived(self, number: int) -> int:
        """Note an arrival. Returns the pass it belongs to, to be given to `committed`."""
        if self._last is not None and number <= self._last:
            self._pass += 1
            self.through = number - 1
            self._ahead.clear()
        self._last = number
        return self._pass

    def committed(self, number: int, in_pass: int) -> None:
        """Note a commit of a number that arrived in `in_pass`. One of an older pass is passed
        over: the gate sends it again if it still holds it."""
        if in_pass != self._pass or (self.through is not None and number <= self.through):
            return
        self._ahead.add(number)
        while self.through is not None and self.through + 1 in self._ahead:
            self.through += 1
            self._ahead.remove(self.through)
