"""The gate when something dies or is full: nothing is lost, nothing is settled twice."""

import contextlib
import os
import signal
import subprocess
import sys
import time

import pytest
from support.gate import Bench

from inspector.core.messages import Event, Heartbeat, Recorded
from inspector.core.terms import Cause, Kind

pytestmark = pytest.mark.line


def test_killed_gate_settles_and_drives_every_part_exactly_once(patient: Bench) -> None:
    """Killed with parts open, and nothing else under way: the next gate concludes them."""
    bench = patient
    bench.beat(-1)
    undecided = (98, 99, 198, 199)
    for seq in range(300):
        if seq in (100, 200):
            bench.all_driven(seq - 2)
            bench.end(signal.SIGKILL)
            bench.start()
        bench.trigger(seq)
        if seq not in undecided:
            bench.decide(seq)
        bench.listen()
    bench.beat(299)
    parts = bench.wait(300)
    assert {seq for seq in parts if parts[seq].cause is Cause.LOST} == set(undecided)
    driven = bench.all_driven(300)
    assert [int(line[5]) for line in driven] == list(range(300))
    assert [line[2] for line in driven] == [parts[seq].lane for seq in range(300)]


def test_gate_killed_at_work_settles_every_part_exactly_once(bench: Bench) -> None:
    """What a killed gate had in its spool and not yet at the output is driven by nobody: to
    answer a part of which the PLC may have heard would shift all after it. No part is driven twice
    or out of turn, and all that the last gate settles are driven."""
    bench.beat(-1)
    for seq in range(300):
        if seq in (100, 200):
            bench.end(signal.SIGKILL)
            bench.start()
        bench.trigger(seq)
        bench.decide(seq)
        bench.listen()
    bench.beat(299)
    bench.wait(300)
    contents: dict[int, set[tuple[str, str | None]]] = {}
    for outcome in bench.outcomes:
        contents.setdefault(outcome.seq, set()).add((outcome.kind, outcome.cause))
    assert sorted(contents) == list(range(300))
    assert {len(found) for found in contents.values()} == {1}
    bench.until(lambda: bench.driven()[-1][5:] == ["299"])
    driven = [int(line[5]) for line in bench.driven()]
    assert driven == sorted(set(driven))
    assert set(driven) >= set(range(200, 300))


def test_gate_killed_after_it_heard_of_an_end_settles_the_rest_when_told_again(
    patient: Bench,
) -> None:
    for seq in range(3):
        patient.trigger(seq)
    patient.decide(0)
    patient.beat(3, ended=True)
    assert set(patient.wait(1)) == {0}
    patient.all_driven(1)
    patient.end(signal.SIGKILL)
    patient.start()
    patient.answers.clear()
    patient.beat(3, ended=True)
    patient.until(patient.answered)
    parts = patient.wait(4)
    assert [parts[seq].cause for seq in range(4)] == [None, *3 * [Cause.LOST]]
    assert [int(line[5]) for line in patient.all_driven(4)] == [0, 1, 2, 3]


def test_hung_disk_of_the_output_holds_no_deadline(cold: Bench) -> None:
    """A pipe that nobody reads stands for the disk."""
    os.mkfifo(cold.paths.output_log)
    cold.start()
    cold.trigger(0)
    cold.decide(0)
    cold.trigger(1)
    parts = cold.wait(2)
    assert (parts[0].kind, parts[1].cause) == (Kind.PASS, Cause.LATE)
    beats = len(cold.heartbeats())
    cold.until(lambda: len(cold.heartbeats()) > beats + 1)


def test_outcomes_wait_for_a_dead_record(bench: Bench) -> None:
    bench.end_record()
    for seq in range(50):
        bench.trigger(seq)
        bench.decide(seq)
    bench.until(lambda: len(bench.driven()) == 50)
    bench.start_record()
    bench.send(Recorded(session="new", through=-1))
    parts = bench.wait(50)
    assert {part.kind for part in parts.values()} == {Kind.PASS}
    firsts = list(bench.by_seq())
    assert firsts == sorted(firsts)


def test_unacknowledged_outcomes_are_sent_again(bench: Bench) -> None:
    bench.trigger(0)
    bench.decide(0)
    bench.until(lambda: len(bench.outcomes) >= 3)
    bench.send(Recorded(session="a", through=bench.outcomes[0].number))
    bench.until(
        lambda: bench.heartbeats() and bench.heartbeats()[-1].note.startswith("0 not yet committed")
    )
    bench.outcomes.clear()
    beats = len(bench.heartbeats())
    bench.until(lambda: len(bench.heartbeats()) > beats + 2)
    assert bench.outcomes == []


def test_new_session_asks_for_all_that_is_not_acknowledged(bench: Bench) -> None:
    for seq in range(10):
        bench.trigger(seq)
        bench.decide(seq)
    bench.wait(10)
    bench.send(Recorded(session="a", through=bench.outcomes[4].number))
    bench.outcomes.clear()
    bench.send(Recorded(session="b", through=-1))
    bench.until(lambda: len(bench.outcomes) >= 5)
    assert {outcome.seq for outcome in bench.outcomes} >= set(range(5, 10))


def test_what_a_stopped_gate_could_not_deliver_is_delivered_by_the_next(bench: Bench) -> None:
    bench.end_record()
    bench.trigger(0)
    bench.decide(0)
    bench.until(bench.driven)
    assert bench.end() == 0
    bench.start_record()
    bench.start()
    assert bench.wait(1)[0].kind is Kind.PASS


def test_stop_settles_open_parts(bench: Bench) -> None:
    bench.trigger(0)
    bench.until(lambda: any(isinstance(each, Heartbeat) for each in bench.others))
    assert bench.end() == 0
    assert bench.wait(1)[0].cause is Cause.LATE


def test_full_runtime_folder_rejects_every_part(cold: Bench) -> None:
    spool = cold.paths.spool
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(spool)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no right to mount a tmpfs here")
    try:
        cold.start()
        for seq in range(400):
            cold.trigger(seq)
            cold.decide(seq)
        cold.until(lambda: len(cold.driven()) == 400)
        assert cold.driven()[-1][2:4] == ["reject", "fault"]
        acknowledge(cold, 400)
        parts = cold.by_seq()
        kinds = [parts[seq].kind for seq in range(400)]
        turn = kinds.index(Kind.FAULT)
        assert set(kinds[:turn]) == {Kind.PASS}
        assert {parts[seq].cause for seq in range(turn, 400)} == {Cause.RECORD}
        lanes = {int(line[5]): line[2] for line in cold.driven()}
        assert lanes == {seq: part.lane.value for seq, part in parts.items()}
        cold.until(lambda: any(isinstance(each, Event) for each in cold.others))
    finally:
        with contextlib.suppress(ProcessLookupError):
            cold.end()
        subprocess.run(["umount", "--lazy", str(spool)], check=True)


def acknowledge(bench: Bench, count: int) -> None:
    """Play a record that has come back, until it has `count` parts."""
    end = time.monotonic() + 20
    while len(bench.by_seq()) < count:
        assert time.monotonic() < end
        bench.listen()
        if bench.outcomes:
            through = max(outcome.number for outcome in bench.outcomes)
            bench.send(Recorded(session="a", through=through))
        time.sleep(0.01)


def test_absent_plc_is_told_and_the_gate_goes_on(cold: Bench) -> None:
    with cold.paths.station_file.open("a") as file:
        file.write('[output]\nkind = "modbus"\nhost = "127.0.0.1"\nport = 1\n')
    cold.start()
    cold.trigger(0)
    cold.decide(0)
    assert cold.wait(1)[0].kind is Kind.PASS
    cold.until(lambda: any(isinstance(each, Event) for each in cold.others))
    event = next(each for each in cold.others if isinstance(each, Event))
    assert (event.code, "127.0.0.1:1" in event.text) == ("output", True)
    cold.until(lambda: any(each.state == "degraded" for each in cold.heartbeats()))
    assert cold.end() == 0


def test_second_gate_is_refused(bench: Bench) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "inspector.services.gate", "--root", str(bench.root)],
        capture_output=True,
        text=True,
        env=os.environ,
        timeout=30,
    )
    assert second.returncode == 78
    assert "already running" in second.stderr
    assert len(second.stderr.splitlines()) == 1
