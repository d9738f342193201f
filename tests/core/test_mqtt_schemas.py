"""configs/mqtt/ says what leaves and what may come in, and every message is as it says."""

import json
import re
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from support import leaving
from support.mqtt_schemas import FOLDER, TYPES, examples, readme, schema_text

from inspector.domain.egress.letter import Leaving, letter
from inspector.domain.ingress import read_ack, read_command

VALIDATORS = {
    topic: Draft202012Validator(json.loads((FOLDER / f"{topic}.schema.json").read_text()))
    for topic in TYPES
}
AGAIN = "made anew with: cd tests && python -m support.mqtt_schemas"


@pytest.mark.parametrize("topic", TYPES)
def test_schemas_are_those_of_the_types(topic: str) -> None:
    found = (FOLDER / f"{topic}.schema.json").read_text(encoding="utf-8")
    assert found == schema_text(topic), AGAIN
    Draft202012Validator.check_schema(json.loads(found))


def test_there_is_a_schema_for_every_topic_and_no_other() -> None:
    assert {path.name.split(".")[0] for path in FOLDER.glob("*.schema.json")} == set(TYPES)


def test_examples_of_the_page_are_real_messages_of_their_schema() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert text == readme(text), AGAIN
    shown = dict(re.findall(r"<!-- example: ([a-z ]+) -->\n```json\n(.*?)\n```", text, re.DOTALL))
    assert shown.keys() == examples().keys()
    assert {name.split()[0] for name in shown} == set(TYPES)
    for name, example in shown.items():
        VALIDATORS[name.split()[0]].validate(json.loads(example))
        assert json.loads(example) == json.loads(examples()[name])


@settings(max_examples=300)
@given(leaving.anything)
def test_whatever_leaves_is_as_its_schema_says(message: Leaving) -> None:
    topic = leaving.topic_of(message)
    VALIDATORS[topic.rpartition("/")[2]].validate(json.loads(letter(message, topic).payload))


def test_schemas_are_as_closed_as_the_types() -> None:
    """No object may have another member, no word is unbounded, and patterns are ECMA 262's."""
    for topic, validator in VALIDATORS.items():
        for node in nodes(validator.schema):
            if "properties" in node:
                assert node["additionalProperties"] is False
            if node.get("type") == "string":
                assert "pattern" in node or "maxLength" in node, topic
            if "pattern" in node:
                assert node["pattern"].startswith("^")
                assert node["pattern"].endswith("$")
                assert "\\Z" not in node["pattern"]
            if node.get("type") in ("integer", "number"):
                assert node.keys() >= {"minimum", "maximum"}


def nodes(schema: Any) -> list[dict[str, Any]]:
    if isinstance(schema, dict):
        return [schema, *(one for value in schema.values() for one in nodes(value))]
    if isinstance(schema, list):
        return [one for value in schema for one in nodes(value)]
    return []


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2**60) | st.text(max_size=8) | st.just(1),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)


@settings(max_examples=300)
@given(st.sampled_from(["ack", "command"]), st.data())
def test_what_a_schema_refuses_is_refused_and_what_it_allows_is_read(
    topic: str, data: st.DataObject
) -> None:
    message = json.loads(examples()[topic])
    for name in data.draw(st.lists(st.sampled_from([*message, "more"]), max_size=2, unique=True)):
        message[name] = data.draw(VALUES)
    if data.draw(st.booleans()):
        message.pop(data.draw(st.sampled_from([*message])))
    read = read_ack if topic == "ack" else read_command
    said = msgspec.json.encode(message)
    assert (read(said) is not None) == VALIDATORS[topic].is_valid(message)
