"""Aliases of topics within one connection: a topic's name goes over the wire once.

Promises: no more aliases than the broker takes; each stands for one topic.
Never: outlives a connection.
"""

MOST = 16  # of our own accord; a station has few topics


class Aliases:
    """Given out in the order in which the topics come up. most: what the broker takes."""

    def __init__(self, most: int = 0) -> None:
        self._most = min(most, MOST)
        self._told: dict[str, int] = {}

    def of(self, topic: str) -> tuple[str, int | None]:
        """The topic as it goes over the wire, and its alias: (topic, alias) until the broker has
        been told, then ("", alias); (topic, None) without one."""
        if topic in self._told:
            return "", self._told[topic]
        new = len(self._told) + 1
        return topic, new if new <= self._most else None

    def told(self, topic: str, alias: int | None) -> None:
        """A message with both has gone out."""
        if alias is not None:
            self._told[topic] = alias
