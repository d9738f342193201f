"""The receiver before a broker with TLS: who it trusts, and who it is."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.certificates import Authority
from support.commands import inspector, refusals
from support.mosquitto import Mosquitto, mosquitto, needs_mosquitto

pytestmark = needs_mosquitto


@pytest.fixture
def authority(root: Path) -> Authority:
    return Authority(root)


@pytest.fixture
def broker(root: Path, authority: Authority) -> Iterator[Mosquitto]:
    """Takes clients with a certificate of the authority, by the name in it."""
    with mosquitto(root, lines(authority, "localhost")) as broker:
        yield broker


def lines(authority: Authority, name: str, **days: float) -> str:
    own = authority.sign(name, **days)
    return (
        f"cafile {authority.certificate}\ncertfile {own.certificate}\nkeyfile {own.key}\n"
        "require_certificate true\nuse_identity_as_username true"
    )


def receive(root: Path, broker: Mosquitto, *options: str | Path, host: str = "localhost") -> str:
    """The only line that it says, or nothing."""
    command = ("receive", "--db", root / "totals.db", "--host", host, "--for", "1")
    done = inspector(*command, "--port", str(broker.port), *options)
    assert "Traceback" not in done.stderr
    said = [line for line in refusals(done) if "connected to" not in line]
    assert len(said) == (done.returncode == 78), done.stderr
    return said[0] if said else ""


def as_client(authority: Authority, name: str = "mes") -> tuple[str | Path, ...]:
    own = authority.sign(name)
    return ("--cert-file", own.certificate, "--key-file", own.key)


def test_client_certificate(root: Path, authority: Authority, broker: Mosquitto) -> None:
    trust = ("--ca-file", authority.certificate)
    assert receive(root, broker, *trust, *as_client(authority)) == ""
    other = Authority(root, "other")
    assert f"localhost:{broker.port}:" in receive(root, broker, *trust)
    assert f"localhost:{broker.port}:" in receive(root, broker, *trust, *as_client(other))


def test_another_authority(root: Path, authority: Authority, broker: Mosquitto) -> None:
    other = Authority(root, "other")
    said = receive(root, broker, "--ca-file", other.certificate, *as_client(authority))
    assert "nobody known has signed" in said
    assert "nobody known has signed" in receive(root, broker, *as_client(authority))


def test_another_name(root: Path, authority: Authority, broker: Mosquitto) -> None:
    trust = ("--ca-file", authority.certificate, *as_client(authority))
    assert "for another name; mend --host" in receive(root, broker, *trust, host="127.0.0.1")


@pytest.mark.parametrize("days", [(-2.0, -1.0), (1.0, 2.0)])
def test_a_certificate_that_does_not_hold_now(
    root: Path, authority: Authority, days: tuple[float, float]
) -> None:
    text = lines(authority, "localhost", begins_days=days[0], ends_days=days[1])
    with mosquitto(root, text) as broker:
        trust = ("--ca-file", authority.certificate, *as_client(authority))
        assert "does not hold now" in receive(root, broker, *trust)


def test_tls_is_not_optional(root: Path, broker: Mosquitto) -> None:
    assert f"localhost:{broker.port}:" in receive(root, broker, "--no-tls")
