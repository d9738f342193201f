"""What the plant's MES may order, checked by record itself whatever publish has let through."""

import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.desk import Bench
from support.outcomes import outcome
from support.recording import prepare, running, until
from support.stations import write_recipe

from inspector.core.clock import SECOND
from inspector.core.config_mqtt import PlantCommands
from inspector.core.current import load_current
from inspector.core.errors import MaintainerError
from inspector.core.messages import Event, SwitchRecipe
from inspector.core.orders import BeginChallenge, PlantOrder, Reply, SetRecipe
from inspector.core.paths import under
from inspector.core.terms import Mode, Severity
from inspector.devices.console import open_plant_key, plant_session

COMMANDS = PlantCommands(allow=("set_recipe", "request_state"), expires_s=30.0)


@pytest.fixture
def bench(root: Path) -> Iterator[Bench]:
    made = Bench(prepare(root), plant=COMMANDS)
    yield made
    made.close()


def ask(
    bench: Bench, id: str = "id-1", recipe: str = "other", lot: str = "L2", **changes: Any
) -> Reply:
    """What record answers to the plant, by default to an order of this moment."""
    said = {
        "session": bench.plant_key,
        "id": id,
        "issued_wall_ns": bench.clock.wall_ns(),
        "order": SetRecipe(recipe=recipe, lot=lot),
    }
    return bench.ask(PlantOrder(**(said | changes)))


def test_order_of_the_plant_is_an_operators_and_noted_with_its_identifier(bench: Bench) -> None:
    reply = ask(bench, "mes-42", reason="order 4711")
    assert (reply.ok, reply.code) == (True, "accepted")
    assert bench.asked_for() == [("other", "L2")]
    assert bench.noted() == [("mes", "set_recipe")]
    said = bench.last()
    assert (said["id"], said["role"], said["reason"]) == ("mes-42", "operator", "order 4711")
    assert (said["recipe"], said["recipe_before"]) == ("other", "plain")
    assert [done.who.name for done in bench.done] == ["mes"]


def test_another_lot_is_in_force_at_once(bench: Bench) -> None:
    reply = ask(bench, recipe="plain", lot="L9")
    assert (reply.ok, reply.code) == (True, "done")
    assert bench.changeover.current.lot == "L9"


@pytest.mark.parametrize("session", ["", "0" * 32, "console", "listed"])
def test_order_without_the_plants_key_is_refused_and_noted(bench: Bench, session: str) -> None:
    key = f"{bench.console}:anna" if session == "console" else session
    reply = ask(bench, session=key)
    assert (reply.ok, reply.code) == (False, "no_session")
    assert bench.noted() == [("", "refused")]
    assert bench.asked_for() == []


def test_plants_key_opens_nothing_else(bench: Bench) -> None:
    reply = bench.order(SetRecipe(recipe="other", lot=""), bench.plant_key)
    assert (reply.ok, reply.code) == (False, "no_session")
    assert bench.order(BeginChallenge(), f"{bench.plant_key}:mes").code == "no_session"


def test_plant_may_order_nothing_by_default(root: Path) -> None:
    bench = Bench(prepare(root))
    try:
        for session in ("", "0" * 32):
            reply = ask(bench, session=session)
            assert (reply.ok, reply.code) == (False, "no_session")
        assert bench.asked_for() == []
        with pytest.raises(MaintainerError, match="cannot be read"):
            plant_session(bench.paths.plant_key)
    finally:
        bench.close()


@pytest.mark.parametrize(
    "commands",
    [
        PlantCommands(allow=("request_state",)),
        PlantCommands(allow=("set_recipe",), recipes=("plain", "third")),
    ],
)
def test_order_that_is_not_listed_is_not_allowed(root: Path, commands: PlantCommands) -> None:
    bench = Bench(prepare(root), plant=commands)
    try:
        reply = ask(bench)
        assert (reply.ok, reply.code) == (False, "not_allowed")
        assert bench.noted() == [("mes", "refused")]
        assert bench.last()["code"] == "not_allowed"
        assert bench.asked_for() == []
    finally:
        bench.close()


def test_recipe_that_is_listed_may_be_ordered(root: Path) -> None:
    bench = Bench(prepare(root), plant=PlantCommands(allow=("set_recipe",), recipes=("other",)))
    try:
        assert ask(bench).code == "accepted"
    finally:
        bench.close()


@pytest.mark.parametrize("age_s", [30.5, 3600.0, -61.0, -(10**8)])
def test_order_that_is_too_old_or_from_the_future_has_expired(bench: Bench, age_s: float) -> None:
    reply = ask(bench, issued_wall_ns=bench.clock.wall_ns() - int(age_s * SECOND))
    assert (reply.ok, reply.code) == (False, "expired")
    assert bench.last()["id"] == "id-1"
    assert bench.asked_for() == []
    assert ask(bench).ok  # its identifier is not taken by it


@pytest.mark.parametrize("age_s", [0.0, 29.0, -59.0])
def test_clocks_may_differ_a_little(bench: Bench, age_s: float) -> None:
    assert ask(bench, issued_wall_ns=bench.clock.wall_ns() - int(age_s * SECOND)).ok


def test_order_is_not_carried_out_twice(bench: Bench) -> None:
    assert ask(bench, recipe="plain", lot="L5").ok
    assert bench.order(SetRecipe(recipe="plain", lot="L6")).ok
    reply = ask(bench, recipe="plain", lot="L5")
    assert (reply.ok, reply.code) == (False, "replayed")
    assert bench.changeover.current.lot == "L6"
    assert bench.last()["code"] == "replayed"


def test_order_is_not_carried_out_twice_over_a_restart(bench: Bench) -> None:
    assert ask(bench, recipe="plain", lot="L5").ok
    key = bench.plant_key
    bench.start()
    assert ask(bench, session=key).code == "no_session"
    assert ask(bench).code == "replayed"


def test_order_that_was_refused_is_not_carried_out_later(bench: Bench) -> None:
    """Whoever has kept it must not choose the moment."""
    write_recipe(bench.paths, "plain", reason_for=["set_recipe"])
    assert ask(bench).code == "reason_wanted"
    write_recipe(bench.paths, "plain")
    assert ask(bench).code == "replayed"


def test_recipe_that_wants_a_reason_wants_it_of_the_plant_too(bench: Bench) -> None:
    write_recipe(bench.paths, "plain", reason_for=["set_recipe"])
    reply = ask(bench, "a", reason="  ")
    assert (reply.ok, reply.code) == (False, "reason_wanted")
    assert bench.asked_for() == []
    assert ask(bench, "b", reason="order 4711").ok


@pytest.mark.parametrize("order", [("third", "L2"), ("../plain", ""), ("other", "challenge")])
def test_order_that_an_operator_could_not_give_is_refused(
    bench: Bench, order: tuple[str, str]
) -> None:
    reply = ask(bench, recipe=order[0], lot=order[1])
    assert (reply.ok, reply.code) == (False, "refused")
    assert bench.noted() == [("mes", "refused")]


def test_plant_waits_while_a_challenge_test_is_on(bench: Bench) -> None:
    bench.changeover.set_mode(Mode.CHALLENGE)
    assert ask(bench).code == "refused"
    assert bench.asked_for() == []


def test_flood_of_the_plants_orders_hides_no_persons_refusal(bench: Bench) -> None:
    for number in range(100):
        ask(bench, f"id-{number}", recipe="third")
    assert len(bench.noted()) < 30
    bench.order(SetRecipe(recipe="other", lot=""), session="0" * 64)
    assert bench.noted()[-1] == ("", "refused")


def test_key_of_the_plant_is_for_publish_which_is_another_user_of_the_stations_group(
    root: Path,
) -> None:
    paths = prepare(root)
    key = open_plant_key(paths.plant_key, may_order=True)
    assert plant_session(paths.plant_key) == key
    assert stat.S_IMODE(paths.plant_key.stat().st_mode) == 0o640
    assert open_plant_key(paths.plant_key, may_order=True) != key
    assert open_plant_key(paths.plant_key, may_order=False) == ""
    assert not paths.plant_key.exists()


@pytest.mark.line
def test_plant_changes_the_recipe_between_two_parts_and_is_told(root: Path) -> None:
    """The whole way: the key, the answer, what detect is asked, and the notice of the first part
    that was made so; and none of it again after a kill."""
    paths = prepare(root, publish={"host": "::1", "commands": {"allow": ["set_recipe"]}})
    with running(paths) as station:
        until(paths.plant_key.exists)
        detect = station.bus.inbox(paths.socket("detect"), depth=100)
        order = {"id": "mes-1", "order": SetRecipe(recipe="other", lot="L7")}
        station.settle(outcome(1))

        def give() -> Reply:
            key = plant_session(under(root).plant_key)
            said = {"session": key, "issued_wall_ns": time.time_ns()} | order
            return station.ask(PlantOrder(**said))  # type: ignore[arg-type]

        reply = give()
        assert (reply.ok, reply.code) == (True, "accepted")
        asked = until(lambda: detect.wait(50) and detect.receive())
        assert asked[0] == SwitchRecipe(recipe="other", lot="L7", who="mes")
        text = "recipe other decides with tiny@1"
        said = {"service": "detect", "severity": Severity.INFO, "code": "recipe_changed"}
        station.gate.report(Event(text=text, wall_ns=time.time_ns(), **said))  # type: ignore[arg-type]
        until(lambda: (now := load_current(paths.current)) and now.recipe == "other")
        station.settle(outcome(2, recipe="other", lot="L7"))
        made = [(one.recipe, one.lot) for one in station.reader.notices() if one.recipe]
        assert made == [("plain", "L1"), ("other", "L7")]
        station.kill()
        before = paths.plant_key.read_text()
        station.start()
        until(lambda: paths.plant_key.read_text() != before)
        assert give().code == "replayed"
