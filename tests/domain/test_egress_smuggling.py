"""Pixels in whatever place: they leave as nothing, as `other`, or as a hash of 16 digits.

What stays possible is written in `domain.egress.words`: a lot of at most 32 letters, digits, dots,
underscores and dashes leaves as it was typed, and names of the configuration do.
"""

import base64
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from support import leaving
from support.leaving import DEVICE, JPEG, PNG
from support.totals_stream import Sender, message

from inspector.core.errors import EngineerError
from inspector.core.live import AlarmWord, LineState, LineStatus, ServiceWord
from inspector.core.terms import Kind, Mode, Severity
from inspector.domain.alarms import CODES
from inspector.domain.egress.event import event_of
from inspector.domain.egress.letter import Leaving, letter, strict
from inspector.domain.egress.reply import Became, CommandReply, Why
from inspector.domain.egress.state import Outgoing, State, state_of
from inspector.domain.egress.topics import Topics
from inspector.domain.egress.totals import KindCounts, Totals, totals_of
from inspector.domain.egress.words import Online, Sparse
from inspector.domain.linestate import WHY
from inspector.domain.notice import Notice, What
from inspector.domain.tally import Part, TotalsRow, tally

TOPICS = Topics(DEVICE)
PIXELS = st.binary(min_size=1, max_size=48)
SPELLED = PIXELS.map(lambda data: base64.b64encode(data).decode()) | PIXELS.map(
    lambda data: data.decode("latin-1")
)
CALM = LineStatus(
    wall_ns=0,
    state=LineState.RUNNING,
    why="running",
    mode=Mode.INSPECT,
    recipe="cap",
    lot="",
    model="",
    services=(),
    alarms=(),
)


def sent(message: Leaving) -> Any:
    return json.loads(letter(message, leaving.topic_of(message)).payload)


def row_of(found: str = "", **words: str) -> TotalsRow:
    names = {"recipe": "cap", "lot": "L-1", "model": ""} | words
    return TotalsRow(
        ledger="0" * 32,
        row=1,
        start_s=0,
        end_s=60,
        revision=1,
        totals=tally([Part(Kind.FAIL, None, 1000, Kind.FAIL, found)]),
        cumulative={Kind.FAIL: 1},
        **names,
    )


def state(status: LineStatus) -> State:
    nothing = Outgoing(waiting=0, set_aside=0, events=0)
    return state_of(DEVICE, "0" * 32, Online.ONLINE, 0, status, nothing, {})


@given(PIXELS)
def test_image_bytes_in_a_part_name_do_not_leave(pixels: bytes) -> None:
    """A part's name is no member of any message, and a message takes no member more."""
    plain = msgspec.to_builtins(message(Sender().window(0, [Kind.PASS])))
    for name in ("part", "source", "name", "image", "reason"):
        with pytest.raises(msgspec.ValidationError, match=name):
            msgspec.convert(plain | {name: pixels}, Totals)


@given(SPELLED)
def test_image_bytes_in_a_defect_class_leave_as_other(pixels: str) -> None:
    assert sent(totals_of(DEVICE, row_of(pixels), ("scratch",)))["classes"] == {"other": 1}


@given(PIXELS)
def test_base64_in_a_lot_leaves_as_a_hash(pixels: bytes) -> None:
    lot = base64.b64encode(pixels).decode()
    shown = sent(totals_of(DEVICE, row_of(lot=lot)))["lot"]
    assert shown == lot if len(lot) <= 32 and not set(lot) & set("+/=") else len(shown) == 23
    assert len(shown) <= 32


def test_a_picture_in_a_lot_recipe_or_model_leaves_as_a_hash() -> None:
    shown = sent(totals_of(DEVICE, row_of(lot=PNG, recipe=PNG, model=PNG)))
    assert {shown["lot"], shown["recipe"], shown["model"]} == {shown["lot"]}
    assert shown["lot"].startswith("sha256-")


@settings(max_examples=200)
@given(leaving.WORDS, leaving.WORDS)
def test_codes_and_services_that_are_not_listed_leave_as_other(code: str, service: str) -> None:
    alarm = AlarmWord(
        code=code, service=service, severity=Severity.ALARM, raised_wall_ns=0, acknowledged=False
    )
    services = (ServiceWord(service=service, state=code),)
    shown = sent(state(structs.replace(CALM, why=code, services=services, alarms=(alarm,))))
    assert shown["why"] in (*WHY, "other")
    assert shown["alarms"][0]["code"] in (*CODES, "other")
    assert set(shown["services"].values()) <= {"other", "starting", "running", "off", "stopping"}
    event = sent(event_of(DEVICE, Notice("0" * 32, 1, 0, What.ALARM_RAISED, code, service)))
    assert event["code"] in (*CODES, "", "other")
    for name in (*shown["services"], shown["alarms"][0]["service"], event["service"] or "other"):
        assert name == "other" or (name == service and len(name) <= 64)


def test_a_service_that_nobody_knows_leaves_as_other() -> None:
    name = base64.urlsafe_b64encode(JPEG * 3).decode().rstrip("=").replace("_", "A")
    event = event_of(DEVICE, Notice("0" * 32, 1, 0, What.ALARM_RAISED, "drift", name))
    assert sent(event)["service"] == "other"
    for known in ("record", "capture-cam0"):
        event = event_of(DEVICE, Notice("0" * 32, 1, 0, What.ALARM_RAISED, "drift", known))
        assert sent(event)["service"] == known


@given(st.data())
def test_pixels_in_any_field_of_any_message_are_refused(data: st.DataObject) -> None:
    message = data.draw(leaving.anything)
    field = data.draw(st.sampled_from(type(message).__struct_fields__))
    raw = st.one_of(PIXELS, PIXELS.map(bytearray), PIXELS.map(memoryview), PIXELS.map(list))
    with pytest.raises(EngineerError):
        letter(structs.replace(message, **{field: data.draw(raw)}), TOPICS.totals)


@given(st.data())
def test_long_or_free_text_in_any_field_of_any_message_is_refused(data: st.DataObject) -> None:
    message = data.draw(leaving.anything)
    field = data.draw(st.sampled_from(type(message).__struct_fields__))
    text = data.draw(st.text(min_size=1, max_size=64).map(lambda text: text * 400))
    with pytest.raises(EngineerError):
        letter(structs.replace(message, **{field: text}), TOPICS.totals)


@given(st.sampled_from(["\n", " ", "+", "/", "=", "é", "\0", "#", "\u2028"]), st.data())
def test_other_characters_in_a_name_are_refused(character: str, data: st.DataObject) -> None:
    message = data.draw(leaving.totals)
    field = data.draw(
        st.sampled_from(["device", "stream", "start", "end", "recipe", "lot", "model"])
    )
    value = getattr(message, field) + character
    with pytest.raises(EngineerError):
        letter(structs.replace(message, **{field: value}), TOPICS.totals)


@pytest.mark.parametrize("base", [Totals, State, CommandReply])
def test_a_subclass_that_carries_more_is_refused(base: type[Any]) -> None:
    examples: dict[type, Leaving] = {
        Totals: message(Sender().window(0, [Kind.PASS])),
        State: state(CALM),
        CommandReply: reply(),
    }
    wider = msgspec.defstruct("Wider", [("frame", bytes)], bases=(base,), frozen=True, kw_only=True)
    fields = {name: getattr(examples[base], name) for name in base.__struct_fields__}
    with pytest.raises(EngineerError, match="frame"):
        letter(wider(**fields, frame=JPEG), TOPICS.totals)


def test_a_subclass_deep_inside_that_carries_more_is_refused() -> None:
    class Wider(KindCounts, frozen=True, kw_only=True):
        frame: str = ""

    row = message(Sender().window(0, [Kind.PASS]))
    wider = structs.replace(row, counts=Wider(pass_=1, frame=PNG))
    with pytest.raises(EngineerError, match="frame"):
        letter(wider, TOPICS.totals)


def test_a_type_that_nobody_listed_is_refused() -> None:
    class Picture(Sparse, frozen=True, kw_only=True):
        pixels: str

    for other in (Picture(pixels=PNG), {"pixels": PNG}, JPEG, PNG, row_of()):
        with pytest.raises(EngineerError, match="none of the messages that may leave"):
            strict(other)  # type: ignore[type-var]


def test_a_number_that_carries_pixels_is_refused() -> None:
    """An integer of any length would be a picture."""
    row = message(Sender().window(0, [Kind.PASS]))
    for field in ("seq", "revision", "first_pass"):
        with pytest.raises(EngineerError):
            letter(structs.replace(row, **{field: int.from_bytes(JPEG * 9)}), TOPICS.totals)
    with pytest.raises(EngineerError):
        letter(structs.replace(row, classes={"other": int.from_bytes(JPEG)}), TOPICS.totals)


def test_more_than_4_kilobytes_are_refused() -> None:
    row = message(Sender().window(0, [Kind.PASS]))
    many = structs.replace(row, classes={f"c{number}-{'x' * 50}": 1 for number in range(80)})
    with pytest.raises(EngineerError, match="4096 may leave"):
        letter(many, TOPICS.totals)


def reply() -> CommandReply:
    return CommandReply(
        schema=1,
        device=DEVICE,
        id="order-1",
        at="2025-12-01T08:00:00Z",
        status=Became.DONE,
        why=Why.NONE,
    )


def test_pixels_in_correlation_data_are_refused() -> None:
    assert letter(reply(), TOPICS.reply, correlation=b"x" * 64).correlation == b"x" * 64
    with pytest.raises(EngineerError, match="correlation data of 65 bytes"):
        letter(reply(), TOPICS.reply, correlation=b"x" * 65)
    with pytest.raises(EngineerError, match="correlation data of 3 bytes"):
        letter(state(CALM), TOPICS.state, correlation=JPEG[:3])


def test_picture_in_the_name_of_a_camera_that_the_station_does_not_have_does_not_leave() -> None:
    """Any process may raise an alarm, or say that it lives, under any name."""
    captures = ("capture-cam0",)
    smuggled = "capture-" + base64.urlsafe_b64encode(b"pixels" * 6).decode()
    for name, leaves in (("capture-cam0", "capture-cam0"), ("gate", "gate"), (smuggled, "other")):
        notice = Notice("0" * 32, 1, 0, What.ALARM_RAISED, "drift", name)
        assert event_of(DEVICE, notice, captures).service == leaves
        status = structs.replace(CALM, services=(ServiceWord(service=name, state="running"),))
        nothing = Outgoing(waiting=0, set_aside=0, events=0)
        told = state_of(DEVICE, "0" * 32, Online.ONLINE, 0, status, nothing, {}, "", captures)
        assert list(told.services) == [leaves]
