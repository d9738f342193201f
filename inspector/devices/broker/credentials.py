"""Who we are, and whom we trust: the files that the settings of the broker name.

Promises: each file is read once, at the start; one that cannot be used is named in one line with
its remedy. The broker's certificate is always checked, and its name too; TLS 1.2 or newer.
Never: shows a password, or asks for one.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path

from inspector.core.config_mqtt import Publish
from inspector.core.credential import SYSTEMD, credential
from inspector.core.errors import MaintainerError


@dataclass(frozen=True)
class Credentials:
    """What a connection needs besides host and port."""

    password: str | None
    tls: ssl.SSLContext | None


def read_credentials(settings: Publish) -> Credentials:
    """Raises MaintainerError when a file cannot be used."""
    return Credentials(_password(settings), _tls(settings))


def _file(key: str, name: str) -> Path:
    """The file that a setting names. Raises MaintainerError when it is no credential here."""
    path = credential(name)
    if path is None:
        raise MaintainerError(
            f"publish.{key} = {name!r}: a name without a slash is one of systemd's credentials, "
            f"but {SYSTEMD} is not set; add LoadCredential={name}:FILE to the unit, "
            "or give the file's path"
        )
    return path


def _password(settings: Publish) -> str | None:
    if settings.password_file is None:
        return None
    path = _file("password_file", settings.password_file)
    try:
        return path.read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "no UTF-8 text"
        raise MaintainerError(f"publish.password_file {path}: cannot be read ({why})") from None


def _tls(settings: Publish) -> ssl.SSLContext | None:
    if not settings.tls:
        return None
    context = _authorities(settings)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = _TidySocket
    _identify(context, settings)
    return context


def _authorities(settings: Publish) -> ssl.SSLContext:
    file = _file("ca_file", settings.ca_file) if settings.ca_file else None
    try:
        return ssl.create_default_context(cafile=file)
    except OSError as error:
        raise MaintainerError(
            f"publish.ca_file {file}: cannot be used ({_reason(error)}); "
            "it must hold the PEM certificate of the broker's authority"
        ) from None


def _identify(context: ssl.SSLContext, settings: Publish) -> None:
    """The client's own certificate, where there is one."""
    if settings.cert_file is None or settings.key_file is None:
        return
    certificate = _file("cert_file", settings.cert_file)
    key = _file("key_file", settings.key_file)
    try:
        context.load_cert_chain(certificate, key, password="")  # an encrypted key is an error
    except OSError as error:
        raise MaintainerError(
            f"publish.cert_file {certificate}, publish.key_file {key}: cannot be used "
            f"({_reason(error)}); give a PEM certificate and its key without a password"
        ) from None


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "no PEM").lower().replace("_", " ")
    return error.strerror or str(error)


class _TidySocket(ssl.SSLSocket):
    """Closes itself when the handshake fails; paho would leave it open."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise
