"""Promise: a bundle folder is whole or absent."""

import hashlib
from pathlib import Path

import openvino as ov
import pytest

from inspector.core.bundle import BundleManifest, Calibration, Input, Limits, Provenance
from inspector.core.errors import MaintainerError
from inspector.core.toml import read_toml
from inspector.teach import bundle


def manifest(version: str, files: dict[str, str]) -> BundleManifest:
    return BundleManifest(
        schema=1,
        name="washer",
        version=version,
        task="anomaly",
        input=Input(width=256, height=256, pixel="mono8"),
        limits=Limits(review=0.8, fail=1.0),
        calibration=Calibration(12, 0.01, 0.0, 0.24, 2.0, 300),
        provenance=Provenance('a "good" folder', "0" * 64, "0.1.0", "2026.4"),
        files=files,
    )


@pytest.fixture
def model(backbone: Path) -> ov.Model:
    return ov.Core().read_model(backbone)


def test_the_manifest_comes_back_as_it_was_written(tmp_path: Path, model: ov.Model) -> None:
    written = bundle.write(tmp_path / "washer", model, manifest)
    assert read_toml(tmp_path / "washer" / "bundle.toml", BundleManifest) == written


def test_every_file_is_named_with_its_digest(tmp_path: Path, model: ov.Model) -> None:
    written = bundle.write(tmp_path / "washer", model, manifest)
    for name, digest in written.files.items():
        content = (tmp_path / "washer" / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest
    assert sorted(p.name for p in (tmp_path / "washer").iterdir()) == [
        "bundle.toml",
        "model.bin",
        "model.xml",
    ]


def test_a_bundle_is_never_overwritten(tmp_path: Path, model: ov.Model) -> None:
    bundle.write(tmp_path / "washer", model, manifest)
    with pytest.raises(MaintainerError, match="exists already"):
        bundle.write(tmp_path / "washer", model, manifest)


def test_a_missing_parent_is_named(tmp_path: Path, model: ov.Model) -> None:
    with pytest.raises(MaintainerError, match="lost: no such folder"):
        bundle.write(tmp_path / "lost" / "washer", model, manifest)


def test_a_full_disk_leaves_nothing_behind(
    tmp_path: Path, model: ov.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bundle, "_flush", full)
    with pytest.raises(MaintainerError, match="No space left"):
        bundle.write(tmp_path / "washer", model, manifest)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "Washer", "a b", "x" * 65, "../washer"])
def test_a_name_that_no_manifest_may_carry_is_refused(name: str) -> None:
    with pytest.raises(MaintainerError, match="not allowed"):
        bundle.check_name(name)


def test_another_content_is_another_version() -> None:
    first = {"model.xml": "a" * 64, "model.bin": "b" * 64}
    second = first | {"model.bin": "c" * 64}
    assert bundle.version(first) != bundle.version(second)
    assert len(bundle.version(first)) == 12
