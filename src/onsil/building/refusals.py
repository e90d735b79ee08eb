"""What this room may refuse, in both languages."""

from decimal import Decimal
from uuid import UUID

from onsil.building.models import Site
from onsil.core.refusal import Refusal


def bad_code(code: str) -> Refusal:
    return Refusal(
        "site-code",
        f"사이트 코드는 소문자·숫자·붙임표로 60자까지입니다: {code}",
        f"A site's code has up to 60 small letters, digits and hyphens: {code}",
        {"code": code},
    )


def bad_kind(kind: str) -> Refusal:
    return Refusal(
        "site-kind",
        f"알 수 없는 사이트 종류입니다: {kind}",
        f"There is no such kind of site: {kind}",
        {"kind": kind},
    )


def outside(code: str, lon: Decimal, lat: Decimal) -> Refusal:
    return Refusal(
        "site-outside",
        f"사이트 '{code}'의 위치(경도 {lon}, 위도 {lat})가 이 도시의 경계 밖입니다.",
        f"The place of the site {code!r} (longitude {lon}, latitude {lat}) lies outside this city.",
        {"code": code, "lon": lon, "lat": lat},
    )


def bad_meter(code: str, quantity: str, direction: str) -> Refusal:
    return Refusal(
        "meter-terms",
        f"계량기 '{code}'의 코드, 측정 대상({quantity}) 또는 방향({direction})이 "
        "올바르지 않습니다.",
        f"The meter {code!r} has a wrong code, quantity ({quantity}) or direction ({direction}).",
        {"meter": code, "quantity": quantity, "direction": direction},
    )


def stream_taken(entity: str, attribute: str, meter: str) -> Refusal:
    return Refusal(
        "meter-taken",
        f"이 데이터는 이미 다른 계량기({meter})의 것입니다.",
        f"This stream already belongs to another meter ({meter}).",
        {"entity": entity, "attribute": attribute, "meter": meter},
    )


def unknown_site(which: str | UUID) -> Refusal:
    return Refusal(
        "unknown-site",
        "이 도시에 그런 사이트가 없습니다.",
        "This city has no such site.",
        {"site": str(which)},
    )


def nobody_lives_here(site: Site) -> Refusal:
    return Refusal(
        "site-without-person",
        f"'{site.name_ko}'에는 보상을 받을 사람이 연결되어 있지 않습니다.",
        f"Nobody is linked to “{site.name_en}” who could be rewarded.",
        {"site": site.code},
    )


def claim_elsewhere(site: Site, claim_id: UUID) -> Refusal:
    return Refusal(
        "claim-elsewhere",
        f"확정(claim) {claim_id}은(는) '{site.name_ko}'의 계량기에 대한 것이 아닙니다.",
        f"The claim {claim_id} is not about the meters of “{site.name_en}”.",
        {"site": site.code, "claim": str(claim_id)},
    )
