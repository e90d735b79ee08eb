"""What other rooms may ask of this one: the register, linkage, and what the sites saved."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import QuerySet

from onsil import footprint, hub
from onsil.building import refusals
from onsil.building.geography import district_at, inside
from onsil.building.models import Direction, Meter, Quantity, Site, SiteKind
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.periods import Period
from onsil.core.refusal import Refusal
from onsil.proof import audit
from onsil.rewards import services as rewards
from onsil.rewards.models import Evidence
from onsil.tenancy import transaction

_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
_EVIDENCE = {"electricity-saved": "electricity-saving", "gas-saved": "gas-saving"}


@dataclass(frozen=True)
class SiteSpec:
    """A site to register. Place in degrees WGS84; `entity` defaults to a Building's URI."""

    code: str
    kind: str
    name_ko: str
    name_en: str
    lon: Decimal
    lat: Decimal
    entity: str = ""
    person: UUID | None = None
    capacity_kw: Decimal | None = None
    floor_m2: Decimal | None = None
    replayed: bool = False
    simulated: bool = False
    attribution_ko: str = ""
    attribution_en: str = ""
    note_ko: str = ""
    note_en: str = ""


@dataclass(frozen=True)
class MeterSpec:
    """A meter to register: an attribute of an entity in the hub, what it counts and which way."""

    code: str
    entity: str
    attribute: str
    quantity: str
    unit: str
    direction: str


@dataclass(frozen=True)
class MeterLinkage:
    """How well one meter's readings arrive; `rate` is None for a meter without a series."""

    meter: Meter
    expected: int
    on_time: int
    rate: Decimal | None


@dataclass(frozen=True)
class SiteLinkage:
    """A site's data-linkage rate: readings received on time ÷ expected, over all its meters."""

    site: Site
    rate: Decimal | None
    meters: tuple[MeterLinkage, ...]


@dataclass(frozen=True)
class SiteSavings:
    """What was verified and claimed at a site, and the latest run, whether measurable or not."""

    site: Site
    energy_wh: Decimal
    co2e_t: Decimal
    claims: tuple[footprint.Claim, ...]
    latest: footprint.Run | None


def register_site(
    city: str, spec: SiteSpec, meters: Sequence[MeterSpec] = (), *, actor: str = "system"
) -> Site | Refusal:
    """Enter a site and its meters, or bring what is known of them up to date.

    Meters not named stay. Refusals: `site-code`, `site-kind`, `site-outside`, `meter-terms`,
    `meter-taken` (its stream is another site's).
    """
    refusal = _wrong(city, spec, meters)
    if refusal is not None:
        return refusal
    place = district_at(city, spec.lon, spec.lat)
    fields = {
        "kind": spec.kind,
        "name_ko": spec.name_ko,
        "name_en": spec.name_en,
        "entity": spec.entity or hub.entity_uri("Building", city, spec.code),
        "lon": spec.lon,
        "lat": spec.lat,
        "district": place.code if place else "",
        "person": spec.person,
        "capacity_kw": spec.capacity_kw,
        "floor_m2": spec.floor_m2,
        "replayed": spec.replayed,
        "simulated": spec.simulated,
        "attribution_ko": spec.attribution_ko,
        "attribution_en": spec.attribution_en,
        "note_ko": spec.note_ko,
        "note_en": spec.note_en,
    }
    with transaction(city) as tx:
        taken = _taken(city, spec.code, meters)
        if taken is not None:
            return taken
        before = Site.objects.filter(city=city, code=spec.code).values(*fields).first()
        site, _ = Site.objects.update_or_create(city=city, code=spec.code, defaults=fields)
        for meter in meters:
            Meter.objects.update_or_create(
                city=city,
                site=site,
                code=meter.code,
                defaults={
                    "entity": meter.entity,
                    "attribute": meter.attribute,
                    "quantity": meter.quantity,
                    "unit": meter.unit,
                    "direction": meter.direction,
                },
            )
        if before != fields:
            audit(tx, city, actor, "site.register", "site", str(site.id), before, fields)
        hub.upsert_entities(tx, city, [_as_entity(site)])
        return site


def sites(city: str, kind: str | None = None) -> list[Site]:
    """The register, by kind and code, meters fetched along."""
    with transaction(city):
        rows = Site.objects.filter(city=city).prefetch_related("meters")
        return list(rows.filter(kind=kind) if kind else rows)


def site(city: str, which: str | UUID) -> Site | Refusal:
    """One site by its id or code."""
    with transaction(city):
        rows = Site.objects.filter(city=city).prefetch_related("meters")
        found = _one(rows, which)
        return found if found is not None else refusals.unknown_site(which)


def sites_of(city: str, person: UUID) -> list[Site]:
    """The household sites of a person."""
    with transaction(city):
        rows = Site.objects.filter(city=city, person=person)
        return list(rows.prefetch_related("meters"))


def linkage(city: str, period: Period) -> list[SiteLinkage]:
    """Every site's linkage rate in a period; a site without a linked series has none (None)."""
    with transaction(city) as tx:
        register = sites(city)
        counts = _linkage_by_meter(tx, city, register, period)
    found = []
    for one in register:
        meters = [
            MeterLinkage(meter, *counts[meter.id])
            if meter.id in counts
            else MeterLinkage(meter, 0, 0, None)
            for meter in one.meters.all()
        ]
        found.append(SiteLinkage(one, _rate(meters), tuple(meters)))
    return found


def city_linkage(city: str, period: Period) -> Decimal | None:
    """The rate over all sites' meters together: the plan's KPI, whose target is 0.9."""
    return _rate([meter for one in linkage(city, period) for meter in one.meters])


def site_savings(city: str, period: Period) -> list[SiteSavings]:
    """What was claimed at each site for periods that start within `period`, with its latest run.

    Claims exclude each other, so their sum counts no reduction twice; a claim over several
    sites' meters is shared out by energy.
    """
    with transaction(city) as tx:
        register = sites(city)
        claims = [c for c in footprint.claims(tx, city, limit=100_000) if c.period.start in period]
        latest = {one.id: _latest_run(tx, city, one) for one in register}
    by_stream: dict[str, list[footprint.Claim]] = defaultdict(list)
    for claim in claims:
        for line in claim.lines:
            by_stream[line.meter].append(claim)
    found = []
    for one in register:
        streams = {meter.stream for meter in one.meters.all()}
        here = {claim.id: claim for stream in streams for claim in by_stream[stream]}
        energy_wh = co2e_t = Decimal(0)
        for claim in here.values():
            own = sum((line.amount for line in claim.lines if line.meter in streams), Decimal(0))
            whole = sum((line.amount for line in claim.lines), Decimal(0))
            energy_wh += own
            co2e_t += claim.co2e_t * own / whole
        found.append(SiteSavings(one, energy_wh, co2e_t, tuple(here.values()), latest[one.id]))
    return found


def site_runs(city: str, which: str | UUID, limit: int = 50) -> list[footprint.Run] | Refusal:
    """The quantifications that read a site's meters, newest first."""
    with transaction(city) as tx:
        found = site(city, which)
        if isinstance(found, Refusal):
            return found
        runs: dict[UUID, footprint.Run] = {}
        for meter in found.meters.all():
            for run in footprint.runs(tx, city, limit=limit, meter=meter.stream):
                runs[run.id] = run
    return sorted(runs.values(), key=lambda run: run.id, reverse=True)[:limit]


def record_savings(
    city: str,
    which: str | UUID,
    claim_id: UUID,
    *,
    programme: str = "household-saving",
    clock: Clock | None = None,
) -> list[Evidence] | Refusal:
    """Hand a household's claimed saving to its rewards programme, a piece for each utility.

    The saving counts for the half year in which the claimed period ends. Safe to repeat.
    Refusals: `unknown-site`, `site-without-person`, `claim-elsewhere`, and those of the programme.
    """
    with transaction(city) as tx:
        home = site(city, which)
        if isinstance(home, Refusal):
            return home
        if home.person is None:
            return refusals.nobody_lives_here(home)
        claim = footprint.claim_of(tx, city, claim_id)
        streams = {meter.stream for meter in home.meters.all()}
        lines = [ln for ln in claim.lines if ln.meter in streams] if claim is not None else []
        if claim is None or not lines:
            return refusals.claim_elsewhere(home, claim_id)
        baselines = _baselines_wh(tx, city, claim)
        recorded: list[Evidence] = []
        for line in lines:
            kind = _EVIDENCE.get(line.quantity)
            if kind is None:
                continue
            evidence = rewards.record_evidence(
                city,
                programme,
                home.person,
                kind,
                _kwh(line.amount),
                claim.period.end - timedelta(microseconds=1),
                "footprint",
                str(claim.id),
                f"claim:{claim.id}:{kind}:{home.code}",
                level="meter",
                facts={
                    "baseline": _kwh(baselines[line.quantity]),
                    "unit": "kWh",
                    "site": home.code,
                    "run": claim.run_id,
                },
                claim_id=claim.id,
                simulated=home.simulated,
                clock=clock,
            )
            if isinstance(evidence, Refusal):
                return evidence
            recorded.append(evidence)
        return recorded


def _kwh(energy_wh: Decimal) -> Decimal:
    """Kilowatt-hours to nine decimals, the scale in which evidence is kept."""
    return (energy_wh / 1000).quantize(Decimal("1e-9"))


def _baselines_wh(tx: Connection, city: str, claim: footprint.Claim) -> dict[str, Decimal]:
    """What would have been used, by line quantity, in the claim's share."""
    details = footprint.run_details(tx, city, claim.run_id)
    assert details is not None, "a claim rests on a stored run"
    carriers = details["outputs"]["details"]["carriers"]
    share = Decimal(claim.share_to - claim.share_from) / 10_000
    return {
        f"{name}-saved": Decimal(carrier["adjusted_baseline_wh"]) * share
        for name, carrier in carriers.items()
    }


def _wrong(city: str, spec: SiteSpec, meters: Sequence[MeterSpec]) -> Refusal | None:
    if not _CODE.fullmatch(spec.code):
        return refusals.bad_code(spec.code)
    if spec.kind not in SiteKind.values:
        return refusals.bad_kind(spec.kind)
    if not inside(city, spec.lon, spec.lat):
        return refusals.outside(spec.code, spec.lon, spec.lat)
    for meter in meters:
        known = meter.quantity in Quantity.values and meter.direction in Direction.values
        if not known or not _CODE.fullmatch(meter.code):
            return refusals.bad_meter(meter.code, meter.quantity, meter.direction)
    return None


def _taken(city: str, code: str, meters: Sequence[MeterSpec]) -> Refusal | None:
    for meter in meters:
        other = (
            Meter.objects.filter(city=city, entity=meter.entity, attribute=meter.attribute)
            .exclude(site__code=code, code=meter.code)
            .select_related("site")
            .first()
        )
        if other is not None:
            return refusals.stream_taken(meter.entity, meter.attribute, str(other))
    return None


def _as_entity(one: Site) -> dict[str, object]:
    """The site as other systems read it from the hub."""
    return {
        "id": one.entity,
        "type": one.entity.split(":")[2],
        "name": {
            "type": "LanguageProperty",
            "languageMap": {"ko": one.name_ko, "en": one.name_en},
        },
        "category": {"type": "Property", "value": one.kind},
        "origin": {"type": "Property", "value": one.origin},
        "location": {
            "type": "GeoProperty",
            "value": {"type": "Point", "coordinates": [float(one.lon), float(one.lat)]},
        },
    }


def _one(rows: QuerySet[Site], which: str | UUID) -> Site | None:
    if isinstance(which, UUID):
        return rows.filter(id=which).first()
    found = rows.filter(code=which).first()
    if found is None:
        try:
            return rows.filter(id=UUID(which)).first()
        except ValueError:
            return None
    return found


def _linkage_by_meter(
    tx: Connection, city: str, register: Sequence[Site], period: Period
) -> dict[UUID, tuple[int, int, Decimal | None]]:
    meters = [meter for one in register for meter in one.meters.all()]
    entities = sorted({meter.entity for meter in meters})
    series = (
        {
            (one.entity, one.attribute): one.id
            for one in hub.find_series(tx, city, entities=entities)
        }
        if entities
        else {}
    )
    by_series = hub.linkage_by_series(tx, city, list(series.values()), period)
    counts: dict[UUID, tuple[int, int, Decimal | None]] = {}
    for meter in meters:
        found = by_series.get(series.get((meter.entity, meter.attribute), -1))
        if found is not None:
            counts[meter.id] = (found.expected, found.on_time, found.rate)
    return counts


def _rate(meters: Sequence[MeterLinkage]) -> Decimal | None:
    """On time ÷ expected over meters, four places; None when nothing was expected."""
    expected = sum(meter.expected for meter in meters)
    if not expected:
        return None
    on_time = sum(meter.on_time for meter in meters)
    return (Decimal(on_time) / expected).quantize(Decimal("0.0001"))


def _latest_run(tx: Connection, city: str, one: Site) -> footprint.Run | None:
    """The newest run on what the site uses or makes (not on the weather beside it)."""
    found = [
        run
        for meter in one.meters.all()
        if meter.direction != Direction.AMBIENT
        for run in footprint.runs(tx, city, limit=1, meter=meter.stream)
    ]
    return max(found, key=lambda run: run.id, default=None)
