"""inspector support-bundle: all that is needed to help from afar, in one file, without secrets.

Promises: secrets of the station (passwords, keys, PINs) are taken out, wherever they stand; no
image goes in unless somebody says so; the file is there whole or not at all, for its owner alone;
what could not be gathered is named in it.
Never: sends anything, or needs the line to run.
"""

import argparse
import io
import os
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any

from inspector.cli.screen import add_root, command, print_json, results, say, whole
from inspector.cli.support_contents import contents, explained
from inspector.core.config import StationConfig, load_station
from inspector.core.errors import InspectorError, MaintainerError, OperatorError
from inspector.core.paths import Paths, of_root
from inspector.core.terms import Kind
from inspector.devices.ledger import LedgerReader
from inspector.domain.keeping import evidence_name
from inspector.domain.redaction import Redaction

LARGEST_SECRET = 1 << 20
NOT_PASSED = (Kind.FAIL, Kind.REVIEW, Kind.FAULT)
ABOUT = """This is a support bundle of the visual inspection station {name}, made at {at}.

It holds configuration, versions, the state of the line, checks of the box, the last ten minutes in
figures, the last faults, events and totals, and the journal of the station's services. Passwords,
keys and PINs were taken out: where one stood it says {gone}. Images: {images}.
"""


def add(commands: Any) -> None:
    made = command(
        commands,
        "support-bundle",
        "put all that is needed to help from afar into one file, without secrets",
        "inspector support-bundle --out /tmp/support.tar.gz",
    )
    add_root(made)
    made.add_argument("--out", type=Path, metavar="FILE", help="default: in the present folder")
    made.add_argument(
        "--hours", type=whole(1, 720), default=24, metavar="N", help="of the journal (default 24)"
    )
    made.add_argument(
        "--with-images",
        type=whole(1, 1000),
        default=0,
        metavar="N",
        help="put in the images of the last N parts that did not pass; asks first",
    )
    made.add_argument("--yes", action="store_true", help="images may go in; do not ask")
    made.set_defaults(command=_support_bundle)


def _support_bundle(arguments: argparse.Namespace) -> int:
    paths, wanted = of_root(arguments.root), arguments.with_images
    if wanted and not arguments.yes:
        _ask(wanted)
    name = f"inspector-support-{_cell(paths)}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
    out: Path = arguments.out or Path(f"{name}.tar.gz")
    missing = write_bundle(paths, out, name, arguments.hours, wanted)
    if arguments.json:
        print_json({"file": str(out), "bytes": out.stat().st_size, "missing": missing})
        return 0
    for line in missing:
        say(f"not in it: {line}")
    images = f"with images of {wanted} parts" if wanted else "no images"
    results.print(f"{out}: {out.stat().st_size // 1024} KiB, {images}")
    return 0


def _ask(count: int) -> None:
    """Somebody has to say that pictures of products may leave. Raises OperatorError."""
    if not sys.stdin.isatty():
        raise OperatorError(f"--with-images {count}: give --yes too, as nobody can be asked here")
    say(f"Images of the last {count} parts that did not pass show your products.")
    if input("Put them into the bundle? [y/N] ").strip().lower() not in ("y", "yes"):
        raise OperatorError("--with-images: not wanted; nothing was written")


def write_bundle(paths: Paths, out: Path, name: str, hours: int, images: int) -> list[str]:
    """Write the file. Returns what could not be gathered, a line each. Raises MaintainerError."""
    fresh = out.with_name(f".{out.name}.part")
    missing: list[str] = []
    try:
        fresh.unlink(missing_ok=True)
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as tar:
            for member, data in _members(paths, hours, images, missing):
                _put(tar, f"{name}/{member}", data)
        fresh.replace(out)
    except OSError as error:
        raise MaintainerError(f"{out}: cannot be written ({error.strerror or error})") from None
    finally:
        fresh.unlink(missing_ok=True)
    return missing


def _members(
    paths: Paths, hours: int, images: int, missing: list[str]
) -> Iterator[tuple[str, bytes]]:
    """Names and contents, one after the other."""
    redaction = Redaction(known_secrets(paths))
    at = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    said = f"of the last {images} parts that did not pass" if images else "none"
    about = ABOUT.format(name=_cell(paths), at=at, gone="[redacted]", images=said)
    yield "ABOUT.txt", about.encode()
    for name, gather in contents(paths, hours, redaction):
        try:
            yield redaction.text(name), gather().encode()
        except (InspectorError, OSError, ValueError) as error:
            missing.append(redaction.text(f"{name}: {explained(error)}").strip())
    yield from _images(paths, images, missing)
    yield "missing.txt", "".join(f"{line}\n" for line in missing).encode()


def _images(paths: Paths, count: int, missing: list[str]) -> Iterator[tuple[str, bytes]]:
    """Evidence of the newest parts that did not pass."""
    if not count:
        return
    try:
        with closing(LedgerReader(paths.ledger)) as reader:
            parts = [one.outcome for one in reader.parts(count, kinds=NOT_PASSED)]
    except InspectorError as error:
        missing.append(f"images: {error}")
        return
    for one in parts:
        for extension in ("jpg", "png"):
            name = evidence_name(one.trigger_wall_ns, one.stream, one.seq, one.kind, extension)
            with suppress(OSError):
                yield f"images/{name}", _read_below(paths.evidence, name)


def _read_below(folder: Path, name: str) -> bytes:
    """A file by open folders and not by its path, in which a taken service could put a link to
    what only root may read. Raises OSError."""
    *folders, last = Path(name).parts
    with ExitStack() as stack:
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        stack.callback(os.close, opened)
        for one in folders:
            opened = os.open(one, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=opened)
            stack.callback(os.close, opened)
        handle = os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=opened)
        with os.fdopen(handle, "rb") as file:
            return file.read()


def known_secrets(paths: Paths) -> set[str]:
    """The values of all secrets that this user may read; whoever may not read one did not write
    it into anything that this user can read, either."""
    found: set[str] = set()
    for path in _secret_files(paths):
        with suppress(OSError):
            if path.is_file() and path.stat().st_size <= LARGEST_SECRET:
                text = path.read_text(encoding="utf-8", errors="surrogateescape")
                found |= {line.strip() for line in text.splitlines()}
                found.add(text.strip())
    return found - {""}


def _secret_files(paths: Paths) -> Iterator[Path]:
    yield from (paths.console_key, paths.plant_key)
    with suppress(OSError):
        yield from sorted((paths.config / "secrets").rglob("*"))
    with suppress(InspectorError):
        config = load_station(paths.station_file)
        named = [config.ui.tls_key] if config.ui else []
        if config.publish:
            named += [config.publish.password_file, config.publish.key_file]
        yield from (Path(name) for name in named if name and "/" in name)


def _cell(paths: Paths) -> str:
    """The station's own name, for the file's."""
    with suppress(InspectorError):
        config: StationConfig = load_station(paths.station_file)
        return config.station.cell
    return "station"


def _put(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = len(data), 0o600, int(time.time())
    tar.addfile(entry, io.BytesIO(data))
