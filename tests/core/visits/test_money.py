"""Amounts of money."""

import pytest

from core.visits.money import money_label


@pytest.mark.parametrize(
    ("amount", "currency", "label"),
    [
        (120.5, "EUR", "€120.50"),
        (1_234_567.891, "USD", "$1,234,567.89"),
        (980, "JPY", "¥980"),
        (980.4, "ISK", "ISK 980"),
        (1.5, "KWD", "KWD 1.500"),
        (12, "CHF", "CHF 12.00"),
        (12, "CAD", "CAD 12.00"),
        (12, "QQQ", "QQQ 12.00"),
        (12, "", "12.00"),
        (1e12, "EUR", "€1,000,000,000,000.00"),
        (0, "EUR", ""),
        (-1, "EUR", ""),
        (float("nan"), "EUR", ""),
    ],
)
def test_amount_has_the_decimals_of_its_currency(amount, currency, label):
    assert money_label(amount, currency) == label
