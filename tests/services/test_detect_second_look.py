"""The second look on the real line and on real rings: it decides when there is time, and harms
nothing when there is none."""

from pathlib import Path
from statistics import median

import numpy as np
import pytest
from msgspec import structs
from support.forged import with_files
from support.line import account, running
from support.stations import HEIGHT, WIDTH, make_station, picture, write_recipe
from support.two_looks import put_two_looks_in_use, write_two_looks

from inspector.core.bundle import Limits
from inspector.core.clock import MS, SECOND, SystemClock
from inspector.core.config import Detect
from inspector.core.messages import FrameTicket, Outcome
from inspector.core.paths import Paths, under
from inspector.core.recipe import Recipe, RecipeLimits
from inspector.core.terms import FrameFormat, FrameRef, Kind, Pixel
from inspector.devices.bundles import open_bundle
from inspector.devices.engine import Engine
from inspector.devices.ring import RingWriter
from inspector.procedures.judge import Judge, infer
from inspector.procedures.loading import Loader, ModelRefused
from inspector.services.detect.again import SecondLook
from inspector.services.detect.frames import Frames
from inspector.services.detect.look import Look

FORMAT = FrameFormat(width=WIDTH, height=HEIGHT, pixel=Pixel.MONO8)
REGION = (0, 0, WIDTH, HEIGHT)
IN_DOUBT = {"review": 0.001, "fail": 50.0}  # every part is for review at the first look
SHARP = Limits(review=0.7, fail=1.0)
MEAN = np.mean([picture(seed) for seed in range(20, 30)], axis=0).astype(np.uint8)
RECIPE = Recipe(schema=1, name="plain", model="tiny", limits=RecipeLimits(**IN_DOUBT))


def run(root: Path, limits: Limits, parts: int, slow: int = 0, **recipe: object) -> list[Outcome]:
    """Plenty of time for a second look, however busy the machine; none for a `slow` one."""
    paths = make_station(root, {"line": {"deadline_ms": 250.0 if slow else 3000.0}})
    put_two_looks_in_use(paths, MEAN, limits, slow)
    write_recipe(paths, "plain", limits=IN_DOUBT, **recipe)
    with running(paths, committed=parts) as line:
        assert line.stop() == 0
        return [part.outcome for part in account(line)]


@pytest.mark.line
def test_second_look_decides_parts_in_doubt(root: Path) -> None:
    outcomes = run(root, SHARP, 60)
    looked = [one for one in outcomes if one.timing.second_us]
    assert len(looked) > len(outcomes) / 2
    for one in looked:
        assert one.kind is (Kind.FAIL if one.source.startswith("square") else Kind.PASS)
        assert one.reason.startswith("second look: score ")
        assert "first look: score" in one.reason
        assert bool(one.boxes) is (one.kind is Kind.FAIL)
    rest = [one for one in outcomes if not one.timing.second_us]
    assert {one.kind for one in rest} <= {Kind.REVIEW}


@pytest.mark.line
def test_second_look_that_may_say_review_says_so(root: Path) -> None:
    outcomes = run(root, Limits(review=0.0001, fail=60.0), 30)
    assert {one.kind for one in outcomes} == {Kind.REVIEW}
    assert any(one.reason.startswith("second look: ") for one in outcomes)


@pytest.mark.line
def test_recipe_may_leave_the_second_look_out(root: Path) -> None:
    outcomes = run(root, SHARP, 30, second_look=False)
    assert {one.kind for one in outcomes} == {Kind.REVIEW}
    assert {one.timing.second_us for one in outcomes} == {0}


@pytest.mark.line
def test_second_look_too_slow_for_the_deadline_is_never_taken(root: Path) -> None:
    """A second look takes longer than the 250 ms of a part on any machine: all stay for review,
    none is late."""
    outcomes = run(root, SHARP, 60, slow=25)
    assert {one.kind for one in outcomes} == {Kind.REVIEW}
    assert {one.timing.second_us for one in outcomes} == {0}


@pytest.mark.line
def test_second_looks_make_no_part_late(root: Path) -> None:
    """Every part is in doubt, and a second look takes longer than the takt: some are looked at
    again, and nobody waits too long for it."""
    paths = make_station(root, {"line": {"deadline_ms": 1000.0}})
    put_two_looks_in_use(paths, MEAN, SHARP, slow=1)
    write_recipe(paths, "plain", limits=IN_DOUBT)
    with running(paths, committed=150) as line:
        assert line.stop() == 0
        outcomes = [part.outcome for part in account(line)]
    assert Kind.FAULT not in {one.kind for one in outcomes}
    assert any(one.timing.second_us for one in outcomes)
    assert any(not one.timing.second_us for one in outcomes)
    assert median(one.latency_us for one in outcomes) < 500_000  # nobody queues for it either


class Bench:
    """A judge with two looks, and a ring with a frame."""

    def __init__(self, root: Path, limits: Limits, slots: int = 3) -> None:
        self.paths: Paths = under(root)
        self.paths.create()
        folder = write_two_looks(root / "tiny", MEAN, limits)
        loader = Loader(self.paths, Engine(Detect(threads=1), self.paths.cache))
        self.judge: Judge = loader.judge(RECIPE, folder)
        self.ring = RingWriter(self.paths.ring("cam0"), FORMAT, slots, "s")
        self.clock = SystemClock()
        self.frames = Frames(self.paths, 1)
        self.second = SecondLook(self.frames, self.clock, 10 * SECOND)

    def write(self, frame: np.ndarray) -> FrameRef:
        with self.ring.write() as (slot, ref):
            slot[:] = frame
        self.frames.ring("cam0").view(ref)  # the first look
        return ref

    def look(self, ref: FrameRef, left_ns: int = 10 * SECOND) -> Look:
        now = self.clock.monotonic_ns()
        ticket = FrameTicket(
            camera="cam0",
            stream="s",
            seq=0,
            trigger_ns=now,
            deadline_ns=now + left_ns,
            frame=ref,
        )
        return Look(ticket, ref, self.judge, REGION, np.zeros((64, 64, 1), np.uint8), None, now)


def test_frame_overwritten_before_the_second_look_stays_for_review(root: Path) -> None:
    bench = Bench(root, SHARP)
    ref = bench.write(picture(5))
    first = bench.judge.first_opinion(infer(bench.judge.model, picture(5)), REGION)
    assert first.kind is Kind.REVIEW
    look = bench.look(ref)
    assert bench.second.take(look, first, [], 0.0)[0].kind is Kind.PASS
    for seed in range(3):
        bench.write(picture(seed))
    again, _ = bench.second.take(look, first, [], 0.0)
    assert again == first


def test_no_time_no_second_look(root: Path) -> None:
    bench = Bench(root, SHARP)
    ref = bench.write(picture(5))
    first = bench.judge.first_opinion(infer(bench.judge.model, picture(5)), REGION)
    now = bench.clock.monotonic_ns()
    assert bench.second.take(bench.look(ref, 1 * MS), first, [], 0.0) == (first, 0)
    assert bench.second.take(bench.look(ref), first, [now + 1 * MS], 0.0) == (first, 0)
    assert bench.second.take(bench.look(ref), first, [], 20.0 * SECOND) == (first, 0)
    assert bench.second.take(bench.look(ref), first, [now + 5 * SECOND], 1.0)[1] > 0


def test_only_a_sound_frame_in_doubt_is_looked_at_again(root: Path) -> None:
    bench = Bench(root, SHARP)
    look = bench.look(bench.write(picture(5)))
    first = bench.judge.first_opinion(infer(bench.judge.model, picture(5)), REGION)
    assert bench.second.wanted(look, first)
    look.problem = "too dark"
    assert not bench.second.wanted(look, first)


def test_second_look_is_proven_before_it_decides(root: Path) -> None:
    """NaN weights in the second model alone refuse the whole bundle."""
    paths = under(root)
    folder = write_two_looks(root / "tiny", MEAN, SHARP, broken=True)
    loader = Loader(paths, Engine(Detect(threads=1), paths.cache))
    with pytest.raises(ModelRefused, match=r"second look at reference/00\.png: .* is nan here"):
        loader.judge(RECIPE, folder)


def test_second_look_without_reference_values_is_refused(root: Path) -> None:
    paths = under(root)
    sound = write_two_looks(root / "tiny", MEAN, SHARP)
    proof = open_bundle(sound).manifest.proof
    without = structs.replace(
        proof, references=tuple(structs.replace(one, second=()) for one in proof.references)
    )
    folder = with_files(sound, root / "without", {}, proof=without)
    loader = Loader(paths, Engine(Detect(threads=1), paths.cache))
    with pytest.raises(ModelRefused, match="second look has no reference values"):
        loader.judge(RECIPE, folder)
