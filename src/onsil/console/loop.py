"""The ring's eight figures of a city, each with the screen that opens its work."""

from typing import Any

from django.db.models import F, Sum
from django.urls import NoReverseMatch, reverse

from onsil import footprint, hub
from onsil.citizen.models import Payment
from onsil.rewards.models import Award
from onsil.tenancy import transaction
from onsil.tenancy.cities import CityProfile

FUND = "fund:incentive"


def ring(city: CityProfile, language: str) -> dict[str, dict[str, Any]]:
    """Figure and link of every station, for `{% ring %}`: all of it since the beginning, the fund
    what sales brought in, as on the public page."""
    english = language.startswith("en")
    with transaction(city.code) as conn:
        series = len(hub.find_series(conn, city.code))
        runs = footprint.runs(conn, city.code, limit=10_000)
        claims = footprint.claims(conn, city.code, limit=100_000)
        issued = sum(b.tonnes for b in footprint.batches(conn, city.code))
        sales = footprint.sales(conn, city.code)
        sold, revenue = sum(s.tonnes for s in sales), sum(s.amount_krw for s in sales)
    awards = Award.objects.filter(city=city.code, posting__state="applied")
    awarded = awards.aggregate(n=Sum("points"))["n"] or 0
    payments = Payment.objects.filter(city=city.code, state="applied")
    paid = payments.aggregate(n=Sum(F("amount") - F("cancelled")))["n"] or 0
    count = "{:,}" if english else "{:,}건"
    projects, programmes = reverse("console-projects"), reverse("console-programmes")
    return {
        "measure": {"figure": f"{series:,}{'' if english else '계열'}",
                    "href": reverse("console-sites")},
        "quantify": {"figure": count.format(len(runs)), "href": projects},
        "claim": {"figure": count.format(len(claims)), "href": projects},
        "credit": {"figure": f"{issued:,} t", "href": projects},
        "sell": {"figure": f"{sold:,} t", "href": _market() or projects},
        "fund": {"figure": brief(revenue, english, "₩", "원"), "href": programmes},
        "reward": {"figure": brief(awarded, english, "", "점"), "href": programmes},
        "spend": {"figure": brief(paid, english, "₩", "원"), "href": reverse("console-shops")},
    }  # fmt: skip


def brief(amount: int, english: bool, sign: str, word: str) -> str:
    """An amount in the few characters a station has: 96만원, ₩960k."""
    if english:
        for size, letter in ((10**9, "bn"), (10**6, "M"), (10**4, "k")):
            if amount >= size:
                return f"{sign}{amount / (10**3 if letter == 'k' else size):.3g}{letter}"
        return f"{sign}{amount:,}"
    for size, letter in ((10**8, "억"), (10**4, "만")):
        if amount >= size:
            return f"{float(f'{amount / size:.3g}'):,g}{letter}{word}"
    return f"{amount:,}{word}"


def _market() -> str:
    try:
        return reverse("market")
    except NoReverseMatch:
        return ""
