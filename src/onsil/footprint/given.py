"""What a methodology is given to count with: factors by authority, coefficients by set. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from onsil.core.refusal import Refusal
from onsil.footprint.factors import Factor, FactorAuthority, choose_factor
from onsil.footprint.factors.coefficients import CoefficientTable
from onsil.footprint.factors.library import Library
from onsil.footprint.methodologies import Methodology, coefficients_of


def factors_for(
    made: Methodology,
    roles: Iterable[str],
    authorities: Sequence[FactorAuthority],
    as_of: date,
    library: Library,
    activity: date | None = None,
) -> dict[str, Factor] | Refusal:
    """The factor of each commodity that a methodology needs for the roles it is given.

    `as_of` is the day of the calculation, `activity` the last day it counts.
    Refused: `factor-missing`, `authorities-differ`, and the codes of `choose_factor`.
    """
    given = set(roles)
    chosen: dict[str, Factor] = {}
    for need in made.FACTORS:
        if need.roles and not given & set(need.roles):
            continue
        authority = next((a for a in authorities if a.commodity == need.commodity), None)
        if authority is None and not need.required:
            continue
        if authority is None or authority.boundary not in need.boundaries:
            return Refusal(
                "factor-missing",
                f"{need.commodity}({need.boundary}) 배출계수의 근거를 밝혀야 합니다.",
                f"Say by which authority the {need.commodity} factor ({need.boundary}) is chosen.",
                {"commodity": need.commodity, "boundary": need.boundary},
            )
        factor = choose_factor(authority, as_of, library, activity=activity, gases=need.gases)
        if isinstance(factor, Refusal):
            return factor
        chosen[need.commodity] = factor
    if len({(a.programme, a.gwp_set) for a in authorities}) > 1:
        return Refusal(
            "authorities-differ",
            "한 번의 산정에는 한 프로그램과 한 GWP만 쓸 수 있습니다.",
            "One quantification knows one programme and one GWP set.",
            {"authorities": [a.document() for a in authorities]},
        )
    return chosen


def coefficients_for(
    made: Methodology, named: Mapping[str, str], library: Library
) -> dict[str, CoefficientTable] | Refusal:
    """The table of coefficients that a methodology needs under each name, its own set unless
    another one is named. Refused: `unknown-coefficients`."""
    chosen: dict[str, CoefficientTable] = {}
    for need in coefficients_of(made):
        reference = named.get(need.table, need.default_set)
        try:
            found = library.coefficient_table(reference)
        except KeyError:
            found = None
        if found is None or found.table != need.table:
            return Refusal(
                "unknown-coefficients",
                f"계수표 {need.table}에 쓸 수 있는 계수집이 아닙니다: {reference}.",
                f"No set of coefficients for {need.table}: {reference}.",
                {"table": need.table, "set": reference},
            )
        chosen[need.table] = found
    return chosen
