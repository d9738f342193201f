"""The plant's broker: MQTT v5 at QoS 0 and 1, over TLS with the broker's name checked.

Promises: every letter taken gets exactly one `Result`; what is on its way when the connection
ends is answered `lost`; the connection comes back by itself, ever more slowly and never in step
with other stations; each way to fail is one line that names host, port and remedy.
Never: speaks MQTT 3.1.1 (there a refused publish looks like success), waits in the caller's
thread, or does more in a callback of paho than to put a value into a queue.

MQTT's acknowledgement says that the broker took the message over, not that anybody read it.
"""

from inspector.devices.broker.backoff import Backoff
from inspector.devices.broker.connection import Broker
from inspector.devices.broker.happenings import (
    Code,
    Down,
    Happening,
    Heard,
    Result,
    Subscription,
    Up,
)
from inspector.devices.broker.limits import IN_FLIGHT

__all__ = [
    "IN_FLIGHT",
    "Backoff",
    "Broker",
    "Code",
    "Down",
    "Happening",
    "Heard",
    "Result",
    "Subscription",
    "Up",
]
