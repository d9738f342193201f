"""The maintainer's handbook names every unit and every alarm there is, and commands that exist."""

import re
from pathlib import Path

import pytest

from inspector.cli.main import COMMANDS, parser
from inspector.domain.alarms import CODES

UNITS = Path(__file__).parents[2] / "systemd"
HANDBOOK = (UNITS / "README.md").read_text(encoding="utf-8")
SECTIONS = re.findall(r"^## (.+)$", HANDBOOK, re.MULTILINE)


@pytest.mark.parametrize("code", CODES)
def test_every_alarm_has_a_remedy_for_the_maintainer(code: str) -> None:
    assert re.search(rf"^\| [^|]*`{code}`[^|]*\|[^|]+\|[^|]+\|$", HANDBOOK, re.MULTILINE), code


@pytest.mark.parametrize("path", sorted(UNITS.glob("inspector*.*")), ids=lambda path: path.name)
def test_every_unit_is_named(path: Path) -> None:
    if path.suffix in (".service", ".target", ".slice"):
        name = path.name if path.suffix != ".service" else path.stem.rstrip("@")
        assert name in HANDBOOK


def test_every_command_that_is_shown_exists() -> None:
    shown = set(re.findall(r"inspector ([a-z]+(?:-[a-z]+)*)\b", "\n".join(code_of(HANDBOOK))))
    known = {line.split()[0] for line in parser().format_help().splitlines() if line.split()}
    assert shown <= known
    assert len(shown) > 10
    assert COMMANDS


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", HANDBOOK):
        if target.startswith("#"):
            assert target[1:] in {name.lower().replace(" ", "-") for name in SECTIONS}
        else:
            assert (UNITS / target).exists(), target


def code_of(text: str) -> list[str]:
    """What stands in code, in lines or in blocks."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [*blocks, *re.findall(r"`([^`\n]+)`", text)]
