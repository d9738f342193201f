"""Identifiers of the plant's orders, used once."""

from contextlib import closing
from pathlib import Path

from support.outcomes import WALL

from inspector.devices.ledger import Ledger
from inspector.devices.ledger.plant_orders import KEPT_NS, take_id


def take(ledger: Ledger, id: str, wall: int = WALL) -> bool:
    return ledger.write(lambda db: take_id(db, id, wall))


def test_identifier_is_taken_once_over_restarts_too(root: Path) -> None:
    path = root / "ledger.db"
    with closing(Ledger(path, 10, 0, WALL)) as ledger:
        assert take(ledger, "a")
        assert take(ledger, "b")
        assert not take(ledger, "a")
    with closing(Ledger(path, 10, 0, WALL)) as ledger:
        assert not take(ledger, "b")
        assert take(ledger, "c")


def test_old_identifiers_are_forgotten_once_they_could_only_be_expired(ledger: Ledger) -> None:
    assert take(ledger, "a")
    assert not take(ledger, "a", WALL + KEPT_NS)
    assert take(ledger, "b", WALL + KEPT_NS + 1)
    assert ledger._db.execute("SELECT id FROM plant_order").fetchall() == [("b",)]


def test_identifiers_outlast_a_clock_that_is_set_back(ledger: Ledger) -> None:
    assert take(ledger, "a")
    assert not take(ledger, "a", WALL - 10 * KEPT_NS)
