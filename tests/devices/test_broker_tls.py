"""TLS against a real mosquitto: certificates of every wrong kind, on either side; credentials."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from support.broker import down, ended, letter, quick, result, settings, up
from support.certificates import Authority, Signed
from support.mosquitto import (
    acl_line,
    free_port,
    mosquitto,
    needs_mosquitto,
    passwords,
    tls_lines,
    until_listening,
)

from inspector.core.config_mqtt import Publish
from inspector.core.errors import MaintainerError
from inspector.devices.broker import Down


def secure(port: int, authority: Authority, own: Signed | None = None, **more: Any) -> Publish:
    files = {"cert_file": str(own.certificate), "key_file": str(own.key)} if own else {}
    ca = str(authority.certificate)
    return settings(port, host="localhost", tls=True, ca_file=ca, **files, **more)


def end_with(folder: Path, shown: Signed, trusted: Authority) -> Down:
    """What comes of a broker that shows this certificate."""
    with (
        mosquitto(folder, tls_lines(shown)) as server,
        quick(secure(server.port, trusted)) as broker,
    ):
        return ended(broker)


@needs_mosquitto
def test_expired_certificate_of_the_broker_names_the_clock(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    end = end_with(tmp_path, authority.sign("localhost", -9, -3), authority)
    assert end.code == "certificate"
    assert "a certificate that has expired; the station's clock says 20" in end.text
    assert "renew the broker's certificate" in end.text


@needs_mosquitto
def test_clock_years_behind_is_named(tmp_path: Path) -> None:
    """To a clock that is behind, a good certificate is not yet valid."""
    authority = Authority(tmp_path)
    end = end_with(tmp_path, authority.sign("localhost", 900, 1900), authority)
    assert end.code == "clock"
    assert "not yet valid; the station's clock says 20" in end.text
    assert "it may be years off" in end.text


@needs_mosquitto
def test_certificate_of_another_authority_names_ours(tmp_path: Path) -> None:
    authority, other = Authority(tmp_path), Authority(tmp_path, "other")
    end = end_with(tmp_path, other.sign("localhost"), authority)
    assert end.code == "certificate"
    assert f"a certificate that {authority.certificate} did not sign" in end.text
    assert "publish.ca_file" in end.text


@needs_mosquitto
def test_certificate_for_another_name_is_refused(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    end = end_with(tmp_path, authority.sign("elsewhere"), authority)
    assert end.code == "certificate"
    assert "a certificate for another name; mend publish.host" in end.text


@needs_mosquitto
@pytest.mark.parametrize("version", ["tlsv1.2", "tlsv1.3"])
def test_client_certificate_is_our_identity(tmp_path: Path, version: str) -> None:
    authority, other = Authority(tmp_path), Authority(tmp_path, "other")
    acl = acl_line(tmp_path, "user line1\ntopic write acme/#\n")
    lines = tls_lines(authority.sign("localhost"), clients=authority)
    with mosquitto(tmp_path, f"{lines}\n{acl}\ntls_version {version}") as server:
        with quick(secure(server.port, authority, authority.sign("line1"))) as broker:
            up(broker)
            assert result(broker, broker.publish(letter())).status == "acked"
        with quick(secure(server.port, authority)) as broker:
            end = ended(broker)
            assert end.code == "refused"
            assert "wants a client certificate" in end.text
            assert "publish.cert_file and publish.key_file" in end.text
        for own, why in (
            (authority.sign("line1", -9, -3), "certificate expired"),
            (other.sign("line1"), "unknown ca"),
        ):
            with quick(secure(server.port, authority, own)) as broker:
                end = ended(broker)
                assert end.code == "refused"
                assert f"does not take our certificate {own.certificate} ({why})" in end.text
        with quick(secure(server.port, authority, authority.sign("line2"))) as broker:
            up(broker)
            assert result(broker, broker.publish(letter())).status == "refused"


@needs_mosquitto
def test_files_without_a_slash_are_systemds_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path)
    own = authority.sign("line1")
    store = tmp_path / "credentials"
    store.mkdir()
    for name, file in (("ca", authority.certificate), ("cert", own.certificate), ("key", own.key)):
        (store / name).write_bytes(file.read_bytes())
    (store / "word").write_text("right\n")
    lines = tls_lines(authority.sign("localhost")).replace("true", "false", 1)
    lines += f"\npassword_file {passwords(tmp_path, line='right')}"
    config = settings(1, host="localhost", tls=True, ca_file="ca", cert_file="cert", key_file="key")
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(MaintainerError, match=r"publish\.ca_file = 'ca'.*LoadCredential=ca:FILE"):
        quick(config)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(store))
    with mosquitto(tmp_path, lines) as server:
        names = {"ca_file": "ca", "cert_file": "cert", "key_file": "key", "password_file": "word"}
        good = settings(server.port, host="localhost", tls=True, username="line", **names)
        with quick(good) as broker:
            up(broker)


def test_certificate_and_key_that_do_not_belong_together_are_named(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    one, other = authority.sign("line1"), authority.sign("line2")
    mixed = Signed(one.certificate, other.key)
    with pytest.raises(MaintainerError, match=r"publish\.cert_file .*key values mismatch"):
        quick(secure(1, authority, mixed))


def test_key_with_a_password_is_an_error_and_no_question(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    own = authority.sign("line1")
    locked = tmp_path / "locked.key"
    command = f"openssl ec -in {own.key} -aes256 -passout pass:secret -out {locked}"
    subprocess.run(command.split(), check=True, capture_output=True)
    with pytest.raises(MaintainerError, match="its key without a password"):
        quick(secure(1, authority, Signed(own.certificate, locked)))


def test_broker_with_old_tls_only_is_one_clear_line(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    own, port = authority.sign("localhost"), free_port()
    files = f"-cert {own.certificate} -key {own.key} -cipher ALL:@SECLEVEL=0"
    command = f"openssl s_server -accept 127.0.0.1:{port} -tls1_1 -quiet {files}"
    with subprocess.Popen(command.split(), stderr=subprocess.DEVNULL) as server:
        try:
            until_listening(port)
            with quick(secure(port, authority)) as broker:
                assert "no TLS to be had (" in down(broker)
        finally:
            server.kill()
