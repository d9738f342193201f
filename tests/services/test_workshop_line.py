"""The touchscreen's way from a new product to its model in use, on the real line."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from support.line import Line, account, running, wait_for
from support.stations import in_use, make_station, picture, small
from support.tiny_model import write_bundle
from support.workshop import Shop, pictures, shop, until

from inspector.cli.station import recorded
from inspector.core.live import Live, WorkshopState
from inspector.core.messages import Outcome
from inspector.core.orders import (
    AddReviewed,
    AdoptProduct,
    AnyOrder,
    BackModel,
    CollectParts,
    Errand,
    Order,
    Reply,
    ReviewPart,
    StopWork,
    TeachProduct,
    TryInShadow,
    UseModel,
)
from inspector.core.paths import Paths
from inspector.core.recipe import load_recipe
from inspector.core.terms import Kind
from inspector.core.topology import CONTROL
from inspector.devices.bundles import Store, find, open_bundle
from inspector.devices.bus import Bus
from inspector.devices.console import console_session
from inspector.procedures.shipped_files import ROOT

pytestmark = pytest.mark.line

CAP = ROOT / "sample_data" / "cap"
Finding = Literal["pass", "fail", "withdrawn"]

PATIENT = {"line": {"deadline_ms": 3000.0}}


def shown(paths: Paths, timeout_s: float = 60, **wanted: object) -> WorkshopState:
    """The workshop as the line's screens show it, once it is so."""

    def is_so(live: Live) -> bool:
        state = live.workshop
        return state is not None and all(getattr(state, k) == v for k, v in wanted.items())

    state = wait_for(paths, is_so, timeout_s).workshop
    assert state
    return state


def worked(paths: Paths, made: Shop, errand: Errand, **wanted: object) -> WorkshopState:
    """Order it, see that it ends, and that it leaves this behind."""
    tag = str(type(errand).__struct_config__.tag)
    ends = made.log.count(f"{tag} by tina")
    ordered(paths, errand)
    until(lambda: made.log.count(f"{tag} by tina") > ends, 270)
    return shown(paths, job="idle", **wanted)


def decided_by(live: Live, model: str) -> bool:
    return live.last is not None and live.last.model == model and live.last.kind is not Kind.FAULT


def compared(live: Live) -> int:
    return live.workshop.shadow.parts if live.workshop and live.workshop.shadow else 0


@pytest.fixture
def caps(root: Path) -> Iterator[tuple[Paths, Shop, Line]]:
    """A line on which caps lie, judged by the model of another product."""
    if not CAP.is_dir():
        pytest.skip("the sample product is not here")
    paths = make_station(root, PATIENT, path=str(CAP / "train" / "good"), takt_ms=150.0)
    with running(paths) as line, shop(paths, line=False) as made:
        yield paths, made, line


def test_a_new_product_from_the_first_picture_to_its_model_in_use(
    caps: tuple[Paths, Shop, Line],
) -> None:
    """Collect, teach, try in shadow, adopt; the line looks at every part meanwhile."""
    paths, made, line = caps
    before = line.count()

    collect = CollectParts(product="cap", label="good", parts=20)
    worked(paths, made, collect, product="cap", good=20, error="")
    assert len(pictures(paths.workshop / "cap" / "good")) == 20
    for path in sorted((CAP / "test" / "scratch").iterdir())[:4]:
        shutil.copy(path, paths.workshop / "cap" / "defective" / f"{path.stem}.jpg")

    taught = worked(paths, made, TeachProduct(product="cap"), error="", defective=4).taught
    assert taught
    assert len(taught.defect_scores) == 4
    assert 15 <= len(taught.good_scores) <= 20
    assert 0 < taught.review <= taught.fail == 1.0
    # Held-out scores lie on the limits' own scale: most good parts below, a plain defect above.
    assert sorted(taught.good_scores)[len(taught.good_scores) // 2] < taught.review
    assert max(taught.defect_scores) > taught.fail

    limits = {"review": taught.review * 1.1, "fail": taught.fail * 1.1}
    ordered(paths, TryInShadow(product="cap", **limits))
    tried = wait_for(paths, lambda live: compared(live) > 9, 120).workshop
    assert tried
    assert tried.shadow
    assert tried.shadow.model == taught.model
    ordered(paths, StopWork())
    shadow = shown(paths, job="idle").shadow
    assert shadow
    assert shadow.parts == shadow.agree + shadow.only_line_rejects + shadow.only_shadow_rejects
    assert len(shadow.last_differences) == min(12, shadow.parts - shadow.agree)

    worked(paths, made, AdoptProduct(product="cap", **limits), error="")
    bundle = open_bundle(find("cap", paths.models))
    assert bundle.manifest.limits.fail == limits["fail"]
    assert bundle.manifest.id != taught.model  # other limits, another version
    recipe = load_recipe(paths.taught_recipes / "cap.toml")
    assert (recipe.model, recipe.limits.fail) == ("cap", limits["fail"])
    assert recipe.frame.refuse_identical is False  # as in the recipe in force
    live = wait_for(paths, lambda live: decided_by(live, bundle.manifest.id))
    assert live.recipe == "cap"
    wait_for(paths, lambda now: now.committed > live.committed + 20)

    assert made.stop() == 0
    assert line.stop() == 0
    outcomes = [part.outcome for part in account(line)]
    assert len(outcomes) > before + 60
    of_cap = [outcome for outcome in outcomes if outcome.model == bundle.manifest.id]
    assert sum(outcome.kind is Kind.PASS for outcome in of_cap) > len(of_cap) / 2


def test_a_version_is_put_in_use_and_taken_back_on_the_running_line(root: Path) -> None:
    paths = make_station(root, PATIENT)
    first = open_bundle(in_use(paths)).manifest
    mean = small(picture(20))
    second = Store(paths.models).install(write_bundle(root / "tiny-30", mean, 30.0)).manifest
    with running(paths, committed=20) as line, shop(paths, line=False) as made:
        ordered(paths, UseModel(name="tiny", version=second.version))
        wait_for(paths, lambda live: decided_by(live, second.id))
        shown(paths, job="idle", error="")
        ordered(paths, BackModel(name="tiny"))
        wait_for(paths, lambda live: decided_by(live, first.id))
        assert made.stop() == 0
        assert line.stop() == 0
        outcomes: list[Outcome] = [part.outcome for part in account(line)]
    assert {outcome.model for outcome in outcomes} == {first.id, second.id}


def test_reviewed_parts_become_pictures_to_teach_from(root: Path) -> None:
    """What people found is copied from the evidence, each picture once."""
    paths = make_station(root, PATIENT | {"evidence": {"pass_one_in": 1, "keep_free_mb": 0}})
    with running(paths, committed=30) as line, shop(paths, line=False) as made:
        reviewed(paths, {0: "pass", 1: "pass", 2: "fail", 3: "fail", 4: "fail"})
        worked(paths, made, AddReviewed(product="plain-2"), error="", good=2, defective=3)
        reviewed(paths, {2: "pass", 3: "withdrawn", 5: "pass"})
        worked(paths, made, AddReviewed(product="plain-2"), error="", good=4, defective=2)
        assert made.stop() == 0
        assert line.stop() == 0
    kept = {path.read_bytes() for path in paths.evidence.rglob("*.jpg")}
    good = pictures(paths.workshop / "plain-2" / "good")
    assert [path.stem[-1] for path in good] == ["0", "1", "2", "5"]
    assert all(path.read_bytes() in kept for path in good)


def ordered(paths: Paths, order: AnyOrder) -> None:
    """As the screen orders: through record, which checks and notes it; once the workshop is up."""

    def taken() -> bool:
        with Bus() as bus:
            asked = Order(session=console_session(paths.console_key, "tina"), order=order)
            reply = bus.ask(paths.socket(CONTROL), asked, 20)
        assert isinstance(reply, Reply)
        return reply.ok

    until(taken, 20)


def reviewed(paths: Paths, findings: dict[int, Finding]) -> None:
    """What somebody finds on these parts, by seq."""
    streams = {part.outcome.seq: part.outcome.stream for part in recorded(paths)}
    with Bus() as bus:
        for seq, verdict in findings.items():
            order = Order(
                session=console_session(paths.console_key, "tina"),
                order=ReviewPart(stream=streams[seq], seq=seq, verdict=verdict),
            )
            reply = bus.ask(paths.socket(CONTROL), order, 10)
            assert isinstance(reply, Reply)
            assert reply.ok, reply.text
