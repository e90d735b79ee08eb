"""SenML's unit names (RFC 8428 §12.1, RFC 8798 secondary units) as units the hub knows."""

# name → (hub unit, factor to multiply by where the hub has no unit of that size)
UNITS: dict[str, tuple[str, float | int]] = {
    "m": ("m", 1), "kg": ("kg", 1), "g": ("g", 1), "s": ("s", 1), "A": ("A", 1), "K": ("K", 1),
    "cd": ("cd", 1), "mol": ("mol", 1), "Hz": ("Hz", 1), "rad": ("rad", 1), "N": ("N", 1),
    "Pa": ("Pa", 1), "J": ("J", 1), "W": ("W", 1), "C": ("C", 1), "V": ("V", 1), "F": ("F", 1),
    "Ohm": ("ohm", 1), "S": ("S", 1), "Wb": ("Wb", 1), "T": ("T", 1), "H": ("H", 1),
    "Cel": ("degC", 1), "lm": ("lm", 1), "lx": ("lx", 1), "Bq": ("Bq", 1), "Gy": ("Gy", 1),
    "Sv": ("Sv", 1), "m2": ("m ** 2", 1), "m3": ("m ** 3", 1), "l": ("liter", 1),
    "m/s": ("m / s", 1), "m/s2": ("m / s ** 2", 1), "m3/s": ("m ** 3 / s", 1),
    "l/s": ("liter / s", 1), "W/m2": ("W / m ** 2", 1), "cd/m2": ("cd / m ** 2", 1),
    "bit": ("bit", 1), "bit/s": ("bit / s", 1), "deg": ("degree", 1), "lat": ("degree", 1),
    "lon": ("degree", 1), "pH": ("dimensionless", 1), "/": ("dimensionless", 1),
    "%": ("percent", 1), "%RH": ("percent", 1), "%EL": ("percent", 1), "EL": ("s", 1),
    "1/s": ("1 / s", 1), "1/min": ("1 / min", 1), "beat/min": ("1 / min", 1), "beats": ("count", 1),
    "count": ("count", 1), "S/m": ("S / m", 1), "B": ("byte", 1), "VA": ("V * A", 1),
    "VAs": ("V * A * s", 1), "var": ("V * A", 1), "vars": ("V * A * s", 1), "J/m": ("J / m", 1),
    "kg/m3": ("kg / m ** 3", 1), "1/m": ("1 / m", 1), "N/m": ("N / m", 1),
    # RFC 8798
    "ms": ("ms", 1), "min": ("min", 1), "h": ("hour", 1), "MHz": ("MHz", 1), "kW": ("kW", 1),
    "kVA": ("kV * A", 1), "kvar": ("kV * A", 1), "Ah": ("A * hour", 1), "Wh": ("Wh", 1),
    "kWh": ("kWh", 1), "varh": ("V * A * hour", 1), "kvarh": ("kV * A * hour", 1),
    "kVAh": ("kV * A * hour", 1), "Wh/km": ("Wh / km", 1), "KiB": ("kibibyte", 1),
    "GB": ("gigabyte", 1), "Mbit/s": ("Mbit / s", 1), "mV": ("mV", 1), "mA": ("mA", 1),
    "ug/m3": ("microgram / m ** 3", 1), "mm/h": ("mm / hour", 1), "m/h": ("m / hour", 1),
    "ppm": ("ppm", 1), "/100": ("percent", 1), "/1000": ("dimensionless", 0.001),
    "hPa": ("hPa", 1), "mm": ("mm", 1), "cm": ("cm", 1), "km": ("km", 1), "km/h": ("km / hour", 1),
}  # fmt: skip


def unit_of(name: str) -> str:
    """The hub's unit for a SenML one; one that is in no list goes on as it is, to be judged."""
    return UNITS[name][0] if name in UNITS else name
