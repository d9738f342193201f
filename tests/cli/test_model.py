"""inspector model: install, list, use, back, remove, prove, as a user runs them."""

import json
from pathlib import Path

import cv2
import pytest
from msgspec import structs
from support import forged
from support.commands import inspector, refusals
from support.forged import forge, with_files
from support.stations import picture, small, write_recipe
from support.tiny_model import write_bundle

from inspector.cli import samples
from inspector.core.bundle import Golden, Proof
from inspector.core.paths import Paths, under
from inspector.devices.bundles import Store, find, open_bundle


@pytest.fixture
def paths(root: Path) -> Paths:
    return under(root)


def made(root: Path, seed: int) -> Path:
    return write_bundle(root / f"tiny-{seed}", small(picture(seed)))


def model(*arguments: str | Path, root: Path) -> str:
    done = inspector("model", *arguments, "--root", root)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refused(*arguments: str | Path, root: Path | None = None, code: int = 78) -> str:
    done = inspector("model", *arguments, *(("--root", root) if root else ()))
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    (line,) = refusals(done)
    return line


def test_from_installing_to_going_back(root: Path, paths: Paths) -> None:
    one, two = made(root, 1), made(root, 2)
    first, second = (open_bundle(folder).manifest for folder in (one, two))
    assert f"{first.id}: installed and in use" in model("install", one, root=root)
    told = model("install", two, root=root)
    assert f"`inspector model use tiny {second.version}`" in told
    assert find("tiny", paths.models).name == first.version
    told = model("use", "tiny", second.version, root=root)
    assert "in use from its recipe's next start on" in told
    listed = {
        one["version"]: one for one in json.loads(model("list", "--json", root=root))["versions"]
    }
    assert listed[first.version]["use"] == "previous"
    assert listed[second.version]["use"] == "current"
    assert listed[first.version]["digest"] == open_bundle(one).digest
    model("back", "tiny", root=root)
    assert find("tiny", paths.models).name == first.version
    assert "in order" in model("list", root=root)


def test_remove(root: Path, paths: Paths) -> None:
    one, two = made(root, 1), made(root, 2)
    model("install", one, root=root)
    model("install", two, root=root)
    first, second = (open_bundle(folder).manifest.version for folder in (one, two))
    assert "is the current one" in refused("remove", "tiny", first, root=root)
    model("remove", "tiny", second, root=root)
    assert len(Store(paths.models).listed()) == 1


def test_tampered_bundle_is_not_installed(root: Path, paths: Paths) -> None:
    folder = made(root, 1)
    (folder / "model.bin").write_bytes(b"x")
    assert "model.bin: has SHA-256" in refused("install", folder, root=root)
    assert Store(paths.models).listed() == []


def test_unproven_bundle_is_not_put_in_use(root: Path, paths: Paths) -> None:
    folder = forge(samples.bundle(), root / "cap", forged.few_levels)
    assert "where it was made" in refused("install", folder, root=root)
    version = open_bundle(folder).manifest.version
    (installed,) = Store(paths.models).listed()
    assert not installed.current
    assert "where it was made" in refused("use", "cap", version, root=root)


def test_model_is_proven_by_the_limits_of_the_recipes_that_name_it(
    root: Path, paths: Paths
) -> None:
    """A golden defective part that the bundle's own limits find, and a mild recipe's do not."""
    folder = made(root, 1)
    files = {"golden/00.png": cv2.imencode(".png", picture(2, bad=True))[1].tobytes()}
    golden = Golden(defective=("golden/00.png",))
    bundle = with_files(folder, root / "golden", files, golden=golden)
    write_recipe(paths, "mild", limits={"review": 50.0, "fail": 60.0})
    told = refused("install", bundle, root=root)
    assert "golden defective part golden/00.png: pass" in told
    assert "mend the limits of recipe mild" in told
    write_recipe(paths, "mild")
    assert "in use" in model("install", bundle, root=root) + model(
        "use", "tiny", open_bundle(bundle).manifest.version, root=root
    )


def test_prove_shows_every_reference(root: Path) -> None:
    bundle = samples.bundle()
    done = inspector("model", "prove", bundle, "--json", "--precision", "auto")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    manifest = open_bundle(bundle).manifest
    assert told["bundle"] == manifest.id
    assert (told["device"], told["precision"]) == ("CPU", "auto")
    looks = [one["look"] for one in told["references"]]
    count = len(manifest.proof.references)
    assert looks == ["first"] * count + ["second"] * count
    assert all(one["difference"] <= told["tolerance"] for one in told["references"])
    assert told["refused"] == ""


def test_prove_refuses_with_its_figures(root: Path) -> None:
    folder = forge(samples.bundle(), root / "cap", forged.not_normalised)
    done = inspector("model", "prove", folder)
    assert done.returncode == 78
    assert "refused" in done.stdout
    (line,) = refusals(done)
    assert "where it was made" in line
    told = json.loads(inspector("model", "prove", folder, "--json").stdout)
    assert max(one["difference"] for one in told["references"]) > told["tolerance"]
    assert told["refused"]


def test_prove_by_name(root: Path, paths: Paths) -> None:
    model("install", made(root, 1), root=root)
    assert "tiny@" in model("prove", "tiny", root=root)
    assert "holds no bundle in use" in refused("prove", "absent", root=root)


def test_what_is_not_there_is_one_line(root: Path) -> None:
    assert "give the station's own --root" in refused("list", root=root / "absent")
    assert "see `inspector model list`" in refused("use", "tiny", "newest", root=root)
    assert "holds no bundle" in refused("install", root / "absent", root=root)
    assert "is not installed (there: none)" in refused("use", "tiny", "0" * 12, root=root)
    assert "no version was in use before" in refused("back", "tiny", root=root)
    assert "holds no bundle" in refused("prove", root)
    assert "finds CPU here" in refused("prove", samples.bundle(), "--device", "NPU")


def test_reference_without_a_finite_value_is_refused_with_its_figures(root: Path) -> None:
    folder = made(root, 1)
    (reference,) = open_bundle(folder).manifest.proof.references
    wrong = structs.replace(reference, values=(float("inf"), *reference.values[1:]))
    proof = Proof(tolerance=0.05, references=(wrong,))
    assert "score is" in refused("prove", with_files(folder, root / "inf", {}, proof=proof))
