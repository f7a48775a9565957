"""Numbers as a person writes them."""

from fractions import Fraction

DECIMALS = 1000


def number(value: Fraction) -> str:
    """Exact when three decimals can say it, else rounded to three with "about"."""
    if value.denominator == 1:
        return str(value.numerator)
    whole, rest = divmod(abs(value.numerator) * DECIMALS, value.denominator)
    about = "" if rest == 0 else "about "
    if rest * 2 >= value.denominator:
        whole += 1
    text = f"{whole // DECIMALS}.{whole % DECIMALS:03}".rstrip("0").rstrip(".")
    sign = "-" if value < 0 else ""
    return about + sign + text
