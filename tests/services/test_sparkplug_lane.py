"""The Sparkplug lane, turn by turn, on a real ledger and a real door."""

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.sparkplug_lane import NCMD, REBIRTH, STATE, Bench

from inspector.core.clock import SECOND
from inspector.core.config_mqtt import Sparkplug
from inspector.core.live import LineState
from inspector.devices.broker import Heard, Result
from inspector.devices.sparkplug import decode_command
from inspector.domain.rate_limit import RateLimit
from inspector.domain.sparkplug.command import Asked
from inspector.domain.sparkplug.host import read_state
from inspector.domain.sparkplug.names import Names


@pytest.fixture
def bench(root: Path) -> Iterator[Bench]:
    yield (one := Bench(root))
    one.close()


@pytest.fixture
def hosted(root: Path) -> Iterator[Bench]:
    """A node that waits for a primary host."""
    yield (one := Bench(root, primary_host="scada"))
    one.close()


def state(online: bool, timestamp: int) -> bytes:
    return json.dumps({"online": online, "timestamp": timestamp}).encode()


def test_the_names_are_those_of_the_specification() -> None:
    names = Names(Sparkplug(group="g", node="n", device="d", primary_host="h"))
    assert set(names.spoken) == {
        "spBv1.0/g/NBIRTH/n",
        "spBv1.0/g/NDATA/n",
        "spBv1.0/g/NDEATH/n",
        "spBv1.0/g/DBIRTH/n/d",
        "spBv1.0/g/DDATA/n/d",
    }
    assert names.heard == ("spBv1.0/g/NCMD/n", "spBv1.0/STATE/h")
    assert Names(Sparkplug(group="g", node="n")).heard == ("spBv1.0/g/NCMD/n",)


def test_the_death_is_on_record_before_the_connection(bench: Bench) -> None:
    bench.turns(0.5)
    will = bench.will()
    assert [one.payload for one in bench.record.departed] == [will.text]
    assert json.loads(will.text) == {"verb": "NDEATH", "groups": [{"values": {"bdSeq": 0}}]}
    assert (will.qos, will.retain, will.topic) == (1, False, "spBv1.0/plant/NDEATH/cell7")


def test_birth_comes_first_and_whole(bench: Bench) -> None:
    bench.record.windows(2)
    bench.up()
    birth, device = bench.sent[:2]
    assert bench.verbs() == ["NBIRTH", "DBIRTH", "DDATA", "DDATA"]
    assert [message.seq for message in bench.sent] == [0, 1, 2, 3]
    assert birth.groups[0].values["bdSeq"] == 0
    assert birth.groups[0].values["Node Control/Rebirth"] is False
    values = {name: value for group in device.groups for name, value in group.values.items()}
    assert values["Window/Row"] == 2
    assert values["Totals/Parts"] == 2
    assert all((letter.qos, letter.retain) == (0, False) for letter in bench.broker.sent)


def test_all_that_leaves_is_on_record_word_for_word(bench: Bench) -> None:
    bench.record.windows(5)
    bench.up()
    on_record = [(one.topic, one.payload, one.bytes) for one in bench.record.departed]
    for letter in bench.broker.sent:
        assert (letter.topic, letter.text, letter.bytes) in on_record


def test_while_record_is_deaf_nothing_leaves(bench: Bench) -> None:
    bench.up()
    sent = len(bench.sent)
    bench.record.windows(3)
    bench.record.deaf = True
    bench.turns(5)
    assert len(bench.sent) == sent
    bench.record.deaf = False
    bench.turns(5)
    assert bench.rows(historical=False) == [1, 2, 3]


def test_a_line_that_falls_silent_ends_the_node(bench: Bench) -> None:
    bench.up()
    bench.speaking = False
    bench.turns(31)
    assert len(bench.brokers) == 2
    farewell = bench.brokers[0].closed[0]
    assert farewell
    assert json.loads(farewell.text)["groups"][0]["values"] == {"bdSeq": 0}
    bench.up()
    assert bench.sent == []  # nobody to speak of
    bench.speaking = True
    bench.turns()
    assert bench.verbs()[:2] == ["NBIRTH", "DBIRTH"]
    assert bench.sent[0].groups[0].values["bdSeq"] == 1


def test_a_change_of_the_line_is_told_once_a_second_and_alone(bench: Bench) -> None:
    bench.up()
    before = len(bench.sent)
    for why in ("gate_silent", "camera_silent", "gate_silent", "camera_silent"):
        bench.line = {"state": LineState.STOPPED, "why": why}
        bench.turns(0.1)
    bench.turns(2)
    (data,) = bench.sent[before:]
    assert data.groups[0].values == {"Line/State": "stopped", "Line/Why": "camera_silent"}
    bench.turns(5)
    assert len(bench.sent) == before + 1


def test_a_code_that_is_on_no_list_leaves_as_other(bench: Bench) -> None:
    bench.line = {"why": "see /etc/passwd"}
    bench.up()
    assert "passwd" not in "".join(letter.text for letter in bench.broker.sent)
    assert any(group.values.get("Line/Why") == "other" for group in bench.sent[1].groups)


def test_a_rebirth_keeps_the_number_and_loses_no_row(bench: Bench) -> None:
    bench.record.windows(500)
    bench.up()
    bench.turns(10)
    bench.record.windows(3)
    bench.hears(NCMD, REBIRTH)
    bench.turns(5)
    births = [message for message in bench.sent if message.verb == "NBIRTH"]
    assert [one.groups[0].values["bdSeq"] for one in births] == [0, 0]
    # The births tell of 503 as what is now; what was there by then is history.
    assert bench.rows(historical=True) == list(range(1, 504))
    bench.record.windows(1)
    bench.turns()
    assert bench.rows(historical=False) == [504]


def test_a_rebirth_too_soon_is_held_and_no_data_leaves(bench: Bench) -> None:
    bench.up()
    bench.hears(NCMD, REBIRTH).hears(NCMD, REBIRTH)
    bench.record.windows(2)
    bench.turns(5)
    assert bench.verbs() == ["NBIRTH", "DBIRTH"]
    bench.turns(6)
    assert bench.verbs() == ["NBIRTH", "DBIRTH"] * 2 + ["DDATA", "DDATA"]
    assert [message.seq for message in bench.sent] == [0, 1, 0, 1, 2, 3]


def test_a_retained_rebirth_is_refused(bench: Bench) -> None:
    bench.up()
    bench.hears(NCMD, REBIRTH, retained=True).turns(15)
    assert bench.verbs().count("NBIRTH") == 1
    assert bench.sent[-1].groups[0].values == {"Node/Commands Refused": 1}


def test_every_message_bears_the_next_number(bench: Bench) -> None:
    bench.record.windows(700)
    bench.up().turns(5)
    numbers = [message.seq for message in bench.sent]
    assert numbers == [index % 256 for index in range(len(numbers))]
    assert len(numbers) > 700


def test_of_a_live_row_only_what_has_changed_leaves(bench: Bench) -> None:
    bench.record.windows(1)
    bench.up()
    bench.record.windows(1)
    bench.turns()
    values = {name for group in bench.sent[-1].groups for name in group.values}
    assert values == {"Window/Row", "Window/Start", "Window/End", "Totals/Parts", "Totals/Pass"}


def test_a_correction_is_history_and_its_totals_are_now(bench: Bench) -> None:
    bench.record.windows(3)
    bench.up()
    bench.record.find_bad(1)
    bench.turns()
    window, totals = bench.sent[-1].groups
    assert window.historical
    assert (window.values["Window/Row"], window.values["Window/Revision"]) == (4, 2)
    assert (window.values["Window/Fail"], window.values["Window/Escape"]) == (1, 1)
    assert totals.values == {"Totals/Pass": 2, "Totals/Fail": 1}


def test_a_correction_during_a_cut_is_history_without_totals(bench: Bench) -> None:
    bench.record.windows(3)
    bench.record.find_bad(1)
    bench.up()
    (correction,) = bench.sent[-1].groups
    assert correction.historical
    assert correction.values["Window/Revision"] == 2
    assert "Totals/Pass" not in correction.values


def test_when_too_much_has_left_messages_wait_in_their_order(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowance = RateLimit(5, SECOND // 2, bench.clock.monotonic_ns())
    monkeypatch.setattr(bench.door, "_allowance", allowance)
    bench.record.windows(20)
    bench.up().turns(4)
    assert 0 < len(bench.sent) < 15
    bench.record.windows(1)
    bench.turns(20)
    assert [message.seq for message in bench.sent] == list(range(len(bench.sent)))
    assert bench.rows(historical=True) == list(range(1, 21))
    assert bench.rows(historical=False) == [21]


def test_another_ledger_is_born_and_told_anew(bench: Bench, root: Path) -> None:
    bench.record.windows(3)
    bench.up().turns(70)
    bench.record.ledger.close()
    for path in root.glob("ledger.db*"):
        path.unlink()
    bench.record.begin()
    bench.record.windows(1)
    bench.turns(15)
    births = [message for message in bench.sent if message.verb == "NBIRTH"]
    assert len(births) == 2
    (told,) = bench.sent[-1].groups
    assert told.historical
    assert told.values["Totals/Stream"] == bench.record.ledger.id
    assert told.values["Window/Row"] == 1


def test_rows_after_a_cut_are_history(bench: Bench) -> None:
    bench.up()
    bench.record.windows(2)
    bench.turns()
    bench.down()
    bench.record.windows(2)
    bench.up()
    assert bench.rows(historical=True) == [1, 2, 3, 4]  # the first two may have been lost
    assert bench.sent[-1].groups[0].historical


def test_rows_that_were_surely_heard_do_not_come_again(bench: Bench) -> None:
    bench.up()
    bench.record.windows(2)
    bench.turns(130)  # two intervals of keepalive
    assert bench.reader.lane("sparkplug") == 2
    bench.down()
    bench.record.windows(1)
    before = len(bench.sent)
    bench.up()
    assert bench.rows(historical=True) == [3]
    assert len(bench.sent) == before + 3


def test_live_rows_do_not_wait_for_history(root: Path) -> None:
    bench = Bench(root, publish={"backlog_per_s": 10})
    bench.record.windows(400)
    bench.up()
    bench.record.windows(1)
    bench.turns(2)
    assert bench.rows(historical=False) == [401]
    assert len(bench.rows(historical=True)) < 200
    bench.turns(40)
    assert bench.rows(historical=True) == list(range(1, 401))
    bench.close()


def test_after_a_restart_numbers_and_rows_go_on(bench: Bench, root: Path) -> None:
    bench.up()
    bench.record.windows(2)
    bench.turns(130)
    bench.record.ledger.close()
    again = Bench(root)
    again.up()
    assert again.sent[0].groups[0].values["bdSeq"] == 1
    assert again.rows(historical=True) == []
    again.close()


def test_tries_that_come_to_nothing_use_no_number_up(bench: Bench) -> None:
    bench.turns(0.5)
    for _ in range(300):
        bench.will()
        bench.down()
    bench.up()
    assert bench.sent[0].groups[0].values["bdSeq"] == 0


def test_numbers_of_connections_go_round(bench: Bench) -> None:
    found = []
    for _ in range(258):
        bench.up()
        found.append(bench.sent[-2].groups[0].values["bdSeq"])
        bench.down()
    assert found == [*range(256), 0, 1]


def test_the_primary_host_is_waited_for(hosted: Bench) -> None:
    hosted.record.windows(1)
    hosted.up()
    assert hosted.sent == []
    hosted.hears(STATE, state(False, 5), retained=True).turns()
    assert hosted.sent == []
    hosted.hears(STATE, state(True, 6)).turns()
    assert hosted.verbs() == ["NBIRTH", "DBIRTH", "DDATA"]


def test_a_primary_host_that_leaves_ends_the_node(hosted: Bench) -> None:
    hosted.up().hears(STATE, state(True, 6)).turns()
    hosted.hears(STATE, state(False, 5)).turns()
    assert len(hosted.brokers) == 1  # older than its last online
    hosted.hears(STATE, state(False, 6)).turns()
    assert len(hosted.brokers) == 2
    assert hosted.brokers[0].closed


def test_a_host_that_comes_and_goes_does_not_make_us_dance(hosted: Bench) -> None:
    """However often it says so, we connect again three times and then every ten seconds."""
    began = hosted.clock.monotonic_ns()
    hosted.up()
    for turn in range(100):
        hosted.hears(STATE, state(True, 2 * turn)).hears(STATE, state(False, 2 * turn + 1))
        hosted.turns(0.5)
        if hosted.lane.state.startswith("Sparkplug away"):
            hosted.up()
    seconds = (hosted.clock.monotonic_ns() - began) / SECOND
    assert len(hosted.brokers) <= 3 + seconds / 10 + 1


def test_another_host_is_no_concern(hosted: Bench) -> None:
    hosted.up().hears("spBv1.0/STATE/other", state(True, 6)).turns()
    assert hosted.sent == []


def test_a_refused_subscription_is_said(bench: Bench) -> None:
    bench.up(denied=(NCMD,))
    texts = [event.text for event in bench.record.events if event.code == "sparkplug_down"]
    assert texts == [f"Sparkplug: the broker does not let us hear {NCMD}; mend its access list"]


def test_a_message_too_large_for_the_broker_is_said(bench: Bench) -> None:
    bench.up()
    bench.broker.happenings.append(Result(1, "oversize", "2100 bytes, the broker takes 1024"))
    bench.turns()
    assert "1024" in bench.record.events[-1].text


def test_an_orderly_end_says_the_death(bench: Bench) -> None:
    bench.up()
    bench.lane.stop()
    (farewell,) = bench.broker.closed
    assert farewell
    assert json.loads(farewell.text)["groups"][0]["values"] == {"bdSeq": 0}
    bench.turns()
    assert len(bench.brokers) == 1


def test_rebirth_as_bytes() -> None:
    assert decode_command(REBIRTH) == (Asked("Node Control/Rebirth", True),)


def test_fuzzed_commands_and_states_change_nothing(hosted: Bench) -> None:
    """What is heard from a network of strangers, 20,000 times: no birth, no row, no other life."""
    hosted.record.windows(1)
    hosted.up().hears(STATE, state(True, 10**12)).turns()
    sent, told = len(hosted.sent), len(hosted.record.departed)
    draw = random.Random(7)
    seeds = (REBIRTH, state(False, 9), state(True, 9), b"", b"ONLINE")
    for _ in range(200):
        for _ in range(100):
            hosted.broker.happenings.append(_rubbish(draw, seeds))
        hosted.turns(0.1)
    assert len(hosted.brokers) == 1
    births = [message for message in hosted.sent if message.verb == "NBIRTH"]
    data = [message for message in hosted.sent[sent:] if message.verb == "DDATA"]
    assert data == []
    assert len(births) <= 3  # a mutated rebirth may still be one, at most every 10 s
    assert len(hosted.record.departed) - told < 10
    assert hosted.rows(historical=True) == [1]
    hosted.turns(15)
    hosted.record.windows(1)
    hosted.turns(2)
    assert hosted.rows(historical=False) == [2]


def _rubbish(draw: random.Random, seeds: tuple[bytes, ...]) -> Heard:
    """A message with some bytes changed, cut or added; never a host that says it is offline now."""
    data = bytearray(draw.choice(seeds))
    for _ in range(draw.randint(1, 4)):
        match draw.randrange(3):
            case 0 if data:
                data[draw.randrange(len(data))] = draw.randrange(256)
            case 1 if data:
                del data[draw.randrange(len(data)) :]
            case _:
                data.insert(draw.randint(0, len(data)), draw.randrange(256))
    payload = bytes(data)
    found = read_state(payload)
    if found and not found.online and found.timestamp >= 10**12:
        payload = b""
    return Heard(draw.choice((NCMD, STATE)), payload, draw.random() < 0.2)
