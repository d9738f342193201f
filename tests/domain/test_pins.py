"""PINs are kept hashed, compared whole, and not the first that anybody would guess."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector.core.people import HASHED
from inspector.domain.pins import fits, hashed, nobodys, problem

PIN = st.from_regex(r"[0-9]{4,8}", fullmatch=True)
SALT = st.binary(min_size=16, max_size=16)


@given(PIN, SALT, st.text(max_size=64))
@settings(max_examples=15, deadline=None)
def test_only_the_pin_itself_fits(pin: str, salt: bytes, other: str) -> None:
    kept = hashed(pin, salt)
    assert fits(pin, kept)
    assert fits(other, kept) == (other == pin)


def test_kept_text_carries_its_parameters() -> None:
    kept = hashed("4711", bytes(16))
    assert kept.startswith("scrypt$16384$8$1$00000000000000000000000000000000$")
    assert HASHED.fullmatch(kept)


def test_same_pin_of_two_people_looks_different() -> None:
    assert hashed("4711", bytes(16)) != hashed("4711", bytes([1] * 16))


def test_no_pin_fits_what_nobody_bears() -> None:
    assert HASHED.fullmatch(nobodys())
    assert not any(fits(pin, nobodys()) for pin in ("", "0000", "4711"))


def test_kept_text_that_is_no_hashed_pin_is_refused() -> None:
    for text in ("4711", "", "md5$1$1$1$00$00"):
        with pytest.raises(ValueError):
            fits("4711", text)


@pytest.mark.parametrize(
    "pin", ["", "123", "123456789", "12a4", "\uff11\uff12\uff13\uff14", "12 34", "4711\n"]
)
def test_pin_that_is_none_is_refused(pin: str) -> None:
    assert "4 to 8 digits" in problem(pin)


@pytest.mark.parametrize(
    "pin", ["0000", "11111111", "1234", "4321", "7890", "0987", "1212", "123123", "01234567"]
)
def test_trivial_pin_is_refused(pin: str) -> None:
    assert "guessed" in problem(pin)


@pytest.mark.parametrize("pin", ["4711", "0815", "2718", "13579246", "1213"])
def test_other_pins_may_be_chosen(pin: str) -> None:
    assert problem(pin) == ""
