"""Export parity: what must be refused before it decides, and what must not."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from msgspec import structs
from support import forged
from support.forged import forge, with_files
from support.stations import picture, small
from support.tiny_model import write_bundle

from inspector.cli import samples
from inspector.core.bundle import Golden, Proof
from inspector.core.config import Detect
from inspector.core.paths import Paths, under
from inspector.core.recipe import Recipe, RecipeLimits
from inspector.devices.bundles import open_bundle
from inspector.devices.engine import Engine
from inspector.devices.proofs import Stamps
from inspector.procedures import loading
from inspector.procedures.judge import Judge
from inspector.procedures.loading import Loader, ModelRefused

RECIPE = Recipe(schema=1, name="cap", model="cap", limits=RecipeLimits(review=0.7, fail=1.0))


@pytest.fixture
def paths(root: Path) -> Paths:
    return under(root)


@pytest.fixture
def tiny(root: Path) -> Path:
    return write_bundle(root / "tiny", small(picture(3)))


def judged(paths: Paths, folder: Path, recipe: Recipe = RECIPE, **settings: object) -> Judge:
    engine = Engine(Detect(threads=1, **settings), paths.cache)  # type: ignore[arg-type]
    return Loader(paths, engine).judge(recipe, folder)


@pytest.mark.parametrize("precision", ["f32", "auto"])
def test_taught_bundle_is_proven_at_every_precision(paths: Paths, precision: str) -> None:
    """An honest difference between number formats is none."""
    judged(paths, samples.bundle(), precision=precision)
    assert len(list(paths.proofs.glob("*.json"))) == 1


@pytest.mark.parametrize(
    "change",
    [
        forged.few_levels,
        forged.wrong_scale,
        forged.swapped_colours,
        forged.not_normalised,
        forged.not_a_number,
    ],
)
def test_fault_behind_sound_digests_is_refused(
    root: Path, paths: Paths, change: forged.Change
) -> None:
    folder = forge(samples.bundle(), root / "cap", change)
    with pytest.raises(ModelRefused, match=r"cap@.* where it was made .*teach it again") as refused:
        judged(paths, folder)
    assert "reference/0" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not paths.proofs.exists()


def test_same_model_written_anew_is_proven(root: Path, paths: Paths) -> None:
    """What the forgeries have in common does not refuse a bundle."""
    judged(paths, forge(samples.bundle(), root / "cap", lambda model: None))


def test_truncated_weights_with_forged_digests_are_refused(root: Path, paths: Paths) -> None:
    sound = samples.bundle()
    weights = (sound / "model.bin").read_bytes()
    folder = with_files(sound, root / "cap", {"model.bin": weights[: len(weights) // 2]})
    with pytest.raises(ModelRefused, match=r"model\.xml: OpenVINO cannot read or compile it"):
        judged(paths, folder)


def test_weights_exchanged_under_a_compiled_model_are_noticed(
    tiny: Path, paths: Paths, root: Path
) -> None:
    """The same graph with other weights, digests and version made to fit: the cache of compiled
    models must not answer for weights that are gone."""
    judged(paths, tiny)
    other = write_bundle(root / "other", 255 - small(picture(3)))
    weights = (other / "model.bin").read_bytes()
    forged_one = with_files(tiny, root / "forged", {"model.bin": weights})
    for name in ("model.bin", "bundle.toml"):  # the .xml keeps its date
        (tiny / name).write_bytes((forged_one / name).read_bytes())
    with pytest.raises(ModelRefused, match="where it was made"):
        judged(paths, tiny)


def test_proof_is_remembered_and_spot_checked(
    tiny: Path, paths: Paths, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = (tiny / "reference/00.png").read_bytes()
    (reference,) = open_bundle(tiny).manifest.proof.references
    second = structs.replace(reference, image="reference/01.png")
    proof = Proof(tolerance=0.05, references=(reference, second))
    folder = with_files(tiny, root / "two", {"reference/01.png": image}, proof=proof)
    seen: list[str] = []
    read = cv2.imdecode

    def counted(data: np.ndarray, flags: int) -> np.ndarray | None:
        seen.append("image")
        return read(data, flags)

    monkeypatch.setattr(cv2, "imdecode", counted)
    judged(paths, folder)
    assert len(seen) == 2
    judged(paths, folder)
    assert len(seen) == 3  # spot-checked
    judged(paths, folder, precision="auto")
    assert len(seen) == 5  # another precision
    judged(paths, folder, structs.replace(RECIPE, limits=RecipeLimits(review=0.5, fail=0.9)))
    assert len(seen) == 7  # other limits
    for stamp in paths.proofs.glob("*.json"):
        stamp.write_bytes(b"\xff{")
    judged(paths, folder)
    assert len(seen) == 9  # corrupt stamps count for nothing


def test_new_openvino_or_processor_is_proven_again(
    tiny: Path, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged(paths, tiny)
    identity = Engine.identity
    for change in ({"openvino": "2030.1"}, {"processor": "another"}, {"device": "GPU"}):
        monkeypatch.setattr(
            Engine, "identity", lambda self, change=change: {**identity(self), **change}
        )
        before = set(paths.proofs.iterdir())
        judged(paths, tiny)
        assert len(set(paths.proofs.iterdir()) - before) == 1


def test_proof_needs_no_room_for_its_stamp(
    tiny: Path, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths.cache.mkdir()
    paths.proofs.write_text("a file in the way")
    assert judged(paths, tiny).model_id.startswith("tiny@")


def test_new_program_is_proven_again(
    tiny: Path, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It makes the model's picture of a frame, so another one may make another picture."""
    judged(paths, tiny)
    monkeypatch.setattr(loading, "__version__", "99.0")
    judged(paths, tiny)
    assert len(list(paths.proofs.glob("*.json"))) == 2


def test_damaged_compiled_model_is_compiled_anew(tiny: Path, paths: Paths) -> None:
    """A sound bundle must not be refused for what was kept beside it."""
    sound = judged(paths, tiny).model.infer(picture(4)).score
    (kept,) = paths.cache.rglob("*.blob")
    content = np.frombuffer(kept.read_bytes(), np.uint8).copy()
    content[len(content) // 4 : 3 * len(content) // 4 : 31] ^= 0x55
    kept.chmod(0o600)
    kept.write_bytes(content.tobytes())
    assert judged(paths, tiny).model.infer(picture(4)).score == sound


def test_compiled_model_needs_no_room(tiny: Path, paths: Paths) -> None:
    paths.cache.write_text("a file in the way")
    assert judged(paths, tiny).model_id.startswith("tiny@")


def test_stamp_of_a_bundle_that_was_altered_since_does_not_count(
    tiny: Path, paths: Paths, root: Path
) -> None:
    """Same files, same version, another manifest: proven anew, and refused."""
    judged(paths, tiny)
    (reference,) = open_bundle(tiny).manifest.proof.references
    wrong = structs.replace(reference, values=tuple(value + 1 for value in reference.values))
    proof = Proof(tolerance=0.05, references=(wrong,))
    with pytest.raises(ModelRefused, match=r"1\.000 where it was made"):
        judged(paths, with_files(tiny, root / "altered", {}, proof=proof))


def test_missing_values_are_refused(tiny: Path, paths: Paths, root: Path) -> None:
    (reference,) = open_bundle(tiny).manifest.proof.references
    short = structs.replace(reference, values=reference.values[:3])
    proof = Proof(tolerance=0.05, references=(short,))
    with pytest.raises(ModelRefused, match="has 3 values, the model gives 17"):
        judged(paths, with_files(tiny, root / "short", {}, proof=proof))


def test_reference_that_is_no_image_is_refused(tiny: Path, paths: Paths, root: Path) -> None:
    folder = with_files(tiny, root / "broken", {"reference/00.png": b"rubbish"})
    with pytest.raises(ModelRefused, match=r"00\.png: is no image.*make the bundle again"):
        judged(paths, folder)


def png(image: np.ndarray) -> bytes:
    return cv2.imencode(".png", image)[1].tobytes()


@pytest.mark.parametrize(
    ("kind", "bad", "says"),
    [("good", True, "golden good part .*: fail"), ("defective", False, "golden defective part")],
)
def test_golden_part_judged_wrongly_refuses_the_bundle(
    tiny: Path, paths: Paths, root: Path, kind: str, bad: bool, says: str
) -> None:
    files = {"golden/00.png": png(picture(8, bad))}
    golden = Golden(**{kind: ("golden/00.png",)})
    with pytest.raises(ModelRefused, match=says):
        judged(paths, with_files(tiny, root / "golden", files, golden=golden))


def test_golden_parts_judged_rightly(tiny: Path, paths: Paths, root: Path) -> None:
    files = {"golden/00.png": png(picture(8)), "golden/01.png": png(picture(9, bad=True))}
    golden = Golden(good=("golden/00.png",), defective=("golden/01.png",))
    folder = with_files(tiny, root / "golden", files, golden=golden)
    judged(paths, folder)
    mild = structs.replace(RECIPE, limits=RecipeLimits(review=50.0, fail=60.0))
    with pytest.raises(ModelRefused, match=r"golden defective part golden/01\.png: pass"):
        judged(paths, folder, mild)


def test_stamps_are_few(tmp_path: Path) -> None:
    stamps = Stamps(tmp_path)
    for number in range(210):
        assert stamps.keep({"bundle": str(number)}, 0.0)
    assert len(list(tmp_path.iterdir())) == 200
    assert stamps.holds({"bundle": "209"})
    assert not stamps.holds({"bundle": "0"})
