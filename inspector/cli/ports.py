"""A port on this box for something that a command starts.

Never: gives one that somebody listens on.
"""

import socket


def free_port(host: str, usual: int) -> int | None:
    """The usual one, or any that is free; None where there is none."""
    for port in (usual, 0):
        with socket.socket() as probe:
            try:
                return bound(probe, host, port)
            except OSError:
                continue
    return None


def bound(probe: socket.socket, host: str, port: int) -> int:
    """Take a port for a moment. Raises OSError when somebody has it."""
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    probe.bind((host, port))
    return int(probe.getsockname()[1])
