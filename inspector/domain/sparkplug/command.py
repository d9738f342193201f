"""What a host may ask of the node: a rebirth, and nothing else.

Promises: a rebirth is the metric `Node Control/Rebirth` with the value true, by its name
(tck-id-operational-behavior-data-commands-ncmd-rebirth-name,
tck-id-operational-behavior-data-commands-ncmd-rebirth-value); everything else is refused and
counted, and so is a command that the broker has kept (tck-id-payloads-ncmd-retain).
Never: writes a value.
"""

from dataclasses import dataclass

from inspector.domain.egress.sparkplug_metrics import REBIRTH


@dataclass(frozen=True)
class Asked:
    """One metric of a command. `value` None: none, or one of a type that is not known here."""

    name: str
    value: bool | int | float | str | None
    alias: int | None = None


@dataclass(frozen=True)
class Judged:
    """What becomes of one command."""

    rebirth: bool
    refused: int  # metrics in it that ask for something else, at least 1 for one that asks nothing


def judge(asked: tuple[Asked, ...] | None, retained: bool) -> Judged:
    """`asked` None: the bytes were no command."""
    if asked is None or retained or not asked:
        return Judged(rebirth=False, refused=1)
    wanted = [one for one in asked if one.name == REBIRTH and one.value is True]
    return Judged(rebirth=bool(wanted), refused=len(asked) - len(wanted))
