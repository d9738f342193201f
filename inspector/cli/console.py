"""Orders from the command line: whoever may read the station's own files is a maintainer.

Promises: an order is answered, or it is one line that says why not.
Never: asks for a PIN.
"""

import os

from inspector.core.errors import MaintainerError, OperatorError
from inspector.core.orders import AnyOrder, Order, Reply
from inspector.core.paths import Paths
from inspector.core.topology import CONTROL
from inspector.devices.bus import Bus
from inspector.devices.console import console_session, user_name

ANSWER_S = 5.0


def give_order(bus: Bus, paths: Paths, order: AnyOrder, reason: str = "") -> Reply:
    """record's answer. Raises OperatorError when it refuses, MaintainerError without an answer."""
    session = console_session(paths.console_key, user())
    asked = Order(session=session, order=order, reason=reason)
    reply = bus.ask(paths.socket(CONTROL), asked, ANSWER_S)
    if not isinstance(reply, Reply):
        raise MaintainerError(f"{paths.socket(CONTROL)}: no sensible answer; see record's log")
    if not reply.ok:
        raise OperatorError(reply.text)
    return reply


def user() -> str:
    """Who sits at the console; of somebody who became root, the name before."""
    return os.environ.get("SUDO_USER") or user_name(os.getuid())
