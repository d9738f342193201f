"""The gate's journal: what it has decided and `record` has not yet committed.

Promises: an outcome that `append` has taken survives `kill -9` of the process; a torn or damaged
record ends the reading of its file and nothing else; a folder that is full is answered with
False; which parts are settled is known exactly, however many were acknowledged since.
Never: waits for a disk (it lies on tmpfs and is not synced: with the power go the parts that were
not yet committed, and nothing that was), or raises because there is no room.

The folder holds segment files. A record is its payload's length and CRC-32 (little-endian, four
bytes each), then the payload: one letter and a msgpack value. `K` opens a segment with all that is
known so far, `O` is an outcome, `A` is the highest acknowledged number. A segment is deleted
once all of its outcomes are acknowledged; what it knew stands in the `K` of the next.
"""

import os
import struct
import zlib
from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import MappingProxyType

import msgspec

from inspector.core.errors import EngineerError, MaintainerError
from inspector.core.messages import Outcome
from inspector.core.wire import decode, encode
from inspector.domain.streams import MOST_STREAMS, SeqSet

HEADER = struct.Struct("<II")
ALMOST_FULL = 0.75  # from here on `full`: the rest is for the faults that then follow
WINDOW = 2000  # sent and not acknowledged at once; less than the depth of a queue between processes
FRESH = 64  # unsent outcomes kept in memory as well; more only wait when record is away


class _Known(msgspec.Struct, frozen=True):
    """First record of a segment."""

    next_number: int
    acked: int
    settled: dict[str, tuple[int, list[int]]]


@dataclass(slots=True)
class _Segment:
    index: int
    path: Path
    handle: int
    size: int = 0
    last_number: int = -1
    torn: bool = False


@dataclass(slots=True)
class _Entry:
    number: int
    segment: _Segment
    offset: int
    length: int
    fresh: Outcome | None  # spares reading back what is sent as soon as it is written


_known = msgspec.msgpack.Decoder(_Known)
_number = msgspec.msgpack.Decoder(int)


class Spool:
    """The journal, and how far it has been sent. One process at a time, one thread."""

    def __init__(
        self,
        folder: Path,
        first_number: int = 0,
        capacity: int = 64 << 20,
        segment_bytes: int = 4 << 20,
    ) -> None:
        """Read what an earlier run has left. `first_number` holds where there is nothing;
        `capacity` and `segment_bytes` are in bytes."""
        self._folder = folder
        self._capacity = capacity
        self._segment_bytes = segment_bytes
        self._segments: list[_Segment] = []
        self._entries: deque[_Entry] = deque()
        self._settled: OrderedDict[str, SeqSet] = OrderedDict()
        self._bytes = 0
        self._refused = False
        self._reported = False
        self._problem = ""
        self.damaged = 0  # segments whose end could not be read
        self.next_number = first_number
        self._acked = -1
        self._sent = 0  # how many of the entries, from the first, are under way
        for path in sorted(folder.glob("segment-" + 12 * "[0-9]")):
            self._load(path)
        self._drop_acked()
        self._rotate()

    @property
    def pending(self) -> int:
        """Outcomes that are not acknowledged."""
        return len(self._entries)

    @property
    def full(self) -> bool:
        """True from three quarters of the capacity on, or when the last outcome found no room."""
        return self._refused or self._bytes >= ALMOST_FULL * self._capacity

    def settled(self) -> Mapping[str, SeqSet]:
        """Per stream the parts that have their outcome, of the 1024 streams that last got one:
        a view that follows what is appended."""
        return MappingProxyType(self._settled)

    def append(self, outcome: Outcome) -> bool:
        """Keep an outcome. False when there is no room; then it is not kept. Raises EngineerError
        when its number is not the next."""
        if outcome.number != self.next_number:
            raise EngineerError(f"outcome {outcome.number} where {self.next_number} is the next")
        body = encode(outcome)
        written = self._write(b"O", body)
        if written is None:
            self._refused = True
            return False
        self._note(outcome, *written, len(body))
        return True

    def ack(self, through: int) -> bool:
        """`record` has committed every outcome up to this number. False when it is not ours."""
        if through >= self.next_number:
            return False
        if through > self._acked:
            self._acked = through
            self._drop_acked()
            self._write(b"A", msgspec.msgpack.encode(through))  # without room: sent once more
        return True

    def unsent(self, most: int) -> Iterator[Outcome]:
        """Up to `most` outcomes that are next to be sent, in order and without a gap; at most
        `WINDOW` are under way. Each counts as sent once the next is asked for."""
        stop = min(self._sent + most, WINDOW)
        for entry in list(islice(self._entries, self._sent, stop)):
            yield entry.fresh or self._read(entry)
            entry.fresh = None
            self._sent += 1

    @property
    def under_way(self) -> int:
        """Outcomes sent and not acknowledged."""
        return self._sent

    def rewind(self) -> None:
        """Send again all that is not acknowledged."""
        self._sent = 0

    def problem(self) -> str:
        """Why the last write failed, once for each time it begins; else nothing."""
        if not self._problem or self._reported:
            return ""
        self._reported = True
        return self._problem

    def close(self) -> None:
        for segment in self._segments:
            os.close(segment.handle)
        self._segments.clear()

    def _note(self, outcome: Outcome, segment: _Segment, offset: int, length: int) -> None:
        """Take an outcome that stands in the journal into account."""
        self.next_number = outcome.number + 1
        segment.last_number = outcome.number
        self._settled.setdefault(outcome.stream, SeqSet()).add(outcome.seq)
        self._settled.move_to_end(outcome.stream)
        if len(self._settled) > MOST_STREAMS:
            self._settled.popitem(last=False)
        fresh = outcome if len(self._entries) - self._sent < FRESH else None
        self._entries.append(_Entry(outcome.number, segment, offset, length, fresh))

    def _write(self, letter: bytes, body: bytes) -> tuple[_Segment, int] | None:
        """One record in one write: (segment, offset of the body), or None when it found no room."""
        segment = self._segments[-1] if self._segments else None
        if segment is None or segment.torn or segment.size >= self._segment_bytes:
            segment = self._rotate()
        if segment is None or not self._put(segment, letter, body):
            segment = self._begin_anew()
            if segment is None or not self._put(segment, letter, body):
                return None
        return segment, segment.size - len(body)

    def _put(self, segment: _Segment, letter: bytes, body: bytes) -> bool:
        record = _record(letter, body)
        if self._bytes + len(record) > self._capacity:
            return self._fails(f"{self._folder}: holds {self._bytes >> 20} MB, its limit")
        try:
            written = os.write(segment.handle, record)
            if written < len(record):
                os.ftruncate(segment.handle, segment.size)
                return self._fails(f"{self._folder}: no space left")
        except OSError as error:
            segment.torn = True
            return self._fails(f"{segment.path}: cannot be written ({error.strerror})")
        segment.size += written
        self._bytes += written
        self._problem, self._reported, self._refused = "", False, False
        return True

    def _fails(self, problem: str) -> bool:
        self._problem = self._problem or problem
        return False

    def _rotate(self) -> _Segment | None:
        """Begin a segment with all that is known. None when there is no room for it."""
        index = self._segments[-1].index + 1 if self._segments else 0
        path = self._folder / f"segment-{index:012d}"
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC, 0o600)
        except OSError as error:
            self._fails(f"{path}: cannot be made ({error.strerror})")
            return None
        segment = _Segment(index, path, handle)
        if not self._put(segment, b"K", self._knowledge()):
            os.close(handle)
            path.unlink(missing_ok=True)
            return None
        self._segments.append(segment)
        self._drop_acked()
        return segment

    def _begin_anew(self) -> _Segment | None:
        """Without room for another segment: the last one over again, once none of it is needed.

        What is known is written over its head, which takes no new room, and only then the rest is
        cut off; whenever the process dies, one of the two can be read.
        """
        if self._entries or len(self._segments) != 1:
            return None
        segment = self._segments[0]
        record = _record(b"K", self._knowledge())
        if len(record) > segment.size:
            return None
        try:
            with segment.path.open("r+b", buffering=0) as file:
                file.write(record)
                file.truncate(len(record))
        except OSError:
            return None
        self._bytes += len(record) - segment.size
        segment.size, segment.torn = len(record), False
        return segment

    def _knowledge(self) -> bytes:
        settled = {name: (seqs.floor, seqs.above) for name, seqs in self._settled.items()}
        return msgspec.msgpack.encode(_Known(self.next_number, self._acked, settled))

    def _drop_acked(self) -> None:
        while self._entries and self._entries[0].number <= self._acked:
            self._entries.popleft()
            self._sent = max(0, self._sent - 1)
        while len(self._segments) > 1 and self._segments[0].last_number <= self._acked:
            segment = self._segments.pop(0)
            os.close(segment.handle)
            segment.path.unlink(missing_ok=True)
            self._bytes -= segment.size

    def _read(self, entry: _Entry) -> Outcome:
        return _outcome(os.pread(entry.segment.handle, entry.length, entry.offset))

    def _load(self, path: Path) -> None:
        try:
            handle = os.open(path, os.O_RDWR | os.O_APPEND)
        except OSError as error:
            raise MaintainerError(
                f"{path}: cannot be read ({error.strerror}); mend its owner"
            ) from None
        size = os.fstat(handle).st_size
        segment = _Segment(int(path.name.removeprefix("segment-")), path, handle, size, torn=True)
        self._segments.append(segment)
        self._bytes += size
        end = 0
        try:
            for offset, payload in _records(path.read_bytes()):
                self._recall(segment, offset, payload)
                end = offset + len(payload)
        except (msgspec.MsgspecError, EngineerError):
            pass  # sound, yet of another version of the program: ends the file like damage
        self.damaged += end < size

    def _recall(self, segment: _Segment, offset: int, payload: bytes) -> None:
        body = payload[1:]
        match payload[:1]:
            case b"O":
                self._note(_outcome(body), segment, offset + 1, len(body))
            case b"A":
                self._acked = max(self._acked, _number.decode(body))
            case b"K":
                self._learn(_known.decode(body))

    def _learn(self, known: _Known) -> None:
        self.next_number = max(self.next_number, known.next_number)
        self._acked = max(self._acked, known.acked)
        for name, (floor, above) in known.settled.items():
            self._settled[name] = SeqSet(floor, above)
            self._settled.move_to_end(name)


def _record(letter: bytes, body: bytes) -> bytes:
    payload = letter + body
    return HEADER.pack(len(payload), zlib.crc32(payload)) + payload


def _outcome(body: bytes) -> Outcome:
    message = decode(body)
    if not isinstance(message, Outcome):
        raise EngineerError(f"the spool holds a {type(message).__name__} for an outcome")
    return message


def _records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(offset, payload) of every sound record up to the first that is not."""
    offset = 0
    while offset + HEADER.size <= len(data):
        length, check = HEADER.unpack_from(data, offset)
        start = offset + HEADER.size
        payload = data[start : start + length]
        if len(payload) < length or zlib.crc32(payload) != check:
            return
        yield start, payload
        offset = start + length
