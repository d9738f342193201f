"""What the commands share towards a person: messages, tables, progress, JSON.

Promises: standard output carries only what was asked for; progress and remarks go to standard
error and stay plain text where that is no terminal.
Never: decides what a command does.
"""

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

# No markup: a part or recipe named "[red]" shows as that text.
remarks = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
results = Console(highlight=False, markup=False)
if not results.is_terminal:
    results = Console(highlight=False, markup=False, width=160)  # a file has no window to fit

THREADS = (1, 256)  # as detect.threads allows them
REMARK = "remark"  # a column of words: it may wrap, the others may not


def command(commands: Any, name: str, summary: str, example: str) -> argparse.ArgumentParser:
    """A new command with its help, its example and --json."""
    made: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=summary,
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--json", action="store_true", help="print one JSON object")
    return made


def add_root(parser: argparse.ArgumentParser) -> None:
    """The option that says which station."""
    parser.add_argument(
        "--root", type=Path, metavar="DIR", help="the station's folder (default: INSPECTOR_ROOT)"
    )


def whole(least: int, most: int) -> Callable[[str], int]:
    """An argument's type: whole numbers within bounds."""

    def read(text: str) -> int:
        if text.isdecimal() and least <= int(text) <= most:
            return int(text)
        raise argparse.ArgumentTypeError(f"{text!r}: {least} to {most} is wanted")

    return read


def share(text: str) -> float:
    """An argument's type: a number of 0 to 1. Raises ArgumentTypeError."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r}: a number of 0 to 1 is wanted")
    return value


def say(text: str) -> None:
    """One line for the person, on standard error."""
    print(text, file=sys.stderr, flush=True)


def print_json(value: Any) -> None:
    """One JSON object on standard output."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value)).decode() + "\n")
    sys.stdout.flush()


def progress() -> Progress:
    """A progress bar on standard error; silent where that is no terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=remarks, disable=not remarks.is_terminal)


def table(title: str, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> Table:
    """A plain table; words are left-aligned, figures right."""
    made = Table(title=title, title_justify="left")
    for index, column in enumerate(columns):
        left = index == 0 or column == REMARK
        made.add_column(column, justify="left" if left else "right", no_wrap=column != REMARK)
    for row in rows:
        made.add_row(*(str(cell) for cell in row))
    return made
