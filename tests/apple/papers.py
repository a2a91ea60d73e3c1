"""What Apple gives a developer, and what a machine trusts: a signing key, and an authority."""

from __future__ import annotations

import ssl
from pathlib import Path

import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

TEAM_ID, KEY_ID = "TEAM123456", "KEY1234567"


class Papers:
    """Keep a provider's key and a certificate authority in a folder; made at the first use.

    ``key_file`` is the developer's ``.p8``, ``ca_file`` what a client must trust.
    """

    def __init__(self, folder: Path) -> None:
        self.key_file = folder / f"AuthKey_{KEY_ID}.p8"
        self.ca_file = folder / "apple-ca.pem"
        key = ec.generate_private_key(ec.SECP256R1())
        self.key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        self.public_key = key.public_key()
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.ca_file)
        self._certificate = authority.issue_cert("localhost", "127.0.0.1")

    def context(self) -> ssl.SSLContext:
        """Return what a server needs to speak HTTP/2 as ``localhost``."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["h2"])
        self._certificate.configure_cert(context)
        return context
