"""Amounts of money as a person reads them."""

_DECIMALS = {
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"), 0),
    **dict.fromkeys(("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
}
"""The currencies that do not have two decimals, from ISO 4217's list one."""

_SYMBOLS = {"EUR": "€", "GBP": "£", "INR": "₹", "JPY": "¥", "KRW": "₩", "USD": "$"}
"""Where the symbol is read as this currency and no other; the others show their code."""


def money_label(amount: float, currency: str) -> str:
    """An amount such as `€1,120.50`, `¥980`, `CHF 12.00`; "" when it is not above 0.

    currency: as ISO 4217 writes it, or "" when it is not known: `12.00`. The number of decimals is
    the currency's own, 2 for one that the list does not have.
    """
    if not amount > 0:
        return ""
    number = f"{amount:,.{_DECIMALS.get(currency, 2)}f}"
    if not currency:
        return number
    symbol = _SYMBOLS.get(currency)
    return f"{symbol}{number}" if symbol else f"{currency} {number}"
