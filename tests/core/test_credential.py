"""Where a secret lies that a setting names."""

from pathlib import Path

from inspector.core.credential import credential


def test_path_is_itself_and_a_name_is_what_systemd_hands_out(tmp_path: Path) -> None:
    handed = {"CREDENTIALS_DIRECTORY": "/run/credentials/inspector-publish.service"}
    assert credential("/etc/ssl/plant.pem", handed) == Path("/etc/ssl/plant.pem")
    assert credential("word", handed) == Path("/run/credentials/inspector-publish.service/word")


def test_maintainers_command_finds_it_where_the_unit_takes_it_from(tmp_path: Path) -> None:
    assert credential("word", {}, tmp_path) is None
    (tmp_path / "word").write_text("hush")
    assert credential("word", {}, tmp_path) == tmp_path / "word"
