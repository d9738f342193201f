"""The pages and files in configs/ say what the program does."""

from pathlib import Path

import pytest
from support.settings_page import page

from inspector.core.config import load_station
from inspector.core.recipe import load_recipe

CONFIGS = Path(__file__).parents[2] / "configs"


def test_settings_page_is_that_of_the_configuration() -> None:
    assert (CONFIGS / "README.md").read_text(encoding="utf-8") == page(), (
        "made anew with: cd tests && python -m support.settings_page > ../configs/README.md"
    )


def test_example_station_is_accepted() -> None:
    station = load_station(CONFIGS / "station.toml")
    assert station.publish is None
    assert station.output.__class__.__name__ == "VirtualOutput"
    load_recipe(CONFIGS / "recipes" / f"{station.line.recipe}.toml")


@pytest.mark.parametrize("path", sorted((CONFIGS / "recipes").glob("*.toml")), ids=lambda p: p.stem)
def test_example_recipes_are_accepted(path: Path) -> None:
    load_recipe(path)
