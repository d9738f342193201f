"""A certificate and its key, as files.

Promises: what cannot be used is named in one line, before anything listens.
Never: asks for a password.
"""

import ssl

from inspector.core.errors import MaintainerError


def check_certificate(certificate: str, key: str) -> None:
    """Raises MaintainerError when they cannot be read or do not belong together."""
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
            certificate,
            key,
            password="",  # an encrypted key is an error, not a question on the terminal
        )
    except OSError as error:
        raise MaintainerError(
            f"ui.tls_cert = {certificate!r}, ui.tls_key = {key!r}: cannot be used "
            f"({error.strerror or error}); give a PEM certificate and its key without a password"
        ) from None
