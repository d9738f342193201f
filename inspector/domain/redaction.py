"""Taking secrets out of what leaves a station for support.

Promises: a secret whose value is known is found wherever it stands, also escaped, percent-encoded
or in base64; what looks like a secret by its name (a password, a token, a PIN), by its shape (a
private key, a hashed PIN) or by its place (user and password in an address) goes as well.
Never: shortens a secret instead of taking it out, or needs to be asked.
"""

import base64
import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any
from urllib.parse import quote

GONE = "[redacted]"
SHORTEST = 4  # a known value of fewer characters would be found in every other word

_NAME = (
    r"pin|pass(?:word|wd|phrase)?|pwd|secret|token|credential|psk|api[-_]?key|authorization|cookie"
)
# Keys whose value is a secret; `password_file` names a file, which is none.
_SECRET_KEY = re.compile(rf"(?:^|[-_.])(?:{_NAME})s?\Z", re.IGNORECASE)
_SHAPES = (
    # A private key, whole or cut off.
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*-----|\Z)", re.S), GONE),
    (re.compile(r"scrypt\$[0-9]+\$[0-9]+\$[0-9]+\$[0-9a-f]+\$[0-9a-f]+"), GONE),
    # rtsp://user:password@camera; what stands in a password is not known, so up to the last `@`
    (re.compile(r"\b([a-z][a-z0-9+.-]*://)[^\s\"'<>]+@", re.IGNORECASE), rf"\1{GONE}@"),
    (re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE), rf"\1 {GONE}"),
    # password = hunter2, "token": "x", --pin 1234
    (
        re.compile(
            rf"\b((?:[a-z0-9]+[-_.])*(?:{_NAME})s?\\?[\"']?(?:\s*[=:]\s*|\s+(?=[0-9]{{4,8}}\b)))"
            r"(\\\"[^\"]*\"|\"(?:[^\"\\]|\\.)*\"|'[^']*'|[^\s,;}\]\"']+)",
            re.IGNORECASE,
        ),
        rf"\1{GONE}",
    ),
)


class Redaction:
    """For one station's secrets."""

    def __init__(self, known: Collection[str] = ()) -> None:
        spelled = {one for value in known for one in _spellings(value)}
        longest_first = sorted(spelled, key=lambda one: (-len(one), one))
        self._known = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    def text(self, text: str) -> str:
        """The text without what is a secret, or looks like one."""
        text = self._known.sub(GONE, text)
        for shape, instead in _SHAPES:
            text = shape.sub(instead, text)
        return text

    def value(self, value: Any, key: str = "") -> Any:
        """The same of a value as JSON or TOML has it, whatever is in it."""
        if isinstance(value, Mapping):
            return {self.text(str(name)): self.value(one, str(name)) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(one, key) for one in value]
        if _SECRET_KEY.search(key) and value not in (None, "", True, False):
            return GONE
        return self.text(value) if isinstance(value, str) else value


def _spellings(value: str) -> Iterator[str]:
    """A value as it may stand in a text."""
    for one in {value, value.strip()}:
        if len(one) >= SHORTEST:
            data = one.encode("utf-8", "surrogateescape")
            yield from (one, json.dumps(one)[1:-1], json.dumps(one, ensure_ascii=False)[1:-1])
            yield from (quote(data, safe=""), base64.b64encode(data).decode().rstrip("="))
