"""The connection that mends itself.

Promises: as the package's. Between two tries it waits, each time longer, and long after another
station has taken our identity.
Never: blocks its caller; a thread of its own does the waiting.
"""

import queue
import random
import threading
import time
from collections.abc import Callable

from inspector.core.config_mqtt import Publish
from inspector.core.errors import EngineerError
from inspector.devices.broker.backoff import Backoff
from inspector.devices.broker.client import ThriftyClient
from inspector.devices.broker.credentials import read_credentials
from inspector.devices.broker.explain import ALIAS_INVALID, End, suspicious
from inspector.devices.broker.handover import NONE, Handover
from inspector.devices.broker.happenings import Down, Happening, Heard, Result, Subscription, Up
from inspector.devices.broker.identity import Identity
from inspector.devices.broker.inbound import Room
from inspector.devices.broker.packets import will_properties
from inspector.devices.broker.session import Session, Setting
from inspector.domain.egress.letter import Letter

FAREWELL_S = 1.5
SOON_S, OFTEN = 30.0, 3  # hung up without a word so soon and so often: somebody else is there


class Broker:
    """`publish`, `poll` and `close` are for one and the same thread."""

    def __init__(
        self,
        settings: Publish,
        client_id: str,
        will: Callable[[], Letter] | None = None,
        subscriptions: tuple[Subscription, ...] = (),
        backoff: Backoff | None = None,
        will_delay: bool = True,
    ) -> None:
        """will: what the broker publishes when it has lost us; asked for before each connection,
        in another thread. will_delay: only after `settings.will_delay_s`, and the broker keeps
        our session for so long; False: at once, and each session is a new one.

        Raises MaintainerError when a file that the settings name cannot be used.
        """
        self._settings = settings
        self._client_id = client_id
        self._will = will
        self._delay_s = settings.will_delay_s if will_delay else 0
        self._credentials = read_credentials(settings)
        self._backoff = backoff or Backoff()
        self._random = random.Random()
        self._happenings: queue.SimpleQueue[Happening] = queue.SimpleQueue()
        self._handover = Handover()
        self._closing = threading.Event()
        self._around = Setting(
            settings,
            subscriptions,
            self._handover,
            self._happenings,
            Room(),
            Identity(),
            self._closing,
        )
        self._token = 0
        self._ups = 0  # connections that the caller has heard of
        self._connection = NONE  # the one that its letters are meant for
        self._aliases = True
        self._hung_up = 0  # times in a row, without a word
        self._farewell: Letter | None = None
        self._with_will = False
        self._thread = threading.Thread(target=self._run, name="broker", daemon=True)
        self._thread.start()

    def publish(self, letter: Letter) -> int:
        """Hand over one letter and get the token that its `Result` will bear. It is meant for the
        connection that the caller has heard of by `Up`; with another one it is `lost`."""
        self._token += 1
        if not self._handover.offer(self._token, letter, self._connection):
            self._happenings.put(Result(self._token, "lost", "no connection"))
        return self._token

    def poll(self, timeout_s: float) -> Happening | None:
        """The next thing that happened, or None when nothing does within `timeout_s`."""
        if not (self._thread.is_alive() or self._closing.is_set()):
            raise EngineerError(f"{self._where}: the thread that talks to the broker has died")
        try:
            happening = self._happenings.get(timeout=timeout_s)
        except queue.Empty:
            return None
        self._note(happening)
        return happening

    def close(self, farewell: Letter | None = None, with_will: bool = False) -> None:
        """Send the farewell and say goodbye to the broker, which then tells no will unless it is
        asked to (`with_will`); what is on its way ends as `lost`."""
        if self._closing.is_set():
            return
        self._farewell, self._with_will = farewell, with_will
        self._closing.set()
        self._handover.ring()
        self._thread.join(2 * FAREWELL_S)  # a thread that still tries to connect ends with us
        if not self._thread.is_alive():
            self._handover.close()

    def __enter__(self) -> "Broker":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _note(self, happening: Happening) -> None:
        match happening:
            case Up():
                self._ups += 1
                self._connection = self._ups
            case Down():
                self._connection = NONE
            case Heard():
                self._around.room.leave()

    def _run(self) -> None:
        number = 1
        while not self._closing.is_set():
            session = Session(self._client(), self._around, number, self._aliases)
            began = time.monotonic()
            end = self._hold(session)
            number += session.was_up
            self._around.identity.ended |= session.was_up
            if self._closing.is_set():
                return
            soon = end.hung_up and time.monotonic() - began < SOON_S
            self._hung_up = self._hung_up + 1 if soon else 0
            self._pause(suspicious(end) if self._hung_up >= OFTEN else end, session.useful)

    def _pause(self, end: End, useful: bool) -> None:
        """Tell, and wait until it is time for the next try."""
        self._happenings.put(Down(f"{self._where}: {end.text}", end.code))
        if useful:
            self._backoff.reset()
        self._aliases = self._aliases and end.reason != ALIAS_INVALID
        taken = end.code == "identity_taken"
        self._closing.wait(self._backoff.next(self._random.random(), taken))

    def _hold(self, session: Session) -> End:
        """One connection, and an answer to everything that was handed over for it."""
        end = session.talk()
        left = self._handover.shut()
        if self._closing.is_set():
            session.part(self._farewell, FAREWELL_S, self._with_will)
        session.abandon(end)
        for token in left:
            self._happenings.put(Result(token, "lost", end.text))
        return end

    def _client(self) -> ThriftyClient:
        client = ThriftyClient(
            self._client_id, clean_start=not self._delay_s, session_s=self._delay_s
        )
        if self._credentials.tls:
            client.tls_set_context(self._credentials.tls)
        if self._settings.username is not None:
            client.username_pw_set(self._settings.username, self._credentials.password)
        if self._will is not None:
            letter = self._will()
            self._around.identity.introduce(letter)
            properties = will_properties(letter, self._delay_s)
            client.will_set(letter.topic, letter.payload, letter.qos, letter.retain, properties)
        return client

    @property
    def _where(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"
