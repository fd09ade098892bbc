"""Currencies as Stripe writes them: integer minor units of a lower-case ISO 4217 code."""

from fractions import Fraction

_TWO_DECIMALS = """
    aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd btn bwp byn bzd cad
    cdf chf cny cop crc cve czk dkk dop dzd egp etb eur fjd fkp gbp gel ghs gip gmd gtq gyd hkd hnl
    hrk htg huf idr ils inr isk jmd kes kgs khr kyd kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop
    mro mru mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk php pkr pln qar ron rsd rub
    sar sbd scr sek sgd shp sle sll sos srd std svc szl thb tjs top try ttd twd tzs uah ugx usd uyu
    uzs wst xcd xcg yer zar zmw
""".split()  # Stripe's API writes isk and ugx with two decimals, too
_NO_DECIMALS = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split()
_THREE_DECIMALS = "bhd jod kwd omr tnd".split()

DECIMALS = (
    dict.fromkeys(_TWO_DECIMALS, 2)
    | dict.fromkeys(_NO_DECIMALS, 0)
    | dict.fromkeys(_THREE_DECIMALS, 3)
)


def rounded(amount: Fraction) -> int:
    """Return the nearest whole number of minor units; half a unit goes up."""
    return (2 * amount.numerator + amount.denominator) // (2 * amount.denominator)


def part(amount: int, share: int, whole: int) -> int:
    """Return `share` / `whole` of an amount, to the nearest unit; half a unit goes up."""
    return (2 * amount * share + whole) // (2 * whole)


def converted(amount: int, rate: Fraction, *, source: str, target: str) -> int:
    """Convert minor units of `source`, one whole unit of which is `rate` whole units of `target`.

    1,000 JPY (no decimals) at 0.0067 USD are 6.70 USD, so 670 cents.
    """
    return rounded(amount * rate * Fraction(10) ** (DECIMALS[target] - DECIMALS[source]))
