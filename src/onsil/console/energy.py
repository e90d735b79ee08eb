"""Where energy came from and where it went, over the last days that have readings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from onsil import hub
from onsil.building import services as building
from onsil.core.periods import Period
from onsil.core.quantities import UnitError, convert
from onsil.tenancy import transaction
from onsil.tenancy.cities import CityProfile

DAYS = 30
KINDS = {
    "solar": gettext_lazy("태양광"),
    "zero-energy": gettext_lazy("제로에너지 건물"),
    "remodelled": gettext_lazy("그린리모델링 건물"),
    "household": gettext_lazy("가정"),
    "public": gettext_lazy("공공 건물"),
}
_BOUGHT = {"electricity": gettext_lazy("전력망"), "gas": gettext_lazy("도시가스"),
           "heat": gettext_lazy("지역난방")}  # fmt: skip


@dataclass(frozen=True)
class MeterEnergy:
    """What one meter counted over the window, in kWh; `source` as its series says."""

    kind: str
    quantity: str
    direction: str
    energy_kwh: Decimal
    source: str


def energy_kwh(series: hub.Series, rollups: Sequence[hub.Rollup]) -> Decimal | None:
    """A series' energy in kWh: amounts added, powers times their hours, counters' differences.

    None when its unit is no energy or power, or nothing came. For charts: totals are doubles.
    """
    if not rollups:
        return None
    try:
        if series.kind == "interval":
            total = Decimal(repr(sum(r.total for r in rollups)))
            return convert(total, series.unit, "kWh")
        if series.kind == "counter":
            rise = max(r.maximum for r in rollups) - min(r.minimum for r in rollups)
            return convert(Decimal(repr(rise)), series.unit, "kWh")
        hours = Decimal(series.interval_s) / 3600
        total = Decimal(repr(sum(r.total for r in rollups)))
        return convert(total, series.unit, "kW") * hours
    except UnitError:
        return None


def links(parts: Sequence[MeterEnergy]) -> list[dict[str, Any]]:
    """Flows from sources to uses, in kWh; what a solar site did not export was used on the spot."""
    flows: dict[tuple[str, str], Decimal] = {}

    def add(source: object, target: object, amount: Decimal) -> None:
        if amount > 0:
            key = (str(source), str(target))
            flows[key] = flows.get(key, Decimal(0)) + amount

    made = sum((p.energy_kwh for p in parts if p.direction == "generated"), Decimal(0))
    sent = sum((p.energy_kwh for p in parts if p.direction == "exported"), Decimal(0))
    add(_("햇빛"), _("현장에서 씀"), made - sent)
    add(_("햇빛"), _("전력망으로 보냄"), sent)
    for part in parts:
        if part.direction == "consumed" and part.quantity in _BOUGHT:
            add(_BOUGHT[part.quantity], KINDS.get(part.kind, part.kind), part.energy_kwh)
    return [{"source": s, "target": t, "value": v.quantize(Decimal("0.1"))}
            for (s, t), v in flows.items()]  # fmt: skip


def flow_chart(city: CityProfile) -> Mapping[str, Any]:
    """The energy flow of each meter's newest thirty days with readings, as a chart description."""
    with transaction(city.code) as conn:
        meters = {(m.entity, m.attribute): (site, m) for site in building.sites(city.code)
                  for m in site.meters.all() if m.direction != "ambient"}  # fmt: skip
        series = [s for s in hub.find_series(conn, city.code, entities={e for e, _ in meters})
                  if (s.entity, s.attribute) in meters] if meters else []  # fmt: skip
        newest = hub.latest(conn, city.code, [s.id for s in series])
        parts = []
        for one in series:
            if one.id not in newest:
                continue
            end = newest[one.id].observed_at + timedelta(seconds=one.interval_s)
            span = Period(end - timedelta(days=DAYS), end)
            site, meter = meters[one.entity, one.attribute]
            days = hub.rollups(conn, city.code, one.id, span, "day", city.zone)
            amount = energy_kwh(one, days)
            if amount is not None:
                parts.append(
                    MeterEnergy(site.kind, meter.quantity, meter.direction, amount, one.source)
                )
    return {
        "title": _("에너지 흐름"), "kind": "sankey", "unit": "kWh", "links": links(parts),
        "greens": {str(_("햇빛")): "building", str(_("전력망")): "hub",
                   str(_("도시가스")): "footprint"},
        "description": _("계량기마다 값이 있는 마지막 %(n)d일") % {"n": DAYS} + _sources(parts),
    }  # fmt: skip


def _sources(parts: Sequence[MeterEnergy]) -> str:
    words = {"replayed": _("과거 실측 재생"), "simulated": _("모의"), "measured": _("실측")}
    found = [words[s] for s in ("measured", "replayed", "simulated")
             if any(p.source == s for p in parts)]  # fmt: skip
    return f" · {' + '.join(found)}" if found else ""
