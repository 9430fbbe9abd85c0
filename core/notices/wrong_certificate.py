"""Why the certificate of a server is not taken, in plain words with the cure."""

from __future__ import annotations

import re

WRONG_NAME = (
    "The server's certificate is of another name: write the name of the server that its certificate has, as "
    "your mail provider says it."
)
EXPIRED = "The server's certificate has expired: whoever runs the server has to renew it."
UNKNOWN_AUTHORITY = (
    "The server's certificate is of no known authority: whoever runs the server has to get one, or the "
    "collector and the dashboard have to be told of their own authority (SSL_CERT_FILE)."
)
NOT_VALID = "The server's certificate is not valid."

_REFUSED = re.compile(r"CERTIFICATE_VERIFY_FAILED|certificate verify failed", re.IGNORECASE)
_WHY = (
    (re.compile(r"mismatch|not valid for", re.IGNORECASE), WRONG_NAME),
    (re.compile(r"expired", re.IGNORECASE), EXPIRED),
    (re.compile(r"self.signed|issuer|first certificate", re.IGNORECASE), UNKNOWN_AUTHORITY),
)


def certificate_fault(said: str) -> str:
    """What is wrong with the certificate by what Python's ssl has said of it; "" where it says nothing of one."""
    if not _REFUSED.search(said):
        return ""
    return next((text for pattern, text in _WHY if pattern.search(said)), NOT_VALID)
