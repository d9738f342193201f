"""Every alarm has cause and remedy, and every state of the line a sentence, in every language."""

import json
from pathlib import Path

import pytest

import inspector.ui
from inspector.domain.alarms import CODES
from inspector.domain.linestate import WHY

CATALOGUES = sorted((Path(inspector.ui.__file__).parent / "static" / "i18n").glob("*.json"))


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda path: path.stem)
def test_alarms_and_states_have_their_texts(catalogue: Path) -> None:
    texts = json.loads(catalogue.read_text())
    wanted = {f"alarm.{code}{what}" for code in CODES for what in ("", ".remedy")}
    wanted |= {f"line.why.{why}" for why in WHY}
    found = {key for key in texts if key.startswith(("alarm.", "line.why."))}
    assert found == wanted
    assert all(texts[key].strip() for key in wanted)


def test_there_are_catalogues() -> None:
    assert {path.stem for path in CATALOGUES} == {"en", "de", "es", "zh-CN"}
