"""One line of arithmetic, as a person can check it.

Promises: `numbers` holds the very numbers of `value`, to six digits, in `formula`'s order.
"""

from msgspec import Struct


class Step(Struct, frozen=True):
    """What is computed, how, from which numbers, and what it comes to."""

    what: str
    formula: str
    numbers: str
    value: float
    unit: str


def n(value: float) -> str:
    """A number as it stands in a line of arithmetic: at least six digits of it."""
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 100_000 else f"{value:.6g}"
