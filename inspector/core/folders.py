"""The folders of a station, written once: who writes each, who may read it, and who may not.

Promises: a folder is written by the processes named here and by nobody else; on an installed
station `systemd/inspector-tmpfiles.conf` makes them so (a test holds it to this table), and what
is made in one takes its group. On a bench, where all run as one user, each process makes its own.
Never: makes anything itself.
"""

from dataclasses import dataclass
from enum import StrEnum


class Group(StrEnum):
    """Who may read a folder, or send to the inboxes in it."""

    STATION = "inspector"  # every process, and maintainers who are put into it
    LINE = "inspector-line"  # what a part passes: capture, detect, gate, record
    FRAMES = "inspector-frames"  # who may see pixels; never publish, never gate
    MODELS = "inspector-models"  # who compiles and proves models: detect, workshop
    PEOPLE = "inspector-people"  # who may log in, with hashed PINs: record, and ui for their names
    PLANT = "inspector-publish"  # publish alone


MEMBERS: dict[Group, frozenset[str]] = {
    Group.STATION: frozenset(
        {"capture", "detect", "gate", "record", "publish", "workshop", "ui"},
    ),
    Group.LINE: frozenset({"capture", "detect", "gate", "record"}),
    Group.FRAMES: frozenset({"capture", "detect", "record", "workshop", "ui"}),
    Group.MODELS: frozenset({"detect", "workshop"}),
    Group.PEOPLE: frozenset({"record", "ui"}),
    Group.PLANT: frozenset({"publish"}),
}


@dataclass(frozen=True)
class Folder:
    """One folder below one of the station's four."""

    base: str  # a field of Paths: state, run or cache
    name: str  # below it; "" is the base itself
    owner: str  # the process whose user it belongs to
    group: Group | None  # None: the owner alone
    also: frozenset[str] = frozenset()  # other processes that write it
    needed: bool = True  # False: its owner starts without it, and says so

    @property
    def mode(self) -> int:
        """What is made in it takes its group. A folder that several write is open to that group;
        who of the group does not write it has it mounted read-only."""
        if self.group is None:
            return 0o700
        return 0o2770 if self.also else 0o2750

    @property
    def writers(self) -> frozenset[str]:
        return self.also | {self.owner}


FOLDERS = (
    # What has to outlast a power cut.
    # The ledger. record starts without it as well: the line goes on, and somebody has to say so.
    Folder("state", "", "record", Group.STATION, needed=False),
    Folder("state", "evidence", "record", Group.FRAMES, needed=False),  # may be another disk
    Folder("state", "backups", "record", None, needed=False),  # may be another disk
    Folder("state", "models", "workshop", Group.FRAMES),  # golden parts are pictures
    Folder("state", "recipes", "workshop", Group.STATION),
    Folder("state", "workshop", "workshop", Group.FRAMES),
    Folder("state", "gate", "gate", Group.STATION, needed=False),  # its log of lanes
    # What is of this boot: inboxes, keys, frames.
    Folder("run", "record", "record", Group.STATION),
    Folder("run", "line", "record", Group.LINE),
    Folder("run", "plant", "record", Group.PLANT),
    Folder("run", "gate", "gate", Group.LINE),
    Folder("run", "spool", "gate", None),
    Folder("run", "detect", "detect", Group.LINE),
    Folder("run", "capture", "capture", Group.LINE),
    Folder("run", "frames", "capture", Group.FRAMES, also=frozenset({"detect"})),
    Folder("run", "workshop", "workshop", Group.LINE),
    Folder("run", "publish", "publish", Group.LINE),
    Folder("run", "ui", "ui", Group.STATION),
    # What may be lost.
    Folder("cache", "", "detect", Group.MODELS, also=frozenset({"workshop"})),
)


def user(service: str) -> str:
    """The operating system's user of a process; all cameras share one."""
    return f"inspector-{role(service)}"


def role(service: str) -> str:
    """What kind of process this is: `capture` of `capture-cam0`."""
    return service.split("-")[0]


def written_by(service: str) -> tuple[Folder, ...]:
    """The folders that this process writes."""
    return tuple(one for one in FOLDERS if role(service) in one.writers)
