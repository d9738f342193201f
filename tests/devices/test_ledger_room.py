"""The ledger on a disk that is full, and its reserve."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.disks import fill, small_disk
from support.outcomes import WALL, outcome

from inspector.devices.ledger import CannotWrite, Ledger
from inspector.devices.ledger.ballast import Ballast

MB = 1 << 20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB."""
    with small_disk(tmp_path, "8m"):
        yield tmp_path


def commit_until_refused(ledger: Ledger) -> int:
    """Returns how many were committed."""
    for start in range(0, 10**6, 200):
        try:
            batch = [(outcome(start + n, reason="r" * 500), False) for n in range(200)]
            ledger.commit(batch, (), (), WALL)
        except CannotWrite as error:
            return start if error.full else -1
    return -1


def test_full_disk_refuses_and_loses_nothing(disk: Path) -> None:
    ledger = Ledger(disk / "ledger.db", 60, 0, WALL)
    committed = commit_until_refused(ledger)
    assert committed > 0
    assert ledger.committed == committed
    assert ledger._number("SELECT count(*) FROM outcome") == committed
    ledger.close()


def test_ballast_is_given_up_on_a_full_disk(disk: Path) -> None:
    ledger = Ledger(disk / "ledger.db", 60, 1, WALL)
    assert ledger.ballast.held
    filler = fill(disk)
    ledger.commit([(outcome(n, reason="r" * 500), False) for n in range(200)], (), (), WALL)
    assert not ledger.ballast.held
    assert ledger.committed == 200
    filler.unlink()
    assert ledger.ballast.take()
    assert ledger.ballast.held
    ledger.close()


def test_full_disk_goes_on_once_there_is_room(disk: Path) -> None:
    ledger = Ledger(disk / "ledger.db", 60, 0, WALL)
    filler = fill(disk, leave=MB // 2)
    committed = commit_until_refused(ledger)
    filler.unlink()
    batch = [(outcome(seq), False) for seq in range(committed + 10)]
    assert len(ledger.commit(batch, (), (), WALL)) == 10
    ledger.close()


def test_ledger_opens_on_a_full_disk_with_its_ballast(disk: Path) -> None:
    Ledger(disk / "ledger.db", 60, 1, WALL).close()
    fill(disk)
    ledger = Ledger(disk / "ledger.db", 60, 1, WALL)
    assert len(ledger.commit([(outcome(1), False)], (), (), WALL)) == 1
    ledger.close()


def test_ballast_is_not_taken_from_the_last_room(disk: Path) -> None:
    ballast = Ballast(disk / "x.ballast", MB)
    filler = fill(disk, leave=2 * MB)
    assert not ballast.take()
    filler.unlink()
    assert ballast.take()
    assert (disk / "x.ballast").stat().st_blocks * 512 >= MB
    assert ballast.release()
    assert not ballast.release()


def test_no_ballast_is_no_lack(root: Path) -> None:
    ballast = Ballast(root / "x.ballast", 0)
    assert ballast.take()
    assert not ballast.held
    assert not ballast.release()
