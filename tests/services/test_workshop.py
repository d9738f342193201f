"""The workshop: collecting, one errand at a time, and faults in every place."""

import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest
from support.disks import fill, small_disk
from support.stations import in_use, make_station, picture, write_recipe
from support.workshop import Shop, pictures, shop, until

from inspector.core.orders import (
    AdoptProduct,
    BackModel,
    CollectParts,
    DiscardProduct,
    ErrandDone,
    ProveModel,
    StopWork,
    TeachProduct,
    TryInShadow,
    UseModel,
)
from inspector.core.recipe import load_recipe
from inspector.core.terms import Cause, Kind, Mode
from inspector.devices.bundles import Store, find, open_bundle

pytestmark = pytest.mark.line

GOOD = CollectParts(product="cap", label="good", parts=3)


@pytest.fixture
def made(root: Path) -> Iterator[Shop]:
    with shop(make_station(root)) as started:
        yield started


def taking(made: Shop) -> None:
    """Wait until it takes pictures."""
    made.until(lambda state: state.step == "taking pictures")


def passing(made: Shop, *seeds: int) -> None:
    for seed in seeds:
        made.part(picture(seed))
        made.turn()


def collected(made: Shop, errand: CollectParts, *seeds: int) -> ErrandDone:
    """Order it, show these parts, and how it ended."""
    made.order(errand)
    taking(made)
    passing(made, *seeds)
    return made.end_of("collect_parts")


def folder_of(made: Shop, label: str = "good") -> Path:
    return made.paths.workshop / "cap" / label


def written(made: Shop, count: int, label: str = "good", same: bool = False) -> None:
    """Pictures that were collected earlier."""
    folder_of(made, label).mkdir(parents=True, exist_ok=True)
    for number in range(count):
        image = picture(0 if same else number, label == "defective")
        cv2.imwrite(str(folder_of(made, label) / f"{number:03}.png"), image)


# Collecting.


def test_it_begins_idle_with_a_heartbeat_at_the_lowest_priority(made: Shop) -> None:
    state = made.until(lambda state: True)
    assert (state.job, state.product, state.error) == ("idle", "", "")
    until(lambda: made.turn() or made.beats)
    assert made.beats[0].service == "workshop"
    assert made.process
    assert psutil.Process(made.process.pid).nice() == 19
    assert made.stop() == 0


def test_the_next_parts_are_copied_without_loss_beside_what_is_there(made: Shop) -> None:
    passing(made, 90)  # before the order: not among them
    made.order(GOOD)
    taking(made)
    passing(made, 0, 1, 2)
    assert made.end_of("collect_parts").ok
    assert collected(made, CollectParts(product="cap", label="good", parts=1), 3).ok
    frames = [cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in pictures(folder_of(made))]
    assert len(frames) == 4
    for seed, frame in enumerate(frames):
        assert np.array_equal(frame, picture(seed)[..., 0])
    state = made.until(lambda state: state.job == "idle")
    assert (state.product, state.good, state.defective, state.error) == ("cap", 4, 0, "")


def test_progress_is_told_while_pictures_are_taken(made: Shop) -> None:
    written(made, 2, "defective")
    made.order(CollectParts(product="cap", label="defective", parts=2))
    state = made.until(lambda state: state.step == "taking pictures")
    assert (state.job, state.label, state.defective, state.wanted) == (
        "collecting",
        "defective",
        2,
        4,
    )
    passing(made, 5)
    made.until(lambda state: state.defective == 3)


@pytest.mark.parametrize("mode", [Mode.PAUSED, Mode.CHALLENGE])
def test_nothing_is_taken_while_the_line_does_not_inspect(made: Shop, mode: Mode) -> None:
    made.order(GOOD)
    taking(made)
    made.mode = mode
    made.turn()
    passing(made, 0, 1)
    made.until(lambda state: state.step == "waiting for the line")
    passing(made, 2)
    made.mode = Mode.INSPECT
    passing(made, 3)  # judged before the line changed over
    taking(made)
    made.part(picture(4), Kind.FAULT, Cause.PAUSED)
    passing(made, 10, 11, 12)
    assert made.end_of("collect_parts").ok
    frames = [cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in pictures(folder_of(made))]
    assert all(
        np.array_equal(a, picture(b)[..., 0]) for a, b in zip(frames, (10, 11, 12), strict=True)
    )


def test_the_same_picture_again_and_a_blurred_one_are_warned_of(made: Shop) -> None:
    written(made, 5)
    made.order(GOOD)
    taking(made)
    passing(made, 0)  # as one of those that were there
    made.part(cv2.GaussianBlur(picture(8), (0, 0), 4)[..., None])
    made.turn()
    passing(made, 9)
    made.end_of("collect_parts")
    words = " ".join(made.until(lambda state: state.job == "idle").warnings)
    assert "1 of 8 show the very same picture" in words
    assert "less sharp than the others" in words


def test_a_disk_that_is_full_ends_collecting_with_one_line(root: Path) -> None:
    paths = make_station(root)
    paths.create()
    with small_disk(paths.workshop, "512k"), shop(paths) as made:
        made.order(CollectParts(product="cap", label="good", parts=50))
        taking(made)
        passing(made, 0, 1)
        made.until(lambda state: state.good == 2)
        fill(paths.workshop)
        passing(made, 2)
        end = made.end_of("collect_parts")
        assert not end.ok
        assert "cannot be written" in end.text
        assert "make room" in end.text
        state = made.until(lambda state: state.job == "idle")
        assert (state.error, state.good) == (end.text, 2)
        assert made.stop() == 0


def test_the_room_that_is_to_stay_free_is_not_taken(root: Path) -> None:
    free = shutil.disk_usage(root).free >> 20
    paths = make_station(root, {"evidence": {"keep_free_mb": free + 1000}})
    with shop(paths) as made:
        end = collected(made, GOOD, 0, 1, 2)
        assert not end.ok
        assert "evidence.keep_free_mb" in end.text
        assert pictures(folder_of(made)) == []


# One errand at a time.


def test_a_second_errand_is_refused_in_one_line(made: Shop) -> None:
    made.order(GOOD)
    taking(made)
    for errand in (TeachProduct(product="cap"), DiscardProduct(product="cap")):
        end = made.done(errand)
        assert not end.ok
        assert end.text == "the workshop is collecting (cap); stop that first"
        made.until(lambda state, text=end.text: state.error == text)
    passing(made, 0, 1, 2)
    assert made.end_of("collect_parts").ok


def test_what_was_collected_stays_when_it_is_stopped(made: Shop) -> None:
    made.order(GOOD)
    taking(made)
    passing(made, 0)
    made.until(lambda state: state.good == 1)
    assert made.done(StopWork(), who="otto").ok
    end = made.end_of("collect_parts")
    assert (end.ok, end.text) == (True, "stopped by otto")
    state = made.until(lambda state: state.job == "idle")
    assert (state.good, state.error) == (1, "")
    assert made.worker() is None
    assert made.done(StopWork()).text == "nothing was under way"


def test_what_is_discarded_is_gone_and_nothing_else(made: Shop) -> None:
    written(made, 3)
    (made.paths.workshop / "other").mkdir()
    assert made.done(DiscardProduct(product="cap")).ok
    assert [path.name for path in made.paths.workshop.iterdir()] == ["other"]
    assert not made.done(DiscardProduct(product="cap")).ok


def test_a_name_that_leads_elsewhere_is_no_order(made: Shop) -> None:
    for name in ("../config", "..", "/etc", "Cap", "", ".git", "a/b", "a\n"):
        made.order(DiscardProduct(product=name))
        made.order(CollectParts(product=name, label="good", parts=1))
    assert made.done(StopWork()).text == "nothing was under way"
    assert made.ends == []
    assert made.paths.station_file.exists()
    assert list(made.paths.workshop.iterdir()) == []


# Teaching.


def test_too_few_pictures_are_refused(made: Shop) -> None:
    written(made, 4)
    end = made.done(TeachProduct(product="cap"))
    assert (end.ok, end.text) == (False, "cap: 4 good pictures; collect at least 5")
    assert made.until(lambda state: state.job == "idle").error == end.text


def test_pictures_that_are_all_alike_are_refused(made: Shop) -> None:
    written(made, 6, same=True)
    end = made.done(TeachProduct(product="cap"))
    assert not end.ok
    assert "all 6 images are identical; take pictures of different parts" in end.text


def test_a_picture_that_was_damaged_is_refused_by_name(made: Shop) -> None:
    written(made, 6)
    (folder_of(made) / "003.png").write_bytes(b"")
    end = made.done(TeachProduct(product="cap"))
    assert not end.ok
    assert "003.png: is empty" in end.text


def test_teaching_that_is_stopped_leaves_nothing_half_made(made: Shop) -> None:
    written(made, 12)
    made.order(TeachProduct(product="cap"))
    made.until(lambda state: state.progress > 0.2)
    assert made.done(StopWork()).ok
    assert not made.end_of("teach_product").ok
    state = made.until(lambda state: state.job == "idle")
    assert (state.taught, state.error, state.good) == (None, "", 12)
    left = sorted(path.name for path in (made.paths.workshop / "cap").iterdir())
    assert left == ["defective", "good"] or left == ["good"]


def test_a_worker_that_the_kernel_kills_is_told_of(made: Shop) -> None:
    """As when memory runs out: the workshop goes on."""
    written(made, 12)
    made.order(TeachProduct(product="cap"))
    made.until(lambda state: state.progress > 0.1)
    worker = made.worker()
    assert worker
    worker.kill()
    end = made.end_of("teach_product")
    assert (end.ok, end.text) == (False, "teach_product ended with signal 9; see its log")
    assert made.until(lambda state: state.job == "idle").error == end.text
    assert made.done(DiscardProduct(product="cap")).ok


@pytest.mark.parametrize("job", ["collecting", "teaching"])
def test_kill_9_takes_the_work_along_and_keeps_the_pictures(made: Shop, job: str) -> None:
    written(made, 12)
    made.order(TeachProduct(product="cap") if job == "teaching" else GOOD)
    made.until(lambda state: state.job == job and (state.progress > 0.2 or state.wanted))
    worker = made.worker()
    assert worker
    made.kill()
    until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)
    made.start()
    state = made.until(lambda state: True)
    assert (state.job, state.product, state.good, state.taught) == ("idle", "cap", 12, None)
    assert not [path for path in folder_of(made).parent.iterdir() if path.name[0] in ".f"]
    assert Store(made.paths.models).listed()[0].name == "tiny"


# What was taught.


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A product's folder once it has been taught, with labelled defects."""
    base = Path("/dev/shm") if Path("/dev/shm").is_dir() else tmp_path_factory.mktemp("lesson")
    root = base / f"inspector-lesson-{os.getpid()}"
    with shop(make_station(root)) as made:
        written(made, 12)
        written(made, 5, "defective")
        end = made.done(TeachProduct(product="cap"))
        assert end.ok, end.text
        state = made.until(lambda state: state.job == "idle")
        assert state.taught
        assert len(state.taught.defect_scores) == 5
        kept = tmp_path_factory.mktemp("lesson") / "cap"
        shutil.copytree(made.paths.workshop / "cap", kept)
    shutil.rmtree(root)
    return kept


@pytest.fixture
def taught(root: Path, lesson: Path) -> Iterator[Shop]:
    paths = make_station(root)
    paths.create()
    shutil.copytree(lesson, paths.workshop / "cap")
    with shop(paths) as started:
        yield started


def adoption(made: Shop, review: float = 0.95, fail: float = 1.1) -> AdoptProduct:
    return AdoptProduct(product="cap", review=review, fail=fail)


def test_what_was_taught_is_known_after_a_restart(taught: Shop) -> None:
    state = taught.until(lambda state: True)
    assert state.taught
    assert (state.job, state.product, state.good, state.defective) == ("idle", "cap", 12, 5)
    assert state.taught.fail == 1.0


def test_a_taught_model_is_adopted_with_its_limits_and_a_recipe(taught: Shop) -> None:
    end = taught.done(adoption(taught))
    assert (end.ok, end.recipe) == (True, "cap"), end.text
    paths = taught.paths
    bundle = open_bundle(find("cap", paths.models))
    assert (bundle.manifest.limits.review, bundle.manifest.limits.fail) == (0.95, 1.1)
    recipe = load_recipe(paths.recipe("cap"))
    assert (recipe.limits.review, recipe.limits.fail, recipe.model) == (0.95, 1.1, "cap")
    until(lambda: not (paths.workshop / "cap" / "adopting.json").exists())
    assert list(paths.proofs.glob("*.json"))  # stamped: detect need not do it all again
    again = taught.done(adoption(taught, 0.9, 1.0))
    assert again.ok, again.text
    versions = [one for one in Store(paths.models).listed() if one.name == "cap"]
    assert sorted((one.current, one.previous) for one in versions) == [(False, True), (True, False)]


def test_an_adoption_keeps_the_settings_of_the_products_own_recipe(taught: Shop) -> None:
    challenge = {"parts": [{"name": "A1", "expect": "pass"}], "every_h": 8.0}
    write_recipe(taught.paths, "cap", challenge=challenge, min_defect_px=5)
    assert taught.done(adoption(taught)).ok
    recipe = load_recipe(taught.paths.taught_recipes / "cap.toml")
    assert recipe.challenge
    assert (recipe.challenge.every_h, recipe.min_defect_px, recipe.model) == (8.0, 5, "cap")


def test_a_region_that_was_changed_since_teaching_is_refused(taught: Shop) -> None:
    region = {"x": 0, "y": 0, "width": 64, "height": 64}
    write_recipe(taught.paths, "cap", region=region)
    end = taught.done(adoption(taught))
    assert (end.ok, "teach again" in end.text) == (False, True)


@pytest.mark.parametrize(
    ("review", "fail", "words"),
    [
        (1.2, 1.0, "review from 1.2 lies above fail from 1"),
        (900.0, 1000.0, "golden defective part"),
    ],
)
def test_limits_that_cannot_be_are_refused_and_change_nothing(
    taught: Shop, review: float, fail: float, words: str
) -> None:
    end = taught.done(adoption(taught, review, fail))
    assert not end.ok
    assert words in end.text
    assert "\n" not in end.text
    assert {one.name for one in Store(taught.paths.models).listed()} == {"tiny"}
    assert "cap" not in taught.paths.recipe_names()
    assert not (taught.paths.workshop / "cap" / "altered").exists()


def test_nothing_can_be_adopted_or_tried_before_it_is_taught(made: Shop) -> None:
    for errand in (adoption(made), TryInShadow(product="cap", review=0.9, fail=1.0)):
        end = made.done(errand)
        assert (end.ok, end.text) == (False, "cap: nothing is taught yet; teach it first")


def test_a_taught_bundle_that_was_altered_is_refused(taught: Shop) -> None:
    weights = taught.paths.workshop / "cap" / "bundle" / "model.bin"
    weights.write_bytes(weights.read_bytes()[:-4])
    end = taught.done(adoption(taught))
    assert (end.ok, "model.bin: has SHA-256" in end.text) == (False, True)


@pytest.mark.parametrize("power", [False, True], ids=["workshop", "worker too"])
def test_kill_9_at_any_step_of_an_adoption_leaves_both_or_neither(
    taught: Shop, power: bool
) -> None:
    """Model and recipe belong together, and the store holds nothing half-made."""
    paths, steps = taught.paths, ("installing", "proving", "switching")
    for number in range(len(steps)):
        fail = 1.0 + number / 100
        taught.order(adoption(taught, 0.9, fail))
        late = steps[number:]  # a quick step may not be seen
        taught.until(lambda state, late=late: state.step in late or taught.ends)
        worker = taught.worker()
        if power and worker:
            worker.kill()
        taught.kill()
        heard = bool(taught.ends)
        taught.ends.clear()
        taught.start()
        taught.until(lambda state: state.job == "idle")
        versions = [one for one in Store(paths.models).listed() if one.name == "cap"]
        assert all(not one.problem for one in versions)
        assert not list(paths.models.glob("*/.draft-*"))
        current = [one for one in versions if one.current]
        assert bool(current) == ("cap" in paths.recipe_names())
        if current:
            limits = open_bundle(current[0].folder).manifest.limits
            assert load_recipe(paths.recipe("cap")).limits.fail == limits.fail
            if limits.fail == fail and not heard:
                assert taught.end_of("adopt_product").recipe == "cap"


def test_an_adoption_that_was_cut_off_is_ended_after_the_restart(taught: Shop) -> None:
    """Killed after the model was put in use and before its recipe was written."""
    assert taught.done(adoption(taught)).ok
    recipe = taught.paths.taught_recipes / "cap.toml"
    text, version = recipe.read_text(), find("cap", taught.paths.models).name
    assert taught.stop() == 0
    recipe.unlink()
    intent = taught.paths.workshop / "cap" / "adopting.json"
    cut = {"version": version, "who": "emma", "recipe": text}
    intent.write_text(json.dumps(cut))
    taught.start()
    end = taught.end_of("adopt_product")
    assert (end.ok, end.recipe, end.who) == (True, "cap", "emma")
    assert recipe.read_text() == text
    until(lambda: not intent.exists())


def test_a_model_is_tried_beside_the_present_one(taught: Shop) -> None:
    taught.order(TryInShadow(product="cap", review=0.95, fail=1.1))
    taught.until(lambda state: state.step == "comparing")
    for number in range(30):
        bad = number % 3 == 0
        wrong = number % 5 == 0  # the line says the opposite
        kind = Kind.FAIL if bad != wrong else Kind.PASS
        taught.part(picture(2000 + number if bad else 50 + number, bad), kind)
        for _ in range(8):
            taught.turn()
    assert taught.done(StopWork()).ok
    assert taught.end_of("try_in_shadow").ok
    shadow = taught.until(lambda state: state.job == "idle").shadow
    assert shadow
    assert shadow.parts >= 15
    assert shadow.agree + shadow.only_line_rejects + shadow.only_shadow_rejects == shadow.parts
    assert shadow.agree > shadow.parts / 2
    assert shadow.only_line_rejects + shadow.only_shadow_rejects >= 2
    assert all(part.seq % 5 == 0 for part in shadow.last_differences[:3])


# The models that are there.


def test_models_are_proven_put_in_use_and_taken_back(taught: Shop) -> None:
    for fail in (1.0, 1.1):
        assert taught.done(adoption(taught, 0.9, fail)).ok
    new = find("cap", taught.paths.models).name
    old = Store(taught.paths.models).before("cap").name
    end = taught.done(ProveModel(name="cap", version=old))
    assert (end.ok, end.recipe, end.text) == (True, "", f"cap@{old}: proven on this box")
    end = taught.done(UseModel(name="cap", version=old))
    assert (end.ok, end.recipe) == (True, "")  # the line makes another product
    assert find("cap", taught.paths.models).name == old
    end = taught.done(BackModel(name="cap"))
    assert (end.ok, find("cap", taught.paths.models).name) == (True, new)
    tiny = in_use(taught.paths).name
    end = taught.done(UseModel(name="tiny", version=tiny))
    assert (end.ok, end.recipe) == (True, "plain")
    end = taught.done(UseModel(name="tiny", version="0" * 12))
    assert (end.ok, "is not installed" in end.text) == (False, True)


def test_sigterm_ends_workshop_and_work(made: Shop) -> None:
    made.order(GOOD)
    taking(made)
    worker = made.worker()
    assert worker
    assert made.process
    made.process.send_signal(signal.SIGTERM)
    assert made.process.wait(30) == 0
    assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE


def test_another_product_does_not_wear_the_first_ones_results(taught: Shop, root: Path) -> None:
    taught.order(CollectParts(product="washer", label="good", parts=2))
    state = taught.until(lambda state: state.job == "collecting")
    assert (state.product, state.taught, state.good) == ("washer", None, 0)
