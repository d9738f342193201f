"""The base of all sections of the configuration, and the bounded values they share.

Promises: a section refuses an unknown key; each bounded value is defined once.
Never: a setting itself; those are in `config`, `config_mqtt` and `recipe`.
"""

from typing import Annotated

from msgspec import Meta, Struct

Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")]
# `capture-NAME` is a name as well.
CameraName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,55}\Z")]
Limit = Annotated[float, Meta(gt=0, le=1e6)]  # bounded: infinity would let everything pass
# `inspector units` copies these into units, where a blank, a line feed or a `%` means something.
HostName = Annotated[str, Meta(pattern=r"^\[?[A-Za-z0-9_.:-]+(%[A-Za-z0-9_.-]+)?\]?\Z")]
FolderName = Annotated[str, Meta(pattern=r"^[^\x00-\x20\x7f%\"'\\]+\Z")]
# A path, or without a slash one of systemd's credentials.
SecretFile = Annotated[
    str, Meta(pattern=r"^([^\x00-\x1f\x7f]*/[^\x00-\x1f\x7f]*|[A-Za-z0-9][A-Za-z0-9._-]{0,63})\Z")
]
_PORT = "([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
Endpoint = Annotated[str, Meta(pattern=rf"^tcp://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.*-]+):{_PORT}\Z")]
TimeOfDay = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z")]
Port = Annotated[int, Meta(ge=1, le=65535)]


class Section(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of all sections."""
