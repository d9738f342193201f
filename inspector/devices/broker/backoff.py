"""Pauses between two tries to connect.

Promises: they grow to a bound, and stations that lost the broker together come back apart.
Never: waits itself.
"""


class Backoff:
    """Growing pauses between tries, each drawn between half and the whole of its bound.

    taken_s: the bound after another station has taken our identity: two that share one shall not
    throw each other out every second.
    """

    def __init__(self, first_s: float = 1.0, most_s: float = 60.0, taken_s: float = 300.0) -> None:
        self._first = first_s
        self._most = most_s
        self._taken = taken_s
        self._tries = 0

    def next(self, draw: float, taken: bool = False) -> float:
        """Seconds to wait now; `draw` is a random number in [0, 1)."""
        bound = min(self._most, self._first * 2.0 ** min(self._tries, 30))
        self._tries += 1
        return (self._taken if taken else bound) * (0.5 + draw / 2)

    def reset(self) -> None:
        self._tries = 0
