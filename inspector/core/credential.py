"""Where a secret lies that a setting names.

Promises: a name without a slash is one of systemd's credentials, handed to its service alone; a
command of a maintainer finds the same one where the unit takes it from.
Never: opens a secret.
"""

import os
from collections.abc import Mapping
from pathlib import Path

SYSTEMD = "CREDENTIALS_DIRECTORY"  # where systemd puts a service's credentials
SECRETS = Path("/etc/inspector/secrets")  # where `inspector units` lets it take them from


def is_credential(name: str) -> bool:
    """True for what systemd hands out; a file's path has a slash."""
    return "/" not in name


def credential(
    name: str, environ: Mapping[str, str] = os.environ, secrets: Path = SECRETS
) -> Path | None:
    """The file; None where it is one of systemd's and there is no such one here."""
    if not is_credential(name):
        return Path(name)
    if folder := environ.get(SYSTEMD):
        return Path(folder) / name
    found = secrets / name
    return found if os.access(found, os.R_OK) else None
