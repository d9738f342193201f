"""Messages as somebody hostile or broken sends them: real ones, changed by a drawn number of
random changes of bytes and of JSON; the same for the same seed.
"""

import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

ODD_BYTES = (b"", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\\u0000", b'"', b"}", b"[" * 50, b"1e999")
ODD_VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1,
    2,
    2**53 - 1,
    2**53,
    2**64,
    10**40,
    1.5,
    -0.0,
    1e308,
    "",
    "a",
    "\n",
    "\ud800",
    "#",
    "+/x",
    "../../etc/passwd",
    "$SYS",
    "x" * 65,
    "x" * 5000,
    [],
    {},
    [[[[]]]],
    {"order": "set_recipe"},
    {"order": "pause"},
    {"order": "request_state"},
    "9999-99-99T99:99:99Z",
    "0000-00-00T00:00:00Z",
)


def fuzzed(real: Sequence[bytes], count: int, seed: int = 5) -> Iterator[bytes]:
    """So many messages; most are hardly wrong, some are nothing at all."""
    draw = random.Random(seed)
    trees = [json.loads(one) for one in real]
    for _ in range(count):
        how = draw.random()
        if how < 0.1:
            yield draw.randbytes(draw.randint(0, 200))
        elif how < 0.6:
            tree = json.loads(json.dumps(draw.choice(trees)))
            for _ in range(draw.randint(0, 2)):
                tree = _changed(tree, trees, draw)
            yield json.dumps(tree).encode("utf-8", "surrogatepass")
        else:
            data = draw.choice(real)
            for _ in range(draw.randint(0, 3)):
                data = _damaged(data, draw)
            yield data


def _damaged(data: bytes, draw: random.Random) -> bytes:
    """Some bytes other, gone, doubled, or odd ones put in."""
    at, to = sorted((draw.randint(0, len(data)), draw.randint(0, len(data))))
    match draw.randint(0, 4):
        case 0:
            return data[:at] + bytes([draw.randrange(256)]) + data[at + 1 :]
        case 1:
            return data[:at] + data[min(to, at + 5) :]
        case 2:
            return data[:at] + data[at:to] * 2 + data[to:]
        case 3:
            return data[:at] + draw.choice(ODD_BYTES) + data[at:]
    return data[:at]


def _changed(tree: Any, trees: Sequence[Any], draw: random.Random) -> Any:
    """A member other, gone, new, or of another message."""
    if not isinstance(tree, dict) or not tree:
        return draw.choice(ODD_VALUES)
    name = draw.choice(list(tree))
    match draw.randint(0, 5):
        case 0 if isinstance(tree[name], dict):
            return tree | {name: _changed(tree[name], trees, draw)}
        case 0 | 1 | 2:
            return tree | {name: draw.choice(ODD_VALUES)}
        case 3:
            return {key: value for key, value in tree.items() if key != name}
        case 4:
            return tree | {draw.choice(("more", "Schema", "frame", "")): draw.choice(ODD_VALUES)}
    return tree | draw.choice(trees)
