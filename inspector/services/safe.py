"""safe: the output goes into its safe state without the gate, and a person is called.

Promises: the PLC is told reject and stopped, by the requests that the gate has left ready
(`safe-state`); with its heartbeat standing still, too, it takes no part. This is run three times:
as the gate's guard, which waits for its death; whenever the service manager sees the gate end other
than in good order, before it is started again; and for a service that has been given up because it
fell on and on, where no gate is alive, and there it sends record the alarm `service_failed`, for
which a record that is down itself is waited for.
Never: imports what is slow to import before the output is safe; writes to a PLC while a gate is
alive, which by then rejects every part itself; waits long for a PLC that does not answer, since
the gate's next start waits for this.

As little as possible stands between a death and the PLC: run it as a file, by `python -IS`.
"""

import fcntl
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path

RUN = Path("/run/inspector/gate")  # `paths.INSTALLED.safe_state` and the gate's lock
LOCK = "gate.lock"
GATE = "inspector-gate"
MOST_S = 0.5  # for a PLC that does not answer, while the gate is to start again
PATIENT_S = 5.0  # the same once it has been given up
PAUSE_S = 0.05
CALL_S = 120.0  # for record; what has failed is tried again once a minute
REFUSED = "78"  # the exit code
ANSWER = 12  # bytes of the answer to a request to write


def main(arguments: list[str]) -> int:
    """`--guard FILE PID`, of the gate, or `UNIT` without its ending. Returns the exit code: 1 where
    the PLC could not be told."""
    if arguments[0] == "--guard":
        return guard(Path(arguments[1]), int(arguments[2]))
    unit = arguments[0]
    given_up = "MONITOR_SERVICE_RESULT" in os.environ  # run by OnFailure= (systemd.exec(5))
    if not given_up and os.environ.get("SERVICE_RESULT") == "success":
        return 0  # it ended in good order, and has left the output safe itself
    told = True
    if (unit == GATE and not given_up) or not gate_lives(RUN / LOCK):
        told = make_safe(RUN / "safe-state", PATIENT_S if given_up else MOST_S)
    if given_up:
        call(unit, os.environ)
    return 0 if told else 1


def guard(path: Path, gate: int) -> int:
    """Wait until this gate is gone, which holds the other end of standard input."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # whoever ends the gate means its guard, too
    if os.read(0, 1) or _next_gate_lives(path.with_name(LOCK), gate):
        return 0  # a farewell; or the next gate is there, and has the output
    return 0 if make_safe(path, MOST_S) else 1


def gate_lives(lock: Path) -> bool:
    """True while a gate holds its lock."""
    try:
        with lock.open() as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def _next_gate_lives(lock: Path, gate: int) -> bool:
    """The kernel may close a dead gate's pipe before it lets go of its lock."""
    return gate_lives(lock) and lock.read_text(encoding="ascii") != str(gate)


def make_safe(path: Path, within_s: float) -> bool:
    """Send what the gate has left; nothing was left where the output needs nothing. False, with a
    line on stderr, when the PLC has not taken all of it in time."""
    try:
        address, *requests = path.read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        return True
    host, port, timeout = address.split()
    until = time.monotonic() + within_s
    while True:
        patience = min(float(timeout), max(until - time.monotonic(), PAUSE_S))
        try:
            _send(host, int(port), patience, [bytes.fromhex(one) for one in requests])
            return True
        except OSError as error:
            why = error
        if time.monotonic() + PAUSE_S > until:
            break
        time.sleep(PAUSE_S)
    print(
        f"inspector safe: PLC {host}:{port} could not be told to stop ({why}); it sees that the "
        "heartbeat stands still, see to its power and cable",
        file=sys.stderr,
    )
    return False


def _send(host: str, port: int, timeout_s: float, requests: list[bytes]) -> None:
    """All of them at once, then their answers. Raises OSError when one is not taken."""
    with socket.create_connection((host, port), timeout_s) as channel:
        channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for request in requests:
            channel.sendall(request)
            answer = channel.recv(ANSWER, socket.MSG_WAITALL)
            if len(answer) != ANSWER or answer[7] != request[7]:
                raise OSError(f"refuses registers: {answer.hex() or 'no answer'}")


def call(unit: str, environ: Mapping[str, str]) -> None:
    """The alarm to record, as soon as it listens; a line on stderr where that took too long."""
    # Not before the output is safe: these take longer than all of the above.
    from inspector.core.messages import Event
    from inspector.core.paths import of_root
    from inspector.core.terms import Severity
    from inspector.core.topology import LINE, MESSAGES
    from inspector.devices.bus import Bus

    event = Event(
        service=unit.removeprefix("inspector-").replace("@", "-"),  # its next heartbeat ends it
        severity=Severity.ALARM,
        code="service_failed",
        text=_what_happened(unit, environ),
        wall_ns=time.time_ns(),
    )
    until = time.monotonic() + CALL_S
    with Bus() as bus:
        outlet = bus.outlet(of_root(None).socket(LINE), MESSAGES)
        while not outlet.send(event):
            if time.monotonic() > until:
                print(f"inspector safe: record never heard that {unit} fell", file=sys.stderr)
                return
            time.sleep(PAUSE_S)


def _what_happened(unit: str, environ: Mapping[str, str]) -> str:
    result = environ.get("MONITOR_SERVICE_RESULT", "unknown")
    status = environ.get("MONITOR_EXIT_STATUS", "")
    refused = f"{unit} refuses the settings there are"
    fell = f"{unit} fell again and again ({f'{result} {status}'.rstrip()})"
    return (
        f"{refused if status == REFUSED else fell}; it is tried once a minute, "
        f"journalctl -u {unit} tells why"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
