"""From tonnes back: retirement to batch, batch to claims, claim to run, run to readings."""

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.urls import reverse

from onsil import footprint
from onsil.core.periods import Period
from onsil.core.refusal import Refusal
from onsil.footprint.factors import FactorSet, library_of
from onsil.portal.terms import Figure, Step, StepKind, Words
from onsil.portal.trace.figures import carbon, days, energy, subject, won
from onsil.portal.trace.readings import Metered, is_home, site_of, visit_readings
from onsil.portal.trace.walk import Walk
from onsil.rewards import services as rewards

if TYPE_CHECKING:
    from onsil.building.models import Site


def visit_claim(
    walk: Walk, claim_id: UUID, focus: Period | None = None, *, onward: bool = True
) -> str | None:
    """Add a claim and, with `onward`, the run it took its quantity from."""
    key = f"claim-{claim_id}"
    if walk.has(key):
        return key
    claim = footprint.claim_of(walk.conn, walk.city, claim_id)
    if claim is None:
        return None
    name_ko, name_en = programme_words(walk.city, claim.programme)
    programme = Words(name_ko.strip("'"), name_en.strip("“”").removeprefix("the ").capitalize())
    share = Decimal(claim.share_to - claim.share_from) / 100
    entry = footprint.entry_of(walk.conn, walk.city, "claim", claim_id)
    walk.add(
        Step(
            key=key,
            kind=StepKind.CLAIM,
            id=str(claim_id),
            at=claim.created_at,
            station="claim",
            title=Words("감축량 등록", "Claimed once"),
            words=Words(
                f"감축량 {carbon(claim.co2e_t)}를 {name_ko} 한 곳에서만 쓰도록 등록했습니다. "
                "같은 계량기의 같은 기간은 다른 사업이 다시 쓸 수 없습니다.",
                f"{carbon(claim.co2e_t)} registered for {name_en} alone. Nobody else can use the "
                "same meter and period again.",
            ),
            figures=(
                Figure(Words("감축량", "Reduction"), claim.co2e_t, "tCO2e"),
                Figure(Words("몫", "Share"), share, "%"),
                Figure(Words("사업", "Programme"), claim.programme, said=programme),
            ),
            proof=walk.proof("claim", claim_id, entry, personal=_of_home(walk, claim.lines)),
        )
    )
    run = visit_run(walk, claim.run_id, focus, onward=onward)
    if run is not None:
        walk.link(key, run, claim.co2e_t, "tCO2e")
    return key


def programme_words(city: str, code: str) -> tuple[str, str]:
    """The names, in Korean and English, of what a claim is for: a credit or a reward programme."""
    known = {
        "kr-offset": ("배출권거래제 외부사업", "the Korean offset programme"),
        "voluntary": ("자발적 크레딧 사업", "the voluntary credit programme"),
    }
    if code in known:
        return known[code]
    for terms in rewards.programmes(city):
        if terms.code == code:
            return f"'{terms.name.ko}'", f"“{terms.name.en}”"
    return code, code


def visit_run(
    walk: Walk, run_id: UUID, focus: Period | None = None, *, onward: bool = True
) -> str | None:
    """Add a quantification run and, with `onward`, the readings of every meter it read."""
    key = f"run-{run_id}"
    if walk.has(key):
        return key
    run = footprint.run(walk.conn, walk.city, run_id)
    if run is None:
        return None
    site = _site_of_run(walk, run)
    entry = footprint.entry_of(walk.conn, walk.city, "quantification", run_id)
    walk.add(
        Step(
            key=key,
            kind=StepKind.RUN,
            id=str(run_id),
            at=run.created_at,
            station="quantify",
            title=_run_title(run),
            words=_run_words(walk, run, site),
            figures=_run_figures(walk, run),
            digest=run.outputs_digest,
            proof=walk.proof("quantification", run_id, entry, personal=is_home(site)),
        )
    )
    if onward:
        for metered in metered_by(run):
            readings = visit_readings(walk, metered, focus)
            if readings is not None:
                walk.link(key, readings)
    return key


def metered_by(run: footprint.Run) -> list[Metered]:
    """The meters whose quantities a run found; drivers such as temperature are not among them."""
    meters = dict.fromkeys(line.meter for line in run.lines)
    return [
        Metered(*split(meter), run.period, run.snapshot_digest, run.created_at) for meter in meters
    ]


def split(meter: str) -> tuple[str, str]:
    """Entity and attribute of a meter's text form."""
    entity, _, attribute = meter.rpartition("#")
    return entity, attribute


def _site_of_run(walk: Walk, run: footprint.Run) -> "Site | None":
    for line in run.lines:
        site = site_of(walk.city, *split(line.meter))
        if site is not None:
            if is_home(site) and not walk.public:
                walk.owners.add(str(site.person))
            return site
    return None


def _of_home(walk: Walk, lines: tuple[footprint.RunLine, ...]) -> bool:
    return any(is_home(site_of(walk.city, *split(line.meter))) for line in lines)


def _run_title(run: footprint.Run) -> Words:
    if run.methodology == "solar-self-consumption":
        return Words("햇빛으로 쓴 전기의 산정", "Solar power quantified")
    return Words("절감량 산정", "Savings quantified")


def _run_words(walk: Walk, run: footprint.Run, site: "Site | None") -> Words:
    ko, en = days(run.period, walk.zone)
    amount, tonnes = energy(run.energy_wh), carbon(run.co2e_t)
    who_ko, who_en = _whose(walk, site)
    if run.methodology == "solar-self-consumption":
        return Words(
            f"{ko}에 {who_ko} 햇빛으로 만든 전기 {amount}를 그 자리에서 썼습니다. "
            f"사 왔다면 {tonnes}가 나왔을 전기입니다.",
            f"In {en} {who_en} used {amount} of its own solar power, which from the grid would "
            f"have emitted {tonnes}.",
        )
    return Words(
        f"{ko}에 {who_ko} 비슷한 날씨의 평소보다 {amount} 덜 썼습니다. 온실가스로 {tonnes}입니다.",
        f"In {en} {who_en} used {amount} less than in like weather before: {tonnes}.",
    )


def _whose(walk: Walk, site: "Site | None") -> tuple[str, str]:
    if site is None:
        return "이 계량기가", "this meter"
    if is_home(site):
        if walk.public:
            return "한 가정이", "a home"
        if str(site.person) == walk.reader:
            return "우리 집이", "your home"
        return "이 집이", "this home"
    return subject(site.name_ko), site.name_en


def _run_figures(walk: Walk, run: footprint.Run) -> tuple[Figure, ...]:
    figures = [
        Figure(Words("감축량", "Reduction"), run.co2e_t, "tCO2e"),
        Figure(Words("에너지", "Energy"), run.energy_wh / 1000, "kWh"),
        Figure(
            Words("방법론", "Methodology"),
            f"{run.methodology} {run.version}",
            said=(called := methodology_words(run.methodology, run.version)),
            href=""
            if called is None
            else reverse("public-methodology-version", args=[run.methodology, run.version]),
        ),
    ]
    library = library_of(walk.conn, walk.city)
    for factor in factors_used(walk, run.id):
        source = library.set_named(factor)
        said = None if source is None else factor_words(str(factor["id"]), source)
        href = "" if source is None else reverse("factor-set-api", args=[source.reference])
        figures.append(Figure(Words("배출계수", "Factor"), str(factor["id"]), said=said, href=href))
    return tuple(figures)


def methodology_words(code: str, version: str) -> Words | None:
    """A methodology's name with its version; None when that version is not installed here."""
    made = footprint.methodology(code, version)
    if isinstance(made, Refusal):
        return None
    return Words(f"{made.TITLE_KO} (제{version}판)", f"{made.TITLE_EN} (version {version})")


_COMMODITIES = {
    "electricity": Words("전력", "Electricity"),
    "city-gas": Words("도시가스", "City gas"),
    "heat": Words("지역난방", "District heat"),
}


def factor_words(factor: str, source: FactorSet) -> Words:
    """A factor's commodity, and the document and version of the set it stands in."""
    commodity = factor.partition("/")[2].partition("/")[0]
    name = _COMMODITIES.get(commodity, Words(commodity, commodity))
    document = f"{source.publisher}, {source.document} {source.edition}".strip()
    if source.version > 1:
        return Words(
            f"{name.ko} · {document} (제{source.version}판)",
            f"{name.en} · {document} (version {source.version})",
        )
    return Words(f"{name.ko} · {document}", f"{name.en} · {document}")


def factors_used(walk: Walk, run_id: UUID) -> list[Mapping[str, Any]]:
    """The factors a run used, as its stored inputs state them."""
    details = footprint.run_details(walk.conn, walk.city, run_id) or {}
    factors = (details.get("inputs") or {}).get("factors") or {}
    return list(factors.values())


def visit_batch(walk: Walk, batch_id: UUID, *, onward: bool = True) -> str | None:
    """Add a credit batch and, with `onward`, the claims its monitoring period brought together."""
    key = f"credit-{batch_id}"
    if walk.has(key):
        return key
    batch = footprint.batch(walk.conn, walk.city, batch_id)
    if batch is None:
        return None
    entry = footprint.entry_of(walk.conn, walk.city, "issuance", batch_id)
    carried_ko = carried_en = ""
    if batch.carried_in_t:
        carried_ko = f"와 지난번에 남은 {carbon(batch.carried_in_t)}"
        carried_en = f", and {carbon(batch.carried_in_t)} left from before"
    walk.add(
        Step(
            key=key,
            kind=StepKind.CREDIT,
            id=str(batch_id),
            at=batch.created_at,
            station="credit",
            title=Words("크레딧 발행", "Credits issued"),
            words=Words(
                f"다른 사람이 승인한 감축량 {carbon(batch.quantified_t)}{carried_ko}에서 온전한 "
                f"{batch.tonnes:,}톤을 크레딧으로 발행했습니다. 나머지 "
                f"{carbon(batch.carried_out_t)}은 다음으로 넘겼습니다.",
                f"{batch.tonnes:,} whole tonnes were issued from {carbon(batch.quantified_t)}, "
                f"approved by a second person{carried_en}; {carbon(batch.carried_out_t)} is "
                "carried on.",
            ),
            figures=(
                Figure(Words("발행", "Issued"), batch.tonnes, "tCO2e"),
                Figure(Words("적립(버퍼)", "Buffer"), batch.buffer_tonnes, "tCO2e"),
                Figure(Words("일련번호", "Serials"), batch.serials),
                Figure(Words("발생 연도", "Vintage"), str(batch.vintage)),
            ),
            proof=walk.proof("issuance", batch_id, entry),
        )
    )
    for claim_id in footprint.claims_of_batch(walk.conn, walk.city, batch_id) if onward else ():
        claim = visit_claim(walk, claim_id)
        held = footprint.claim_of(walk.conn, walk.city, claim_id)
        if claim is not None and held is not None:
            walk.link(key, claim, held.co2e_t, "tCO2e")
    return key


def visit_retirement(walk: Walk, retirement_id: UUID, *, onward: bool = True) -> str | None:
    """Add a retirement and, with `onward`, the batch its units were of."""
    key = f"retirement-{retirement_id}"
    if walk.has(key):
        return key
    retirement = footprint.retirement(walk.conn, walk.city, retirement_id)
    if retirement is None:
        return None
    entry = footprint.entry_of(walk.conn, walk.city, "retirement", retirement_id)
    serials = f"{retirement.serial_first}…{retirement.serial_last}"
    walk.add(
        Step(
            key=key,
            kind=StepKind.RETIREMENT,
            id=str(retirement_id),
            at=retirement.created_at,
            station="sell",
            title=Words("크레딧 사용 완료(소각)", "Credits retired"),
            words=Words(
                f"{retirement.beneficiary}을(를) 위해 {retirement.tonnes:,}톤을 사용 완료로 "
                f"처리했습니다. 다시 팔거나 쓸 수 없습니다. 사유: {retirement.reason}",
                f"{retirement.tonnes:,} tonnes used up for {retirement.beneficiary}; they cannot "
                f"be sold or used again. Reason: {retirement.reason}",
            ),
            figures=(
                Figure(Words("사용 완료", "Retired"), retirement.tonnes, "tCO2e"),
                Figure(Words("일련번호", "Serials"), serials),
            ),
            proof=walk.proof("retirement", retirement_id, entry),
        )
    )
    batch = visit_batch(walk, retirement.batch_id) if onward else None
    if batch is not None:
        walk.link(key, batch, retirement.tonnes, "tCO2e")
    return key


def sale_words(sale: footprint.Sale) -> Words:
    """What a sale says of itself."""
    ko, en = won(sale.amount_krw)
    return Words(
        f"크레딧 {sale.tonnes:,}톤이 {ko}에 팔려 시민 보상 기금으로 들어갔습니다.",
        f"{sale.tonnes:,} tonnes were sold for {en}, which entered the incentive fund.",
    )
