"""Bands that a factor of a commodity lies in, and what a value outside them usually is."""

from dataclasses import dataclass
from decimal import Decimal

from onsil.core.quantities import UnitError, convert
from onsil.footprint.factors.factor import Factor


@dataclass(frozen=True)
class Band:
    """kg of CO2 (or CO2e) per `per` that has been published for a commodity anywhere."""

    commodity: str
    per: str
    low: Decimal
    high: Decimal


# Wide on purpose: they find slips of units (by 1,000 or 3.6), not bad luck with a fuel mix.
BANDS = tuple(
    Band(commodity, per, Decimal(low), Decimal(high))
    for commodity, per, low, high in (
        ("electricity", "MWh", "5", "1300"),
        ("city-gas", "MWh", "150", "260"),
        ("natural-gas", "TJ", "48000", "62000"),
        ("district-heat", "TJ", "500", "120000"),
        ("gasoline", "TJ", "64000", "76000"),
        ("diesel", "TJ", "69000", "78000"),
        ("lpg", "TJ", "58000", "68000"),
        ("residual-fuel-oil", "TJ", "72000", "82000"),
        ("coal", "TJ", "80000", "115000"),
        ("tap-water", "m3", "0.02", "3"),
        ("car", "km", "0.02", "0.45"),
        ("tree", "tree-year", "0.1", "60"),
    )
)
_SLIPS = (
    (Decimal(1000), "kWh/MWh"),
    (Decimal("0.001"), "kWh/MWh"),
    (Decimal(1_000_000), "g/t"),
    (Decimal("0.000001"), "g/t"),
    (Decimal("3.6"), "GJ/MWh"),
    (1 / Decimal("3.6"), "GJ/MWh"),
    (Decimal(44) / 12, "tC/tCO2"),
)


def out_of_band(factor: Factor) -> tuple[Decimal, Band, str] | None:
    """The factor's kg per the band's unit where it lies outside, and the slip that explains it.

    The slip is "" when none does. None within the band, for an unknown commodity, or where the
    unit is not the band's kind (a fuel per litre).
    """
    band = next((b for b in BANDS if b.commodity == factor.commodity), None)
    kg = factor.co2e_total_kg if factor.gases_kg is None else factor.gases_kg["co2"]
    if band is None or kg is None:
        return None
    try:
        per_band_kg = kg * convert(Decimal(1), band.per, factor.per)
    except UnitError:
        return None
    if band.low <= per_band_kg <= band.high:
        return None
    slip = next((n for by, n in _SLIPS if band.low <= per_band_kg * by <= band.high), "")
    return per_band_kg, band, slip
