"""Models exchanged on the real line: every part is decided by one proven model, or by none."""

import json
import time
from itertools import groupby
from pathlib import Path

import pytest
from msgspec import structs
from support.commands import inspector, refusals
from support.forged import with_files
from support.line import Line, account, running, wait_for
from support.stations import in_use, make_station, picture, put_in_use, small, write_recipe
from support.tiny_model import write_bundle

from inspector.core.bundle import Proof
from inspector.core.live import Live
from inspector.core.messages import Outcome
from inspector.core.paths import Paths
from inspector.core.terms import Cause, Kind
from inspector.devices.bundles import Bundle, Store, open_bundle

pytestmark = pytest.mark.line

PATIENT = {"line": {"deadline_ms": 3000.0}}


def sound(root: Path, paths: Paths, limit: float) -> Bundle:
    """Another version of the station's model in its store, not in use."""
    mean = small(picture(20))
    return Store(paths.models).install(write_bundle(root / f"tiny-{limit:g}", mean, limit))


def unproven(root: Path, paths: Paths) -> Bundle:
    """A version whose digests are in order, and which says something else than it promises."""
    before = in_use(paths)
    proof = open_bundle(before).manifest.proof
    wrong = tuple(
        structs.replace(one, values=tuple(value + 0.3 for value in one.values))
        for one in proof.references
    )
    files = {"reference/01.png": (before / "reference/00.png").read_bytes()}
    altered = Proof(tolerance=proof.tolerance, references=wrong)
    return Store(paths.models).install(with_files(before, root / "unproven", files, proof=altered))


def in_order(line: Line) -> list[Outcome]:
    """Every part's outcome, by trigger, after the account."""
    return sorted((part.outcome for part in account(line)), key=lambda one: (one.stream, one.seq))


def decided_by(live: Live, model: str) -> bool:
    return live.last is not None and live.last.model == model and live.last.kind is not Kind.FAULT


def alarmed(live: Live, code: str) -> bool:
    return any(alarm.code == code for alarm in live.alarms)


def test_switching_models_under_load_drops_no_part(root: Path) -> None:
    """Forth and back while parts come: each has one outcome, by one of the two, in order."""
    paths = make_station(root, PATIENT)
    first = open_bundle(in_use(paths)).manifest
    second = sound(root, paths, 30.0).manifest
    order = [second, first, second, first]
    with running(paths, committed=20) as line:
        for manifest in order:
            done = inspector("model", "use", "tiny", manifest.version, "--root", root)
            assert done.returncode == 0, done.stderr + line.log
            assert "decides on the running line" in done.stdout
            wait_for(paths, lambda live, model=manifest.id: decided_by(live, model))
        assert line.stop() == 0
        outcomes = in_order(line)
    assert {one.kind for one in outcomes} == {Kind.PASS, Kind.FAIL}
    runs = [model for model, _ in groupby(one.model for one in outcomes)]
    assert runs == [first.id, *(manifest.id for manifest in order)]


def test_tampered_bundle_is_refused_while_the_line_goes_on(root: Path) -> None:
    paths = make_station(root, PATIENT)
    first, second = open_bundle(in_use(paths)).manifest, sound(root, paths, 30.0)
    with running(paths, committed=20) as line:
        weights = second.folder / "model.bin"
        weights.write_bytes(weights.read_bytes()[:-4])
        done = inspector("model", "use", "tiny", second.manifest.version, "--root", root)
        assert done.returncode == 78
        (told,) = refusals(done)
        assert "model.bin: has SHA-256" in told
        link(paths, second)  # as one might by hand
        switched = inspector("switch", "--root", root)
        assert switched.returncode != 0
        assert "model.bin: has SHA-256" in switched.stderr
        seen = wait_for(paths, lambda live: True).committed
        wait_for(paths, lambda live: live.committed > seen + 20)
        assert line.stop() == 0
        outcomes = in_order(line)
    assert {one.model for one in outcomes} == {first.id}
    assert Kind.FAULT not in {one.kind for one in outcomes}


def test_unproven_model_is_refused_while_the_line_goes_on(root: Path) -> None:
    paths = make_station(root, PATIENT)
    first, wrong = open_bundle(in_use(paths)).manifest, unproven(root, paths)
    with running(paths, committed=20) as line:
        done = inspector("model", "use", "tiny", wrong.manifest.version, "--root", root)
        assert done.returncode == 78
        (told,) = refusals(done)
        assert "where it was made (tolerance 0.05)" in told
        assert in_use(paths).name == first.version
        link(paths, wrong)  # past the command: detect looks for itself
        inspector("switch", "--root", root)
        live = wait_for(paths, lambda live: alarmed(live, "model_refused"))
        assert "the last one goes on" in live.alarms[0].text
        seen = live.committed
        wait_for(paths, lambda live: live.committed > seen + 20)
        assert line.stop() == 0
        outcomes = in_order(line)
    assert {one.model for one in outcomes} == {first.id}
    assert Kind.FAULT not in {one.kind for one in outcomes}


def link(paths: Paths, bundle: Bundle) -> None:
    """Put a version in use as a hand would that knows no rules."""
    current = paths.models / "tiny" / "current"
    previous = current.with_name("previous")
    previous.unlink(missing_ok=True)
    previous.symlink_to(current.readlink())
    current.unlink()
    current.symlink_to(bundle.manifest.version)


def test_line_starts_with_the_model_before_when_the_one_in_use_is_unproven(root: Path) -> None:
    paths = make_station(root, PATIENT)
    first, wrong = open_bundle(in_use(paths)).manifest, unproven(root, paths)
    link(paths, wrong)
    with running(paths, committed=20) as line:
        live = wait_for(paths, lambda live: alarmed(live, "model_refused"))
        (alarm,) = [alarm for alarm in live.alarms if alarm.code == "model_refused"]
        assert wrong.manifest.id in alarm.text
        assert f"{first.id}, in use before, decides instead" in alarm.text
        assert line.stop() == 0
        outcomes = in_order(line)
    assert {one.model for one in outcomes} == {first.id}


def test_without_a_proven_model_every_part_is_rejected_until_there_is_one(root: Path) -> None:
    paths = make_station(root, PATIENT)
    wrong = unproven(root, paths)
    current = paths.models / "tiny" / "current"
    current.unlink()
    current.symlink_to(wrong.manifest.version)
    better = sound(root, paths, 30.0).manifest
    with running(paths, committed=20) as line:
        live = wait_for(paths, lambda live: live.last is not None)
        assert live.last
        assert live.last.cause is Cause.MODEL
        assert "no proven model is loaded" in live.last.reason
        assert "where it was made" in live.last.reason
        detect = wait_for(paths, lambda live: "detect" in states(live))
        assert states(detect)["detect"] == "degraded"
        assert alarmed(live, "model_refused")
        done = inspector("model", "use", "tiny", better.version, "--root", root)
        assert done.returncode == 0, done.stderr
        wait_for(paths, lambda live: decided_by(live, better.id))
        live = wait_for(paths, lambda live: states(live).get("detect") == "running")
        assert line.stop() == 0
        outcomes = in_order(line)
    faults = [one for one in outcomes if one.kind is Kind.FAULT]
    assert {one.cause for one in faults} == {Cause.MODEL}
    assert {one.model for one in faults} == {""}
    runs = [model for model, _ in groupby(one.model for one in outcomes)]
    assert runs == ["", better.id]


def states(live: Live) -> dict[str, str]:
    """Of the services that have spoken."""
    told = [one.heartbeat for one in live.services if one.heartbeat.pid]
    return {heartbeat.service: heartbeat.state for heartbeat in told}


def test_model_that_openvino_cannot_read_rejects_every_part(root: Path) -> None:
    """Sound checksums around an unreadable model: only loading it can tell."""
    paths = make_station(root, PATIENT)
    broken = with_files(in_use(paths), root / "broken", {"model.xml": b"<net"}, name="other")
    store = Store(paths.models)
    store.use("other", store.install(broken).manifest.version)
    write_recipe(paths, "plain", model="other")
    with running(paths, committed=10) as line:
        live = wait_for(paths, lambda live: live.last is not None)
        assert live.last
        assert live.last.cause is Cause.MODEL
        assert "model.xml: OpenVINO cannot read or compile it" in live.last.reason
        assert line.stop() == 0
        assert {one.cause for one in in_order(line)} == {Cause.MODEL}
        assert "every part is rejected" in line.log


def test_killed_detector_comes_back_with_the_model_in_use(root: Path) -> None:
    paths = make_station(root, PATIENT)
    second = sound(root, paths, 30.0).manifest
    with running(paths, committed=10) as line:
        assert inspector("model", "use", "tiny", second.version, "--root", root).returncode == 0
        wait_for(paths, lambda live: decided_by(live, second.id))
        assert line.kill("detect")
        killed = time.time_ns()
        wait_for(
            paths,
            lambda live: decided_by(live, second.id) and live.last.trigger_wall_ns > killed,
        )
        assert line.stop() == 0
        outcomes = in_order(line)
    assert len({one.model for one in outcomes if one.model}) == 2


def test_model_of_another_recipe_leaves_the_line_alone(root: Path) -> None:
    paths = make_station(root, PATIENT)
    put_in_use(paths, small(picture(3)), name="other")
    write_recipe(paths, "special", model="other")
    newer = Store(paths.models).install(
        write_bundle(root / "other", small(picture(4)), name="other")
    )
    with running(paths, committed=10) as line:
        version = newer.manifest.version
        done = inspector("model", "use", "other", version, "--root", root, "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["decides"] is False
        assert line.stop() == 0
        assert len({one.model for one in in_order(line)}) == 1


def test_bundle_that_is_installed_again_after_damage_decides_at_once(root: Path) -> None:
    paths = make_station(root, PATIENT)
    folder = in_use(paths)
    bundle, copy = open_bundle(folder), with_files(folder, root / "copy", {})
    assert open_bundle(copy).manifest == bundle.manifest
    with running(paths) as line:
        (folder / "model.bin").write_bytes(b"other")
        assert line.kill("detect")
        wait_for(paths, lambda live: alarmed(live, "model_refused"))
        done = inspector("model", "install", copy, "--root", root)
        assert done.returncode == 0, done.stderr + line.log
        assert "decides on the running line" in done.stdout
        wait_for(paths, lambda live: decided_by(live, bundle.manifest.id))
        assert line.stop() == 0
        account(line)
