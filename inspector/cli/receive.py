"""inspector receive: what a plant's own system would run, and a working example of it.

Promises: shows what has come, what is missing and what contradicts; with --compare every
difference to a station's own ledger, and ends with 1 if there is one.
Never: changes anything at a station; with --ack it says how far its rows have come, which the
station may heed.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import msgspec

from inspector.cli.comparing import compare, ledger_of, named, print_compared
from inspector.cli.receiving import Taking, idle_or_after, remark
from inspector.cli.screen import command, print_json, results, say, table, whole
from inspector.core.errors import MaintainerError, OperatorError
from inspector.core.terms import Kind
from inspector.devices.receiver import Link, Receiver
from inspector.devices.totals_store import Stream, TotalsStore
from inspector.domain.egress.topics import Topics
from inspector.domain.egress.words import DeviceId

ALL_STATIONS = Topics("+/+/+/+/+").totals
PORT, PORT_WITHOUT_TLS = 8883, 1883


def add(commands: Any) -> None:
    made = command(
        commands,
        "receive",
        "receive stations' totals from a broker into a file, as a plant's own system would",
        "inspector receive --host broker.plant --ca-file ca.pem --db totals.db --ack\n"
        "  inspector receive --db totals.db --compare /srv/station",
    )
    made.add_argument(
        "--db", type=Path, required=True, metavar="FILE", help="where the totals are kept (SQLite)"
    )
    _add_broker(made)
    _add_running(made)
    made.add_argument(
        "--compare",
        type=Path,
        metavar="STATION",
        help="a station's folder or ledger: show every difference, end with 1 if there is one",
    )
    made.add_argument(
        "--give-up",
        type=_device,
        metavar="DEVICE",
        help="wait no longer for the rows of this device that are missing now",
    )
    made.set_defaults(command=_receive)


def _add_broker(made: argparse.ArgumentParser) -> None:
    group = made.add_argument_group("broker (without --host, only what has come is shown)")
    group.add_argument("--host", metavar="NAME")
    group.add_argument("--port", type=whole(1, 65535), metavar="N", help="default: 8883, or 1883")
    group.add_argument("--no-tls", action="store_true", help="for a broker on this very machine")
    group.add_argument("--ca-file", metavar="PEM", help="default: the system's own authorities")
    group.add_argument("--cert-file", metavar="PEM", help="a client's certificate")
    group.add_argument("--key-file", metavar="PEM", help="its key")
    group.add_argument("--username", metavar="NAME")
    group.add_argument("--password-file", metavar="FILE")
    group.add_argument("--client-id", metavar="ID", help="default: one that --db bears")
    group.add_argument(
        "--device",
        type=_device,
        action="append",
        metavar="DEVICE",
        help="ENTERPRISE/SITE/AREA/LINE/CELL; may be repeated; default: all stations",
    )


def _add_running(made: argparse.ArgumentParser) -> None:
    group = made.add_argument_group("receiving")
    group.add_argument(
        "--ack", action="store_true", help='tell stations how far (their publish.ack "application")'
    )
    group.add_argument("--wait", action="store_true", help="wait for a broker that is not there")
    group.add_argument("--for", type=_seconds, dest="for_s", metavar="S", help="end after S s")
    group.add_argument(
        "--idle",
        type=_seconds,
        metavar="S",
        help="end when nothing has come for S seconds, more than one window",
    )


def _receive(arguments: argparse.Namespace) -> int:
    _check(arguments)
    came: dict[str, int] = {}
    if arguments.host or arguments.give_up:
        with TotalsStore(arguments.db) as store:
            if arguments.give_up:
                missing = store.give_up(arguments.give_up, time.time_ns())
                say(f"inspector receive: {arguments.give_up}: {missing} missing rows given up")
            if arguments.host:
                came = _take(arguments, store)
    with TotalsStore(arguments.db, read_only=True) as store:
        return _show(arguments, store, came)


def _check(arguments: argparse.Namespace) -> None:
    broker = ("port", "ca_file", "cert_file", "key_file", "username", "password_file", "client_id")
    alone = [name for name in (*broker, "device", "for_s", "idle") if getattr(arguments, name)]
    alone += [name for name in ("no_tls", "ack", "wait") if getattr(arguments, name)]
    if alone and not arguments.host:
        option = alone[0].removesuffix("_s").replace("_", "-")
        raise OperatorError(f"--{option} needs --host; give the broker's name")
    if bool(arguments.cert_file) != bool(arguments.key_file):
        raise OperatorError("--cert-file and --key-file belong together; give both")
    if arguments.no_tls and (arguments.cert_file or arguments.ca_file):
        raise OperatorError("--no-tls uses no certificate; leave out one of them")
    if arguments.password_file and not arguments.username:
        raise OperatorError("--password-file needs --username; give both")
    if arguments.compare and not ledger_of(arguments.compare).is_file():
        raise MaintainerError(f"--compare {arguments.compare}: holds no station's ledger")


def _take(arguments: argparse.Namespace, store: TotalsStore) -> dict[str, int]:
    """Receive until it is over. Returns how many messages came, by what became of them."""
    tls = not arguments.no_tls
    link = Link(
        arguments.host,
        arguments.port or (PORT if tls else PORT_WITHOUT_TLS),
        arguments.client_id or f"inspector-receive-{store.identity[:12]}",
        tls,
        arguments.ca_file,
        arguments.cert_file,
        arguments.key_file,
        arguments.username,
        arguments.password_file,
    )
    topics = [Topics(device).totals for device in arguments.device or ()] or [ALL_STATIONS]
    receiver = Receiver(link, topics)
    taking = Taking(store, receiver, arguments.ack)
    try:
        taking.run(idle_or_after(taking, arguments.idle, arguments.for_s), arguments.wait)
    finally:
        receiver.close()
    return {what: count for what, count in sorted(taking.came.items()) if count}


def _show(arguments: argparse.Namespace, store: TotalsStore, came: dict[str, int]) -> int:
    compared = compare(arguments.compare, store) if arguments.compare else None
    if arguments.json:
        streams = [_as_json(one) for one in store.streams()]
        print_json({"streams": streams, "came": came, "compared": compared})
    else:
        results.print(table("", _COLUMNS, (_cells(one) for one in store.streams())))
        for one in store.streams():
            if text := remark(one):
                results.print(f"{one.device}: {text}")
        if compared is not None:
            print_compared(compared)
    return 1 if compared is not None and not compared["equal"] else 0


_COLUMNS = ("device", "stream", "rows", "through", *(kind.value for kind in Kind), "missing")


def _cells(one: Stream) -> tuple[object, ...]:
    seen = one.account.seen
    missing = sum(last - first + 1 for first, last in seen.gaps())
    through = seen.through
    return (one.device, one.stream[:8], seen.highest, through, *one.account.counts, missing)


def _as_json(one: Stream) -> dict[str, object]:
    account = one.account
    return {
        "device": one.device,
        "stream": one.stream,
        "through": account.seen.through,
        "highest": account.seen.highest,
        "gaps": account.seen.gaps(),
        "voids": account.voids,
        "given_up": account.given_up,
        "clashes": account.clashes,
        "counts": named(account.counts),
        "cumulative": named(account.cumulative),
        "difference": named(account.difference),
        "contradicts": account.contradicts,
    }


def _device(text: str) -> str:
    """An argument's type. Raises ArgumentTypeError."""
    try:
        return msgspec.convert(text, DeviceId)
    except msgspec.ValidationError:
        raise argparse.ArgumentTypeError(
            f"{text!r}: five names ENTERPRISE/SITE/AREA/LINE/CELL are wanted, no wildcards"
        ) from None


def _seconds(text: str) -> float:
    """An argument's type: seconds above 0. Raises ArgumentTypeError."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 31_536_000:
        raise argparse.ArgumentTypeError(f"{text!r}: seconds above 0 are wanted")
    return value
