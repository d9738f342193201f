"""What may be acknowledged, with a gate that loses messages and both sides restarting."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from inspector.domain.acknowledge import Acknowledgement


def test_nothing_is_acknowledged_before_the_gate_has_begun_a_pass() -> None:
    ack = Acknowledgement()
    ack.committed(100, ack.arrived(100))
    assert ack.through is None
    assert not ack.complete
    ack.committed(90, ack.arrived(90))
    assert ack.through == 90


def test_number_that_arrived_and_is_not_committed_is_not_acknowledged() -> None:
    ack = Acknowledgement()
    ack.arrived(5)
    in_pass = ack.arrived(5)
    ack.arrived(6)
    ack.committed(5, in_pass)
    assert ack.through == 5
    assert not ack.complete


def test_gap_holds_the_acknowledgement_back() -> None:
    ack = Acknowledgement()
    for number in (1, 1, 2, 4, 5):
        ack.committed(number, ack.arrived(number))
    assert ack.through == 2


def test_gate_that_begins_its_numbers_anew_is_followed() -> None:
    ack = Acknowledgement()
    for number in (1000, 1000, 1001, 0, 1):
        ack.committed(number, ack.arrived(number))
    assert ack.through == 1
    assert ack.complete


class GateAndRecord(RuleBasedStateMachine):
    """The gate's pending numbers, record's batch, and all that can go wrong between them."""

    @initialize()
    def start(self) -> None:
        self.next = 0
        self.pending: list[int] = []
        self.sent = 0
        self.committed: set[int] = set()
        self.batch: list[tuple[int, int]] = []
        self.ack = Acknowledgement()

    @rule(count=st.integers(1, 4))
    def decide(self, count: int) -> None:
        self.pending += range(self.next, self.next + count)
        self.next += count

    @rule(count=st.integers(1, 5), lost_at_record=st.booleans())
    def send(self, count: int, lost_at_record: bool) -> None:
        """In order and without a gap; record may have no place for it (the disk refuses)."""
        for number in self.pending[self.sent : self.sent + count]:
            in_pass = self.ack.arrived(number)
            if not lost_at_record:
                self.batch.append((number, in_pass))
            self.sent += 1

    @rule()
    def rewind(self) -> None:
        self.sent = 0

    @rule()
    def commit(self) -> None:
        for number, in_pass in self.batch:
            self.committed.add(number)
            self.ack.committed(number, in_pass)
        self.batch.clear()

    @rule()
    def acknowledge(self) -> None:
        through = self.ack.through
        if through is None:
            return
        settled = [number for number in self.pending if number <= through]
        assert self.committed.issuperset(settled)
        self.pending = self.pending[len(settled) :]
        self.sent = max(0, self.sent - len(settled))

    @rule()
    def record_is_killed(self) -> None:
        self.ack = Acknowledgement()
        self.batch.clear()
        self.sent = 0

    @rule()
    def gate_is_killed(self) -> None:
        """It has its spool, and sends again."""
        self.sent = 0

    @rule()
    def gate_loses_its_spool(self) -> None:
        """With the power; its numbers go on higher, as they begin with the time."""
        self.pending.clear()
        self.sent = 0
        self.next += 1000

    @rule()
    def peace_settles_everything(self) -> None:
        """From any state, a rewind or two and a commit leave nothing pending."""
        for _ in range(2):
            self.rewind()
            self.send(len(self.pending), lost_at_record=False)
            self.commit()
        self.acknowledge()
        assert not self.pending

    @invariant()
    def never_ahead_of_what_was_sent(self) -> None:
        assert self.ack.through is None or self.ack.through < max(self.next, 1)


TestGateAndRecord = GateAndRecord.TestCase
TestGateAndRecord.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
