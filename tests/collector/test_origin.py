"""Which pages may report to a site."""

import pytest

from collector.origin import compile_domains, is_allowed, read_origin


def allows(domains, origin, accepts_null=False):
    return is_allowed(compile_domains(domains, accepts_null), read_origin(origin.encode()))


@pytest.mark.parametrize(
    ("domain", "origin"),
    [
        ("shop.example", "https://shop.example"),
        ("shop.example", "http://shop.example"),
        ("shop.example", "https://shop.example:8443"),
        ("shop.example", "https://www.shop.example"),
        ("shop.example", "https://a.b.c.shop.example"),
        ("shop.example", "HTTPS://SHOP.EXAMPLE"),
        ("shop.example", "https://shop.example."),
        ("https://shop.example", "https://shop.example"),
        ("https://shop.example", "https://shop.example:443"),
        ("http://shop.example:8080", "http://shop.example:8080"),
        ("localhost", "http://localhost:3000"),
        ("127.0.0.1", "http://127.0.0.1:5000"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("xn--bcher-kva.example", "https://www.xn--bcher-kva.example"),
    ],
)
def test_origin_is_allowed(domain, origin):
    assert allows([domain], origin)


@pytest.mark.parametrize(
    ("domain", "origin"),
    [
        ("shop.example", "https://evilshop.example"),
        ("shop.example", "https://shop.example.evil.example"),
        ("shop.example", "https://example"),
        ("www.shop.example", "https://shop.example"),
        ("https://shop.example", "http://shop.example"),
        ("https://shop.example", "https://www.shop.example"),
        ("https://shop.example", "https://shop.example:8443"),
        ("http://shop.example:8080", "http://shop.example"),
        ("shop.example", "null"),
        ("shop.example", ""),
        ("shop.example", "<script>"),
        ("shop.example", "shop.example"),
        ("shop.example", "https://shop.example/path"),
        ("shop.example", "https://shop.example, https://evil.example"),
        ("shop.example", "https://evil.example, https://shop.example"),
        ("shop.example", "https://evil.example#.shop.example"),
        ("shop.example", "https://evil.example?.shop.example"),
    ],
)
def test_origin_is_not_allowed(domain, origin):
    assert not allows([domain], origin)


@pytest.mark.parametrize("origin", ["https://any.example", "null", "", "<script>"])
def test_empty_list_allows_any(origin):
    assert allows([], origin)


@pytest.mark.parametrize("origin", ["null", ""])
def test_opaque_origin_is_allowed_by_the_sites_own_switch(origin):
    assert allows(["shop.example"], origin, accepts_null=True)
    assert not allows(["shop.example"], "https://evil.example", accepts_null=True)


@pytest.mark.parametrize(
    ("header", "host"),
    [
        ("https://www.shop.example:8443", "www.shop.example"),
        ("HTTPS://Shop.Example", "shop.example"),
        ("null", ""),
        ("<script>", ""),
        ("https://" + "x" * 253 + ":65535", "x" * 253),
        ("https://" + "x" * 254, ""),
        ("https://" + "x." * 10_000 + "example", ""),
        ("https://user:secret@shop.example", "shop.example"),
    ],
)
def test_host_of_an_origin(header, host):
    assert read_origin(header.encode()).host == host
