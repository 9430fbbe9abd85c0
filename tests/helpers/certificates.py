"""An authority of the tests' own, and certificates of it. Who is to trust it has SSL_CERT_FILE set to its file."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path
from typing import NamedTuple

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")


class Authority(NamedTuple):
    """file: its certificate."""

    file: Path
    key: Path

    def server_context(self, name: str) -> ssl.SSLContext:
        """What a server of this name, or address, shows."""
        folder = self.file.parent
        certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
        kind = "IP" if name.replace(".", "").isdigit() else "DNS"
        named = ("-subj", f"/CN={name}", "-addext", f"subjectAltName={kind}:{name}")
        signed = ("-CA", str(self.file), "-CAkey", str(self.key))
        _request(*named, *signed, "-keyout", str(key), "-out", str(certificate))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return context


def authority(folder: Path) -> Authority:
    """A new one, which keeps its files there."""
    file, key = folder / "authority.pem", folder / "authority.key"
    _request("-subj", "/CN=Authority of tests", "-keyout", str(key), "-out", str(file))
    return Authority(file, key)


def _request(*arguments: str) -> None:
    command = ["openssl", "req", "-x509", *_KEY, *arguments]
    subprocess.run(command, check=True, capture_output=True)
