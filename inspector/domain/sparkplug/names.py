"""Where a Sparkplug node speaks and listens: its name space.

Promises: `spBv1.0/GROUP/VERB/NODE[/DEVICE]` (tck-id-topic-structure); group, node and device hold
no `+`, `/` or `#`, which the configuration has seen to; the station listens to its own NCMD and,
where one is configured, to the STATE of its primary host, both with QoS 1
(tck-id-message-flow-edge-node-ncmd-subscribe).
Never: a wildcard, or a DCMD: the device has nothing that could be written
(tck-id-message-flow-device-dcmd-subscribe asks for one only where it has).
"""

from dataclasses import dataclass

from inspector.core.config_mqtt import Sparkplug
from inspector.domain.egress.sparkplug import Verb

NAMESPACE = "spBv1.0"


@dataclass(frozen=True)
class Names:
    """Of one node with one device."""

    settings: Sparkplug

    def topic(self, verb: Verb) -> str:
        one = self.settings
        node = f"{NAMESPACE}/{one.group}/{verb.value}/{one.node}"
        return f"{node}/{one.device}" if verb.startswith("D") else node

    @property
    def command(self) -> str:
        return f"{NAMESPACE}/{self.settings.group}/NCMD/{self.settings.node}"

    @property
    def state(self) -> str | None:
        """Where the primary host says whether it is there; its name is the last level
        (tck-id-message-flow-edge-node-birth-publish-phid-wait-id)."""
        host = self.settings.primary_host
        return f"{NAMESPACE}/STATE/{host}" if host else None

    @property
    def heard(self) -> tuple[str, ...]:
        """All that is listened to, commands first."""
        return (self.command, self.state) if self.state else (self.command,)

    @property
    def spoken(self) -> tuple[str, ...]:
        """All that is spoken to."""
        return tuple(self.topic(verb) for verb in Verb)
