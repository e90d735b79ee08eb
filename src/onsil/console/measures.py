"""What the rooms can say today of each of the plan's figures."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from django.urls import reverse

from onsil import devices, footprint, hub
from onsil.building import services as building
from onsil.citizen.models import Membership, Role
from onsil.console import linkage
from onsil.console.kpis import Measured, Missing
from onsil.core.database import Connection
from onsil.core.periods import local_year
from onsil.footprint import targets
from onsil.tenancy import transaction
from onsil.tenancy.cities import CityProfile

# The plan counts zero-energy and remodelled buildings; solar sites and homes are counted apart.
_BUILDINGS = frozenset({"zero-energy", "remodelled", "public"})
_USED_WITHIN = timedelta(days=30)

Finder = Callable[[Connection, CityProfile, datetime], Measured | Missing]


def gather(city: CityProfile, now: datetime) -> dict[str, Measured | Missing]:
    """Every figure that a room measures, and what is missing for the others we know of."""
    finders: dict[str, Finder] = {
        "buildings-managed": _buildings,
        "linkage-rate": _linkage,
        "app-installs": _joined,
        "app-use": _used,
        "external-project": _certified,
        "data-links": _sources,
        "implementation-report": _reviewed,
        "reduction": _reduction,
    }
    found: dict[str, Measured | Missing] = dict(_MISSING)
    with transaction(city.code) as conn:
        for measure, find in finders.items():
            found[measure] = find(conn, city, now)
    return found


def _buildings(conn: Connection, city: CityProfile, now: datetime) -> Measured | Missing:
    count = sum(site.kind in _BUILDINGS for site in building.sites(city.code))
    return Measured(
        Decimal(count), now, href=reverse("console-sites"),
        method_ko="등록된 제로에너지·그린리모델링·공공 건물을 셉니다. 태양광과 가정은 따로 셉니다.",
        method_en="Registered zero-energy, remodelled and public buildings; solar sites and homes"
        " are counted apart.",
    )  # fmt: skip


def _linkage(conn: Connection, city: CityProfile, now: datetime) -> Measured | Missing:
    series = [s for s in hub.find_series(conn, city.code) if s.interval_s <= 86_400]
    each = linkage.linkage_of(conn, city.code, series, now, city.zone)
    rate = linkage.together(each.values())
    if rate is None:
        return Missing(
            "아직 들어오기로 한 값이 없습니다. 장치를 연결하면 계산됩니다.",
            "Nothing is expected yet; it is computed once devices are linked.",
        )
    newest = hub.latest(conn, city.code, [s.id for s in series])
    at = max((p.received_at for p in newest.values()), default=now)
    return Measured(
        rate * 100, at, href=reverse("console-sites"),
        method_ko="제때 들어온 값 ÷ 들어오기로 한 값, 최근 7일(재생 자료는 그 자료의 마지막 7일).",
        method_en="Readings on time ÷ expected, last seven days (for replayed data, its last"
        " seven).",
    )  # fmt: skip


def _citizens(city: CityProfile) -> int:
    return (
        Membership.objects.filter(city=city.code, role=Role.CITIZEN)
        .values("user").distinct().count()
    )  # fmt: skip


def _joined(conn: Connection, city: CityProfile, now: datetime) -> Measured | Missing:
    people = next((p["people"] for p in city.data.get("population", ())), 0)
    if not people:
        return Missing("도시 설정에 인구가 없습니다.", "The city's settings give no population.")
    return Measured(
        Decimal(_citizens(city)) * 100 / Decimal(people), now, href=reverse("console-people"),
        method_ko=f"가입한 시민 ÷ 인구 {people:,}명. 설치형 웹앱이라 가입을 설치로 봅니다.",
        method_en=f"Citizens who joined ÷ {people:,} inhabitants; joining counts as installing.",
    )  # fmt: skip


def _used(conn: Connection, city: CityProfile, now: datetime) -> Measured | Missing:
    joined = _citizens(city)
    if not joined:
        return Missing("아직 가입한 시민이 없습니다.", "Nobody has joined yet.")
    active = (
        Membership.objects.filter(
            city=city.code, role=Role.CITIZEN, user__last_login__gte=now - _USED_WITHIN
        ).values("user").distinct().count()
    )  # fmt: skip
    return Measured(
        Decimal(active) * 100 / joined, now, href=reverse("console-people"),
        method_ko="최근 30일에 로그인한 시민 ÷ 가입한 시민.",
        method_en="Citizens who signed in within 30 days ÷ citizens who joined.",
    )  # fmt: skip


def _certified(conn: Connection, city: CityProfile, now: datetime) -> Measured | Missing:
    batches = footprint.batches(conn, city.code)
    at = max((b.created_at for b in batches), default=now)
    return Measured(
        Decimal(len({b.project_id for b in batches})), at, href=reverse("console-projects"),
        method_ko="승인된 모니터링으로 크레딧이 발행된 감축 사업의 수.",
        method_en="Projects with credits issued for an approved monitoring period.",
    )  # fmt: skip


def _reviewed(conn: Connection, city: CityProfile, now: datetime) -> Measured | Missing:
    """The share of measures that the newest approved review covers."""
    for plan in targets.plans(conn, city.code):
        for review in targets.reviews(conn, city.code, plan.id):
            if review.status != "approved" or review.content is None:
                continue
            percent = json.loads(review.content)["coverage"]["covered_pct"]
            if percent is None:
                continue
            return Measured(
                Decimal(percent), review.decided_at or now,
                href=reverse("targets-review", args=(plan.id, review.year)),
                method_ko=f"승인된 {review.year}년 이행점검이 다룬 과제 ÷ 추진 중인 과제.",
                method_en=f"Measures covered by the approved review of {review.year} ÷ measures"
                " in force.",
            )  # fmt: skip
    return Missing(
        "승인된 이행점검이 아직 없습니다. 과제를 점검하고 승인하면 계산됩니다.",
        "No review is approved yet; it is computed once one is.",
    )


def _sources(conn: Connection, city: CityProfile, now: datetime) -> Measured | Missing:
    series = hub.find_series(conn, city.code)
    newest = hub.latest(conn, city.code, [s.id for s in series])
    linked = {s.entity for s in series if s.id in newest}
    at = max((p.received_at for p in newest.values()), default=now)
    fed = len(devices.devices(conn, city.code))
    return Measured(
        Decimal(len(linked)), at, href=reverse("console-sites"),
        method_ko=f"값이 한 번이라도 들어온 개체의 수(등록된 장치 {fed}대 포함).",
        method_en=f"Entities that have sent at least one reading ({fed} registered devices).",
    )  # fmt: skip


def _reduction(conn: Connection, city: CityProfile, now: datetime) -> Measured | Missing:
    claims = footprint.claims(conn, city.code, limit=100_000)
    if not claims:
        return Missing("아직 등록된 감축량이 없습니다. 산정 결과를 등록하면 더해집니다.",
                       "No reduction is claimed yet; claimed runs add up here.")  # fmt: skip
    year = max(c.period.start.astimezone(city.zone).year for c in claims)
    span = local_year(year, city.zone)
    counted = [c for c in claims if c.period.start in span]
    months = [Decimal(0)] * 12
    for claim in counted:
        months[claim.period.start.astimezone(city.zone).month - 1] += claim.co2e_t
    return Measured(
        sum((c.co2e_t for c in counted), Decimal(0)), max(c.created_at for c in counted),
        trend=tuple(months), href=reverse("console-projects"),
        method_ko=f"{year}년에 시작한 기간의 등록된 산정 결과의 합. 재생·모의 자료를 포함합니다.",
        method_en=f"Sum of claimed runs of periods that began in {year}, replayed and simulated"
        " data included.",
    )  # fmt: skip


_MISSING: dict[str, Measured | Missing] = {
    "water-certificate": Missing(
        "관개·방류수 계측과 인증 기록이 아직 없습니다.",
        "Irrigation and effluent are not metered yet, and no certificate is recorded.",
    ),
    "forest-credits": Missing(
        "나무와 숲의 대장, 생장 관측이 아직 없습니다.",
        "There is no register of trees and no growth observation yet.",
    ),
    "pet-recovery": Missing(
        "회수기 자료가 아직 연결되지 않았습니다.", "No recovery machine is linked yet."
    ),
    "pet-co2": Missing(
        "회수한 PET의 무게가 아직 없습니다.", "No weight of recovered PET is recorded yet."
    ),
    "landfill": Missing(
        "매립량 자료가 아직 연결되지 않았습니다.", "No landfill weights are linked yet."
    ),
    "data-sets": Missing(
        "데이터 목록과 내려받기 기록이 아직 없습니다.",
        "There is no data catalogue with downloads yet.",
    ),
    "ideas-found": Missing(
        "혁신센터의 아이디어 접수가 아직 없습니다.",
        "The innovation centre takes in no ideas yet.",
    ),
    "ideas-piloted": Missing(
        "혁신센터의 실증 기록이 아직 없습니다.", "The innovation centre records no pilots yet."
    ),
}
