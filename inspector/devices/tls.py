"""A certificate and its key, as files.

Promises: what cannot be used is named in one line, before anything listens.
Never: asks for a password.
"""

import ssl

from inspector.core.credential import credential
from inspector.core.errors import MaintainerError


def certificate_file(name: str | None) -> str | None:
    """The path of what `ui.tls_cert` or `ui.tls_key` names."""
    return str(credential(name) or name) if name else None


def check_certificate(certificate: str, key: str) -> None:
    """Raises MaintainerError when they cannot be read or do not belong together."""
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
            credential(certificate) or certificate,
            credential(key) or key,
            password="",  # an encrypted key is an error, not a question on the terminal
        )
    except OSError as error:
        raise MaintainerError(
            f"ui.tls_cert = {certificate!r}, ui.tls_key = {key!r}: cannot be used "
            f"({error.strerror or error}); give a PEM certificate and its key without a password"
        ) from None
