"""PINs: hashed slowly and with salt, compared in constant time.

Promises: what is kept is the hash with its salt and parameters as one text; to try a PIN costs the
same whether or not it is right.
Never: keeps, shows or logs a PIN.
"""

import hashlib
import hmac
import re

# 16 MiB and some 50 ms for each try: with four to eight digits, the delay after wrong tries
# protects against guessing at the screen, and this against whoever has copied the file.
N, R, P = 2**14, 8, 1
SALT_BYTES = 16
DIGEST_BYTES = 32
_MEMORY = 64 << 20
_PIN = re.compile(r"[0-9]{4,8}")
_UP, _DOWN = "01234567890", "09876543210"


def hashed(pin: str, salt: bytes) -> str:
    """The PIN as it is kept: `scrypt$N$R$P$SALT$HASH`, both in hexadecimal. `salt`: 16 bytes."""
    return "$".join(("scrypt", str(N), str(R), str(P), salt.hex(), _digest(pin, salt, N, R, P)))


def fits(pin: str, kept: str) -> bool:
    """True when `kept` was made from this PIN. Raises ValueError when it is no hashed PIN."""
    kind, n, r, p, salt, digest = kept.split("$")
    if kind != "scrypt":
        raise ValueError(kind)
    found = _digest(pin, bytes.fromhex(salt), int(n), int(r), int(p))
    return hmac.compare_digest(found, digest)


def nobodys() -> str:
    """What no PIN fits: to try one on it costs as much as on any other."""
    return f"scrypt${N}${R}${P}${'0' * 2 * SALT_BYTES}${'0' * 2 * DIGEST_BYTES}"


def problem(pin: str) -> str:
    """Why this is no PIN to choose; empty where it is one."""
    if not _PIN.fullmatch(pin):
        return "a PIN has 4 to 8 digits; choose another"
    if _repeats(pin) or pin in _UP or pin in _DOWN:
        return "a PIN that repeats or counts is the first to be guessed; choose another"
    return ""


def _repeats(pin: str) -> bool:
    """0000, 1212, 123123."""
    return any(pin == pin[:size] * (len(pin) // size) for size in range(1, len(pin) // 2 + 1))


def _digest(pin: str, salt: bytes, n: int, r: int, p: int) -> str:
    found = hashlib.scrypt(
        pin.encode(), salt=salt, n=n, r=r, p=p, maxmem=_MEMORY, dklen=DIGEST_BYTES
    )
    return found.hex()
