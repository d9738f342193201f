"""An upgrade from one release to another, on a real station: each step of `domain.upgrade`.

Promises: it is conducted by the program of the release that has inspected here; the line stands
still only while its ledger is copied and the processes start; publish waits until the new release
has shown that it inspects, so that nothing leaves that might have to be taken back.
Never: deletes a ledger, or leaves the station on a release that did not inspect in time.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec import structs

from inspector.core.bundle_folder import flush
from inspector.core.config import load_station
from inspector.core.current import load_current
from inspector.core.errors import InspectorError, MaintainerError
from inspector.core.paths import Paths
from inspector.devices.ledger import returning
from inspector.devices.ledger.writer import Ledger
from inspector.devices.releases import Releases
from inspector.domain import upgrade as rules
from inspector.domain.upgrade import Notes, Refused, Step, Upgrade
from inspector.procedures.station_under_upgrade import Station

LOOK_S = 1.0  # between two looks at a release on trial
TOLD_S = 120.0  # for record to hear of a return
CURRENT, LEDGER = "current.json", "ledger.db"

Say = Callable[[str], None]


class Upgrading:
    """One upgrade, from wherever it stands."""

    def __init__(self, releases: Releases, paths: Paths, station: Station, say: Say) -> None:
        self._releases, self._paths, self._station, self._say = releases, paths, station, say
        self._kept = paths.state / "before-upgrade"

    def begin(self, new: str) -> None:
        """Write down that `new` is to take over. Nothing has changed when this raises."""
        if under_way := self._releases.upgrade():
            raise MaintainerError(f"an upgrade to {under_way.new} is under way; wait for its end")
        old = self._releases.named("current")
        if old is None:
            raise MaintainerError("there is no release that could be returned to")
        self._releases.version(new)
        returning.require_room(self._paths.ledger)
        self._station.require_start(new)
        self._station.require_tables(new, returning.version_of(self._paths.ledger) or 0)
        ready = self._station.ready()
        since_ns = time.time_ns()
        self._releases.point("proven", old)
        self._releases.write(
            Upgrade(step=Step.COPYING, old=old, new=new, since_ns=since_ns, ready=ready)
        )

    def after_boot(self) -> None:
        """Before the line starts: all that can be done without it."""
        if upgrade := self._releases.upgrade():
            self._releases.write(rules.after_boot(upgrade))
            self._go_on(running=False)

    def go_on(self) -> None:
        """To the end, with the line stopped and started as need be."""
        self._go_on(running=True)

    def _go_on(self, running: bool) -> None:
        steps = {
            Step.COPYING: self._copy,
            Step.SWITCHING: self._switch,
            Step.RETURNING: self._return,
        }
        while upgrade := self._releases.upgrade():
            if upgrade.step in steps:
                if running:
                    self._station.stop()
                steps[upgrade.step](upgrade)
            elif upgrade.step is Step.TRIAL:
                self._station.hold_publish()
                if not running:
                    return
                self._try_out(upgrade)
            else:
                if not running:
                    return
                self._tell(upgrade)

    def _copy(self, upgrade: Upgrade) -> None:
        self._say(f"the line stands still; its ledger is copied to {self._kept}")
        try:
            with _as_owner_of(self._paths.state):
                returning.copy_stopped(self._paths.ledger, self._kept / LEDGER)
                _copy_if_there(self._paths.current, self._kept / CURRENT)
        except (InspectorError, OSError) as error:
            returning.forget(self._kept)  # half a copy is none
            self._releases.write(rules.give_up(upgrade, f"no copy could be made: {error}"))
            return
        self._releases.write(rules.advanced(upgrade, Step.SWITCHING))

    def _switch(self, upgrade: Upgrade) -> None:
        self._put_in_force(upgrade.new)
        try:
            self._station.take_settings(upgrade.new)
        except InspectorError as error:
            self._releases.write(rules.give_up(upgrade, str(error)))
            return
        self._releases.write(rules.advanced(upgrade, Step.TRIAL))

    def _put_in_force(self, name: str) -> None:
        self._releases.point("current", name)
        self._releases.place_units()
        self._station.read_units()

    def _try_out(self, upgrade: Upgrade) -> None:
        """Watch the new release until it is known whether it inspects."""
        self._say(f"release {upgrade.new} has to show that it inspects")
        self._station.start()
        trial = rules.Trial(upgrade.ready, time.monotonic())
        while (fit := trial.fit(self._station.seen(), time.monotonic())) is None:
            time.sleep(LOOK_S)
        if fit:
            self._settle(upgrade)
        else:
            self._releases.write(rules.give_up(upgrade, trial.verdict))

    def _settle(self, upgrade: Upgrade) -> None:
        self._releases.point("previous", upgrade.old)
        self._releases.point("proven", upgrade.new)
        refused = self._releases.notes().refused
        others = tuple(one for one in refused if one.release != upgrade.new)
        self._releases.note(Notes(refused=others))
        self._releases.end()
        self._releases.place_units()
        self._station.read_units()
        self._station.let_publish()
        returning.forget(self._kept)
        self._releases.remove_others()
        self._say(f"release {upgrade.new} inspects; {upgrade.old} stays at hand")

    def _return(self, upgrade: Upgrade) -> None:
        """To the previous release, with all that was recorded meanwhile."""
        self._say(f"{upgrade.why}; release {upgrade.old} comes back")
        with _as_owner_of(self._paths.state):
            carried = self._give_back_ledger(upgrade)
            self._give_back_current()
        self._put_in_force(upgrade.old)
        with suppress(InspectorError):  # as they are, they were good enough for it before
            self._station.take_settings(upgrade.old)
        told = structs.replace(upgrade, why=f"{upgrade.why}{carried}")
        others = [one for one in self._releases.notes().refused if one.release != upgrade.new]
        refused = Refused(release=upgrade.new, why=told.why, wall_ns=time.time_ns())
        self._releases.note(Notes(refused=(*others, refused)))
        self._releases.write(rules.advanced(told, Step.TELLING))

    def _give_back_ledger(self, upgrade: Upgrade) -> str:
        """The ledger of before the upgrade, where the present one is of no use. Says what of it."""
        ledger, copy = self._paths.ledger, self._kept / LEDGER
        aside = ledger.with_name(f"ledger-{upgrade.new}-{upgrade.since_ns // 10**9}.db")
        before = returning.version_of(copy)
        now, whole = returning.version_of(ledger), returning.is_whole(ledger)
        if rules.needs_old_ledger(before, now, whole):
            returning.give_back(ledger, copy, aside)
        if not aside.exists():
            return ""
        return f"; its ledger lies at {aside}, {self._carry_over(aside, copy)}"

    def _carry_over(self, aside: Path, copy: Path) -> str:
        """The outcomes recorded by the release on trial, into the ledger that has come back."""
        settings = load_station(self._paths.station_file).record
        try:
            ledger = Ledger(
                self._paths.ledger, settings.window_s, settings.ballast_mb, time.time_ns()
            )
            try:
                carried = returning.carry_over(aside, ledger, copy)
                parted = returning.part_ways(aside, ledger, copy, time.time_ns())
                then = f"; {returning.SENT}" if parted else ""
                return f"{carried} outcomes were carried over from it{then}"
            finally:
                ledger.checkpoint()
                ledger.close()
        except InspectorError as error:
            return f"whose outcomes are in it alone ({error})"

    def _give_back_current(self) -> None:
        """What is made now, where the release on trial wrote it in words of its own."""
        try:
            load_current(self._paths.current)
        except MaintainerError:
            _copy_if_there(self._kept / CURRENT, self._paths.current)

    def _tell(self, upgrade: Upgrade) -> None:
        """The line runs again, and people learn of it."""
        self._station.let_publish()
        self._station.start()
        text = f"release {upgrade.new} was returned from, {upgrade.old} inspects: {upgrade.why}"
        if not self._station.tell("upgrade_returned", text, TOLD_S):
            self._say("record could not be told")
        self._releases.end()
        returning.forget(self._kept)
        self._say(text)


@contextmanager
def _as_owner_of(folder: Path) -> Iterator[None]:
    """In a folder that is another's root may do no more than that one: what lies there, or comes
    there meanwhile, may be a link to anywhere. What is made is its owner's, too."""
    if os.geteuid():
        yield
        return
    owner = folder.stat()
    os.setegid(owner.st_gid)
    os.seteuid(owner.st_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def _copy_if_there(source: Path, target: Path) -> None:
    if source.exists():
        draft = target.with_name(f".{target.name}.copy")
        draft.unlink(missing_ok=True)
        draft.write_bytes(source.read_bytes())
        draft.chmod(source.stat().st_mode & 0o777)
        flush(draft)
        draft.replace(target)
