"""The letters that are on their way to the broker, within one connection.

Promises: each is answered once, whatever comes first.
Never: sends, or waits.
"""

from paho.mqtt.reasoncodes import ReasonCode

from inspector.devices.broker.happenings import Result, Status

NO_READER = 0x10
REFUSED_FROM = 0x80
TOO_LARGE = 0x95


class Flight:
    """By paho's number of the message: our token, and when it was sent (monotonic seconds)."""

    def __init__(self) -> None:
        self._sent: dict[int, tuple[int, float]] = {}

    def __len__(self) -> int:
        return len(self._sent)

    def began(self, mid: int, token: int, now: float) -> None:
        self._sent[mid] = (token, now)

    def landed(self, mid: int, reason: ReasonCode) -> Result | None:
        """The broker's answer, unless it is to something that is answered already."""
        token, _ = self._sent.pop(mid, (None, 0.0))
        return None if token is None else result_of(token, reason)

    def overdue(self, now: float, patience_s: float) -> list[Result]:
        """Those that have waited for too long; they are on their way no more."""
        late = [mid for mid, (_, sent) in self._sent.items() if now - sent > patience_s]
        text = f"no answer within {patience_s:g} s"
        return [Result(self._sent.pop(mid)[0], "timeout", text) for mid in late]

    def crash(self, garbled: bool, why: str) -> list[Result]:
        """All that are left, when the connection is over; `garbled`: over an answer outside of
        MQTT v5. A broker answers in the order of what it was sent (MQTT-4.6.0-2), so that answer
        was the oldest's, and the others are lost without fault."""
        first: Status = "broke" if garbled else "lost"
        results = [
            Result(token, "lost" if number else first, why)
            for number, (token, _) in enumerate(self._sent.values())
        ]
        self._sent.clear()
        return results


def result_of(token: int, reason: ReasonCode) -> Result:
    """What a PUBACK means."""
    if reason.value == TOO_LARGE:
        return Result(token, "oversize", str(reason))
    if reason.value >= REFUSED_FROM:
        return Result(token, "refused", f"{reason} (reason code 0x{reason.value:02x})")
    return Result(token, "acked", "nobody reads" if reason.value == NO_READER else "")
