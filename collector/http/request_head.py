"""What the head of a request must say before any route sees it: the parser alone lets more through."""

from __future__ import annotations

from collections.abc import Sequence

from collector.http.refusal import Refusal

HeaderPairs = Sequence[tuple[bytes, bytes]]


def refusal_of_head(version: str, target: bytes, headers: HeaderPairs) -> Refusal | None:
    """Why a request with this head is refused; None if it is not. Names of headers are in small letters.

    HTTP/1.1 needs one Host (RFC 9112, 3.2). HTTP/1.0 needs none: probes of load balancers send none, and
    nothing that the collector answers to strangers depends on it. What proxies read differently is refused,
    as one of them would take a part of this request for another: any Transfer-Encoding but chunked by
    HTTP/1.1. Of two lengths, and of a length with an encoding, the parser says so itself.
    """
    if version not in ("1.1", "1.0"):
        return Refusal.VERSION
    names = [name for name, _ in headers]
    hosts = names.count(b"host")
    if hosts != 1 and (hosts or version == "1.1"):
        return Refusal.HOST
    if b"transfer-encoding" in names and not (version == "1.1" and _is_chunked(headers)):
        return Refusal.ENCODING
    if target[:1] != b"/" and not _names_host(target, headers):
        return Refusal.TARGET
    return None


def _is_chunked(headers: HeaderPairs) -> bool:
    found = [value.strip().lower() for name, value in headers if name == b"transfer-encoding"]
    return found == [b"chunked"]


def _names_host(target: bytes, headers: HeaderPairs) -> bool:
    """Whether the target is a whole address of the host that the request names as well.

    A server has to take it (RFC 9112, 3.2.2); of another host, it is a request to a proxy.
    """
    scheme, mark, rest = target.partition(b"://")
    hosts = [value.strip().lower() for name, value in headers if name == b"host"]
    authority = rest.partition(b"/")[0].partition(b"?")[0].lower()
    return bool(mark) and scheme.lower() in (b"http", b"https") and hosts == [authority]
