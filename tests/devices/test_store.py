"""The store: versions whole or absent, one in use, one to go back to, whatever is pulled."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from support.disks import fill, small_disk
from support.forged import with_files
from support.tiny_model import SIDE, write_bundle

from inspector.core.errors import MaintainerError
from inspector.devices.bundles import Bundle, Store, candidates, find, open_bundle


@pytest.fixture
def models(root: Path) -> Path:
    return root / "models"


@pytest.fixture
def store(models: Path) -> Store:
    return Store(models)


def made(root: Path, grey: int, name: str = "tiny") -> Path:
    """A bundle beside the store; another grey is another version."""
    return write_bundle(root / f"{name}-{grey}", np.full((SIDE, SIDE, 1), grey, np.uint8), 40, name)


def installed(root: Path, store: Store, grey: int) -> Bundle:
    return store.install(made(root, grey))


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_installed_bundle_is_the_one_given(root: Path, store: Store, models: Path) -> None:
    source = made(root, 10)
    bundle = store.install(source)
    assert bundle.folder == models / "tiny" / bundle.manifest.version
    copied = contents(bundle.folder)
    assert copied.pop("bundle.sha256").decode().strip() == bundle.digest
    assert copied == contents(source)
    assert open_bundle(source).digest == bundle.digest


def test_nothing_is_in_use_until_it_is_said(root: Path, store: Store, models: Path) -> None:
    installed(root, store, 10)
    with pytest.raises(MaintainerError, match="tiny: holds no bundle in use"):
        find("tiny", models)


def test_use_and_back(root: Path, store: Store, models: Path) -> None:
    one, two = installed(root, store, 10), installed(root, store, 20)
    store.use("tiny", one.manifest.version)
    assert find("tiny", models) == one.folder
    assert candidates("tiny", models) == [one.folder]
    with pytest.raises(MaintainerError, match="no version was in use before"):
        store.back("tiny")
    store.use("tiny", two.manifest.version)
    assert candidates("tiny", models) == [two.folder, one.folder]
    store.use("tiny", two.manifest.version)  # twice changes nothing
    assert candidates("tiny", models) == [two.folder, one.folder]
    assert store.before("tiny") == one.folder
    assert store.back("tiny") == one
    assert candidates("tiny", models) == [one.folder, two.folder]
    assert (models / "tiny" / "current").readlink() == Path(one.manifest.version)


def test_same_version_twice_changes_nothing(root: Path, store: Store) -> None:
    source = made(root, 10)
    first = store.install(source)
    before = {path: path.stat().st_mtime_ns for path in first.folder.rglob("*")}
    assert store.install(source) == first
    assert {path: path.stat().st_mtime_ns for path in first.folder.rglob("*")} == before


def test_same_files_under_another_manifest_are_another_version(root: Path, store: Store) -> None:
    source = made(root, 10)
    first = store.install(source)
    lenient = with_files(source, root / "lenient", {}, metrics=(), classes=("lenient",))
    assert store.install(lenient).manifest.version != first.manifest.version
    assert len(store.listed()) == 2


def test_same_version_in_other_words_is_refused(root: Path, store: Store) -> None:
    source = made(root, 10)
    store.install(source)
    manifest = source / "bundle.toml"
    manifest.write_text("# another hand\n" + manifest.read_text())
    with pytest.raises(MaintainerError, match=r"bundle\.toml: differs from that of tiny@"):
        store.install(source)


def test_tampered_bundle_is_not_installed(root: Path, store: Store, models: Path) -> None:
    source = made(root, 10)
    (source / "model.bin").write_bytes(b"x")
    with pytest.raises(MaintainerError, match=r"model\.bin: has SHA-256"):
        store.install(source)
    assert not (models / "tiny").exists()


def test_manifest_altered_in_the_store_is_noticed(root: Path, store: Store) -> None:
    """No file's digest tells of other limits; the seal does."""
    bundle = installed(root, store, 10)
    manifest = bundle.folder / "bundle.toml"
    manifest.write_text(manifest.read_text().replace("tolerance = 0.05", "tolerance = 1.0"))
    with pytest.raises(MaintainerError, match=r"bundle\.toml: has SHA-256 .* its seal says"):
        store.use("tiny", bundle.manifest.version)


def test_damaged_version_is_not_put_in_use_and_is_mended_by_installing(
    root: Path, store: Store, models: Path
) -> None:
    one, two = installed(root, store, 10), installed(root, store, 20)
    store.use("tiny", one.manifest.version)
    (two.folder / "model.bin").unlink()
    with pytest.raises(MaintainerError, match=r"model\.bin: cannot be read"):
        store.use("tiny", two.manifest.version)
    assert find("tiny", models) == one.folder
    problems = {version.version: version.problem for version in store.listed()}
    assert "cannot be read" in problems[two.manifest.version]
    assert store.install(root / "tiny-20") == two
    assert store.use("tiny", two.manifest.version) == two


def test_damaged_version_is_nothing_to_go_back_to(root: Path, store: Store, models: Path) -> None:
    one, two, three = (installed(root, store, grey) for grey in (10, 20, 30))
    for bundle in (one, two):
        store.use("tiny", bundle.manifest.version)
    (two.folder / "model.bin").write_bytes(b"damaged")
    store.use("tiny", three.manifest.version)
    assert candidates("tiny", models) == [three.folder, one.folder]


@pytest.mark.parametrize(
    ("name", "version", "says"),
    [
        ("tiny", "0" * 12, r"tiny 000000000000: is not installed \(there: [0-9a-f]{12}\)"),
        ("other", "0" * 12, "not installed"),
        ("tiny", "../../etc", "no name and version"),
        ("tiny", "current", "no name and version"),
        ("../x", "0" * 12, "no name of a bundle"),
    ],
)
def test_what_is_not_there_cannot_be_used(
    root: Path, store: Store, name: str, version: str, says: str
) -> None:
    installed(root, store, 10)
    with pytest.raises(MaintainerError, match=says):
        store.use(name, version)


@pytest.mark.parametrize("model", ["../tiny", "a/b", "Tiny", ".", "tiny/current"])
def test_name_that_leads_elsewhere_is_refused(models: Path, model: str) -> None:
    with pytest.raises(MaintainerError, match="neither a name"):
        find(model, models)


def test_link_that_leads_elsewhere_is_none(root: Path, store: Store, models: Path) -> None:
    installed(root, store, 10)
    (models / "tiny" / "current").symlink_to(root / "tiny-10")
    with pytest.raises(MaintainerError, match="holds no bundle in use"):
        find("tiny", models)


def test_absolute_path_is_itself(root: Path, models: Path) -> None:
    assert find(str(root / "anywhere"), models) == root / "anywhere"


def test_remove_keeps_what_is_in_use_and_what_was_before(
    root: Path, store: Store, models: Path
) -> None:
    one, two, three = (installed(root, store, grey) for grey in (10, 20, 30))
    for bundle in (one, two):
        store.use("tiny", bundle.manifest.version)
    for bundle, word in ((one, "previous"), (two, "current")):
        with pytest.raises(MaintainerError, match=f"is the {word} one"):
            store.remove("tiny", bundle.manifest.version)
    store.remove("tiny", three.manifest.version)
    assert {version.version for version in store.listed()} == {
        bundle.manifest.version for bundle in (one, two)
    }
    assert not list((models / "tiny").glob(".*"))


def test_disk_full_on_install_leaves_nothing_half_written(root: Path) -> None:
    source = made(root, 10)
    disk = root / "disk"
    disk.mkdir()
    with small_disk(disk, "4m"):
        store = Store(disk / "models")
        kept = store.install(made(root, 20))
        fill(disk, leave=12_000)
        with pytest.raises(MaintainerError, match=r"cannot be written \(No space left .*make room"):
            store.install(source)
        assert [version.version for version in store.listed()] == [kept.manifest.version]
        assert not list((disk / "models" / "tiny").glob(".*"))
        (disk / "filler").unlink()
        assert store.install(source).manifest.id == open_bundle(source).manifest.id


def test_folder_that_cannot_be_written_is_one_line(root: Path) -> None:
    (root / "models").write_text("a file in the way")
    with pytest.raises(MaintainerError, match=r"models: cannot be written .*mend its owner"):
        Store(root / "models").install(made(root, 10))


INSTALL = """
import sys
from pathlib import Path
from inspector.devices.bundles import Store
store = Store(Path(sys.argv[1]))
print("begins", flush=True)
while True:
    for source in sys.argv[2:]:
        bundle = store.install(Path(source))
        store.use("tiny", bundle.manifest.version)
        (bundle.folder / "model.bin").unlink()  # so that the next round writes it anew
"""


def test_killed_installation_leaves_nothing_half_written_loadable(root: Path) -> None:
    """kill -9 at any moment: a version's folder is whole or its damage is known, the links name
    folders, and the next installation mends all and clears away what was left."""
    sources = [made(root, 10), made(root, 20)]
    for source in sources:  # larger, so that copying takes its time
        bulk = {"reference/01.png": os.urandom(3_000_000)}
        shutil.copytree(
            with_files(source, root / f"{source.name}-large", bulk), source, dirs_exist_ok=True
        )
    models, rng = root / "models", random.Random(3)
    for _ in range(12):
        process = subprocess.Popen(
            [sys.executable, "-c", INSTALL, models, *sources], stdout=subprocess.PIPE
        )
        assert process.stdout
        process.stdout.readline()
        time.sleep(rng.uniform(0.0, 0.15))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        for version in Store(models).listed():
            assert not version.problem or "model.bin" in version.problem
            assert len(list(version.folder.rglob("*"))) >= 6
    store = Store(models)
    bundles = [store.install(source) for source in sources]
    assert [open_bundle(bundle.folder) for bundle in bundles] == bundles
    assert not list((models / "tiny").glob(".draft-*"))
    assert {version.problem for version in store.listed()} == {""}


def test_what_killed_processes_left_is_cleared_away(root: Path, store: Store, models: Path) -> None:
    bundle = installed(root, store, 10)
    (models / "tiny" / ".draft-a").mkdir()
    (models / "begun" / ".draft-b").mkdir(parents=True)
    store.tidy()
    assert sorted(path.name for path in models.iterdir()) == [".lock", "tiny"]
    assert [path.name for path in (models / "tiny").iterdir()] == [bundle.manifest.version]
