"""configs/README.md, made from the types of the configuration in `inspector.core`:
`python -m support.settings_page`, run in tests/, prints it.

Promises: every setting with its type, bounds and default; the meaning is the comment beside it.
Never: says anything that the configuration's own types do not.
"""

import inspect
import re
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import inspect as types

from inspector.core import config, people, recipe, section

HEAD = """# Settings
Three kinds of file, all TOML and all strict: an unknown key, a missing key, a wrong type or a value
out of its bounds is refused with one line that names file, line, key, value and remedy.
`station.toml` is the station's; each product has a recipe `recipes/NAME.toml`; `people.toml` says
who may log in at the screen. `inspector check-config` reads the first two and says what is wrong,
`inspector user list` the third. A default holds where a key is left out; **required** keys have
none. This page is made from the types in `inspector/core/` (`config.py`, `config_care.py`,
`config_mqtt.py`, `recipe.py`, `people.py`), and a test holds it against them.

[station.toml](station.toml) here is a whole station that plays the sample parts.
"""
PATTERNS = {
    "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}": "name: 1 to 64 letters, digits, `_`, `-`, no sign first",
    "^[A-Za-z0-9][A-Za-z0-9_-]{0,55}": "name: 1 to 56 letters, digits, `_`, `-`, no sign first",
    **{
        kind.__metadata__[0].pattern.removesuffix(r"\Z"): words
        for kind, words in (
            (section.Endpoint, "`tcp://HOST:PORT`"),
            (section.HostName, "name or address of a host"),
            (section.FolderName, "path without blanks"),
            (section.SecretFile, "path, or name of a credential"),
        )
    },
    "^[A-Z][A-Z0-9_.:,()-]*": "name of an OpenVINO device",
    "^([01][0-9]|2[0-3]):[0-5][0-9]": "`HH:MM`",
    "^([0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*)?": "processors as `2-3` or `1,3`; none: no matter",
    people.NAME.removesuffix(r"\Z"): "text of 1 to 64 characters, no space first or last",
}


def page() -> str:
    """The whole text."""
    parts = [HEAD, "## station.toml\n", *_struct(config.StationConfig, "")]
    parts += ["## recipes/NAME.toml\n", *_struct(recipe.Recipe, "")]
    parts += ["## people.toml\n", *_struct(people.People, "")]
    return "\n".join(parts).rstrip() + "\n"


def _struct(kind: type, path: str, within: types.Field | None = None) -> Iterator[str]:
    """The table of one section, then those of the sections in it."""
    info = types.type_info(kind)
    assert isinstance(info, types.StructType)
    comments = _comments(kind)
    rows = [_row(field, comments) for field in info.fields if not _sections(field.type)]
    tag = [f'| `{info.tag_field}` | `"{info.tag}"` | **required** | |'] if info.tag_field else []
    head = _header(path, info, within)
    yield f"{head}{_doc(kind)}\n"
    if rows or tag:
        yield "\n".join(
            ["| key | value | default | meaning |", "|---|---|---|---|", *tag, *rows, ""]
        )
    for field in info.fields:
        for inner in _sections(field.type):
            name = f"{path}.{field.encode_name}".lstrip(".")
            yield from _struct(inner, name, field)


def _header(path: str, info: types.StructType, field: types.Field | None) -> str:
    if field is None:
        return ""
    many = isinstance(field.type, types.VarTupleType)
    name = f"[[{path}]]" if many else f"[{path}]"
    tag = f' with `kind = "{info.tag}"`' if info.tag_field else ""
    return f"### `{name}`{tag}{'' if field.required else ' (may be left out)'}\n"


def _sections(kind: types.Type) -> list[type]:
    """The structs that a field's value can be."""
    if isinstance(kind, types.StructType):
        return [kind.cls]
    if isinstance(kind, types.UnionType):
        return [struct for one in kind.types for struct in _sections(one)]
    if isinstance(kind, types.VarTupleType):
        return _sections(kind.item_type)
    return []


def _row(field: types.Field, comments: dict[str, str]) -> str:
    default = "**required**" if field.required else _default(field.default)
    meaning = comments.get(field.name, "")
    return f"| `{field.encode_name}` | {_value(field.type)} | {default} | {meaning} |"


def _default(value: Any) -> str:
    if value is None:
        return "none"
    return f"`{msgspec.json.encode(value).decode()}`"


def _value(kind: types.Type) -> str:
    match kind:
        case types.UnionType():
            return " or ".join(_value(one) for one in kind.types if one != types.NoneType())
        case types.LiteralType():
            return ", ".join(f"`{msgspec.json.encode(one).decode()}`" for one in kind.values)
        case types.BoolType():
            return "`true`, `false`"
        case types.StrType():
            return _text(kind)
        case types.VarTupleType():
            return f"a list of {_value(kind.item_type)}"
        case types.IntType() | types.FloatType():
            name = "whole number" if isinstance(kind, types.IntType) else "number"
            return f"{name}{_bounds(kind)}"
    raise AssertionError(f"no words for {kind}")


def _text(kind: types.StrType) -> str:
    if kind.pattern:
        known = re.sub(r"(\$|\\Z)$", "", kind.pattern)
        return PATTERNS.get(known, f"text like `{kind.pattern}`".replace("|", "\\|"))
    if kind.max_length:
        return f"text of {kind.min_length or 0} to {kind.max_length} characters"
    return "text"


def _bounds(kind: types.IntType | types.FloatType) -> str:
    low = f", {_plain(kind.ge)}" if kind.ge is not None else ""
    low = f", above {_plain(kind.gt)}" if kind.gt is not None else low
    if kind.le is not None:
        return f"{low} to {_plain(kind.le)}" if low else f", up to {_plain(kind.le)}"
    return low if kind.gt is not None else f"{low} or more" if low else ""


def _plain(bound: float) -> str:
    return f"{bound:.0f}" if bound == int(bound) else f"{bound:g}"


def _comments(kind: type) -> dict[str, str]:
    """What stands beside each field in the source."""
    found = re.findall(r"^\s+(\w+): .*?#\s*(.+)$", inspect.getsource(kind), re.MULTILINE)
    return {name: comment.replace("|", "\\|") for name, comment in found}


def _doc(kind: type) -> str:
    return inspect.cleandoc(kind.__doc__ or "")


if __name__ == "__main__":
    print(page(), end="")
