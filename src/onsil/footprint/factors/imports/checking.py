"""What is right and wrong with an upload: units, sums, carbon, curves, bands; each with a verdict.

A publisher's error is flagged, never mended: the person who hands in answers for it, and a second
one decides. What cannot be a factor at all (a missing gas, a negative value) blocks.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from math import prod
from typing import Any

from onsil.core.quantities import UnitError, convert, same_dimension
from onsil.footprint.factors.coefficients import TEXT, stated_coefficients
from onsil.footprint.factors.factor import Factor, stated_factor
from onsil.footprint.factors.factor_set import stated_factor_set
from onsil.footprint.factors.gwp import GWP_SETS
from onsil.footprint.factors.imports.plausible import out_of_band
from onsil.footprint.factors.provenance import (
    FactorError,
    decimal_of,
    plain_unit,
    stated_provenance,
)

MATCH = "match"
ROUNDED = "match-if-rounded-constant"
ERROR = "publisher-error"
_ARITHMETIC = Context(prec=50, rounding=ROUND_HALF_EVEN)
_ROUNDED_CARBON = tuple(Decimal(text) for text in ("3.67", "3.667", "3.6667", "3.66", "3.664"))
_CURVE_POINTS = 60
_PARTS_MAX = 12


@dataclass(frozen=True)
class Finding:
    """One thing found. `severity`: block, flag (needs an answer) or note. Figures as text."""

    code: str
    severity: str
    where: str
    ko: str
    en: str
    verdict: str = ""
    printed: str = ""
    ours: str = ""

    def document(self) -> dict[str, str]:
        return asdict(self)


def check_upload(stated: Mapping[str, Any]) -> tuple[dict[str, Any], list[Finding]]:
    """The upload with our verdicts written into it, and all that was found.

    Codes: unusable, negative, total, carbon, carbon-as-co2, example, example-unit, curve,
    implausible, unit-unknown, page-missing, confirmed-without-page.
    """
    with localcontext(_ARITHMETIC):
        made = dict(stated)
        found = _provenance(made)
        if "row" in made:
            found += _coefficients(made)
        else:
            made["factor"] = [dict(one) for one in made.get("factor", [])]
            for one in made["factor"]:
                found += _factor(made, one)
        for example in made.get("example", []):
            found.append(_example(example))
        for curve in made.get("curve", []):
            found += _curve(curve)
        if not any(f.severity == "block" for f in found):
            found += _whole(made)
        return made, found


def _blocked(where: str, error: Exception) -> Finding:
    return Finding(
        "unusable", "block", where, f"이대로는 쓸 수 없습니다: {error}.",
        f"This cannot be used as it is: {error}.",
    )  # fmt: skip


def _provenance(made: Mapping[str, Any]) -> list[Finding]:
    where = str(made.get("id", "?"))
    try:
        stated = stated_provenance(made)
    except (FactorError, ValueError, TypeError) as error:
        return [_blocked(where, error)]
    if stated["page"] or stated["printed_table"] or stated["url_name"]:
        return []
    if stated["maturity"] == "confirmed":
        return [
            Finding(
                "confirmed-without-page", "flag", where,
                "확인됨이라 했지만 쪽이나 표가 적혀 있지 않습니다.",
                "Stated as confirmed, but neither page nor table is given.",
            )
        ]  # fmt: skip
    return [
        Finding(
            "page-missing", "note", where, "쪽과 표를 보지 못했습니다.",
            "Neither page nor table was seen.",
        )
    ]  # fmt: skip


def _factor(made: Mapping[str, Any], one: dict[str, Any]) -> list[Finding]:
    where = f"{one.get('commodity')}/{one.get('boundary')}"
    try:
        factor = stated_factor(str(made.get("id")), int(made.get("version", 1)), one)
    except (FactorError, KeyError, ArithmeticError, ValueError) as error:
        return [_blocked(where, error)]
    found = _negative(where, factor)
    one["check"] = [dict(check) for check in one.get("check", [])]
    for check in one["check"]:
        found += _total(where, factor, check)
    if "carbon_t_per_tj" in one:
        found += _carbon(where, factor, one)
    wide = out_of_band(factor)
    if wide is not None:
        kg, band, slip = wide
        hint_ko = f" {slip} 단위를 혼동한 값으로 보입니다." if slip else ""
        hint_en = f" It looks like a slip of {slip}." if slip else ""
        found.append(
            Finding(
                "implausible", "flag", where,
                f"{band.per}당 {_shown(kg)} kg은 알려진 범위 {band.low}~{band.high}를 벗어납니다."
                + hint_ko,
                f"{_shown(kg)} kg per {band.per} is outside what is known "
                f"({band.low} to {band.high}).{hint_en}",
                printed=_shown(kg),
            )
        )  # fmt: skip
    return found


def _negative(where: str, factor: Factor) -> list[Finding]:
    stated = factor.gases_kg or {"co2e": factor.co2e_total_kg or Decimal(0)}
    return [
        Finding(
            "negative", "block", f"{where} {gas}",
            f"{gas} 값이 음수({kg})입니다. 배출계수는 음수일 수 없습니다.",
            f"{gas} is negative ({kg}); an emission factor cannot be.", ERROR, str(kg),
        )
        for gas, kg in stated.items()
        if kg < 0
    ]  # fmt: skip


def _total(where: str, factor: Factor, check: dict[str, Any]) -> list[Finding]:
    """A printed CO2e total against the gases' own sum, and the GWP set it would fit."""
    per_mwh = "printed_t_per_mwh" in check
    try:
        printed = _number(check["printed_t_per_mwh" if per_mwh else "printed_kg"])
        scale = convert(Decimal(1), "MWh", factor.per) / 1000 if per_mwh else Decimal(1)
        sums = {g: (factor.co2e_kg(g) * scale).quantize(printed) for g in _able(factor)}
        ours = sums[check["gwp_set"]]
    except (KeyError, ArithmeticError, UnitError, FactorError) as error:
        return [_blocked(where, error)]
    check["verdict"] = MATCH if ours == printed else ERROR
    if ours == printed:
        return [
            Finding(
                "total", "note", where, f"인쇄된 합계 {printed}이(가) 다시 계산한 값과 같습니다.",
                f"The printed total {printed} is what comes out.", MATCH, str(printed), str(ours),
            )
        ]  # fmt: skip
    fits = [g for g, total in sums.items() if total == printed]
    only = factor.gases_kg is not None and (factor.gases_kg["co2"] * scale).quantize(printed)
    hint_ko = f" {fits[0]} 기준으로는 맞습니다." if fits else ""
    hint_en = f" It fits {fits[0]}." if fits else ""
    if not fits and only == printed:
        hint_ko, hint_en = " CO2만의 값입니다.", " It is CO2 alone."
    return [
        Finding(
            "total", "flag", where,
            f"인쇄된 합계 {printed}와(과) 다시 계산한 {ours}({check['gwp_set']})이 다릅니다."
            + hint_ko,
            f"Printed total {printed}, recalculated {ours} under {check['gwp_set']}.{hint_en}",
            ERROR, str(printed), str(ours),
        )
    ]  # fmt: skip


def _able(factor: Factor) -> tuple[str, ...]:
    if factor.co2_only:
        return ()
    return GWP_SETS if factor.gases_kg is not None else (str(factor.co2e_gwp_set),)


def _carbon(where: str, factor: Factor, one: dict[str, Any]) -> list[Finding]:
    """tC/TJ (× net calorific value) × 44/12 against the stated kg of CO2."""
    if factor.gases_kg is None:
        return []
    stated = factor.gases_kg["co2"]
    try:
        carbon = _number(one["carbon_t_per_tj"])
        if same_dimension(factor.per, "TJ"):
            tj = convert(Decimal(1), factor.per, "TJ")
        else:
            tj = factor.activity(Decimal(1), factor.per) and _fuel_tj(factor)
    except (FactorError, UnitError) as error:
        return [_blocked(where, error)]
    carbon_kg = carbon * 1000 * tj
    ours = carbon_kg * 44 / 12
    shown = str(ours.quantize(stated))
    if ours.quantize(stated) == stated:
        # The library demands exact figures per energy; one rounded by its publisher says so.
        one["carbon_verdict"] = MATCH if _exact(ours, stated, factor) else ROUNDED
        return [
            Finding(
                "carbon", "note", where, f"{carbon} tC/TJ에서 CO2 {stated} kg이 나옵니다.",
                f"{carbon} tC/TJ gives {stated} kg of CO2.", MATCH, str(stated), shown,
            )
        ]  # fmt: skip
    if any((carbon_kg * by).quantize(stated) == stated for by in _ROUNDED_CARBON):
        one["carbon_verdict"] = ROUNDED
        return [
            Finding(
                "carbon", "note", where,
                f"44/12를 반올림한 상수를 써야 CO2 {stated} kg이 나옵니다(정확히는 {shown}).",
                f"{stated} kg of CO2 comes out with a rounded 44/12 alone (exactly {shown}).",
                ROUNDED, str(stated), shown,
            )
        ]  # fmt: skip
    one["carbon_verdict"] = ERROR
    if carbon_kg.quantize(stated) == stated:
        return [
            Finding(
                "carbon-as-co2", "block", where,
                f"{stated} kg은 탄소(tC)이지 CO2가 아닙니다. 44/12를 곱해야 합니다({shown}).",
                f"{stated} kg is carbon, not CO2: 44/12 is missing ({shown}).",
                ERROR, str(stated), shown,
            )
        ]  # fmt: skip
    return [
        Finding(
            "carbon", "flag", where,
            f"{carbon} tC/TJ에서는 CO2 {shown} kg이 나오는데 {stated} kg이라 적혀 있습니다.",
            f"{carbon} tC/TJ gives {shown} kg of CO2; {stated} is stated.",
            ERROR, str(stated), shown,
        )
    ]  # fmt: skip


def _fuel_tj(factor: Factor) -> Decimal:
    heating = factor.heating
    if heating is None or heating.ncv_mj is None or heating.per != factor.per:
        raise FactorError(f"no net calorific value per {factor.per}")
    return heating.ncv_mj / 1_000_000


def _exact(ours: Decimal, stated: Decimal, factor: Factor) -> bool:
    exponent = stated.as_tuple().exponent
    long = isinstance(exponent, int) and exponent <= -4
    return ours == stated or long or not same_dimension(factor.per, "TJ")


def _example(example: Mapping[str, Any]) -> Finding:
    """A printed calculation with units, redone: what comes out, and in which unit."""
    where = str(example.get("id", "example"))
    try:
        parts = example["multiply"]
        if len(parts) > _PARTS_MAX:
            raise FactorError(f"more than {_PARTS_MAX} parts")
        value = prod(_number(part["value"]) for part in parts)
        units = [plain_unit(part["unit"]) for part in parts]
        unit = " * ".join(f"({one})" for one in units if one != "1")
        rounded = [_number(one) for one in example.get("rounded_multiply", [])[:_PARTS_MAX]]
        printed, wanted = _number(example["printed"]), plain_unit(example["printed_unit"])
        ours = convert(Decimal(value), unit or "dimensionless", wanted).quantize(printed)
    except UnitError as error:
        return Finding(
            "example-unit", "flag", where,
            f"적힌 단위로는 {example.get('printed_unit')}이(가) 나오지 않습니다.",
            f"The stated units do not give {example.get('printed_unit')}: {error}.",
            ERROR, str(example.get("printed")),
        )  # fmt: skip
    except (KeyError, ArithmeticError, TypeError, FactorError) as error:
        return _blocked(where, error)
    if ours == printed:
        return Finding(
            "example", "note", where, f"인쇄된 {printed}이(가) 다시 계산한 값과 같습니다.",
            f"The printed {printed} is what comes out.", MATCH, str(printed), str(ours),
        )  # fmt: skip
    if rounded and Decimal(prod(rounded)).quantize(printed) == printed:
        return Finding(
            "example", "note", where,
            f"반올림한 상수를 써야 {printed}이(가) 나옵니다(정확히는 {ours}).",
            f"{printed} comes out with a rounded constant alone (exactly {ours}).",
            ROUNDED, str(printed), str(ours),
        )  # fmt: skip
    return Finding(
        "example", "flag", where, f"인쇄된 값은 {printed}, 다시 계산하면 {ours}입니다.",
        f"Printed {printed}, recalculated {ours}.", ERROR, str(printed), str(ours),
    )  # fmt: skip


def _curve(curve: Mapping[str, Any]) -> list[Finding]:
    """A polynomial (`terms` by rising power) over [from, to]: it may nowhere be negative."""
    where = str(curve.get("key", "curve"))
    try:
        terms = [_number(text) for text in curve["terms"]]
        first, last = _number(curve["from"]), _number(curve["to"])
        if len(terms) > _PARTS_MAX:
            raise FactorError(f"more than {_PARTS_MAX} terms")
    except (KeyError, TypeError, FactorError) as error:
        return [_blocked(where, error)]
    steps = [first + (last - first) * i / _CURVE_POINTS for i in range(_CURVE_POINTS + 1)]
    values = [(x, sum((c * x**n for n, c in enumerate(terms)), Decimal(0))) for x in steps]
    x, lowest = min(values, key=lambda pair: pair[1])
    if lowest >= 0:
        return []
    return [
        Finding(
            "curve", "block", where,
            f"{_shown(x)}에서 값이 음수({_shown(lowest)})가 되는 곡선입니다.",
            f"The curve turns negative ({_shown(lowest)}) at {_shown(x)}.",
            ERROR, "", _shown(lowest),
        )
    ]  # fmt: skip


def _coefficients(made: Mapping[str, Any]) -> list[Finding]:
    found: list[Finding] = []
    for column, unit in made.get("columns", {}).items():
        try:
            if unit not in (TEXT, "1"):
                same_dimension(plain_unit(unit), unit)
        except (UnitError, FactorError) as error:
            found.append(
                Finding(
                    "unit-unknown", "block", column, f"모르는 단위입니다: {unit}.",
                    f"Unknown unit: {error}.",
                )
            )  # fmt: skip
    for line in made.get("row", []):
        for name, value in line.items():
            if made.get("columns", {}).get(name, TEXT) == TEXT or not str(value).startswith("-"):
                continue
            found.append(
                Finding(
                    "negative", "flag", f"{line.get('key')} {name}", f"값이 음수({value})입니다.",
                    f"The value is negative ({value}).", ERROR, str(value),
                )
            )  # fmt: skip
    return found


def _whole(made: Mapping[str, Any]) -> list[Finding]:
    """Whether the library would take it at all."""
    try:
        if "row" in made:
            stated_coefficients(made)
        else:
            stated_factor_set(made)
    except (FactorError, KeyError, ValueError, ArithmeticError) as error:
        return [_blocked(str(made.get("id")), error)]
    return []


def _number(text: Any) -> Decimal:
    found = decimal_of(text)
    if found is None:
        raise FactorError("a number is missing")
    return found


def _shown(value: Decimal) -> str:
    return format(value.quantize(Decimal("0.0001")).normalize(), "f")
