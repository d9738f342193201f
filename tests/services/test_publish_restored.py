"""The ledger is restored from a backup under a running publish: a real broker, a real receiver."""

from pathlib import Path

import pytest
from support.mosquitto import Mosquitto, needs_mosquitto
from support.publishing import TOTALS, Plant, Record, publishing

from inspector.devices.ledger import LedgerReader
from inspector.devices.totals_store import TotalsStore
from inspector.domain.receiving import read_row

pytestmark = needs_mosquitto


def received(mes: Plant, path: Path) -> tuple[int, list[str]]:
    """Parts and streams, as a receiver has them that has kept all messages so far."""
    with TotalsStore(path) as store:
        rows = [read_row(TOTALS, one.payload) for one in mes.of("totals")]
        assert all(rows)
        store.take([row for row in rows if row], 0)
        streams = store.streams()
        assert not any(one.account.clashes or one.account.seen.gaps() for one in streams)
        assert not any(one.account.contradicts for one in streams)
        return sum(sum(one.account.counts) for one in streams), [one.stream for one in streams]


@pytest.mark.parametrize("ack", ["broker", "application"])
def test_totals_of_a_restored_ledger_are_counted_once_each(
    record: Record, server: Mosquitto, mes: Plant, root: Path, ack: str
) -> None:
    first = record.ledger.id
    record.windows(5)
    with publishing(record.paths, server.port, ack=ack, resend_s=600.0):
        backup = record.back_up()  # five rows that nobody has had yet
        record.until(lambda: len(set(mes.rows())) == 5)
        record.windows(4)
        record.until(lambda: len(set(mes.rows())) == 9)
        mes.acknowledge(first, 9)
        record.until(lambda: record.pending() == 0)
        record.restore(backup)
        record.windows(3)
        if ack == "application":
            record.until(lambda: len(mes.rows()) == 9 + 5)
            mes.acknowledge(first, 9)  # it has more of the first than the station
        with_both = [first, record.ledger.id]
        record.until(lambda: received(mes, root / "a.db")[1] == with_both)
        record.until(lambda: len(mes.rows()) == 9 + 5 + 3)
        mes.acknowledge(record.ledger.id, 3)
        record.until(lambda: record.pending() == 0)
        assert received(mes, root / "b.db") == (2 * (9 + 3), with_both)
    reader = LedgerReader(record.paths.ledger)
    assert reader.ledger_id() == record.ledger.id
    reader.close()
