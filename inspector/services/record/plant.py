"""What the plant's MES orders, as publish hands it on: checked here again, and then an operator's.

Promises: an order is carried out only with this run's key, of a kind and for a recipe that the
configuration lists, neither older than it allows nor from the future, with an identifier that was
never used before, and with a reason where the recipe in force asks for one; whatever is refused
is answered and noted, and does not hide the refusals of people.
Never: believes that publish, which has the network, has checked anything.
"""

import hmac
from dataclasses import dataclass

from inspector.core.clock import SECOND, Clock
from inspector.core.config_mqtt import PlantCommands, Publish
from inspector.core.errors import InspectorError
from inspector.core.orders import Person, PlantOrder, Reply, Role
from inspector.core.paths import Paths
from inspector.devices.console import open_plant_key
from inspector.devices.ledger import Damaged, Ledger
from inspector.devices.ledger.plant_orders import take_id
from inspector.services.record.commands import Commands, tag_of, values_of
from inspector.services.record.refusals import STRANGER, Refusals

MES = Person(name="mes", role=Role.OPERATOR)
FUTURE_S = 60.0  # the sender's clock may be ahead by so much


@dataclass(frozen=True)
class Plant:
    """What the plant may. `key`: empty where it may nothing."""

    key: str
    commands: PlantCommands | None

    def knows(self, session: str) -> bool:
        return bool(self.key) and hmac.compare_digest(session.encode(), self.key.encode())

    def allows(self, asked: PlantOrder) -> bool:
        """True when orders of this kind, and this recipe, are listed."""
        listed = self.commands
        if listed is None or tag_of(asked.order) not in listed.allow:
            return False
        return not listed.recipes or asked.order.recipe in listed.recipes

    def in_time(self, asked: PlantOrder, wall_ns: int) -> bool:
        """True when it is neither too old nor from the future."""
        oldest_s = self.commands.expires_s if self.commands else 0.0
        return -FUTURE_S * SECOND <= wall_ns - asked.issued_wall_ns <= oldest_s * SECOND


NOTHING = Plant("", None)


def open_plant(paths: Paths, publish: Publish | None) -> Plant:
    """What the plant may in this run of record. Raises MaintainerError when its key cannot be
    written."""
    commands = publish.commands if publish else None
    return Plant(open_plant_key(paths.plant_key, commands is not None), commands)


class PlantDesk:
    """Takes the plant's orders, one at a time."""

    def __init__(self, plant: Plant, commands: Commands, clock: Clock) -> None:
        self._plant, self._commands, self._clock = plant, commands, clock
        self._refusals = Refusals(clock)

    def take(self, ledger: Ledger, asked: PlantOrder) -> Reply:
        """Carry it out or refuse it. Raises Damaged."""
        try:
            refused = self._refused(ledger, asked)
            return refused or self._carry_out(ledger, asked)
        except Damaged:
            raise
        except InspectorError as error:
            return self._refuse(ledger, asked, "refused", str(error))

    def tidy(self, ledger: Ledger) -> None:
        """Once a second. Raises Damaged."""
        self._refusals.tidy(ledger)

    def _refused(self, ledger: Ledger, asked: PlantOrder) -> Reply | None:
        """The first of what is wrong with it. What comes in time takes its identifier with it,
        whatever becomes of it then."""
        plant, wall = self._plant, self._clock.wall_ns()
        if not plant.knows(asked.session):
            return self._refuse(
                ledger, asked, "no_session", "this is not the plant's key", STRANGER
            )
        if not plant.allows(asked):
            text = f"{tag_of(asked.order)} of recipe {asked.order.recipe}: the plant may not"
            return self._refuse(ledger, asked, "not_allowed", f"{text}; see [publish.commands]")
        if not plant.in_time(asked, wall):
            text = f"order {asked.id}: too old, or from the future; look at both clocks"
            return self._refuse(ledger, asked, "expired", text)
        if not ledger.write(lambda db: take_id(db, asked.id, wall)):
            return self._refuse(ledger, asked, "replayed", f"order {asked.id}: was used before")
        if not asked.reason.strip() and self._commands.wants_reason(asked.order):
            text = f"{tag_of(asked.order)} needs a reason while this recipe is made; give one"
            return self._refuse(ledger, asked, "reason_wanted", text)
        return None

    def _carry_out(self, ledger: Ledger, asked: PlantOrder) -> Reply:
        order, reason = asked.order, asked.reason.strip()
        text = self._commands.carry_out(ledger, order, MES, reason, {"id": asked.id})
        code = "accepted" if self._commands.is_loading else "done"
        return Reply(ok=True, text=text, code=code, person=MES)

    def _refuse(
        self, ledger: Ledger, asked: PlantOrder, code: str, text: str, who: str = MES.name
    ) -> Reply:
        detail = {"order": tag_of(asked.order), "code": code, "id": asked.id}
        detail |= values_of(asked.order) | {"why": text}
        self._refusals.note(ledger, who, "refused", detail, who)
        return Reply(ok=False, text=text, code=code)
