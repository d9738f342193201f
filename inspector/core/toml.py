"""Strict TOML: a file becomes a typed value, or one line that says where it is wrong.

Promises: the message names the file, the line, the key, the value found and what is allowed.
Never: fills in, coerces or skips anything silently.
"""

import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from inspector.core.errors import MaintainerError

T = TypeVar("T")

_PATH = re.compile(r"^(?P<what>.*?)(?: - at `(?P<key>[^`]*)`)?$", re.DOTALL)
_UNKNOWN = re.compile(r"unknown field `(?P<field>[^`]*)`")
_MISSING = re.compile(r"missing required field `(?P<field>[^`]*)`")
_SECRET = {"pin"}  # keys whose value is not repeated
_HEADER = re.compile(r"^\s*\[+\s*(?P<name>[^\]]+?)\s*\]+\s*(#.*)?$")


def read_toml(path: Path, kind: type[T]) -> T:
    """The file as a `kind`. Raises MaintainerError."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise MaintainerError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise MaintainerError(f"{path}: is no UTF-8 text (byte {error.start})") from None
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MaintainerError(f"{path}: is no TOML ({error})") from None
    try:
        return msgspec.convert(table, kind, strict=True)
    except msgspec.ValidationError as error:
        raise MaintainerError(_explain(path, text, table, str(error))) from None


def _explain(path: Path, text: str, table: dict[str, Any], error: str) -> str:
    match = _PATH.match(error)
    what = match["what"] if match else error
    keys = _keys((match["key"] or "$") if match else "$")
    if unknown := _UNKNOWN.search(what):
        keys = [*keys, unknown["field"]]
        what = "unknown key; remove it or mend its spelling"
    if missing := _MISSING.search(what):
        keys = [*keys, missing["field"]]
        what = "missing; add it"
    line = find_line(text, keys)
    where = f"{path}:{line}" if line else f"{path}"
    key = ".".join(keys)
    value = _value(table, keys)
    told = value is not None and keys[-1] not in _SECRET
    shown = f"{key} = {value!r}" if told else key
    return f"{where}: {shown}: {_plain(what)}" if key else f"{where}: {_plain(what)}"


def _plain(what: str) -> str:
    """msgspec's words in a person's."""
    words = {"`str`": "text", "`array`": "a list", "`float`": "number", "`int`": "whole number"}
    for word, plain in words.items():
        what = what.replace(word, plain)
    return what[:1].lower() + what[1:]


def _keys(path: str) -> list[str]:
    """`$.cameras[0].takt_ms` as `['cameras', '0', 'takt_ms']`."""
    return [key for key in re.split(r"[.\[\]]+", path.removeprefix("$")) if key]


def _value(table: Any, keys: list[str]) -> Any:
    """The scalar at `keys`, or None where there is none or it is a whole table."""
    for key in keys:
        if isinstance(table, list) and key.isdigit() and int(key) < len(table):
            table = table[int(key)]
        elif isinstance(table, dict) and key in table:
            table = table[key]
        else:
            return None
    return None if isinstance(table, dict | list) else table


def find_line(text: str, keys: list[str]) -> int | None:
    """The line (from 1) on which the key stands, or else its table's header; None where neither
    is to be found. A list index counts the headers of that name."""
    if not keys:
        return None
    tables: list[str] = []
    seen: dict[str, int] = {}
    header_line: int | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            tables = _entered(line, header["name"], seen)
            if tables == keys[: len(tables)] and len(tables) >= len(keys) - 1:
                header_line = number
            if tables == keys:
                return number
        elif tables == keys[:-1] and re.match(rf'^\s*"?{re.escape(keys[-1])}"?\s*=', line):
            return number
    return header_line


def _entered(line: str, name: str, seen: dict[str, int]) -> list[str]:
    keys = [key.strip().strip('"') for key in name.split(".")]
    if line.lstrip().startswith("[["):
        index = seen[name] = seen.get(name, -1) + 1
        return [*keys, str(index)]
    return keys
