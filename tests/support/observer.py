"""Someone at the plant who reads everything and notes when it came.

Promises: notes of each totals row when it came first and last, how often, and its revision; keeps
every other message, and notes which lack the properties that all should bear; comes back by itself
when the connection ends, and misses what goes by meanwhile. `against_schema` holds what was kept
against `configs/mqtt`.
Never: acknowledges anything to the station.
"""

import json
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import paho.mqtt.client as mqtt
from jsonschema import Draft202012Validator
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from support.mqtt_schemas import FOLDER, TYPES
from support.plant import OBSERVER, Plant


@dataclass
class Seen:
    """One totals row. Times are nanoseconds since 1970."""

    first_ns: int
    last_ns: int
    revision: int
    times: int = 1


@dataclass
class Observer:
    """What one has seen so far."""

    rows: dict[int, Seen] = field(default_factory=dict)  # by seq
    streams: set[str] = field(default_factory=set)
    sizes: list[int] = field(default_factory=list)  # of totals, in bytes
    messages: Counter[str] = field(default_factory=Counter)  # by the topic's last level
    payloads: list[tuple[str, bytes]] = field(default_factory=list)  # with the topic
    unlabelled: Counter[str] = field(default_factory=Counter)  # without what the README promises
    every: int = 1  # keep the payload of one in so many totals
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, message: mqtt.MQTTMessage) -> None:
        topic, payload = message.topic, message.payload
        now, kind = time.time_ns(), topic.rpartition("/")[2]
        with self.lock:
            self.unlabelled[kind] += not _labelled(message)
            self.messages[kind] += 1
            if kind == "totals":
                self._take_row(json.loads(payload), now)
                self.sizes.append(len(payload))
            if kind != "totals" or self.messages[kind] % self.every == 0:
                self.payloads.append((topic, payload))

    def arrived(self, seqs: range) -> list[Seen]:
        """Those of these rows that have come."""
        with self.lock:
            return [self.rows[seq] for seq in seqs if seq in self.rows]

    def against_schema(self) -> list[str]:
        """What is wrong with the messages that were kept, by their schemas."""
        validators = {
            kind: Draft202012Validator(json.loads((FOLDER / f"{kind}.schema.json").read_text()))
            for kind in TYPES
        }
        return [
            f"{topic}: {error.message} in {payload.decode()}"
            for topic, payload in self.payloads
            for error in validators[topic.rpartition("/")[2]].iter_errors(json.loads(payload))
        ]

    def _take_row(self, told: dict[str, object], now: int) -> None:
        seq, revision = int(str(told["seq"])), int(str(told.get("revision", 0)))
        self.streams.add(str(told["stream"]))
        if (known := self.rows.get(seq)) is None:
            self.rows[seq] = Seen(now, now, revision)
        else:
            known.last_ns, known.times = now, known.times + 1


def _labelled(message: mqtt.MQTTMessage) -> bool:
    """Content type, schema's version, and an end of its validity but for the state."""
    said = message.properties
    if said is None:
        return False
    typed = getattr(said, "ContentType", "") == "application/json"
    versioned = getattr(said, "UserProperty", None) == [("schema", "1")]
    expires = hasattr(said, "MessageExpiryInterval")
    return typed and versioned and expires != message.topic.endswith("/state")


@contextmanager
def observing(plant: Plant, every: int = 1) -> Iterator[Observer]:
    """From the moment at which the subscription stands."""
    one, subscribed = Observer(every=every), threading.Event()
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    login = {name: str(value) for name, value in plant.login(OBSERVER).items()}
    context = ssl.create_default_context(cafile=login["ca_file"])
    context.load_cert_chain(login["cert_file"], login["key_file"])
    client.tls_set_context(context)
    client.username_pw_set(login["username"], Path(login["password_file"]).read_text().strip())
    client.reconnect_delay_set(1, 1)
    client.on_connect = lambda client, *_: client.subscribe(f"{plant.topics.root}/#", qos=1)
    client.on_subscribe = lambda *_: subscribed.set()
    client.on_message = lambda _c, _u, message: one.take(message)
    client.connect(plant.host, plant.port, keepalive=5)
    client.loop_start()
    assert subscribed.wait(20)
    try:
        yield one
    finally:
        client.disconnect()
        client.loop_stop()
