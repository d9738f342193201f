"""Where everything lives, from one root.

Promises: on a bench every path lies under `INSPECTOR_ROOT`; an installed station has the places of
the Filesystem Hierarchy Standard (`INSTALLED`), where every process finds them without being told.
Never: creates anything on import, and never guesses a home folder.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from inspector.core.errors import MaintainerError
from inspector.core.folders import FOLDERS, Folder, role, written_by

SHARED_MEMORY = Path("/dev/shm")
LONGEST_SOCKET_PATH = 107  # sun_path on Linux, without the closing zero
RECORDS_OWN = ("live", "control")  # its sockets besides its inbox


@dataclass(frozen=True)
class Paths:
    """The folders of one station."""

    config: Path
    state: Path
    run: Path
    cache: Path

    @property
    def station_file(self) -> Path:
        return self.config / "station.toml"

    @property
    def recipes(self) -> Path:
        return self.config / "recipes"

    @property
    def taught_recipes(self) -> Path:
        """Recipes that were made or changed at the screen; they go before those of `config`."""
        return self.state / "recipes"

    def recipe(self, name: str) -> Path:
        """Where the recipe of this name lies, or would lie."""
        taught = self.taught_recipes / f"{name}.toml"
        return taught if taught.is_file() else self.recipes / f"{name}.toml"

    def recipe_names(self) -> list[str]:
        """All recipes there are, sorted."""
        folders = (self.recipes, self.taught_recipes)
        return sorted({path.stem for folder in folders for path in folder.glob("*.toml")})

    @property
    def people(self) -> Path:
        """Who may log in at the screen: names, roles and hashed PINs."""
        return self.config / "people.toml"

    @property
    def console_key(self) -> Path:
        """The session of whoever may read the station's own files; new with each `record`."""
        return self.run / "record" / "console.key"

    @property
    def plant_key(self) -> Path:
        """The session of the plant's MES, for publish to order with; new with each `record`."""
        return self.run / "plant" / "plant.key"

    @property
    def workshop(self) -> Path:
        """Pictures and models that are being made at the screen."""
        return self.state / "workshop"

    @property
    def models(self) -> Path:
        return self.state / "models"

    @property
    def proofs(self) -> Path:
        """Which models have been proven on this box; may be deleted at any time."""
        return self.cache / "proofs"

    @property
    def ledger(self) -> Path:
        return self.state / "ledger.db"

    @property
    def evidence_note(self) -> Path:
        """Is there once evidence has been on a disk of its own; written by `record`."""
        return self.state / "evidence.disk"

    @property
    def clock_floor(self) -> Path:
        """A time that has been; written by `record`."""
        return self.state / "clock"

    @property
    def evidence(self) -> Path:
        return self.state / "evidence"

    @property
    def current(self) -> Path:
        """What is being made now (recipe, lot); written by `record`, read by all at start."""
        return self.state / "current.json"

    @property
    def spool(self) -> Path:
        """Outcomes the gate has decided and `record` has not yet committed."""
        return self.run / "spool"

    @property
    def safe_state(self) -> Path:
        """How the output is put into its safe state when the gate is dead; written by `gate`."""
        return self.run / "gate" / "safe-state"

    @property
    def output_log(self) -> Path:
        return self.state / "gate" / "output.log"

    @property
    def backups(self) -> Path:
        """Where backups are kept unless `[backup]` names another place."""
        return self.state / "backups"

    @property
    def screen(self) -> Path:
        """Where the touchscreen's server is reached; written by `ui`."""
        return self.run / "ui" / "ui.json"

    @property
    def frames(self) -> Path:
        """The rings of frames of all cameras."""
        return self.run / "frames"

    def ring(self, camera: str) -> Path:
        return self.frames / f"ring-{camera}"

    def lock(self, name: str) -> Path:
        """Of a process, in its own folder; of whoever supervises a bench, above them."""
        folder = self.run / role(name)
        return (folder if written_by(name) else self.run) / f"{name}.lock"

    def socket(self, name: str) -> str:
        """The ZeroMQ endpoint of a service's inbox. Raises when the path is too long for one."""
        owner = "record" if name in RECORDS_OWN else role(name)
        path = str(self.run.resolve() / owner / f"{name}.sock")
        if len(path.encode()) > LONGEST_SOCKET_PATH:
            raise MaintainerError(
                f"{path}: a socket path may have {LONGEST_SOCKET_PATH} bytes; "
                "choose a shorter INSPECTOR_ROOT"
            )
        return f"ipc://{path}"

    def folder(self, folder: Folder) -> Path:
        """Where one of the station's folders lies."""
        base: Path = getattr(self, folder.base)
        return base / folder.name

    def create(self, service: str | None = None) -> None:
        """Make the folders that are missing and that this service writes, or all of a bench.
        Raises MaintainerError where one that it needs cannot be written."""
        try:
            _link_to_memory(self.run)
        except OSError as error:
            raise MaintainerError(f"{self.run}: cannot be made ({error.strerror})") from None
        for folder in FOLDERS if service is None else written_by(service):
            try:
                _make(self.folder(folder))
            except MaintainerError:
                if folder.needed or service is None:
                    raise


INSTALLED = Paths(
    Path("/etc/inspector"),
    Path("/var/lib/inspector"),
    Path("/run/inspector"),
    Path("/var/cache/inspector"),
)


def under(root: Path) -> Paths:
    """All folders of a bench, below one root."""
    root = root.absolute()
    return Paths(root / "config", root / "state", root / "run", root / "cache")


def from_environment(
    environ: Mapping[str, str] = os.environ, installed: Paths = INSTALLED
) -> Paths:
    """The folders below `INSPECTOR_ROOT`, or else those of the station installed on this box."""
    if root := environ.get("INSPECTOR_ROOT"):
        return under(Path(root))
    if installed.config.is_dir():
        return installed
    raise MaintainerError(
        f"no station is installed here ({installed.config} is missing): give --root DIR, or set "
        "INSPECTOR_ROOT"
    )


def of_root(root: Path | None) -> Paths:
    """The folders below `root` where one is given, else those the environment names."""
    return under(root) if root else from_environment()


def cache_of_user(environ: Mapping[str, str] = os.environ) -> Path:
    """Where commands without a station keep compiled models (XDG base directories)."""
    base = environ.get("XDG_CACHE_HOME") or str(Path(environ.get("HOME", "/tmp")) / ".cache")
    return Path(base) / "inspector"


def _link_to_memory(run: Path) -> None:
    """Put a bench's runtime folder into memory, as systemd does with its own.

    Frames are written there at line speed; on a disk the kernel would write every one back.
    """
    if run.exists() or not SHARED_MEMORY.is_dir() or not os.access(SHARED_MEMORY, os.W_OK):
        return
    run.parent.mkdir(parents=True, exist_ok=True)
    if run.parent.stat().st_dev == SHARED_MEMORY.stat().st_dev:
        return
    name = hashlib.sha256(str(run).encode()).hexdigest()[:12]
    target = SHARED_MEMORY / f"inspector-{os.getuid()}-{name}"
    target.mkdir(mode=0o700, exist_ok=True)
    if target.stat().st_uid != os.getuid():
        raise MaintainerError(f"{target}: belongs to another user; remove it")
    run.unlink(missing_ok=True)
    run.symlink_to(target)


def _make(folder: Path) -> None:
    """A folder that exists and can be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".writable-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise MaintainerError(
            f"{folder}: cannot be written ({error.strerror}); "
            "mend its owner or mount, or choose another root"
        ) from None
