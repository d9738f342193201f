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
Endpoint = Annotated[str, Meta(pattern=r"^tcp://[^/ ]+:[0-9]+\Z")]
TimeOfDay = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z")]
Port = Annotated[int, Meta(ge=1, le=65535)]


class Section(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of all sections."""
