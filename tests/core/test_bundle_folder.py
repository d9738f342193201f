"""Promise: a bundle folder is whole or absent."""

import hashlib
from pathlib import Path

import pytest
from msgspec import structs

from inspector.core import bundle_folder
from inspector.core.bundle import (
    UNNUMBERED,
    BundleManifest,
    Input,
    Limits,
    Metric,
    Proof,
    Provenance,
    Reference,
    version_of,
)
from inspector.core.errors import MaintainerError
from inspector.core.toml import read_toml

FILES = {"model.xml": b"<net/>", "model.bin": b"weights", "reference/00.png": b"picture"}


def manifest(version: str, files: dict[str, str]) -> BundleManifest:
    return BundleManifest(
        schema=1,
        name="washer",
        version=version,
        task="anomaly",
        input=Input(width=256, height=256, pixel="mono8"),
        limits=Limits(review=0.8, fail=1.0),
        provenance=Provenance(
            made_from='a "good" folder',
            source_sha256="0" * 64,
            inspector="0.1.0",
            openvino="2026.4",
        ),
        proof=Proof(
            tolerance=0.05, references=(Reference(image="reference/00.png", values=(0.5, 1.25)),)
        ),
        metrics=(Metric(name="image_auroc", value=0.97, images=40, data="parts of May"),),
        files=files,
    )


def test_the_manifest_comes_back_as_it_was_written(tmp_path: Path) -> None:
    written = bundle_folder.write(tmp_path / "washer", FILES, manifest)
    assert read_toml(tmp_path / "washer" / "bundle.toml", BundleManifest) == written


def test_every_file_is_named_with_its_digest(tmp_path: Path) -> None:
    written = bundle_folder.write(tmp_path / "washer", FILES, manifest)
    for name, digest in written.files.items():
        content = (tmp_path / "washer" / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest
    assert sorted(p.name for p in (tmp_path / "washer").iterdir()) == [
        "bundle.toml",
        "model.bin",
        "model.xml",
        "reference",
    ]


def test_a_bundle_is_never_overwritten(tmp_path: Path) -> None:
    bundle_folder.write(tmp_path / "washer", FILES, manifest)
    with pytest.raises(MaintainerError, match="exists already"):
        bundle_folder.write(tmp_path / "washer", FILES, manifest)


def test_a_missing_parent_is_named(tmp_path: Path) -> None:
    with pytest.raises(MaintainerError, match="lost: no such folder"):
        bundle_folder.write(tmp_path / "lost" / "washer", FILES, manifest)


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bundle_folder, "flush", full)
    with pytest.raises(MaintainerError, match="No space left"):
        bundle_folder.write(tmp_path / "washer", FILES, manifest)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "Washer", "a b", "x" * 65, "../washer"])
def test_a_name_that_no_manifest_may_carry_is_refused(name: str) -> None:
    with pytest.raises(MaintainerError, match="not allowed"):
        bundle_folder.check_name(name)


def test_another_content_is_another_version() -> None:
    files = dict.fromkeys(FILES, "a" * 64)
    first = manifest(UNNUMBERED, files)
    assert len(version_of(first)) == 12
    assert version_of(first) != version_of(manifest(UNNUMBERED, files | {"model.bin": "c" * 64}))
    wider = structs.replace(first, limits=Limits(review=0.8, fail=1.1))
    assert version_of(first) != version_of(wider)


def test_the_version_is_the_same_after_reading(tmp_path: Path) -> None:
    bundle_folder.write(tmp_path / "washer", FILES, manifest)
    found = read_toml(tmp_path / "washer" / "bundle.toml", BundleManifest)
    assert found.version == version_of(found)
