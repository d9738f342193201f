"""`inspector user` and `inspector audit`, as a maintainer uses them."""

import json
import os
import pty
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest
from support.commands import INSPECTOR, inspector, refusals
from support.recording import prepare

from inspector.cli.main import main
from inspector.core.clock import SECOND
from inspector.core.paths import Paths, under
from inspector.core.people import load_people
from inspector.devices.ledger import Ledger
from inspector.domain.audit import START, link
from inspector.domain.pins import fits

WALL = 1_750_000_000 * SECOND


@pytest.fixture
def paths(root: Path) -> Paths:
    made = under(root)
    made.config.mkdir(parents=True)
    made.state.mkdir()
    return made


@dataclass
class Did:
    """A command that was run, here and not in a process of its own: there are many."""

    returncode: int
    stdout: str
    stderr: str


def command(*arguments: str | Path, stdin: str = "") -> Did:
    out, err, before = StringIO(), StringIO(), sys.stdin
    sys.stdin = StringIO(stdin)
    try:
        with redirect_stdout(out), redirect_stderr(err):
            code = main([str(each) for each in arguments])
    finally:
        sys.stdin = before
    return Did(code, out.getvalue(), err.getvalue())


def user(paths: Paths, *arguments: str, pin: str | None = None) -> Did:
    extra = [] if pin is None else ["--pin-stdin"]
    root = paths.config.parent
    return command("user", *arguments, *extra, "--root", root, stdin=f"{pin or ''}\n")


def test_people_are_added_listed_changed_and_removed(paths: Paths) -> None:
    assert user(paths, "add", "anna", "--role", "operator", pin="4711").returncode == 0
    assert user(paths, "add", "Otto Groß", "--role", "engineer", pin="27182818").returncode == 0
    anna, otto = load_people(paths.people)
    assert (anna.name, anna.role, otto.name, otto.role) == (
        "anna",
        "operator",
        "Otto Groß",
        "engineer",
    )
    assert fits("4711", anna.pin)
    assert "4711" not in paths.people.read_text()
    assert paths.people.stat().st_mode & 0o777 == 0o640
    assert user(paths, "pin", "anna", pin="0815").returncode == 0
    assert fits("0815", load_people(paths.people)[0].pin)
    assert user(paths, "remove", "anna").returncode == 0
    listed = user(paths, "list", "--json")
    assert json.loads(listed.stdout) == {"people": [{"name": "Otto Groß", "role": "engineer"}]}
    assert otto.pin not in listed.stdout


def test_same_pin_is_salted_for_each(paths: Paths) -> None:
    for name in ("anna", "otto"):
        user(paths, "add", name, "--role", "operator", pin="4711")
    anna, otto = load_people(paths.people)
    assert anna.pin != otto.pin


@pytest.mark.parametrize("pin", ["123", "0000", "1234", "12ab", "", "123456789"])
def test_pin_that_is_none_or_trivial_is_refused_in_one_line(paths: Paths, pin: str) -> None:
    done = user(paths, "add", "anna", "--role", "operator", pin=pin)
    assert done.returncode == 65
    (line,) = done.stderr.splitlines()
    assert line.startswith("inspector: a PIN ")
    assert not paths.people.exists()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("add", "anna", "--role", "engineer"), "is listed already"),
        (("add", " x", "--role", "engineer"), "no space first or last"),
        (("add", "a\x1b[2J", "--role", "engineer"), "1 to 64 characters"),
        (("add", "", "--role", "engineer"), "1 to 64 characters"),
        (("add", "x" * 65, "--role", "engineer"), "1 to 64 characters"),
        (("pin", "otto"), "is not listed (there: anna)"),
    ],
)
def test_name_that_cannot_be_is_refused(
    paths: Paths, arguments: tuple[str, ...], reason: str
) -> None:
    user(paths, "add", "anna", "--role", "operator", pin="4711")
    before = paths.people.read_bytes()
    done = user(paths, *arguments, pin="0815")
    assert done.returncode == 65
    assert len(done.stderr.splitlines()) == 1
    assert reason in done.stderr
    assert paths.people.read_bytes() == before


def test_pin_is_asked_for_twice_and_not_shown(paths: Paths) -> None:
    assert type_pins(paths, "anna", "4711", "4711") == 0
    assert fits("4711", load_people(paths.people)[0].pin)
    assert type_pins(paths, "otto", "4711", "4712") == 65
    assert len(load_people(paths.people)) == 1


def type_pins(paths: Paths, name: str, *pins: str) -> int:
    """The command at a terminal of its own. Returns its exit code."""
    arguments = ["user", "add", name, "--role", "operator", "--root", str(paths.config.parent)]
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, [*INSPECTOR, *arguments])
    shown = b""
    for pin in pins:
        while not shown.rstrip(b" ").endswith(b":"):
            shown += os.read(terminal, 1)
        assert pin.encode() not in shown
        os.write(terminal, pin.encode() + b"\n")
        shown = b""
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status)


def test_script_without_a_terminal_is_told_the_option(paths: Paths) -> None:
    done = user(paths, "add", "anna", "--role", "operator")
    assert done.returncode == 65
    assert "--pin-stdin" in done.stderr


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[[person]]\nname = "a"\nrole = "chief"\npin = "4711"\n', ":3: person.0.role = 'chief'"),
        ('[[person]]\nname = "a"\nrole = "operator"\npin = "4711"\n', ":4: person.0.pin"),
        ('[[person]]\nname = "a"\nrole = "operator"\npin = 4711\n', ":4: person.0.pin"),
        ('[[person]]\nname = "a"\nrole = "operator"\n', "pin: missing"),
        ('[[person]]\nname = "a"\nrole = "operator"\npim = "x"\n', "pim"),
        ("[[person]\n", "is no TOML"),
    ],
)
def test_people_file_that_is_not_in_order_is_one_line(paths: Paths, text: str, reason: str) -> None:
    paths.people.write_text(text)
    done = user(paths, "list")
    assert done.returncode == 78
    (line,) = done.stderr.splitlines()
    assert f"{paths.people}" in line
    assert reason in line
    assert "4711" not in line


def test_name_that_stands_there_twice_is_refused(paths: Paths) -> None:
    user(paths, "add", "anna", "--role", "operator", pin="4711")
    one = paths.people.read_text()
    paths.people.write_text(one + one[one.index("[[person]]") :])
    done = user(paths, "list")
    assert "person.1.name: 'anna' stands there twice" in done.stderr


def test_people_file_that_cannot_be_written_is_one_line(paths: Paths) -> None:
    (paths.config / ".people.toml.new").mkdir()
    done = user(paths, "add", "anna", "--role", "operator", pin="4711")
    assert done.returncode == 78
    assert len(done.stderr.splitlines()) == 1


# ---- The chain.


@pytest.fixture
def ledger(root: Path) -> Path:
    """A ledger whose chain has six entries."""
    paths = prepare(root)
    opened = Ledger(paths.ledger, 60, 0, WALL)
    for number in range(6):
        opened.audit("anna", "pause", {"reason": f"{number}"}, WALL + number * SECOND)
    opened.checkpoint()
    opened.close()
    return paths.ledger


def verify(ledger: Path, *more: str) -> Did:
    return command("audit", "verify", "--file", ledger, *more)


def tamper(ledger: Path, *statements: str) -> None:
    with closing(sqlite3.connect(ledger)) as database, database:
        for statement in statements:
            database.execute(statement)


def test_chain_that_is_whole_is_proven_without_a_line(ledger: Path, root: Path) -> None:
    done = inspector("audit", "verify", "--root", root)
    assert done.returncode == 0, done.stderr
    assert "6 entries is whole" in done.stdout
    assert json.loads(verify(ledger, "--json").stdout)["whole"] is True
    assert not list(ledger.parent.glob("ledger.db-*"))  # nothing was left beside it


def put_in(ledger: Path) -> None:
    """An entry of somebody else's after the third, its own hash in order."""
    with closing(sqlite3.connect(ledger)) as database, database:
        database.execute("UPDATE audit SET id = -id - 1 WHERE id > 3")
        database.execute("UPDATE audit SET id = -id WHERE id < 0")
        ((before,),) = database.execute("SELECT hash FROM audit WHERE id = 3").fetchall()
        new = link(before, 4, WALL, "otto", "resume", "{}")
        values = (new.id, new.wall_ns, new.who, new.action, new.detail, new.previous, new.hash)
        database.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)", values)


def rewrite(ledger: Path) -> None:
    """The whole chain anew, with one name changed: only a hash that was kept shows it."""
    with closing(sqlite3.connect(ledger)) as database, database:
        previous = START
        for row in database.execute("SELECT id, wall_ns, action, detail FROM audit").fetchall():
            id, wall, action, detail = row
            new = link(previous, id, wall, "otto", action, detail)
            values = (new.who, new.previous, new.hash, id)
            database.execute("UPDATE audit SET who=?, previous=?, hash=? WHERE id=?", values)
            previous = new.hash


@pytest.mark.parametrize(
    ("what", "entry", "reason"),
    [
        (lambda it: tamper(it, "UPDATE audit SET who='otto' WHERE id=3"), 3, "was changed"),
        (lambda it: tamper(it, "UPDATE audit SET wall_ns=5 WHERE id=3"), 3, "was changed"),
        (lambda it: tamper(it, "UPDATE audit SET detail='{' WHERE id=3"), 3, "was changed"),
        (lambda it: tamper(it, "UPDATE audit SET who='x' WHERE id IN (2, 5)"), 2, "was changed"),
        (lambda it: tamper(it, "DELETE FROM audit WHERE id=4"), 5, "entry 4 was removed"),
        (lambda it: tamper(it, "DELETE FROM audit WHERE id<3"), 3, "entries 1 to 2 were removed"),
        (put_in, 5, "follows another entry"),
    ],
    ids=["who", "when", "detail", "two", "removed", "beginning", "put in"],
)
def test_first_broken_link_is_named(
    ledger: Path, what: Callable[[Path], None], entry: int, reason: str
) -> None:
    what(ledger)
    done = verify(ledger)
    assert done.returncode == 65
    (line,) = done.stderr.splitlines()
    assert f"entry {entry} (" in line
    assert reason in line
    proof = verify(ledger, "--json")
    assert proof.returncode == 65
    told = json.loads(proof.stdout)
    assert (told["whole"], told["broken"]["entry"]["id"]) == (False, entry)


@pytest.mark.parametrize(
    "what", [rewrite, lambda it: tamper(it, "DELETE FROM audit WHERE id>3")], ids=["anew", "cut"]
)
def test_hash_that_was_kept_shows_a_chain_written_anew_or_cut_off(
    ledger: Path, what: Callable[[Path], None]
) -> None:
    kept = json.loads(verify(ledger, "--json").stdout)["kept"]
    assert verify(ledger, "--kept", kept).returncode == 0
    what(ledger)
    assert verify(ledger).returncode == 0
    done = verify(ledger, "--kept", kept)
    assert done.returncode == 65
    assert "cut off or written anew" in done.stderr


def test_copy_that_may_not_be_written_beside_is_proven(ledger: Path, tmp_path: Path) -> None:
    copy = tmp_path / "backup" / "ledger.db"
    copy.parent.mkdir()
    copy.write_bytes(ledger.read_bytes())
    copy.parent.chmod(0o500)
    try:
        assert verify(copy).returncode == 0
        assert [path.name for path in copy.parent.iterdir()] == ["ledger.db"]
    finally:
        copy.parent.chmod(0o700)


@pytest.mark.parametrize("content", [None, b"", b"no database at all, but long enough for one" * 9])
def test_what_is_no_ledger_is_one_line(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "ledger.db"
    if content is not None:
        file.write_bytes(content)
    done = verify(file)
    assert done.returncode == 78
    assert len(done.stderr.splitlines()) == 1


def test_newest_entries_are_shown(ledger: Path) -> None:
    with closing(sqlite3.connect(ledger)) as database, database:
        new = link("x", 7, WALL, "\x1b[31m[red]<script>", "login_refused", "{}")
        values = (new.id, new.wall_ns, new.who, new.action, new.detail, new.previous, new.hash)
        database.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)", values)
    done = command("audit", "show", "--file", ledger, "--limit", "2")
    assert "[red]<script>" in done.stdout
    assert "\x1b" not in done.stdout
    told = json.loads(command("audit", "show", "--file", ledger, "--json").stdout)
    assert [entry["id"] for entry in told["entries"]] == [7, 6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    "words", [("user",), ("user", "add"), ("user", "pin"), ("audit", "verify"), ("audit", "show")]
)
def test_help_has_an_example(words: tuple[str, ...]) -> None:
    done = inspector(*words, "--help")
    assert done.returncode == 0
    assert f"inspector {words[0]}" in done.stdout.split("example:")[1]


def test_switch_without_a_line_is_one_line(root: Path) -> None:
    prepare(root)
    done = inspector("switch", "--root", root)
    assert done.returncode == 78
    (line,) = refusals(done)
    assert "is the line running?" in line
