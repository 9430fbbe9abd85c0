"""What the head of a request must say before any route sees it: the parser alone lets more through."""

from __future__ import annotations

from collections.abc import Sequence

from collector.http.refusal import Refusal
from collector.http.request_size import MOST_HEADERS

HeaderPairs = Sequence[tuple[bytes, bytes]]
Headers = dict[bytes, bytes]


def by_name(pairs: HeaderPairs) -> Headers:
    """The headers by name; what is sent twice is joined by a comma, as HTTP has it."""
    headers = dict(pairs)
    if len(headers) < len(pairs):
        headers = {
            name: b", ".join([value for other, value in pairs if other == name]) for name in headers
        }
    return headers


def refusal_of_head(
    version: str, target: bytes, pairs: HeaderPairs, headers: Headers
) -> Refusal | None:
    """Why a request with this head is refused; None if it is not. Names of headers are in small letters.

    pairs: the headers as they came; headers: the same by name.

    HTTP/1.1 needs one Host (RFC 9112, 3.2). HTTP/1.0 needs none: probes of load balancers send none, and
    nothing that the collector answers to strangers depends on it. What proxies read differently is refused,
    as one of them would take a part of this request for another: any Transfer-Encoding but chunked by
    HTTP/1.1. Of two lengths, and of a length with an encoding, the parser says so itself.
    """
    if version not in ("1.1", "1.0"):
        return Refusal.VERSION
    if len(pairs) > MOST_HEADERS:
        return Refusal.HEADERS
    hosts = int(b"host" in headers)
    if len(headers) < len(pairs):
        hosts = [name for name, _ in pairs].count(b"host")
    if hosts != 1 and (hosts or version == "1.1"):
        return Refusal.HOST
    encoding = headers.get(b"transfer-encoding")
    if encoding is not None and not (version == "1.1" and encoding.strip().lower() == b"chunked"):
        return Refusal.ENCODING
    if target[:1] != b"/" and not _names_host(target, headers.get(b"host", b"")):
        return Refusal.TARGET
    return None


def _names_host(target: bytes, host: bytes) -> bool:
    """Whether the target is a whole address of the host that the request names as well.

    A server has to take it (RFC 9112, 3.2.2); of another host, it is a request to a proxy.
    """
    scheme, mark, rest = target.partition(b"://")
    authority = rest.partition(b"/")[0].partition(b"?")[0].lower()
    return (
        bool(mark) and scheme.lower() in (b"http", b"https") and host.strip().lower() == authority
    )
