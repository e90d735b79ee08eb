"""What a line must say before it is kept: every no names the line and what to do."""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from onsil.core.canonical import plain
from onsil.core.quantities import UnitError, same_dimension
from onsil.core.refusal import Refusal
from onsil.footprint.factors import (
    GWP_SETS,
    MATURITIES,
    CoefficientTable,
    Factor,
    FactorAuthority,
    FactorError,
    Library,
    choose_factor,
    shipped_library,
)
from onsil.footprint.inventory import gases, sectors
from onsil.footprint.inventory.terms import (
    APPROACHES,
    FULL_SHARE_BP,
    LEVELS,
    NOTATION,
    Activity,
    FactorUse,
    LineSpec,
    Settings,
)
from onsil.footprint.inventory.tree import tree

_CODE = re.compile(r"^[A-Za-z0-9._-]{1,80}$")
_QUALITY = ("H", "M", "L")
STATED = "stated"
Chosen = tuple[Factor, dict[str, Any]]


def check_line(
    spec: LineSpec, kind: str, settings: Settings, as_of: date, library: Library | None = None
) -> tuple[LineSpec, Chosen | CoefficientTable | None] | Refusal:
    """The line in canonical form, with its factor and where it stands, or a calculator's table.

    `library` holds the city's own sets beside those shipped (`factors.library_of`).
    Refused: `line-invalid`, `unknown-reference`, `notation-unknown`, `notation-elsewhere` (IE
    names the row it is included in), `notation-and-figure` (only C goes with a figure),
    `line-empty`, `activity-invalid`, `factor-invalid`, `unit-differs`, `gas-unknown`,
    `quality-missing`, `uncertainty-invalid`, `unknown-part`, the calculators' and `choose_factor`'s
    codes.
    """
    for rule in (_names, _notation, _quality, _uncertainty):
        wrong = rule(spec, kind)
        if wrong is not None:
            return wrong
    if spec.entity and spec.entity not in {part.code for part in settings.parts}:
        return _no(spec, "unknown-part", f"조직 경계에 {spec.entity}이(가) 없습니다",
                   f"the boundary has no part {spec.entity}")  # fmt: skip
    if not spec.quantified:
        if spec.notation:
            return spec, None
        return _no(
            spec,
            "line-empty",
            "활동자료나 표기 기호(NO, NE, IE, C)가 있어야 합니다. 비워 두면 0이 아니라 누락입니다",
            "give activity data or a notation key; left empty it is missing, not zero",
        )
    if spec.calculator:
        return _calculated(spec)
    return _factored(spec, settings, as_of, library or shipped_library())


def _names(spec: LineSpec, kind: str) -> Refusal | None:
    if not _CODE.match(spec.code) or not spec.name.strip():
        return _no(
            spec,
            "line-invalid",
            "코드(영문·숫자·점·빼기)와 이름이 필요합니다",
            "a code of letters, digits, dots and dashes, and a name are needed",
        )
    if spec.ref not in tree(kind).rows:
        return _no(
            spec,
            "unknown-reference",
            f"{spec.ref}은(는) 표준의 번호가 아닙니다",
            f"{spec.ref} is not a reference number of the standard",
        )
    return None


def _notation(spec: LineSpec, kind: str) -> Refusal | None:
    unknown = [key for key in spec.notation if key not in NOTATION]
    if unknown or len(set(spec.notation)) != len(spec.notation):
        return _no(
            spec,
            "notation-unknown",
            f"표기 기호는 {', '.join(NOTATION)}입니다",
            f"notation keys are {', '.join(NOTATION)}, each once",
        )
    if "IE" in spec.notation and (
        spec.elsewhere not in tree(kind).rows or spec.elsewhere == spec.ref
    ):
        return _no(
            spec,
            "notation-elsewhere",
            "IE는 어느 번호에 포함했는지 적어야 합니다",
            "IE must name the reference number it is included in",
        )
    if spec.quantified and set(spec.notation) - {"C"}:
        return _no(
            spec,
            "notation-and-figure",
            "값이 있는 줄에는 C만 함께 쓸 수 있습니다",
            "a line with a figure can carry no key but C",
        )
    return None


def _quality(spec: LineSpec, kind: str) -> Refusal | None:
    if not spec.quantified:
        return None
    named = (spec.activity_quality, spec.factor_quality)
    if spec.tier not in (1, 2, 3) or any(one not in _QUALITY for one in named):
        return _no(
            spec,
            "quality-missing",
            "Tier(1–3)와 자료 품질(H, M, L)을 적어 주세요",
            "give the tier (1 to 3) and the quality (H, M, L) of activity and factor",
        )
    if not spec.method.strip():
        return _no(spec, "quality-missing", "산정 방법을 적어 주세요", "say how it is done")
    return None


def _uncertainty(spec: LineSpec, kind: str) -> Refusal | None:
    for pct in (spec.activity_pct, spec.factor_pct):
        if pct is not None and not (pct.is_finite() and Decimal(0) <= pct <= 1000):
            return _no(
                spec,
                "uncertainty-invalid",
                "불확도는 0–1000 %입니다",
                "an uncertainty is 0 to 1000 %",
            )
    return None


def _calculated(spec: LineSpec) -> tuple[LineSpec, CoefficientTable] | Refusal:
    if spec.activity is not None or spec.factor is not None:
        return _no(
            spec,
            "line-invalid",
            "산식과 활동자료를 함께 쓸 수 없습니다",
            "a calculator takes the place of activity and factor",
        )
    found = sectors.check(spec.calculator, spec.parameters or {})
    if isinstance(found, Refusal):
        return found
    typed, table = found
    if not spec.ref.startswith(sectors.calculators()[spec.calculator].refs):
        return _no(
            spec,
            "line-invalid",
            f"이 산식은 {spec.ref}에 쓰지 않습니다",
            f"this calculator is not for {spec.ref}",
        )
    try:
        sectors.run(spec.calculator, plain(typed), table)
    except (sectors.CalculatorError, FactorError) as error:
        return _no(
            spec, "parameter-invalid", f"계수표에 필요한 값이 없습니다 ({error})", str(error)
        )
    made = LineSpec(**{**vars(spec), "parameters": plain(typed)})
    return made, table


def _factored(
    spec: LineSpec, settings: Settings, as_of: date, library: Library
) -> tuple[LineSpec, Chosen] | Refusal:
    assert spec.activity is not None
    wrong = _activity(spec, spec.activity)
    if wrong is not None:
        return wrong
    if spec.factor is None:
        return _no(spec, "factor-invalid", "배출계수를 고르세요", "choose a factor")
    chosen = (
        _by_authority(spec.factor, settings, as_of, library)
        if spec.factor.source == "authority"
        else _stated(spec, spec.factor, settings)
    )
    if isinstance(chosen, Refusal):
        return chosen
    factor, provenance = chosen
    if factor.co2_only:
        return _no(
            spec,
            "factor-invalid",
            "CO2만 있는 계수는 CO2e가 아닙니다",
            "a factor of CO2 alone is not a CO2e",
        )
    try:
        factor.activity(Decimal(1), spec.activity.unit, spec.activity.basis or None)
    except FactorError as error:
        return _no(
            spec,
            "unit-differs",
            f"활동자료 단위 {spec.activity.unit}을(를) 계수의 단위 "
            f"{factor.per}(으)로 바꿀 수 없습니다. 열량이면 순(ncv)·총(gcv)을 적어 주세요",
            str(error),
        )
    return spec, (factor, provenance)


def _activity(spec: LineSpec, given: Activity) -> Refusal | None:
    def say(ko: str, en: str) -> Refusal:
        return _no(spec, "activity-invalid", ko, en)

    try:
        same_dimension(given.unit, given.unit)
    except UnitError:
        return say(f"모르는 단위입니다: {given.unit}", f"unknown unit {given.unit!r}")
    if given.source == "table":
        if given.amount is None or not given.amount.is_finite() or given.amount < 0:
            return say(
                "활동량이 없습니다. 비어 있으면 0이 아니라 누락입니다",
                "the amount is missing; that is not zero",
            )
        if not given.document.strip():
            return say("활동량의 근거 문서를 적어 주세요", "name the document of the amount")
        return None
    if given.source != "hub" or not (given.series or given.attribute):
        return say("계열이나 계량기 종류를 고르세요", "name series or a kind of meter")
    return None


def _by_authority(
    use: FactorUse, settings: Settings, as_of: date, library: Library
) -> Chosen | Refusal:
    authority = FactorAuthority(
        use.programme, use.factor_set, use.boundary, settings.gwp_set, use.commodity
    )
    found = choose_factor(authority, as_of, library)
    if isinstance(found, Refusal):
        return found
    held = library.set_of(found)
    said = {"authority": authority.document(), "maturity": held.maturity,
            "document": f"{held.publisher}, {held.document}, {held.edition}",
            "digest": held.digest}  # fmt: skip
    return found, said


def _stated(spec: LineSpec, use: FactorUse, settings: Settings) -> Chosen | Refusal:
    if not use.document.strip() or use.maturity not in MATURITIES:
        return _no(
            spec,
            "factor-invalid",
            "직접 적은 계수에는 근거 문서와 확인 정도가 필요합니다",
            "a stated factor needs its document and maturity",
        )
    if (use.gases_kg is None) == (use.co2e_kg is None):
        return _no(
            spec,
            "factor-invalid",
            "가스별 값이나 CO2e 합계 가운데 하나를 적어 주세요",
            "give the gases apart or their sum, one of the two",
        )
    if use.gases_kg is None and use.co2e_gwp_set != settings.gwp_set:
        return _no(
            spec,
            "gwp-not-convertible",
            f"{use.co2e_gwp_set} 기준 합계는 {settings.gwp_set} 인벤토리에 쓸 수 없습니다",
            f"a sum under {use.co2e_gwp_set} is not one under {settings.gwp_set}",
        )
    for gas in use.gases_kg or ():
        if not gases.known(gas, settings.gwp_set):
            return _no(
                spec,
                "gas-unknown",
                f"{settings.gwp_set}에는 {gas}의 GWP가 없습니다",
                f"{settings.gwp_set} has no GWP for {gas}",
            )
    made = Factor(
        STATED, spec.code, "", use.per, use.gases_kg, use.co2e_kg, use.co2e_gwp_set or None
    )
    return made, {"authority": None, "maturity": use.maturity, "document": use.document,
                  "digest": ""}  # fmt: skip


def check_settings(settings: Settings, kind: str) -> Refusal | None:
    """None where the settings hold. Refused: `settings-invalid`."""
    wrong = (
        settings.gwp_set not in GWP_SETS
        or settings.level not in LEVELS
        or settings.approach not in APPROACHES
        or not settings.boundary.strip()
        or any(not 0 <= part.equity_bp <= FULL_SHARE_BP for part in settings.parts)
        or len({part.code for part in settings.parts}) != len(settings.parts)
    )
    if not wrong:
        return None
    return Refusal(
        "settings-invalid",
        "GWP, 수준, 경계 설명과 조직의 지분(0–100 %)을 확인해 주세요.",
        "Check the GWP set, level, boundary text and the parts' shares (0 to 100 %).",
        {"kind": kind},
    )


def _no(spec: LineSpec, code: str, ko: str, en: str) -> Refusal:
    facts: Mapping[str, Any] = {"line": spec.code, "ref": spec.ref}
    return Refusal(code, f"{spec.ref} {spec.code}: {ko}.", f"{spec.ref} {spec.code}: {en}.", facts)
