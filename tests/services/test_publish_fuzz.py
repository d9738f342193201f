"""What comes in from the network, mangled: nothing breaks, and nothing is ordered that may not."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from inspector.core.clock import MS, SECOND, ManualClock
from inspector.core.config_mqtt import PlantCommands, Publish
from inspector.core.orders import PlantOrder, Reply
from inspector.devices.broker import Heard
from inspector.domain.egress.letter import MAX_BYTES, Letter
from inspector.domain.egress.topics import Topics
from inspector.domain.ingress import SetRecipe, read_ack, read_command
from inspector.domain.receipts import Receipts
from inspector.services.publish.commands import Commands
from inspector.services.publish.lane import Context

DEVICE = "enterprise/site/area/line/cell"
TOPICS = Topics(DEVICE)
COMMANDS = 20_000
ACKS = 80_000


@dataclass
class Desk:
    """In record's place: notes what it is asked."""

    asked: list[PlantOrder] = field(default_factory=list)
    waiting: bool = False

    def ask(self, message: PlantOrder) -> None:
        self.asked.append(message)
        self.waiting = True

    def answer(self) -> Reply | None:
        answered, self.waiting = self.waiting, False
        return Reply(ok=True, text="done") if answered else None

    def drop(self) -> None:
        self.waiting = False


@dataclass
class Doorman:
    """In the door's place: notes what is to leave."""

    offered: list[Letter] = field(default_factory=list)

    def offer(self, lane: str, key: object, letter: Letter) -> bool:
        self.offered.append(letter)
        return True


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "plant.key"
    path.write_text("the key\n")
    return path


def lane(clock: ManualClock, desk: Desk, door: Doorman, key: Path) -> Commands:
    settings = Publish(host="h")
    teller = SimpleNamespace(tell=lambda *_: None)
    parts: Any = (DEVICE, settings, None, None, door, teller, clock)
    link: Any = SimpleNamespace(connected=False)
    asker: Any = desk
    allowed = PlantCommands(allow=("set_recipe",))
    return Commands(Context(*parts), link, allowed, asker, key, lambda: None)


def command(number: int, wall_ns: int) -> bytes:
    issued = datetime.fromtimestamp(wall_ns // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    order = {"order": "set_recipe", "recipe": "plain", "lot": f"L{number % 50}"}
    words = {"schema": 1, "id": f"c{number % 300}", "issued": issued, "order": order}
    return json.dumps(words).encode()


def mangled(data: bytes, draw: random.Random) -> bytes:
    """The message, more or less."""
    ways: list[Callable[[bytes], bytes]] = [
        lambda one: one,
        lambda one: one[: draw.randrange(len(one) + 1)],
        lambda one: draw.randbytes(draw.randrange(60)),
        lambda one: one * draw.randrange(1, 30),
        lambda one: _replaced(one, draw),
        lambda one: one.replace(b"1", draw.choice([b"-1", b"1e999", b"null", b'"1"', b"[1]", b""])),
        lambda one: one.replace(b"set_recipe", draw.choice([b"pause", b"request_state", b""])),
        lambda one: one.replace(b"}", b',"more":' + draw.choice([b"0}", b'"\\u0000"}', b"{}}"])),
    ]
    return draw.choice(ways)(data)


def _replaced(data: bytes, draw: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(draw.randrange(1, 4)):
        changed[draw.randrange(len(changed))] = draw.randrange(256)
    return bytes(changed)


def test_mangled_commands_order_nothing_that_a_sound_one_could_not(key: Path) -> None:
    draw, clock, desk, door = random.Random(5), ManualClock(), Desk(), Doorman()
    plant, sound = lane(clock, desk, door, key), dict[str, tuple[str, str]]()
    for number in range(COMMANDS):
        clock.advance_ms(draw.choice([1, 500, 7000]))
        payload = mangled(command(number, clock.wall - draw.choice([0, 40]) * SECOND), draw)
        retained = draw.random() < 0.1
        topics = ["", TOPICS.reply, f"{TOPICS.reply}/a", TOPICS.totals, "#", "\x00", "x" * 999]
        heard = Heard(
            TOPICS.command, payload, retained, draw.choice(topics), draw.randbytes(number % 80)
        )
        found = read_command(payload)
        if found and not retained and isinstance(found.order, SetRecipe):
            sound[found.id] = (found.order.recipe, found.order.lot)
        asked = len(desk.asked)
        plant.hear(heard, clock.mono)
        plant.turn(clock.mono)
        for one in desk.asked[asked:]:
            assert sound[one.id] == (one.order.recipe, one.order.lot)
            assert abs(clock.wall - one.issued_wall_ns) <= 60 * SECOND
        plant.turn(clock.mono + MS)
    assert len(desk.asked) > 100
    ids = [one.id for one in desk.asked]
    assert len(set(ids)) == len(ids)
    for letter in door.offered:
        assert letter.topic == TOPICS.reply or letter.topic.startswith(f"{TOPICS.reply}/")
        assert letter.bytes <= MAX_BYTES
        assert len(letter.correlation) <= 64


def test_mangled_acknowledgements_settle_nothing_that_was_not_sent() -> None:
    draw, held = random.Random(6), Receipts(60 * SECOND)
    held.begin("a" * 32, 1000, 0, 0)
    said = {0}
    for number in range(ACKS):
        stream = draw.choice(["a", "b"]) * 32
        words = {"schema": 1, "stream": stream, "through_seq": draw.randrange(-5, 3000)}
        ack = read_ack(mangled(json.dumps(words).encode(), draw))
        before = held.through
        if ack:
            held.hear(ack.stream, ack.through_seq, number)
            said |= {ack.through_seq} if ack.stream == "a" * 32 else set()
        assert before <= held.through <= 1000
        assert held.through in said
