"""No secret of a station is left in what goes to support, however it is spelled."""

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.domain.pins import hashed
from inspector.domain.redaction import GONE, SHORTEST, Redaction

KNOWN = 'hunter2 "quoted" über/slash'


@pytest.mark.parametrize(
    "spelled",
    [
        KNOWN,
        json.dumps(KNOWN),
        json.dumps(KNOWN, ensure_ascii=False),
        quote(KNOWN, safe=""),
        base64.b64encode(KNOWN.encode()).decode(),
    ],
)
def test_known_secret_is_found_however_it_is_spelled(spelled: str) -> None:
    text = Redaction([KNOWN]).text(f"before {spelled} after")
    assert "hunter2" not in text
    assert (text.startswith("before"), GONE in text, text.endswith("after")) == (True, True, True)


@given(st.text(min_size=SHORTEST, max_size=40), st.text(max_size=60), st.text(max_size=60))
def test_no_known_secret_is_left_in_any_text(secret: str, before: str, after: str) -> None:
    text = Redaction([secret]).text(before + secret + after)
    assert secret not in text.replace(GONE, "\n") or secret in GONE


@pytest.mark.parametrize(
    "line",
    [
        "password = hunter2",
        'broker_password: "hunter2 and more hunter2"',
        "{'token': 'hunter2'}",
        '{"api_key":"hunter2"}',
        '{\\"token\\": \\"hunter2\\"}',
        "rtsp://anna:hunter2@10.0.0.5/stream",
        "mqtts://hunter2@broker",
        "rtsp://anna:p@ss@hunter2@10.0.0.5/stream",
        "rtsp://anna:a/hunter2@10.0.0.5/stream",
        "rtsp://10.0.0.5/stream?user=anna&pwd=hunter2&x=1",
        "Authorization: Bearer hunter2hunter2",
        "passphrase=hunter2;rest",
        "-----BEGIN EC PRIVATE KEY-----\nhunter2\n-----END EC PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nhunter2 (cut off",
    ],
)
def test_what_looks_like_a_secret_goes(line: str) -> None:
    assert "hunter2" not in Redaction().text(line)


def test_pins_go_plain_and_hashed() -> None:
    text = f"anna has pin 4711 kept as {hashed('4711', bytes(16))}"
    found = Redaction().text(text)
    assert "4711" not in found
    assert "scrypt$" not in found


@pytest.mark.parametrize(
    "line",
    [
        "part cam0/17: fault (late), no decision in time",
        "publish.password_file /etc/inspector/secrets/broker: cannot be read (no such file)",
        "row 7: delivered at 2025-12-01 08:00:00",
        "https://docs.example/page",
        "spindle token-ring passes pinion 7",
    ],
)
def test_what_is_no_secret_stays(line: str) -> None:
    assert Redaction(["other words"]).text(line) == line


def test_values_go_by_their_names() -> None:
    found = Redaction(["known one"]).value(
        {
            "publish": {"password_file": "broker", "username": "st7", "password": "x"},
            "person": [{"name": "anna", "pin": "y"}],
            "camera": ["rtsp://u:p@c/", 7, None, True],
            "tokens": ["a", "b"],
            "known one": "known one",
        }
    )
    assert found == {
        "publish": {"password_file": "broker", "username": "st7", "password": GONE},
        "person": [{"name": "anna", "pin": GONE}],
        "camera": [f"rtsp://{GONE}@c/", 7, None, True],
        "tokens": [GONE, GONE],
        GONE: GONE,
    }


def test_no_secret_is_known() -> None:
    assert Redaction(["", "  ", "abc"]).text("abc def") == "abc def"
