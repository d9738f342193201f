"""From an installed program to the settings of a station."""

import json
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
import tomli_w

from inspector.cli import setup as setup_command
from inspector.cli import setup_answers
from inspector.cli.check import problems
from inspector.cli.main import main
from inspector.cli.setup import table
from inspector.cli.setup_answers import ask_all
from inspector.core.config import load_station
from inspector.core.errors import OperatorError
from inspector.core.paths import under
from inspector.core.people import load_people
from inspector.domain.pins import fits

STATION = dict.fromkeys(("enterprise", "site", "area", "line", "cell"), "x1")
PERSON = {"name": "anna", "pin": "482913"}


def answers(root: Path, **sections: object) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    path = root / "answers.toml"
    path.write_text(tomli_w.dumps({"station": STATION, "person": PERSON, **sections}))
    return path


def setup(root: Path, *more: str, **sections: object) -> int:
    file = str(answers(root, **sections))
    return main(["setup", "--root", str(root / "station"), "--file", file, *more])


def test_answers_become_a_station_that_is_fit_to_start(root: Path) -> None:
    assert setup(root) == 0
    paths = under(root / "station")
    assert problems(paths) == []
    config = load_station(paths.station_file)
    assert config.production
    assert config.station.site == "x1"
    (person,) = load_people(paths.people)
    assert (person.name, person.role) == ("anna", "engineer")
    assert fits("482913", person.pin)
    assert stat.S_IMODE(paths.station_file.stat().st_mode) == 0o640


def test_settings_that_are_there_stay_unless_told_otherwise(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert setup(root) == 0
    file = under(root / "station").station_file
    before = file.read_text()
    assert setup(root, line={}) == 78
    assert "--replace" in capsys.readouterr().err
    assert file.read_text() == before
    assert setup(root, "--replace", lot="B-2") == 0
    assert load_station(file).line.lot == "B-2"
    assert file.with_name("station.toml.before").read_text() == before


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        ({"station": {**STATION, "site": "a b"}}, "station.site"),
        ({"colour": 1}, "colour"),
        ({"person": {"name": "anna", "pin": "12"}}, "person.pin"),
        ({"publish": {"host": "broker", "password_file": "mqtt-password"}}, "publish.username"),
        ({"cameras": [{"kind": "remote", "name": "cam0"}]}, "add [listen]"),
        ({"product": "unknown"}, "unknown"),
    ],
)
def test_wrong_answers_change_nothing(
    root: Path, capsys: pytest.CaptureFixture[str], sections: Mapping[str, object], said: str
) -> None:
    assert setup(root, **sections) != 0
    told = capsys.readouterr().err
    assert said in told
    assert len(told.splitlines()) == 1
    assert not under(root / "station").station_file.exists()
    assert not list((root / "station").rglob("*.new"))


def test_secrets_lie_apart_and_are_repeated_nowhere(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish = {"host": "broker", "username": "line1", "password_file": "mqtt-password"}
    assert setup(root, "--json", publish=publish, secrets={"mqtt-password": "s3cr3t"}) == 0
    config = root / "station" / "config"
    secret = config / "secrets" / "mqtt-password"
    assert secret.read_text() == "s3cr3t"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert stat.S_IMODE(secret.parent.stat().st_mode) == 0o700
    others = [path for path in config.rglob("*") if path.is_file() and path != secret]
    assert not any("s3cr3t" in path.read_text() for path in others)
    said = capsys.readouterr()
    assert "s3cr3t" not in said.out + said.err
    assert json.loads(said.out)["started"] is False


def test_bench_named_in_the_environment_is_no_station_of_this_box(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its settings are none of the units that are installed here."""
    monkeypatch.setattr(setup_command, "put_in_place", lambda *_: pytest.fail("touches systemd"))
    monkeypatch.setattr(setup_command, "systemctl", lambda *_: pytest.fail("touches systemd"))
    monkeypatch.setenv("INSPECTOR_ROOT", str(root / "station"))
    assert main(["setup", "--file", str(answers(root))]) == 0
    assert under(root / "station").station_file.exists()


def test_only_what_was_chosen_is_written(root: Path) -> None:
    """A later version's defaults count then, too."""
    plc = {"kind": "modbus", "host": "192.0.2.7"}
    assert setup(root, output=plc, retention={"parts_days": 30}) == 0
    written = tomllib.loads(under(root / "station").station_file.read_text())
    assert written["output"] == plc
    assert written["retention"] == {"parts_days": 30}
    assert "backup" not in written


def test_questions_at_a_terminal_have_defaults() -> None:
    pins = iter(("482913", "482913"))
    got = ask_all(lambda _question, default: default, lambda _question: next(pins))
    assert got.station.enterprise == "acme"
    assert got.publish is None
    assert got.person
    assert got.person.pin == "482913"
    assert table(got)["cameras"][0]["path"].endswith("sample_data/cap/test")


def test_answers_to_questions_lead_to_broker_and_plc() -> None:
    given = {"address of the PLC": "192.0.2.7", "address of the MQTT": "broker", "user at": "u"}

    def ask(question: str, default: str) -> str:
        return next((text for start, text in given.items() if question.startswith(start)), default)

    secrets = iter(("s3cr3t", "482913", "482913"))
    got = ask_all(ask, lambda _question: next(secrets))
    assert got.secrets == {"mqtt-password": "s3cr3t"}
    written = table(got)
    assert written["output"] == {"kind": "modbus", "host": "192.0.2.7"}
    assert written["publish"] == {
        "host": "broker",
        "username": "u",
        "password_file": "mqtt-password",
    }


def test_pins_that_differ_are_refused() -> None:
    pins = iter(("482913", "482914"))
    with pytest.raises(OperatorError, match="differ"):
        ask_all(lambda _question, default: default, lambda _question: next(pins))


def test_without_a_terminal_a_file_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup_answers.sys.stdin, "isatty", lambda: False, raising=False)
    with pytest.raises(OperatorError, match="--file"):
        ask_all()
