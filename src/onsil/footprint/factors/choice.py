"""Which factor holds: decided by authority, with a reason for every no."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from onsil.core.refusal import Refusal
from onsil.footprint.factors.library import Factor, data_text, factor_sets


@dataclass(frozen=True)
class FactorAuthority:
    """On whose word a factor is used: programme, set, boundary and GWP set, for one commodity.

    `statistic_years` and `published` may be stated too and must then agree with the set's own.
    """

    programme: str
    factor_set: str
    boundary: str
    gwp_set: str
    commodity: str = "electricity"
    statistic_years: tuple[int, int] | None = None
    published: date | None = None

    def document(self) -> dict[str, Any]:
        return {
            "programme": self.programme,
            "factor_set": self.factor_set,
            "boundary": self.boundary,
            "gwp_set": self.gwp_set,
            "commodity": self.commodity,
        }


@dataclass(frozen=True)
class FactorProgramme:
    """What a programme demands of its factors."""

    id: str
    ko: str
    en: str
    gwp_sets: tuple[str, ...]
    per_gas: bool
    sets: tuple[str, ...]
    basis: str


@cache
def factor_programmes() -> Mapping[str, FactorProgramme]:
    """The programmes of `programmes.toml` by id."""
    tables = tomllib.loads(data_text("programmes.toml"))["programme"]
    return {
        t["id"]: FactorProgramme(
            t["id"], t["ko"], t["en"], tuple(t["gwp_sets"]), t["per_gas"], tuple(t["sets"]),
            t["basis"],
        )
        for t in tables
    }  # fmt: skip


def choose_factor(authority: FactorAuthority, as_of: date) -> Factor | Refusal:
    """The factor that this authority names, as a quantification made on `as_of` may use it.

    Refusal codes: unknown-programme, unknown-factor-set, factor-not-for-programme,
    factor-not-yet-valid, factor-years-differ, factor-publication-differs, gwp-not-for-programme,
    factor-boundary-unknown, factor-not-per-gas, gwp-not-convertible.
    """
    programme = factor_programmes().get(authority.programme)
    if programme is None:
        return _no(
            authority, "unknown-programme", "등록되지 않은 프로그램입니다", "is unknown here"
        )
    found = factor_sets().get(authority.factor_set)
    if found is None:
        return _no(
            authority, "unknown-factor-set", "그런 계수집이 없습니다", "names a set we do not have"
        )
    if found.id not in programme.sets:
        return _no(
            authority,
            "factor-not-for-programme",
            f"{programme.ko}에서는 이 계수집을 쓸 수 없습니다 (가능: {', '.join(programme.sets)})",
            f"is not one of those {programme.en} may use ({', '.join(programme.sets)})",
        )
    if found.published > as_of:
        return _no(
            authority,
            "factor-not-yet-valid",
            f"{found.published}에 공표되어 {as_of}의 산정에는 쓸 수 없습니다",
            f"was published on {found.published}, after this quantification's date {as_of}",
        )
    if authority.statistic_years not in (None, found.statistic_years):
        return _no(
            authority,
            "factor-years-differ",
            f"통계 연도가 {found.statistic_years}입니다",
            f"rests on the statistic years {found.statistic_years}",
        )
    if authority.published not in (None, found.published):
        return _no(
            authority,
            "factor-publication-differs",
            f"공표일이 {found.published}입니다",
            f"was published on {found.published}",
        )
    if authority.gwp_set not in programme.gwp_sets:
        return _no(
            authority,
            "gwp-not-for-programme",
            f"{programme.ko}의 GWP는 {', '.join(programme.gwp_sets)}입니다",
            f"is wanted under {authority.gwp_set}, but {programme.en} counts under "
            f"{', '.join(programme.gwp_sets)}",
        )
    return _at_boundary(authority, programme, found.factors)


def _at_boundary(
    authority: FactorAuthority, programme: FactorProgramme, factors: tuple[Factor, ...]
) -> Factor | Refusal:
    wanted = (authority.commodity, authority.boundary)
    factor = next((f for f in factors if (f.commodity, f.boundary) == wanted), None)
    if factor is None:
        known = ", ".join(f"{f.commodity}/{f.boundary}" for f in factors)
        return _no(
            authority,
            "factor-boundary-unknown",
            f"이 계수집에는 {'/'.join(wanted)} 값이 없습니다 (있는 값: {known})",
            f"has no value for {'/'.join(wanted)}, only {known}",
        )
    if factor.gases_kg is None and programme.per_gas:
        return _no(
            authority,
            "factor-not-per-gas",
            "합계만 알려져 있어 가스별 산정이 필요한 프로그램에 쓸 수 없습니다",
            f"is known as a total only, while {programme.en} needs CO2, CH4 and N2O apart",
        )
    if factor.gases_kg is None and factor.co2e_gwp_set != authority.gwp_set:
        return _no(
            authority,
            "gwp-not-convertible",
            f"{factor.co2e_gwp_set} 기준 합계만 있어 {authority.gwp_set} 기준으로 바꿀 수 없습니다",
            f"is a sum under {factor.co2e_gwp_set} and cannot be turned into {authority.gwp_set}",
        )
    return factor


def _no(authority: FactorAuthority, code: str, ko: str, en: str) -> Refusal:
    return Refusal(
        code,
        f"배출계수 {authority.factor_set}({authority.programme}): {ko}.",
        f"Emission factor {authority.factor_set} for {authority.programme} {en}.",
        authority.document(),
    )
