"""The library as its screens show it: lines, sums under each GWP set, differences, the chart."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from onsil.console.factors import words
from onsil.core.canonical import decimal_text
from onsil.footprint.factors import (
    GWP_SETS,
    CoefficientTable,
    Factor,
    FactorError,
    FactorSet,
    Library,
    factor_programmes,
    shipped_statements,
)
from onsil.footprint.factors.choice import may_use
from onsil.footprint.factors.imports import Finding, check_upload

_DIGITS = Decimal("1e-9")


@dataclass(frozen=True)
class Line:
    """One factor in the list. `co2e` is by GWP set, `None` where it cannot be said."""

    set: FactorSet
    factor: Factor
    commodity: str
    boundary: str
    value: str
    means: str
    maturity: tuple[str, Any]
    superseded_by: str
    imported: bool
    common: bool


@dataclass(frozen=True)
class Difference:
    """One thing that two sets state otherwise. `change_pct` for numbers, "" for words."""

    what: str
    left: str
    right: str
    change_pct: str = ""


def number(value: Decimal | None) -> str:
    """A figure as its set states it; long computed ones at nine decimals."""
    if value is None:
        return "–"
    text = decimal_text(value)
    return text if len(text) < 16 else decimal_text(value.quantize(_DIGITS))


def line(library: Library, found: FactorSet, factor: Factor, common: Collection[str] = ()) -> Line:
    gases = factor.gases_kg
    if factor.co2_only and gases is not None:
        value, means = gases["co2"], _("CO2만")
    elif gases is not None:
        value, means = factor.co2e_kg("AR5"), _("CO2e (AR5)")
    else:
        value = factor.co2e_total_kg
        means = _("CO2e 합계 (%(set)s)") % {"set": factor.co2e_gwp_set}
    return Line(
        found, factor, words.commodity(factor.commodity), words.boundary(factor.boundary),
        number(value), means, words.MATURITIES[found.maturity], library.superseded_by(found),
        found.reference not in shipped_statements(), found.reference in common,
    )  # fmt: skip


def lines(library: Library, asked: Mapping[str, str], common: Collection[str] = ()) -> list[Line]:
    """Every factor that fits what is asked: commodity, programme, maturity, on (a day), q."""
    programme = factor_programmes().get(asked.get("programme", ""))
    on = _day(asked.get("on", ""))
    made = [line(library, one, factor, common) for one in library.sets for factor in one.factors]
    return [
        one
        for one in made
        if asked.get("commodity", "") in ("", one.factor.commodity)
        and (programme is None or may_use(programme, one.set))
        and asked.get("maturity", "") in ("", one.set.maturity)
        and (on is None or _holds(library, one.set, on))
        and asked.get("q", "").lower()
        in f"{one.set.reference} {one.set.publisher} "
        f"{one.set.title} {one.set.edition} {one.commodity} {one.boundary}".lower()
    ]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _holds(library: Library, found: FactorSet, on: date) -> bool:
    """Whether a version could be used for activity of a day by who knew what was known then."""
    first, last = found.valid_from or found.published, found.valid_to or date.max
    return first <= on <= last and library.in_force(found.id, max(on, found.known_from)) == found


def totals(factor: Factor) -> list[tuple[str, str]]:
    """CO2e per unit under each GWP set; a dash where it cannot be said."""
    made: list[tuple[str, str]] = []
    for gwp_set in GWP_SETS:
        try:
            made.append((gwp_set, number(factor.co2e_kg(gwp_set))))
        except FactorError:
            made.append((gwp_set, "–"))
    return made


def programmes_of(found: FactorSet) -> list[Any]:
    return [one for one in factor_programmes().values() if may_use(one, found)]


def redone(reference: str, imported: Mapping[str, Any] | None) -> list[Finding]:
    """What comes out when a set's arithmetic is done again now."""
    stated = imported or shipped_statements()[reference]
    return check_upload(stated)[1]


def differences(left: FactorSet, right: FactorSet) -> tuple[list[Difference], list[Difference]]:
    """What two sets say otherwise: of themselves, and of their factors."""
    ours, theirs = left.provenance, right.provenance
    said = [
        Difference(str(words.FIELDS.get(key, key)), _text(ours[key]), _text(theirs[key]))
        for key in ours
        if ours[key] != theirs[key]
    ]
    keys = dict.fromkeys((f.commodity, f.boundary) for f in (*left.factors, *right.factors))
    numbers: list[Difference] = []
    for commodity, boundary in keys:
        name = f"{words.commodity(commodity)} · {words.boundary(boundary)}"
        one, other = left.factor(commodity, boundary), right.factor(commodity, boundary)
        numbers += _numbers(name, _cells(one), _cells(other))
    return said, numbers


def _cells(factor: Factor | None) -> dict[str, Any]:
    if factor is None:
        return {}
    heating = factor.heating
    made: dict[str, Any] = {
        f"{gas.upper()} [kg/{factor.per}]": kg for gas, kg in (factor.gases_kg or {}).items()
    }
    for gwp_set, text in totals(factor):
        if text != "–":
            made[f"CO2e {gwp_set} [kg/{factor.per}]"] = factor.co2e_kg(gwp_set)
    if heating is not None:
        made |= {
            f"NCV [MJ/{heating.per}]": heating.ncv_mj,
            f"GCV [MJ/{heating.per}]": heating.gcv_mj,
        }
    return {name: value for name, value in made.items() if value is not None}


def _numbers(name: str, left: Mapping[str, Any], right: Mapping[str, Any]) -> list[Difference]:
    made: list[Difference] = []
    for key in dict.fromkeys([*left, *right]):
        one, other = left.get(key), right.get(key)
        if one == other:
            continue
        change = ""
        if one and other is not None:
            change = f"{(other - one) / one * 100:+.2f} %"
        made.append(Difference(f"{name}: {key}", number(one), number(other), change))
    return made


def _text(value: Any) -> str:
    if value in (None, "", ()):
        return "–"
    if isinstance(value, tuple):
        return " ~ ".join(str(part) for part in value)
    return str(value)


def chart(library: Library) -> dict[str, Any]:
    """The electricity factor of every set, in the order published, t CO2e/MWh."""
    sets = sorted(
        (one for one in library.sets if any(f.commodity == "electricity" for f in one.factors)),
        key=lambda one: (one.published, one.version),
    )
    return {
        "title": _("전력 배출계수, 공표 연도와 계수집별"),
        "description": " ".join((
            _("가스별로 알려진 계수집은 AR5 기준 합계, 합계만 알려진 계수집은 그 합계입니다."),
            _("어느 것을 쓰는지는 날짜가 아니라 프로그램이 정합니다."),
        )),
        "kind": "bar",
        "unit": "tCO2e/MWh",
        "label_name": _("공표"),
        "labels": [_label(one) for one in sets],
        "series": [
            {
                "name": words.boundary(boundary),
                "values": [_tonnes(one.factor("electricity", boundary)) for one in sets],
            }
            for boundary in ("consumption", "generation")
        ],
    }  # fmt: skip


def _label(one: FactorSet) -> str:
    """Set and month: short enough to stand under a bar."""
    name = one.reference.removeprefix("kr-grid-").removesuffix("@1")
    return f"{name} ({one.published:%Y-%m})"


def _tonnes(factor: Factor | None) -> Decimal | None:
    if factor is None or factor.co2_only:
        return None
    gwp_set = "AR5" if factor.gases_kg is not None else str(factor.co2e_gwp_set)
    return factor.co2e_kg(gwp_set) / 1000


def cells(table: CoefficientTable) -> list[tuple[str, list[str], str, str]]:
    """Rows of a table: key, cells as text ("–" where not stated), maturity, note."""
    return [
        (
            key,
            [_cell(row.get(column)) for column in table.columns],
            table.maturity_of(key),
            table.notes.get(key, ""),
        )
        for key, row in table.rows.items()
    ]


def _cell(value: Decimal | str | None) -> str:
    if value is None:
        return "–"
    return number(value) if isinstance(value, Decimal) else value


def facts(found: FactorSet | CoefficientTable) -> list[tuple[str, str]]:
    """The provenance that is stated, by its word; empty pages and articles too, as dashes."""
    stated: Mapping[str, Any] = found.provenance
    always: Sequence[str] = ("publisher", "document", "edition", "article", "printed_table", "page")
    return [
        (str(words.FIELDS[key]), _text(stated[key]))
        for key in words.FIELDS
        if key not in ("maturity", "note", "programmes")
        and (key in always or stated[key] not in (None, "", ()))
    ]
