"""An authority of the tests' own, and what it signs: for any name, valid between any two dates."""

import ssl
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

CONFIG = """[ca]
default_ca = here
[here]
database = index
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
copy_extensions = none
[any]
commonName = supplied
"""
KEY = "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"


@dataclass(frozen=True)
class Signed:
    """A certificate and its key, as files."""

    certificate: Path
    key: Path


class Authority:
    """Its certificate is `certificate`; each name it signs gets its files in the folder."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self.folder = folder / name
        self.folder.mkdir()
        self._signed = 0
        (self.folder / "index").touch()
        (self.folder / "config").write_text(CONFIG)
        self._openssl(
            f"{KEY} -x509 -days 2 -addext keyUsage=critical,keyCertSign "
            f"-subj /CN={name} -keyout ca.key -out ca.crt"
        )
        self.certificate = self.folder / "ca.crt"
        assert ssl.create_default_context(cafile=self.certificate)

    def sign(
        self,
        name: str,
        begins_days: float = -1,
        ends_days: float = 1,
        addresses: Iterable[str] = (),
    ) -> Signed:
        """A certificate for this name (and these addresses), valid from and until so many days
        from now."""
        self._signed += 1
        file = f"{name}-{self._signed}"
        self._openssl(f"{KEY} -subj /CN={name} -keyout {file}.key -out {file}.csr")
        names = ",".join((f"DNS:{name}", *(f"IP:{address}" for address in addresses)))
        (self.folder / "names").write_text(
            f"subjectAltName={names}\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n"
        )
        self._openssl(
            f"ca -batch -config config -cert ca.crt -keyfile ca.key -in {file}.csr -notext "
            f"-out {file}.crt -extfile names -startdate {_date(begins_days)} "
            f"-enddate {_date(ends_days)}"
        )
        return Signed(self.folder / f"{file}.crt", self.folder / f"{file}.key")

    def _openssl(self, arguments: str) -> None:
        subprocess.run(
            ["openssl", *arguments.split()],
            cwd=self.folder,
            check=True,
            capture_output=True,
            text=True,
        )


def _date(days: float) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y%m%d%H%M%SZ")
