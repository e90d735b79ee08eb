"""Units as NGSI-LD names them: UN/CEFACT codes."""

# pint's names back to codes; other units go out under their own name.
UNIT_CODES = {
    "Wh": "WHR", "kWh": "KWH", "MWh": "MWH", "W": "WTT", "kW": "KWT", "degC": "CEL", "m^3": "MTQ",
    "L": "LTR", "kg": "KGM", "g": "GRM", "V": "VLT", "A": "AMP", "Hz": "HTZ", "percent": "P1",
    "W/m^2": "D54", "dimensionless": "C62", "count": "C62", "m": "MTR", "km": "KMT",
}  # fmt: skip


def unit_code(unit: str) -> str:
    """The UN/CEFACT code of a unit, or its own name where there is none."""
    return UNIT_CODES.get(unit, unit)
