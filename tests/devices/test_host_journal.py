"""A process's log: fields in the journal under systemd, one plain line on a bench."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.journal import journal, parsed

from inspector.core.journal import about
from inspector.devices.host import JournalHandler, in_journal


def line(text: str, level: int = logging.WARNING, **more: object) -> logging.LogRecord:
    record = logging.LogRecord("x", level, "", 0, text, (), None)
    vars(record).update(more)
    return record


def test_line_arrives_with_its_fields_and_priority(root: Path) -> None:
    handler = JournalHandler("gate", root / "journal")
    with journal(root / "journal") as channel:
        handler.emit(line("no PLC", logging.ERROR, **about({"EVENT": "output"})))
        entry = parsed(channel.recv(65536))
    handler.close()
    assert (entry["MESSAGE"], entry["PRIORITY"]) == ("no PLC", "3")
    assert (entry["SYSLOG_IDENTIFIER"], entry["INSPECTOR_EVENT"]) == ("inspector-gate", "output")


def test_line_that_is_about_nothing_has_no_fields(root: Path) -> None:
    handler = JournalHandler("ui", root / "journal")
    with journal(root / "journal") as channel:
        handler.emit(line("ready", logging.INFO))
        entry = parsed(channel.recv(65536))
    handler.close()
    assert set(entry) == {"MESSAGE", "PRIORITY", "SYSLOG_IDENTIFIER"}


def test_journal_that_is_stuck_does_not_hold_up_the_process(root: Path) -> None:
    """More lines than any socket holds, and nobody reads one."""
    handler = JournalHandler("gate", root / "journal")
    with journal(root / "journal"):
        for number in range(20_000):
            handler.emit(line(f"{number} " + "x" * 4000))
    handler.close()


def test_journal_that_is_gone_leaves_the_plain_line(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    handler = JournalHandler("gate", root / "absent")
    handler.emit(line("no PLC"))
    handler.close()
    assert capsys.readouterr().err == "no PLC\n"


def test_stream_that_journald_made_is_known_by_its_number(root: Path) -> None:
    with (root / "stream").open("w") as stream, (root / "other").open("w") as other:
        found = os.fstat(stream.fileno())
        environ = {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
        assert in_journal(stream, environ)
        assert not in_journal(other, environ)
        assert not in_journal(stream, {})


def test_bench_has_one_plain_line_for_an_event() -> None:
    code = (
        "from inspector.devices.host import log_to_stderr;"
        "from inspector.core.journal import about;"
        "log_to_stderr('gate').error('no PLC', extra=about({'EVENT': 'output'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, check=True, timeout=60
    )
    assert done.stderr.endswith(" gate ERROR no PLC\n")
    assert done.stderr.count("\n") == 1
