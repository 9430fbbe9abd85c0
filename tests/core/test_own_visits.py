"""Own visits: the networks, and the links."""

import pytest

from core.enrich.address import parse_address
from core.own_visits import (
    COUNT,
    network_text,
    own_finder,
    own_link,
    read_network,
    website_address,
)


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        (" 203.0.113.7 ", "203.0.113.7"),
        ("203.0.113.7/32", "203.0.113.7"),
        ("203.0.113.7/24", "203.0.113.0/24"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("2001:db8:1:2:3::/56", "2001:db8:1::/56"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
    ],
)
def test_network_is_written_in_one_way(written, stored):
    network = read_network(written)

    assert network is not None
    assert network_text(network) == stored
    assert read_network(stored) == network


@pytest.mark.parametrize(
    "written",
    [
        *(
            "",
            "home",
            "203.0.113",
            "203.0.113.7/",
            "203.0.113.7/33",
            "203.0.113.7/-1",
            "1.2.3.4/255.0.0.0",
        ),
        *("0.0.0.0/0", "10.0.0.0/7", "::/0", "2001::/15", "2001:db8::/129", "10.0.0.1/24/8"),
    ],
)
def test_what_is_no_network_or_hides_half_the_world_is_none(written):
    assert read_network(written) is None


@pytest.mark.parametrize(
    ("address", "is_own"),
    [
        ("203.0.113.7", True),
        ("203.0.113.8", False),
        ("198.51.100.0", True),
        ("198.51.100.255", True),
        ("198.51.101.0", False),
        ("::ffff:203.0.113.7", True),
        ("2001:db8:0:1::5", True),
        ("2001:db8:0:2::5", False),
        ("unknown", False),
    ],
)
def test_address_is_found_in_the_networks(address, is_own):
    find = own_finder(["203.0.113.7", "198.51.100.0/24", "2001:db8:0:1::/64"])

    assert find(parse_address(address)) is is_own
    assert not own_finder([])(parse_address(address))


@pytest.mark.parametrize(
    ("domains", "hosts", "address"),
    [
        (["https://shop.example:8443", "tea.example"], [], "https://shop.example:8443"),
        (["tea.example"], ["www.tea.example"], "https://tea.example"),
        (
            [],
            ["127.0.0.1", "localhost", "www.tea.example", "tea.example"],
            "https://www.tea.example",
        ),
        ([], ["127.0.0.1"], ""),
        ([], [], ""),
    ],
)
def test_website_is_found_by_its_domain_or_where_its_pages_came_from(domains, hosts, address):
    assert website_address(domains, hosts) == address


def test_link_says_what_it_does():
    assert own_link("https://tea.example") == "https://tea.example/?visitor-monitor=own"
    assert own_link("https://tea.example", COUNT) == "https://tea.example/?visitor-monitor=count"
