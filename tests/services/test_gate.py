"""The gate as a real process over real sockets: one trigger, one outcome, lanes in order."""

import pytest
import zmq
from support.gate import Bench

from inspector.core.clock import SECOND
from inspector.core.current import Current, write_current
from inspector.core.messages import Ready, Recorded, Settled, SwitchRecipe
from inspector.core.terms import Cause, Kind, Lane

pytestmark = pytest.mark.line


def test_verdicts_in_time_go_to_their_lanes(bench: Bench) -> None:
    for seq, verdict in enumerate([Kind.PASS, Kind.FAIL, Kind.REVIEW]):
        bench.trigger(seq)
        bench.decide(seq, verdict)
    parts = bench.wait(3)
    assert [(parts[n].kind, parts[n].lane) for n in range(3)] == [
        (Kind.PASS, Lane.ACCEPT),
        (Kind.FAIL, Lane.REJECT),
        (Kind.REVIEW, Lane.REJECT),
    ]
    first = parts[0]
    assert (first.recipe, first.lot, first.model) == ("caps", "L1", "m@1")
    assert (first.timing.inference_us, first.source, first.score) == (7, "0.png", 0.1)
    assert [line[2:4] for line in bench.all_driven(3)] == [
        ["accept", "pass"],
        ["reject", "fail"],
        ["reject", "review"],
    ]
    numbers = [outcome.number for outcome in bench.outcomes]
    assert numbers == list(range(numbers[0], numbers[0] + 3))


def test_dead_detect_makes_parts_late(bench: Bench) -> None:
    bench.trigger(0)
    part = bench.wait(1)[0]
    assert (part.kind, part.cause, part.lane) == (Kind.FAULT, Cause.LATE, Lane.REJECT)
    assert part.latency_us >= 300_000
    assert part.recipe == "caps"


def test_lost_triggers_are_faults(bench: Bench) -> None:
    bench.trigger(2)
    bench.decide(2)
    bench.beat(3)
    parts = bench.wait(4)
    assert [parts[n].cause for n in range(4)] == [Cause.LOST, Cause.LOST, None, Cause.LOST]


def test_camera_unplugged_rejects_parts(bench: Bench) -> None:
    bench.trigger(0, Cause.CAMERA)
    bench.trigger(1)
    bench.trigger(1, Cause.CAMERA)
    parts = bench.wait(2)
    assert {part.cause for part in parts.values()} == {Cause.CAMERA}
    assert {part.lane for part in parts.values()} == {Lane.REJECT}


def test_score_that_is_no_number_is_a_fault(bench: Bench) -> None:
    bench.trigger(0)
    bench.decide(0, score=float("nan"))
    part = bench.wait(1)[0]
    assert (part.kind, part.cause, part.score) == (Kind.FAULT, Cause.ENGINE, None)


def test_copies_change_nothing(bench: Bench) -> None:
    for _ in range(3):
        bench.trigger(0)
        bench.decide(0)
        bench.decide(0, Kind.FAIL)
    bench.trigger(1)
    bench.decide(1)
    bench.wait(2)
    assert [outcome.seq for outcome in bench.outcomes] == [0, 1]
    assert bench.outcomes[0].kind is Kind.PASS


def test_unknown_messages_are_ignored(bench: Bench) -> None:
    context = zmq.Context()
    rubbish = context.socket(zmq.PUSH)
    rubbish.connect(bench.paths.socket("gate"))
    for body in (b"", b"\x00rubbish", b"\x81\xa4type\xa5other"):
        rubbish.send(body)
    bench.send(Settled(stream="x", seq=1), Recorded(session="x", through=10**9))
    bench.trigger(0)
    bench.decide(0)
    assert bench.wait(1)[0].kind is Kind.PASS
    context.destroy(linger=0)


def test_beats_are_answered_and_draining_camera_hears_of_every_part(bench: Bench) -> None:
    bench.beat(-1, drain=True)
    for seq in range(5):
        bench.trigger(seq)
        bench.decide(seq)
    bench.until(lambda: sum(isinstance(each, Settled) for each in bench.answers) == 5)
    ready = [each for each in bench.answers if isinstance(each, Ready)]
    assert [(each.service, each.ready) for each in ready] == [("gate", True)]


def test_heartbeats_tell_of_the_parts(bench: Bench) -> None:
    bench.trigger(0)
    bench.decide(0)
    bench.until(lambda: any(each.handled == 1 for each in bench.heartbeats()))
    last = bench.heartbeats()[-1]
    assert (last.service, last.state) == ("gate", "running")
    assert last.sent_ns - last.started_ns < 60 * SECOND


def test_lanes_go_to_the_output_in_the_order_of_the_triggers(patient: Bench) -> None:
    """Part 1 is a reject at once, part 0 an accept later: the PLC must not see the reject first."""
    patient.trigger(0)
    patient.trigger(1, Cause.CAMERA)
    patient.trigger(2)
    patient.decide(2)
    beats = len(patient.heartbeats())
    patient.until(lambda: len(patient.heartbeats()) > beats + 1)
    assert (patient.driven(), patient.outcomes) == ([], [])
    patient.decide(0)
    assert list(patient.wait(3)) == [0, 1, 2]
    assert [line[2:6:3] for line in patient.all_driven(3)] == [
        ["accept", "0"],
        ["reject", "1"],
        ["accept", "2"],
    ]


def test_held_lanes_go_when_the_part_before_them_is_late(bench: Bench) -> None:
    bench.trigger(0)
    bench.trigger(1, Cause.CAMERA)
    assert [line[3:6:2] for line in bench.all_driven(2)] == [["fault", "0"], ["fault", "1"]]


def test_another_lot_takes_effect_at_once_and_outlives_the_gate(bench: Bench) -> None:
    bench.send(SwitchRecipe(recipe="caps", lot="L2", who="me"))
    bench.trigger(0, Cause.CAMERA)
    part = bench.wait(1)[0]
    assert (part.recipe, part.lot) == ("caps", "L2")
    bench.end()
    write_current(bench.paths.current, Current(recipe="nuts", lot="L3"))
    bench.start()
    bench.trigger(1, Cause.CAMERA)
    part = bench.wait(2)[1]
    assert (part.recipe, part.lot) == ("nuts", "L3")


def test_another_recipe_and_its_lot_take_effect_with_the_first_decision(bench: Bench) -> None:
    bench.send(SwitchRecipe(recipe="bolts", lot="L2", who="me"))
    bench.trigger(0)
    bench.decide(0)
    bench.trigger(1, Cause.CAMERA)
    bench.wait(2)
    bench.trigger(2)
    bench.decide(2, recipe="bolts")
    bench.wait(3)
    bench.trigger(3, Cause.CAMERA)
    parts = bench.wait(4)
    assert [(parts[seq].recipe, parts[seq].lot) for seq in range(4)] == [
        ("caps", "L1"),
        ("caps", "L1"),
        ("bolts", "L2"),
        ("bolts", "L2"),
    ]


def test_ended_stream_is_answered_once_all_of_it_is_settled(patient: Bench) -> None:
    patient.trigger(0)
    patient.beat(1, ended=True)
    patient.beat(1)
    patient.until(patient.answered)
    assert patient.answered() == [True]  # to the beat; the ended one has had no answer
    patient.decide(0)
    assert patient.wait(2)[1].cause is Cause.LOST
    patient.answers.clear()
    patient.beat(1, ended=True)
    patient.until(patient.answered)
    assert patient.answered() == [True]
