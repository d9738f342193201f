"""The lock files pin what pyproject.toml names, with hashes, and name no registry."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
RUNTIME = [
    *PROJECT["build-system"]["requires"],
    *PROJECT["project"]["dependencies"],
    *EXTRAS["modbus"],
]
LOCKS = {"requirements.lock": RUNTIME, "requirements-dev.lock": [*RUNTIME, *EXTRAS["dev"]]}
PIN = re.compile(r"[a-z0-9-]+==[^ ]+( \\\n    --hash=sha256:[0-9a-f]{64})+\n")


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def pins(name: str) -> set[str]:
    return set(re.findall(r"^\S+==\S+", text(name), re.MULTILINE))


@pytest.mark.parametrize("name", LOCKS)
def test_lock_pins_what_the_project_names(name: str) -> None:
    assert set(LOCKS[name]) <= pins(name)


@pytest.mark.parametrize("name", LOCKS)
def test_lock_holds_nothing_but_pins_and_hashes(name: str) -> None:
    assert PIN.sub("", text(name)) == ""


def test_tests_run_with_what_a_station_runs() -> None:
    assert pins("requirements.lock") <= pins("requirements-dev.lock")
