"""Which factor holds: decided by authority, with a reason for every no."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from onsil.core.refusal import Refusal
from onsil.footprint.factors.factor import Factor
from onsil.footprint.factors.factor_set import FactorSet
from onsil.footprint.factors.library import Library, shipped_library
from onsil.footprint.factors.provenance import FactorError, data_text

PROGRAMME_KINDS = (
    "compliance", "voluntary", "citizen", "rec", "dr", "inventory", "disclosure",
)  # fmt: skip
_RULES = ("named", "newest", "allocation")


@dataclass(frozen=True)
class FactorAuthority:
    """On whose word a factor is used: programme, set, boundary and GWP set, for one commodity.

    `factor_set` is an id, whose newest version known on the day is taken, or "id@version".
    `statistic_years` and `published` may be stated too and must then agree with the set's own.
    `allocated` is the day of allocation, at whose factor a trading scheme stays.
    """

    programme: str
    factor_set: str
    boundary: str
    gwp_set: str
    commodity: str = "electricity"
    statistic_years: tuple[int, int] | None = None
    published: date | None = None
    allocated: date | None = None

    def document(self) -> dict[str, Any]:
        made: dict[str, Any] = {
            "programme": self.programme,
            "factor_set": self.factor_set,
            "boundary": self.boundary,
            "gwp_set": self.gwp_set,
            "commodity": self.commodity,
        }
        return made if self.allocated is None else {**made, "allocated": self.allocated}


@dataclass(frozen=True)
class FactorProgramme:
    """What a programme demands of its factors.

    `kind`: compliance, voluntary, citizen, rec, dr, inventory or disclosure. `rule`: named (the
    set that the authority names), newest (the last one published by the day) or allocation (the
    last one published by the day of allocation, from then on).
    """

    id: str
    ko: str
    en: str
    kind: str
    rule: str
    gwp_sets: tuple[str, ...]
    per_gas: bool
    sets: tuple[str, ...]
    basis: str


@cache
def factor_programmes() -> Mapping[str, FactorProgramme]:
    """The programmes of `programmes.toml` by id."""
    tables = tomllib.loads(data_text("programmes.toml"))["programme"]
    found: dict[str, FactorProgramme] = {}
    for t in tables:
        if t["kind"] not in PROGRAMME_KINDS or t["rule"] not in _RULES:
            raise FactorError(f"programme {t['id']}: {t['kind']}, {t['rule']}")
        found[t["id"]] = FactorProgramme(
            t["id"], t["ko"], t["en"], t["kind"], t["rule"], tuple(t["gwp_sets"]), t["per_gas"],
            tuple(t["sets"]), t["basis"],
        )  # fmt: skip
    return found


def may_use(programme: FactorProgramme, found: FactorSet) -> bool:
    """Whether a programme may use a set: its own list says so, or an approved import does."""
    return found.id in programme.sets or programme.id in found.programmes


def choose_factor(
    authority: FactorAuthority,
    as_of: date,
    library: Library | None = None,
    *,
    activity: date | None = None,
    gases: str = "co2e",
) -> Factor | Refusal:
    """The factor that this authority names, as a quantification made on `as_of` may use it.

    `library` holds more sets than those shipped (`library_of`). `activity` is the last day whose
    emissions are counted, where it is not `as_of`: the sets' validity is about that day. `gases`
    is "co2e", or "co2" where the methodology's source counts CO2 alone.

    Refusal codes: unknown-programme, unknown-factor-set, factor-not-for-programme,
    allocation-day-missing, factor-not-yet-valid, factor-superseded, factor-years-differ,
    factor-publication-differs, factor-expired, factor-not-newest, gwp-not-for-programme,
    factor-boundary-unknown, factor-co2-only, factor-not-per-gas, gwp-not-convertible.
    """
    library = library or shipped_library()
    programme = factor_programmes().get(authority.programme)
    if programme is None:
        return _no(
            authority, "unknown-programme", "등록되지 않은 프로그램입니다", "is unknown here"
        )
    day = authority.allocated if programme.rule == "allocation" else as_of
    if day is None:
        return _no(
            authority,
            "allocation-day-missing",
            f"{programme.ko}은(는) 할당 시점의 계수를 쓰므로 할당일이 필요합니다",
            f"needs the day of allocation, since {programme.en} keeps the factor of that day",
        )
    found = _version(authority, programme, library, day)
    if isinstance(found, Refusal):
        return found
    for refusal in (
        _disagreement(authority, found),
        _out_of_time(authority, found, activity or as_of),
        _newer(authority, programme, found, library, day),
    ):
        if refusal is not None:
            return refusal
    if authority.gwp_set not in programme.gwp_sets:
        return _no(
            authority,
            "gwp-not-for-programme",
            f"{programme.ko}의 GWP는 {', '.join(programme.gwp_sets)}입니다",
            f"is wanted under {authority.gwp_set}, but {programme.en} counts under "
            f"{', '.join(programme.gwp_sets)}",
        )
    return _at_boundary(authority, programme, found, gases)


def _version(
    authority: FactorAuthority, programme: FactorProgramme, library: Library, day: date
) -> FactorSet | Refusal:
    """The version of the named set that counts on a day: the one pinned, or the newest known."""
    set_id, _, version = authority.factor_set.partition("@")
    known = library.versions(set_id)
    named = [one for one in known if version in ("", str(one.version))]
    if not named:
        return _no(
            authority, "unknown-factor-set", "그런 계수집이 없습니다", "names a set we do not have"
        )
    if not may_use(programme, named[-1]):
        able = sorted(one.id for one in library.sets if may_use(programme, one))
        return _no(
            authority,
            "factor-not-for-programme",
            f"{programme.ko}에서는 이 계수집을 쓸 수 없습니다 (가능: {', '.join(able)})",
            f"is not one of those {programme.en} may use ({', '.join(able)})",
        )
    if named[0].known_from > day:
        return _no(
            authority,
            "factor-not-yet-valid",
            f"{named[0].known_from}에 공표되어 {day}의 산정에는 쓸 수 없습니다",
            f"was published on {named[0].known_from}, after the deciding day {day}",
        )
    found = [one for one in named if one.known_from <= day][-1]
    newer = [o for o in known if o.version > found.version and o.known_from <= day]
    if newer:
        return _no(
            authority,
            "factor-superseded",
            f"{newer[-1].known_from}에 정정판 {newer[-1].reference}이(가) 나왔습니다. "
            "이미 확정된 산정은 바뀌지 않으며 새 산정만 정정판을 씁니다",
            f"was corrected by {newer[-1].reference} on {newer[-1].known_from}; what is issued "
            "stays as it is, but new quantifications use the correction",
        )
    return found


def _disagreement(authority: FactorAuthority, found: FactorSet) -> Refusal | None:
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
    return None


def _out_of_time(authority: FactorAuthority, found: FactorSet, activity: date) -> Refusal | None:
    """A set that states the days of activity it is for, and a day outside them."""
    first, last = found.valid_from or date.min, found.valid_to or date.max
    if first <= activity <= last:
        return None
    span = f"{found.valid_from or '…'} ~ {found.valid_to or '…'}"
    code = "factor-expired" if activity > last else "factor-not-yet-valid"
    return _no(
        authority,
        code,
        f"{span}의 활동에만 쓸 수 있어 {activity}의 활동에는 쓸 수 없습니다",
        f"holds for activity of {span} alone, not for {activity}",
    )


def _newer(
    authority: FactorAuthority, programme: FactorProgramme, found: FactorSet, library: Library,
    day: date,
) -> Refusal | None:  # fmt: skip
    """A later publication by the deciding day, where the programme moves with publications."""
    if programme.rule == "named":
        return None
    later = [
        one
        for one in library.sets
        if may_use(programme, one)
        and found.published < one.published
        and one.known_from <= day
        and one.factor(authority.commodity, authority.boundary) is not None
    ]
    if not later:
        return None
    newest = max(later, key=lambda one: (one.published, one.version))
    return _no(
        authority,
        "factor-not-newest",
        f"{newest.published}에 공표된 {newest.id}이(가) {day}에 이미 쓰이고 있습니다",
        f"was followed by {newest.id}, published on {newest.published}, before {day}",
    )


def _at_boundary(
    authority: FactorAuthority, programme: FactorProgramme, found: FactorSet, gases: str
) -> Factor | Refusal:
    factor = found.factor(authority.commodity, authority.boundary)
    if factor is None:
        known = ", ".join(f"{f.commodity}/{f.boundary}" for f in found.factors)
        wanted = f"{authority.commodity}/{authority.boundary}"
        return _no(
            authority,
            "factor-boundary-unknown",
            f"이 계수집에는 {wanted} 값이 없습니다 (있는 값: {known})",
            f"has no value for {wanted}, only {known}",
        )
    if gases == "co2" and factor.gases_kg is not None:
        return factor
    if factor.co2_only:
        return _no(
            authority,
            "factor-co2-only",
            "CO2만 알려져 있어 CO2e로 쓸 수 없습니다",
            "knows CO2 alone, which is not CO2e",
        )
    if factor.gases_kg is None and (programme.per_gas or gases == "co2"):
        return _no(
            authority,
            "factor-not-per-gas",
            "합계만 알려져 있어 가스별 산정이 필요한 곳에 쓸 수 없습니다",
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
