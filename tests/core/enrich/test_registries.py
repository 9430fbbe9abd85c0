"""The public suffix list, read faster than the library does, and the same."""

from pathlib import Path

from publicsuffixlist import PSLFILE, PublicSuffixList

from core.enrich.registries import public_suffixes


def names() -> list[str]:
    """A host below each rule, and below names that only a wildcard or an exception knows."""
    lines = Path(PSLFILE).read_text(encoding="utf-8").splitlines()
    rules = [line.lstrip("!*.") for line in lines if line and not line.startswith("//")]
    encoded = [rule.encode("idna").decode("ascii") for rule in rules if not rule.isascii()]
    return [
        f"a.b.{rule}" for rule in (*rules, *encoded, "example", "localhost", "blogspot.example")
    ]


def test_suffixes_are_those_that_the_library_reads_by_itself() -> None:
    every, icann = public_suffixes()
    hosts = names()
    assert [every.publicsuffix(each) for each in hosts] == list(
        map(PublicSuffixList().publicsuffix, hosts)
    )
    registries = PublicSuffixList(only_icann=True)
    found = [icann.publicsuffix(each, accept_unknown=False) for each in hosts]
    assert found == [registries.publicsuffix(each, accept_unknown=False) for each in hosts]
    assert found != [every.publicsuffix(each) for each in hosts]
