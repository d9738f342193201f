"""Which alarms there are, what raises and ends each, and how long it stands on the screen.

Promises: every alarm has a rule here, and so cause and remedy in every language (a test holds the
catalogues against `CODES`); an alarm that a service raises and this table does not know is shown
all the same; one that is active stays, acknowledged or not; one that is over stays until somebody
has acknowledged it, where its rule says so (ISA-18.2).
Never: reads a clock, or hides an active alarm.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from msgspec import structs

from inspector.core.errors import OperatorError
from inspector.core.live import Alarm
from inspector.core.messages import Event, Heartbeat
from inspector.core.terms import Severity

MOST_SHOWN = 50


class Lasting(Enum):
    """How long an alarm stands."""

    WHILE = "while"  # as long as its cause lasts
    SEEN = "seen"  # so long, and until it is acknowledged
    ONCE = "once"  # a happening, over at once: until it is acknowledged


class Ends(Enum):
    """What ends an alarm besides events."""

    EVENT = "event"  # nothing
    HEARD = "heard"  # the service's next heartbeat
    SOUND = "sound"  # a heartbeat of the service that says `running`
    START = "start"  # a start of record, which tells it again where it lasts


@dataclass(frozen=True)
class Rule:
    """One kind of alarm. It is raised by events of its own code, and ended by those in `ended_by`
    of any service; a WARNING is a note, which nobody need acknowledge."""

    lasting: Lasting
    ended_by: tuple[str, ...] = ()
    ends: Ends = Ends.EVENT
    severity: Severity = Severity.ALARM


_LOADED = ("recipe_changed",)
_ANSWERED = ("publish_taken", "broker_down")

RULES: Mapping[str, Rule] = {
    # Of the parts.
    "consecutive_rejects": Rule(Lasting.SEEN),
    "fault_rate": Rule(Lasting.SEEN),
    "camera": Rule(Lasting.WHILE),
    "drift": Rule(Lasting.WHILE),
    "challenge_failed": Rule(Lasting.SEEN),
    "challenge_overdue": Rule(Lasting.WHILE),
    # Of the services.
    "service_silent": Rule(Lasting.WHILE, ("service_back",), Ends.HEARD),
    "model_refused": Rule(Lasting.SEEN, _LOADED),
    "recipe_unusable": Rule(Lasting.SEEN, _LOADED),
    "recipe_not_switched": Rule(Lasting.ONCE),
    "output": Rule(Lasting.SEEN, ends=Ends.SOUND),
    "spool": Rule(Lasting.SEEN, ends=Ends.SOUND),
    "spool_full": Rule(Lasting.SEEN, ends=Ends.SOUND),
    "spool_damaged": Rule(Lasting.ONCE),
    "sums": Rule(Lasting.ONCE),
    "refused": Rule(Lasting.ONCE),
    "ack_unknown": Rule(Lasting.ONCE),
    "service_failed": Rule(Lasting.WHILE, ("service_back",), Ends.HEARD),
    # Of the records.
    "disk": Rule(Lasting.WHILE, ("disk_free",), Ends.START),
    "ballast_gone": Rule(Lasting.WHILE, ("ballast_back",), Ends.START),
    "ledger_stalled": Rule(Lasting.WHILE, ("ledger_resumed",), Ends.START),
    "ledger_set_aside": Rule(Lasting.ONCE),
    "ledger_restored": Rule(Lasting.ONCE),
    "evidence_gone": Rule(Lasting.WHILE, ("evidence_back",), Ends.START),
    "current_unread": Rule(Lasting.ONCE),
    "current_unwritten": Rule(Lasting.WHILE, ("current_written",), Ends.START),
    "totals_set_aside": Rule(Lasting.ONCE),
    "audit_missed": Rule(Lasting.ONCE),
    # Of the box.
    "clock_behind": Rule(Lasting.WHILE, ("clock_right",), Ends.START),
    "upgrade_returned": Rule(Lasting.ONCE),
    "selftest_failed": Rule(Lasting.WHILE, ("selftest_passed",)),
    # Of what leaves.
    "identity_taken": Rule(Lasting.WHILE, ("broker_up",)),
    "publish_exposed": Rule(Lasting.WHILE, ("broker_up",), Ends.SOUND),
    # Notes.
    "totals_wait": Rule(Lasting.WHILE, ("totals_go_on",), Ends.START, Severity.WARNING),
    "evidence_on_hold": Rule(Lasting.WHILE, ("evidence_resumed",), Ends.START, Severity.WARNING),
    "backup_failed": Rule(Lasting.WHILE, ("backup_made",), severity=Severity.WARNING),
    "retention_waits": Rule(Lasting.WHILE, ("retention_goes_on",), Ends.START, Severity.WARNING),
    "clock_jumped": Rule(Lasting.ONCE, severity=Severity.WARNING),
    "broker_down": Rule(Lasting.WHILE, ("broker_up",), severity=Severity.WARNING),
    "publish_refused": Rule(Lasting.WHILE, _ANSWERED, severity=Severity.WARNING),
    "publish_unread": Rule(Lasting.WHILE, _ANSWERED, severity=Severity.WARNING),
    "receiver_silent": Rule(Lasting.WHILE, ("receiver_heard",), severity=Severity.WARNING),
    "sparkplug_down": Rule(Lasting.WHILE, ("sparkplug_up",), severity=Severity.WARNING),
}
UNKNOWN = Rule(Lasting.ONCE)
# Who tells of the station and is none of its processes: they come, say it and go.
VISITORS = ("selftest", "upgrade")
CODES = tuple(RULES)  # each with its texts, `alarm.CODE` and `alarm.CODE.remedy`


def rule_of(code: str) -> Rule:
    return RULES.get(code, UNKNOWN)


@dataclass(frozen=True)
class Standing:
    """An alarm with its times, wall clock in ns; None for what has not happened yet."""

    alarm: Alarm
    ended_ns: int | None = None
    acknowledged_ns: int | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.alarm.code, self.alarm.service

    @property
    def gone(self) -> bool:
        """True when nobody need see it any more."""
        if self.alarm.active:
            return False
        seen = self.acknowledged_ns is not None
        return seen or rule_of(self.alarm.code).lasting is Lasting.WHILE


class AlarmList:
    """The alarms that stand. `changed` has those that a disk does not know yet, by id."""

    def __init__(self, standing: Iterable[Standing] = (), last_id: int = 0) -> None:
        """`standing`: what an earlier run has left; `last_id`: the highest id ever given."""
        self._by_key = {one.key: one for one in standing}
        self._last_id = max([last_id, *(one.alarm.id for one in self._by_key.values())])
        self.changed: dict[int, Standing] = {}

    def shown(self) -> tuple[Alarm, ...]:
        """The gravest first: alarms before notes, unseen before seen, active before over, and the
        newest of each first."""
        ordered = sorted((one.alarm for one in self._by_key.values()), key=_rank)
        return tuple(ordered[:MOST_SHOWN])

    def raise_(self, code: str, service: str, severity: Severity, text: str, now: int) -> None:
        """Something is wrong, or is still so. Said again, what a person has to acknowledge counts
        as new, and all else keeps its time."""
        rule, before = rule_of(code), self._by_key.get((code, service))
        if before and before.alarm.active and rule.lasting is Lasting.WHILE:
            if before.alarm.text != text:
                self.put(replace(before, alarm=structs.replace(before.alarm, text=text)))
            return
        if before is None:
            self._last_id += 1
        once = rule.lasting is Lasting.ONCE
        alarm = Alarm(
            id=before.alarm.id if before else self._last_id,
            code=code,
            service=service,
            severity=severity,
            text=text,
            raised_wall_ns=now,
            active=not once,
        )
        self.put(Standing(alarm, now if once else None))

    def end(self, code: str, service: str | None, now: int) -> None:
        """It is over. `service` None: of whatever service."""
        for one in self._active():
            if one.alarm.code == code and service in (None, one.alarm.service):
                self._over(one, now)

    def _over(self, one: Standing, now: int) -> None:
        self.put(replace(one, alarm=structs.replace(one.alarm, active=False), ended_ns=now))

    def seen(self, id: int, who: str, now: int) -> Standing:
        """The alarm as it is once somebody has seen it, to be `put`; whoever saw it first keeps
        it. Raises OperatorError when there is none of this number."""
        for one in self._by_key.values():
            if one.alarm.id == id and one.acknowledged_ns is not None:
                return one
            if one.alarm.id == id:
                alarm = structs.replace(one.alarm, acknowledged_by=who)
                return replace(one, alarm=alarm, acknowledged_ns=now)
        raise OperatorError(f"alarm {id}: stands no longer; look at the list again")

    def hear(self, event: Event) -> None:
        """An event, which may raise an alarm and may end others."""
        for code, ended in RULES.items():
            if event.code in ended.ended_by:
                service = event.service if ended.ends is Ends.HEARD else None
                self.end(code, service, event.wall_ns)
        if event.severity is Severity.ALARM or event.code in RULES:
            severity = rule_of(event.code).severity
            self.raise_(event.code, event.service, severity, event.text, event.wall_ns)

    def hear_beat(self, heartbeat: Heartbeat, now: int) -> None:
        """A service is there, and says how it is."""
        for one in self._active():
            ends = rule_of(one.alarm.code).ends
            ended = ends is Ends.HEARD or (ends is Ends.SOUND and heartbeat.state == "running")
            if ended and one.alarm.service == heartbeat.service:
                self._over(one, now)

    def begin(self, services: Collection[str], now: int) -> None:
        """record starts: over is what it tells again where it lasts, and whatever a service that
        is none of `services` any more could end."""
        for one in self._active():
            told_again = rule_of(one.alarm.code).ends is Ends.START
            if told_again or one.alarm.service not in {*services, *VISITORS}:
                self._over(one, now)

    def is_active(self, code: str, service: str) -> bool:
        one = self._by_key.get((code, service))
        return bool(one and one.alarm.active)

    def unknown(self) -> None:
        """A new ledger knows none of them."""
        self.changed |= {one.alarm.id: one for one in self._by_key.values()}

    def _active(self) -> list[Standing]:
        return [one for one in self._by_key.values() if one.alarm.active]

    def put(self, one: Standing) -> None:
        """This is how it is now."""
        self.changed[one.alarm.id] = one
        if one.gone:
            self._by_key.pop(one.key, None)
        else:
            self._by_key[one.key] = one


def _rank(alarm: Alarm) -> tuple[bool, bool, bool, int, int]:
    note = alarm.severity is not Severity.ALARM
    return note, bool(alarm.acknowledged_by), not alarm.active, -alarm.raised_wall_ns, -alarm.id
