"""The desk: who may, what is noted, and what nobody can get past it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from support.desk import Bench
from support.outcomes import STREAM, mixed, outcome
from support.people import PINS, ROLES, let_in
from support.recording import prepare
from support.stations import put_in_use, write_recipe
from support.tiny_model import SIDE

from inspector.core import orders
from inspector.core.config import Ui
from inspector.core.messages import SetMode, SwitchRecipe
from inspector.core.orders import AnyOrder, Errand, ErrandDone, Logout, Renew, Role
from inspector.core.terms import Kind, Mode
from inspector.devices.bundles import find
from inspector.domain.permissions import NEEDS, RANK
from inspector.services.record import pin_checks

EXAMPLES: dict[type, Any] = {
    orders.SetRecipe: orders.SetRecipe(recipe="other", lot="L2"),
    orders.Pause: orders.Pause(),
    orders.Resume: orders.Resume(),
    orders.AcknowledgeAlarm: orders.AcknowledgeAlarm(alarm=1),
    orders.ReviewPart: orders.ReviewPart(stream=STREAM, seq=7, verdict="pass"),
    orders.BeginChallenge: orders.BeginChallenge(),
    orders.PresentGolden: orders.PresentGolden(step=1),
    orders.AbandonChallenge: orders.AbandonChallenge(),
    orders.CollectParts: orders.CollectParts(product="cap", label="good", parts=20),
    orders.AddReviewed: orders.AddReviewed(product="cap"),
    orders.StopWork: orders.StopWork(),
    orders.TeachProduct: orders.TeachProduct(product="cap"),
    orders.TryInShadow: orders.TryInShadow(product="cap", review=0.5, fail=1.0),
    orders.AdoptProduct: orders.AdoptProduct(product="plain", review=0.5, fail=0.9),
    orders.MakeBackup: orders.MakeBackup(),
    orders.DiscardProduct: orders.DiscardProduct(product="cap"),
    orders.ProveModel: orders.ProveModel(name="tiny", version="0123456789ab"),
    orders.UseModel: orders.UseModel(name="tiny", version="0123456789ab"),
    orders.BackModel: orders.BackModel(name="tiny"),
}
ORDERS = pytest.mark.parametrize("order", EXAMPLES.values(), ids=lambda each: type(each).__name__)
BELOW = {Role.TECHNICIAN: "otto", Role.ENGINEER: "tina"}  # whose role is one too low


@pytest.fixture
def bench(root: Path) -> Iterator[Bench]:
    paths = prepare(root)
    let_in(paths)
    made = Bench(paths, Ui(logout_s=300))
    made.ledger.commit([(mixed(seq), False) for seq in range(10)])
    made.alarm()
    yield made
    made.close()


def enough(order: AnyOrder) -> str:
    """Somebody whose role is just high enough."""
    return next(name for name in ROLES if ROLES[name] == NEEDS[type(order)].value)


def test_every_order_has_an_example_and_a_deed(bench: Bench) -> None:
    assert set(EXAMPLES) == set(bench.commands.table) == set(get_args(AnyOrder))


@ORDERS
def test_order_without_a_session_is_refused_and_noted(bench: Bench, order: AnyOrder) -> None:
    for session in ("", "0" * 64, ":anna"):
        reply = bench.order(order, session)
        assert (reply.ok, reply.code, reply.person) == (False, "no_session", None)
    assert bench.noted() == [("", "refused")] * 3
    assert bench.last()["order"] == type(order).__struct_config__.tag
    assert untouched(bench)


@pytest.mark.parametrize(
    "order",
    [each for kind, each in EXAMPLES.items() if NEEDS[kind] is not Role.OPERATOR],
    ids=lambda each: type(each).__name__,
)
def test_order_with_too_low_a_role_is_refused_and_noted(bench: Bench, order: AnyOrder) -> None:
    needed = NEEDS[type(order)]
    name = BELOW[needed]
    reply = bench.order(order, bench.session(name, PINS[name]))
    assert (reply.ok, reply.code) == (False, "low_role")
    assert needed.value in reply.text
    assert bench.noted() == [(name, "login"), (name, "refused")]
    assert bench.last()["role"] == ROLES[name]
    assert untouched(bench)


def two_versions(bench: Bench) -> tuple[str, str]:
    """Of the model: the one in use before, and the one in use now."""
    before = find("tiny", bench.paths.models).name
    now = put_in_use(bench.paths, np.full((SIDE, SIDE, 1), 60, np.uint8)).manifest.version
    return before, now


def untouched(bench: Bench) -> bool:
    return (
        not (bench.workshop.heard or bench.challenges.asked or bench.asked_for())
        and not bench.backups.begun
        and bench.changeover.current.mode is Mode.INSPECT
        and not bench.alarms.shown()[0].acknowledged_by
        and bench.ledger.write(lambda db: db.execute("SELECT count(*) FROM review").fetchone())
        == (0,)
    )


@ORDERS
def test_order_of_a_role_that_may_is_noted_with_who_and_why(bench: Bench, order: AnyOrder) -> None:
    name = enough(order)
    two_versions(bench)
    reply = bench.order(order, bench.session(name, PINS[name]), "because")
    assert reply.ok, reply.text
    entry = bench.audit()[-1]
    tag = "review" if isinstance(order, orders.ReviewPart) else type(order).__struct_config__.tag
    assert (entry.who, entry.action) == (name, tag)
    assert bench.last()["reason"] == "because"
    assert [(done.order, done.who.name) for done in bench.done] == [(order, name)]


def test_higher_role_and_the_console_may_all_that_a_lower_one_may(bench: Bench) -> None:
    assert bench.order(orders.Pause(), bench.session("emma", PINS["emma"])).ok
    assert bench.order(orders.Resume()).ok
    assert RANK[Role.MAINTAINER] > RANK[Role.ENGINEER]
    entry = bench.audit()[-1]
    assert (entry.who, entry.action, bench.last()["role"]) == ("anna", "resume", "maintainer")


def test_console_key_alone_is_that_of_its_owner(bench: Bench) -> None:
    reply = bench.order(orders.Pause(), bench.console)
    assert reply.person is not None
    assert reply.person.name == bench.paths.console_key.owner()


def test_console_key_is_new_with_each_start_and_only_its_owners(bench: Bench) -> None:
    before = bench.console
    assert bench.paths.console_key.read_text().strip() == before
    assert bench.paths.console_key.stat().st_mode & 0o777 == 0o600
    bench.desk.close()
    bench.start()
    assert bench.console != before
    assert bench.order(orders.Pause(), f"{before}:anna").code == "no_session"


# ---- What the chain tells of a change.


def test_recipe_and_lot_before_and_after_are_noted(bench: Bench) -> None:
    assert bench.order(orders.SetRecipe(recipe="other", lot="L2"), reason="next order").ok
    assert bench.last() == {
        "recipe": "other",
        "lot": "L2",
        "recipe_before": "plain",
        "lot_before": "L1",
        "role": "maintainer",
        "reason": "next order",
    }
    assert bench.asked_for() == [("other", "L2")]


def test_mode_before_and_after_is_noted(bench: Bench) -> None:
    assert bench.order(orders.Pause()).ok
    assert (bench.last()["mode"], bench.last()["mode_before"]) == ("paused", "inspect")
    assert bench.changeover.current.mode is Mode.PAUSED
    assert bench.gate.heard[-1] == SetMode(mode=Mode.PAUSED)
    assert bench.order(orders.Resume()).ok
    assert (bench.last()["mode"], bench.last()["mode_before"]) == ("inspect", "paused")


def test_alarm_that_was_acknowledged_is_noted_with_what_it_said(bench: Bench) -> None:
    number = bench.alarms.shown()[0].id
    assert bench.order(orders.AcknowledgeAlarm(alarm=number)).ok
    assert (bench.last()["code"], bench.last()["text"]) == ("camera", "no frame")
    assert [one.acknowledged_by for one in bench.alarms.shown()] == ["anna"]


def test_alarm_that_is_not_there_is_refused(bench: Bench) -> None:
    reply = bench.order(orders.AcknowledgeAlarm(alarm=99))
    assert (reply.ok, reply.code) == (False, "refused")
    assert bench.noted() == [("anna", "refused")]


def test_review_is_noted_with_the_verdict_before(bench: Bench) -> None:
    bench.ledger.commit([(outcome(20, Kind.FAIL), True)])
    for verdict, before in (("pass", "fail"), ("fail", "pass")):
        review = orders.ReviewPart(stream=STREAM, seq=20, verdict=verdict)  # type: ignore[arg-type]
        assert bench.order(review).ok
        assert bench.last()["verdict"] == verdict
        assert before in bench.last()["verdict_before"]


def test_model_before_and_after_is_noted(bench: Bench) -> None:
    before = find("tiny", bench.paths.models).name
    assert bench.order(EXAMPLES[orders.UseModel]).ok
    assert (bench.last()["version"], bench.last()["version_before"]) == ("0123456789ab", before)


def test_limits_before_and_after_an_adoption_are_noted(bench: Bench) -> None:
    assert bench.order(EXAMPLES[orders.AdoptProduct]).ok
    noted = bench.last()
    assert (noted["review"], noted["fail"]) == ("0.5", "0.9")
    assert (noted["review_before"], noted["fail_before"]) == ("0.7", "1")


def test_change_that_fails_is_noted_twice(bench: Bench) -> None:
    in_the_way = bench.paths.current.with_name("current.json.new")
    in_the_way.mkdir()
    reply = bench.order(orders.SetRecipe(recipe="other", lot="L2"))
    assert "cannot be written" in reply.text
    actions = [action for _, action in bench.noted()]
    assert actions == ["set_recipe", "set_recipe_failed", "refused"]


def deaf(bench: Bench) -> None:
    """The chain takes no more entries."""
    bench.ledger.write(
        lambda db: db.execute(
            "CREATE TRIGGER deaf BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'full'); END"
        )
    )


def test_change_that_cannot_be_noted_is_not_made(bench: Bench) -> None:
    session = bench.session("emma", PINS["emma"])
    deaf(bench)
    for order in EXAMPLES.values():
        reply = bench.order(order, session)
        assert (reply.ok, reply.code) == (False, "refused"), order
    assert untouched(bench)
    assert bench.noted() == [("emma", "login")]


def test_login_that_cannot_be_noted_gives_no_session(bench: Bench) -> None:
    deaf(bench)
    reply = bench.login("otto", PINS["otto"])
    assert (reply.ok, reply.session) == (False, "")
    assert "cannot be written" in reply.text


# ---- Reasons.


def test_order_that_the_recipe_wants_a_reason_for_is_refused_without(bench: Bench) -> None:
    write_recipe(bench.paths, "plain", reason_for=["pause", "review_part"])
    session = bench.session("otto", PINS["otto"])
    for reason in ("", "   "):
        reply = bench.order(orders.Pause(), session, reason)
        assert (reply.ok, reply.code) == (False, "reason_wanted")
        assert bench.noted()[-1] == ("otto", "refused")
    assert bench.changeover.current.mode is Mode.INSPECT
    assert bench.order(orders.Pause(), session, "cleaning").ok
    assert bench.last()["reason"] == "cleaning"
    assert bench.order(orders.Resume(), session).ok  # not on the recipe's list


def test_recipe_that_is_gone_can_be_left_without_a_reason(bench: Bench) -> None:
    (bench.paths.recipes / "plain.toml").unlink()
    assert bench.order(orders.SetRecipe(recipe="other", lot="")).ok


# ---- Challenge.


def test_mode_and_recipe_stay_while_golden_parts_are_shown(bench: Bench) -> None:
    bench.changeover.set_mode(Mode.CHALLENGE)
    for order in (orders.Pause(), orders.Resume(), orders.SetRecipe(recipe="plain", lot="L2")):
        reply = bench.order(order)
        assert not reply.ok
        assert "challenge test" in reply.text
    assert bench.changeover.current.mode is Mode.CHALLENGE


def test_lot_of_golden_parts_cannot_be_chosen(bench: Bench) -> None:
    reply = bench.order(orders.SetRecipe(recipe="plain", lot="challenge"))
    assert "golden parts" in reply.text


def test_inspection_that_a_test_has_stopped_is_not_resumed(bench: Bench) -> None:
    bench.changeover.set_mode(Mode.PAUSED)
    bench.challenges.stops = "the test has failed; pass one first"
    reply = bench.order(orders.Resume())
    assert (reply.ok, reply.text) == (False, bench.challenges.stops)
    assert bench.changeover.current.mode is Mode.PAUSED


@pytest.mark.parametrize(
    "order", [orders.BeginChallenge(), orders.PresentGolden(step=2), orders.AbandonChallenge()]
)
def test_challenge_that_is_impossible_is_refused_before_it_is_noted(
    bench: Bench, order: AnyOrder
) -> None:
    bench.challenges.impossible = True
    assert bench.order(order).text == "no test is under way"
    assert bench.noted() == [("anna", "refused")]


def test_challenge_is_told_who_and_why(bench: Bench) -> None:
    bench.order(orders.BeginChallenge())
    bench.order(orders.PresentGolden(step=2))
    bench.order(orders.AbandonChallenge(), reason="shift over")
    expected = [("begin", "anna"), ("present", 2, "anna"), ("abandon", "anna", "shift over")]
    assert bench.challenges.asked == expected


# ---- Errands.


@pytest.mark.parametrize("kind", get_args(Errand), ids=lambda kind: kind.__name__)
def test_errand_is_sent_to_the_workshop(bench: Bench, kind: type[Errand]) -> None:
    two_versions(bench)
    reply = bench.order(EXAMPLES[kind])
    assert reply.ok, reply.text
    assert [(each.errand, each.who) for each in bench.errands()] == [(EXAMPLES[kind], "anna")]


def test_back_is_noted_with_both_versions(bench: Bench) -> None:
    before, now = two_versions(bench)
    assert bench.order(orders.BackModel(name="tiny")).ok
    assert (bench.last()["version"], bench.last()["version_before"]) == (before, now)


def test_back_without_a_version_before_is_refused(bench: Bench) -> None:
    reply = bench.order(orders.BackModel(name="tiny"))
    assert "no version was in use before" in reply.text
    assert not bench.errands()


def test_workshop_that_is_not_there_refuses_errands(bench: Bench) -> None:
    bench.workshop.there = False
    reply = bench.order(orders.TeachProduct(product="cap"))
    assert (reply.ok, reply.code) == (False, "refused")
    assert "the workshop cannot be reached" in reply.text
    assert "\n" not in reply.text
    assert bench.noted() == [("anna", "refused")]


def test_workshop_that_takes_no_more_refuses_errands(bench: Bench) -> None:
    bench.workshop.takes = False
    assert not bench.order(orders.TeachProduct(product="cap")).ok
    actions = [action for _, action in bench.noted()]
    assert actions == ["teach_product", "teach_product_failed", "refused"]


def test_end_of_an_errand_is_noted_and_its_recipe_asked_for(bench: Bench) -> None:
    done = ErrandDone(
        order="adopt_product", product="other", who="emma", ok=True, text="x", recipe="other"
    )
    bench.commands.errand_done(bench.ledger, done)
    bench.commands.take_up(bench.ledger, done)
    assert bench.noted() == [("emma", "adopt_product_done"), ("emma", "set_recipe")]
    assert bench.last()["reason"] == "adopt_product other"
    assert bench.asked_for() == [("other", "L1")]


# ---- Logins and sessions.


def test_login_gives_a_session_of_the_role(bench: Bench) -> None:
    reply = bench.login("tina", PINS["tina"])
    assert reply.ok
    assert reply.person == orders.Person(name="tina", role=Role.TECHNICIAN)
    assert len(reply.session) == 64
    assert bench.ask(Renew(session=reply.session)).person == reply.person
    assert bench.noted() == [("tina", "login")]


def test_wrong_pin_and_unknown_name_are_answered_alike(bench: Bench) -> None:
    wrong, unknown = bench.login("otto", "9999"), bench.login("nobody", "9999")
    assert wrong == unknown
    assert (wrong.ok, wrong.code, wrong.session) == (False, "wrong_pin", "")
    assert bench.noted() == [("otto", "login_refused"), ("nobody", "login_refused")]
    assert "9999" not in "".join(entry.detail for entry in bench.audit())


def test_unknown_name_costs_the_same_check(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    real = pin_checks.fits

    def counted(pin: str, kept: str) -> bool:
        made.append(kept)
        return real(pin, kept)

    monkeypatch.setattr(pin_checks, "fits", counted)
    for name in ("otto", "nobody"):
        bench.login(name, "9999")
    known, unknown = (kept.split("$") for kept in made)
    assert known[:4] == unknown[:4]
    assert [len(field) for field in known] == [len(field) for field in unknown]


def lock(bench: Bench, name: str) -> None:
    assert [bench.login(name, "9999").code for _ in range(3)] == ["wrong_pin"] * 3
    assert bench.login(name, "9999").code == "locked"


@pytest.mark.parametrize("name", ["otto", "nobody"])
def test_pin_guessing_is_locked_out_with_a_growing_delay(bench: Bench, name: str) -> None:
    lock(bench, name)
    for wait in (5, 10, 20, 40):
        reply = bench.login(name, PINS.get(name, "1"))  # the right one as little as another
        assert (reply.code, reply.wait_s) == ("locked", wait)
        bench.clock.advance_ms(wait * 1000)
        assert bench.login(name, "9999").code == "wrong_pin"
    assert bench.login("tina", PINS["tina"]).ok


def test_many_guesses_at_once_are_no_more_than_one_after_another(bench: Bench) -> None:
    addresses = [bench.send(orders.Login(name="otto", pin=f"{pin}")) for pin in range(1000, 1012)]
    bench.turn_until(lambda: len(bench.line.answers) == len(addresses))
    codes = [reply.code for reply in bench.line.answers.values()]
    assert (codes.count("wrong_pin"), codes.count("locked")) == (3, 9)


def test_pin_guessing_stays_locked_out_over_a_restart(bench: Bench) -> None:
    lock(bench, "otto")
    bench.clock.advance_ms(5000)
    assert bench.login("otto", "9999").code == "wrong_pin"
    bench.desk.close()
    bench.start()
    reply = bench.login("otto", PINS["otto"])
    assert (reply.code, reply.wait_s) == ("locked", 10)
    bench.clock.advance_ms(10_000)
    assert bench.login("otto", PINS["otto"]).ok
    bench.desk.close()
    bench.start()
    assert bench.login("otto", "9999").code == "wrong_pin"
    assert bench.login("otto", PINS["otto"]).ok


def test_clock_that_was_set_back_frees_nobody(bench: Bench) -> None:
    lock(bench, "otto")
    bench.clock.wall -= 3600 * 10**9
    bench.desk.close()
    bench.start()
    assert bench.login("otto", PINS["otto"]).code == "locked"


def test_session_ends_by_itself_when_nobody_is_there(bench: Bench) -> None:
    session = bench.session("otto", PINS["otto"])
    bench.clock.advance_ms(299_000)
    assert bench.ask(Renew(session=session)).ok
    bench.clock.advance_ms(301_000)
    assert bench.order(orders.Pause(), session).code == "no_session"
    assert bench.ask(Renew(session=session)).code == "no_session"


def test_logout_ends_the_session_and_is_noted(bench: Bench) -> None:
    session = bench.session("otto", PINS["otto"])
    assert bench.ask(Logout(session=session)).ok
    assert bench.noted()[-1] == ("otto", "logout")
    assert bench.order(orders.Pause(), session).code == "no_session"
    assert bench.ask(Logout(session=session)).code == "no_session"


def test_two_sessions_at_once_go_on_beside_each_other(bench: Bench) -> None:
    first, second = (bench.session(name, PINS[name]) for name in ("otto", "emma"))
    third = bench.session("otto", PINS["otto"])
    assert len({first, second, third}) == 3
    bench.ask(Logout(session=third))
    assert bench.order(orders.Pause(), first).ok
    assert bench.order(orders.Resume(), second).ok
    assert [who for who, action in bench.noted() if action in ("pause", "resume")] == [
        "otto",
        "emma",
    ]


@pytest.mark.parametrize("kept", [("tina",), ()], ids=["removed", "file gone"])
def test_session_of_somebody_who_is_removed_ends(bench: Bench, kept: tuple[str, ...]) -> None:
    session = bench.session("otto", PINS["otto"])
    if kept:
        let_in(bench.paths, *kept)
    else:
        bench.paths.people.unlink()
    assert bench.order(orders.Pause(), session).code == "no_session"
    assert not bench.login("otto", PINS["otto"]).ok


def test_nobody_can_log_in_without_people(bench: Bench) -> None:
    bench.paths.people.unlink()
    reply = bench.login("otto", PINS["otto"])
    assert (reply.ok, reply.code) == (False, "refused")
    assert "`inspector user add NAME`" in reply.text


def test_people_file_that_is_not_in_order_lets_nobody_in_and_nobody_out(bench: Bench) -> None:
    session = bench.session("otto", PINS["otto"])
    bench.paths.people.write_text('[[person]]\nname = "otto"\nrole = "chief"\npin = "4711"\n')
    reply = bench.login("otto", PINS["otto"])
    assert not reply.ok
    assert "role" in reply.text
    assert "4711" not in reply.text
    assert bench.order(orders.Pause(), session).ok


def test_somebody_who_is_added_can_log_in_at_once(bench: Bench) -> None:
    let_in(bench.paths, "otto")
    assert bench.login("tina", PINS["tina"]).code == "wrong_pin"
    let_in(bench.paths)
    assert bench.login("tina", PINS["tina"]).ok


# ---- What is none of an order.


@pytest.mark.parametrize(
    "message",
    [
        SwitchRecipe(recipe="other", lot="", who="anna"),
        SetMode(mode=Mode.PAUSED),
        outcome(1),
        ErrandDone(order="x", product="", who="x", ok=True, text="", recipe="other"),
        b"rubbish",
        b"",
    ],
    ids=["SwitchRecipe", "SetMode", "Outcome", "ErrandDone", "rubbish", "nothing"],
)
def test_what_is_no_order_is_refused_and_noted(bench: Bench, message: Any) -> None:
    reply = bench.ask(message)
    assert (reply.ok, reply.code) == (False, "refused")
    assert "no order" in reply.text
    assert bench.noted() == [("", "refused")]
    assert untouched(bench)


def test_flood_of_refusals_cannot_fill_the_disk_or_hide_another(bench: Bench) -> None:
    session = bench.session("otto", PINS["otto"])
    for number in range(2000):
        bench.send(b"rubbish" if number % 2 else orders.Order(session="x", order=orders.Pause()))
    bench.turn_until(lambda: len(bench.line.answers) == 2000)
    assert all(not reply.ok for reply in bench.line.answers.values())
    assert len(bench.audit()) < 30
    reply = bench.order(orders.TeachProduct(product="cap"), session)
    assert (reply.code, bench.noted()[-1]) == ("low_role", ("otto", "refused"))
    bench.clock.advance_ms(60_000)
    bench.desk.tidy(bench.ledger)
    assert bench.last()["code"] == "many"
    told = sum(1 for who, _ in bench.noted() if who == "") - 1 + int(bench.last()["left_out"])
    assert told == 2000


def test_flood_of_orders_holds_up_no_commit(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a disk that takes its time with each."""
    audit = bench.ledger.audit

    def slow(*entry: Any) -> None:
        bench.clock.advance_ms(20)
        audit(*entry)

    monkeypatch.setattr(bench.ledger, "audit", slow)
    for _ in range(10):
        bench.send(orders.Order(session=f"{bench.console}:anna", order=orders.Pause()))
    assert [len(bench.desk.turn(bench.ledger)) for _ in range(4)] == [3, 3, 3, 1]


def test_name_like_a_script_is_text(bench: Bench) -> None:
    name = "<script>alert(1)</script>"
    reply = bench.login(name, "1")
    assert reply.text == bench.login("other", "1").text
    assert bench.order(orders.SetRecipe(recipe="plain", lot=name)).ok
    assert bench.last()["lot"] == name
    refused = bench.order(orders.SetRecipe(recipe=name, lot=""))
    assert "is not known" in refused.text
