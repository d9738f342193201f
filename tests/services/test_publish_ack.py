"""Where the receiver's own word counts: what it says, and what goes again when it says nothing."""

from support.mosquitto import Mosquitto, needs_mosquitto
from support.publishing import Plant, Record, publishing, stopped

from inspector.devices.ledger import LedgerReader

pytestmark = needs_mosquitto


BY_RECEIVER = {"ack": "application", "resend_s": 600.0}


def delivered(record: Record) -> int:
    """Rows that the ledger shows as delivered."""
    reader = LedgerReader(record.paths.ledger)
    count = sum(row.status == "delivered" for row in reader.totals_from(1, 10_000))
    reader.close()
    return count


def test_rows_are_delivered_by_the_receivers_word_and_not_by_the_brokers(
    record: Record, server: Mosquitto, mes: Plant
) -> None:
    record.windows(10)
    with publishing(record.paths, server.port, **BY_RECEIVER):
        record.until(lambda: len(record.marked("sent")) == 10)
        assert (delivered(record), record.pending()) == (0, 10)
        mes.acknowledge(record.ledger.id, 6)
        record.until(lambda: delivered(record) == 6)
        mes.acknowledge(record.ledger.id, 10)
        record.until(lambda: record.pending() == 0)
        record.for_s(0.5)
    assert mes.rows() == list(range(1, 11))


def test_word_of_another_stream_or_beyond_what_was_sent_changes_nothing(
    record: Record, server: Mosquitto, mes: Plant
) -> None:
    record.windows(3)
    with publishing(record.paths, server.port, **BY_RECEIVER):
        record.until(lambda: len(record.marked("sent")) == 3)
        mes.acknowledge("0" * 32, 3)
        mes.acknowledge(record.ledger.id, 4)
        for rubbish in (b"", b"{", b"\xff" * 100, b'{"schema":1,"through_seq":3}', b"9" * 5000):
            mes.say("ack", rubbish)
        record.for_s(1.0)
        assert delivered(record) == 0
        mes.acknowledge(record.ledger.id, 3)
        record.until(lambda: delivered(record) == 3)


def test_word_that_the_broker_kept_counts_after_a_restart(
    record: Record, server: Mosquitto, mes: Plant
) -> None:
    record.windows(4)
    with publishing(record.paths, server.port, **BY_RECEIVER) as process:
        record.until(lambda: len(record.marked("sent")) == 4)
        stopped(process, record)
    mes.acknowledge(record.ledger.id, 4, retain=True)
    with publishing(record.paths, server.port, **BY_RECEIVER):
        record.until(lambda: record.pending() == 0)
    assert mes.rows() == [1, 2, 3, 4]


def test_sent_rows_are_not_sent_again_after_a_restart(
    record: Record, server: Mosquitto, mes: Plant
) -> None:
    record.windows(5)
    with publishing(record.paths, server.port, **BY_RECEIVER) as process:
        record.until(lambda: len(record.marked("sent")) == 5)
        process.kill()
    with publishing(record.paths, server.port, **BY_RECEIVER):
        record.windows(1)
        record.until(lambda: len(record.marked("sent")) == 6)
        record.for_s(0.5)
    assert mes.rows() == [1, 2, 3, 4, 5, 6]


def test_rows_that_waited_for_the_receiver_are_delivered_once_the_brokers_word_counts(
    record: Record, server: Mosquitto, mes: Plant
) -> None:
    """The plant has given up its acknowledgements: nobody will say a word of these rows."""
    record.windows(5)
    with publishing(record.paths, server.port, **BY_RECEIVER) as process:
        record.until(lambda: len(record.marked("sent")) == 5)
        stopped(process, record)
    with publishing(record.paths, server.port):
        record.until(lambda: record.pending() == 0)
    assert mes.rows() == [1, 2, 3, 4, 5]


def test_rows_that_the_receiver_lacks_go_again(
    record: Record, server: Mosquitto, mes: Plant
) -> None:
    """It has lost rows 3 and 4, and says so by not getting on."""
    record.windows(6)
    with publishing(record.paths, server.port, ack="application", resend_s=1.5):
        record.until(lambda: len(record.marked("sent")) >= 6)
        mes.acknowledge(record.ledger.id, 2)
        record.until(lambda: mes.rows().count(6) >= 2)
        assert len(record.said("receiver_silent")) == 1
        mes.acknowledge(record.ledger.id, 6)
        record.until(lambda: record.pending() == 0)
        record.until(lambda: record.said("receiver_heard"))
    assert {mes.rows().count(row) for row in (1, 2)} == {1}


def test_receivers_word_that_record_missed_is_told_again(
    record: Record, server: Mosquitto, mes: Plant
) -> None:
    record.windows(3)
    with publishing(record.paths, server.port, **BY_RECEIVER):
        record.until(lambda: len(record.marked("sent")) == 3)
        record.for_s(0.5)
        mes.acknowledge(record.ledger.id, 3)
        record.until(lambda: record.delivered[-1].through == 3, marking=False)
        record.until(lambda: record.pending() == 0)


def test_row_whose_sums_are_wrong_leaves_as_void_in_its_place(
    record: Record, server: Mosquitto, mes: Plant
) -> None:
    """Also for a receiver that has missed the void: it waits for that row as for any other."""
    record.windows(3)
    record.ledger.write(
        lambda db: db.execute("UPDATE window_total SET causes = '{}' WHERE row = 2")
    )
    with publishing(record.paths, server.port, ack="application", resend_s=1.5):
        record.until(lambda: record.marked("quarantined") == [2])
        record.until(lambda: len(record.marked("sent")) >= 2)
        mes.acknowledge(record.ledger.id, 1)
        record.until(lambda: mes.rows().count(2) >= 2)
        mes.acknowledge(record.ledger.id, 3)
        record.until(lambda: record.pending() == 0)
    second = next(one for one in mes.of("totals") if one.json["seq"] == 2)
    assert second.json == {
        "schema": 1,
        "device": "enterprise/site/area/line/cell",
        "stream": record.ledger.id,
        "seq": 2,
        "void": True,
    }
    assert "1 faults, but 0 causes" in record.said("totals_set_aside")[0]
