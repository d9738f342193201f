"""The bus: sending never waits, rubbish never hurts, pixels follow their message."""

import stat
from pathlib import Path

import pytest
import zmq

from inspector.core.errors import MaintainerError
from inspector.core.messages import Settled
from inspector.core.orders import Reply
from inspector.devices.bus import Bus

MESSAGE = Settled(stream="s", seq=1)


def test_message_and_payload_arrive(root: Path) -> None:
    with Bus() as bus:
        inbox = bus.inbox(f"ipc://{root}/a", depth=10)
        outlet = bus.outlet(f"ipc://{root}/a", 10)
        assert outlet.connected(1000)
        assert outlet.send(MESSAGE, b"pixels")
        assert inbox.wait(1000)
        received = inbox.receive()
        assert received is not None
        message, payload = received
        assert message == MESSAGE
        assert payload is not None
        assert bytes(payload) == b"pixels"


def test_sending_to_nobody_is_answered_at_once(root: Path) -> None:
    with Bus() as bus:
        assert not bus.outlet(f"ipc://{root}/nobody", 10).send(MESSAGE)


def test_full_queue_is_answered_at_once(root: Path) -> None:
    with Bus() as bus:
        bus.inbox(f"ipc://{root}/a", depth=5)
        outlet = bus.outlet(f"ipc://{root}/a", 5)
        assert outlet.connected(1000)
        payload = bytes(100_000)
        sent = [outlet.send(MESSAGE, payload) for _ in range(1000)]
        assert not all(sent)


def test_rubbish_is_counted_and_skipped(root: Path) -> None:
    with Bus() as bus:
        inbox = bus.inbox(f"ipc://{root}/a", depth=10)
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        push = context.socket(zmq.PUSH)
        push.connect(f"ipc://{root}/a")
        push.send(b"rubbish")
        push.send_multipart([b"", b"", b""])
        outlet = bus.outlet(f"ipc://{root}/a", 10)
        assert outlet.connected(1000)
        assert outlet.send(MESSAGE)
        got = None
        while got is None:
            assert inbox.wait(1000)
            got = inbox.receive()
        assert got[0] == MESSAGE
        while inbox.refused < 2:
            assert inbox.wait(1000)
            inbox.receive()
        context.destroy(linger=0)


def test_command_is_answered(root: Path) -> None:
    with Bus() as bus:
        desk = bus.answer(f"ipc://{root}/desk")
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        asker = context.socket(zmq.REQ)
        asker.connect(f"ipc://{root}/desk")
        from inspector.core.wire import decode, encode

        asker.send(encode(MESSAGE))
        got = None
        while got is None:
            got = desk.receive()
        desk.answer(got[0], Reply(ok=True, text="done"))
        assert asker.poll(1000)
        assert decode(asker.recv()) == Reply(ok=True, text="done")
        context.destroy(linger=0)


def test_no_answer_is_one_line(root: Path) -> None:
    with Bus() as bus, pytest.raises(MaintainerError, match=r"no answer within 0\.1 s"):
        bus.ask(f"ipc://{root}/nobody", MESSAGE, 0.1)


def test_port_in_use_is_one_line() -> None:
    with Bus() as first, Bus() as second:
        first.inbox("tcp://127.0.0.1:47311", depth=1)
        with pytest.raises(MaintainerError, match=r"tcp://127\.0\.0\.1:47311: cannot be bound"):
            second.inbox("tcp://127.0.0.1:47311", depth=1)


def test_socket_path_taken_by_a_file_is_one_line(root: Path) -> None:
    (root / "a").write_text("in the way")
    with Bus() as bus, pytest.raises(MaintainerError, match="is in the way of a socket"):
        bus.inbox(f"ipc://{root}/a", depth=1)


def test_inbox_is_open_to_others_only_in_a_folder_that_hands_its_group_on(root: Path) -> None:
    """On an installed station each inbox lies in a folder of those who may send to it."""
    with Bus() as bus:
        for name, mode, socket_mode in (("own", 0o755, 0o600), ("shared", 0o2750, 0o660)):
            (root / name).mkdir()
            (root / name).chmod(mode)
            bus.inbox(f"ipc://{root / name / 'inbox'}", depth=1)
            assert stat.S_IMODE((root / name / "inbox").stat().st_mode) == socket_mode
