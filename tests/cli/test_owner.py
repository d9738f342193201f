"""What root makes below a station's folder is handed over, and nothing else is."""

import os
from pathlib import Path
from typing import Any

import pytest

from inspector.cli import owner
from inspector.cli.owner import hand_over

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root hands anything over")

WORKSHOP, SOMEBODY = 4711, 4712


@pytest.fixture
def models(root: Path) -> Path:
    folder = root / "models"
    (folder / "cap" / "1").mkdir(parents=True)
    (folder / "cap" / "1" / "model.bin").write_bytes(b"")
    os.chown(folder, WORKSHOP, WORKSHOP)
    return folder


@pytest.fixture
def elsewhere(root: Path) -> Path:
    """A file that is none of the station's, named like one of a model."""
    folder = root / "elsewhere"
    (folder / "1").mkdir(parents=True)
    (folder / "1" / "model.bin").write_bytes(b"")
    os.chown(folder / "1" / "model.bin", SOMEBODY, SOMEBODY)
    return folder


def test_all_that_lies_below_gets_the_folders_owner(models: Path) -> None:
    (models / "cap" / "current").symlink_to("1")
    hand_over(models)
    owners = {(one.lstat().st_uid, one.lstat().st_gid) for one in models.rglob("*")}
    assert owners == {(WORKSHOP, WORKSHOP)}


def test_link_is_not_followed(models: Path, elsewhere: Path) -> None:
    (models / "cap" / "link").symlink_to(elsewhere)
    (models / "file").symlink_to(elsewhere / "1" / "model.bin")
    hand_over(models)
    assert (elsewhere / "1" / "model.bin").stat().st_uid == SOMEBODY


def test_folder_that_becomes_a_link_meanwhile_is_not_followed(
    models: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its owner may exchange it at any moment: root would give away what the link leads to."""
    chown = os.chown

    def exchange_first(path: str | Path, *arguments: int, **more: Any) -> None:
        if Path(path).name == "1" and not (models / "cap").is_symlink():
            (models / "cap").rename(models.parent / "aside")
            (models / "cap").symlink_to(elsewhere)
        chown(path, *arguments, **more)

    monkeypatch.setattr(owner.os, "chown", exchange_first)
    hand_over(models)
    assert (elsewhere / "1" / "model.bin").stat().st_uid == SOMEBODY


def test_folder_that_is_a_link_itself_hands_over_nothing(models: Path, elsewhere: Path) -> None:
    """As its parent's owner may make one of it."""
    link = models.with_name("link")
    link.symlink_to(elsewhere)
    os.chown(elsewhere, WORKSHOP, WORKSHOP)
    hand_over(link)
    assert (elsewhere / "1" / "model.bin").stat().st_uid == SOMEBODY
