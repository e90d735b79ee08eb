"""The register of sites: places inside the city, streams that are one meter's, linkage by site."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from building_cases import CITY, home_meters, home_spec

from onsil import hub
from onsil.building import geography
from onsil.building import services as building
from onsil.building.models import Meter, Site
from onsil.core.periods import Period
from onsil.core.refusal import Refusal
from onsil.proof import audit_trail
from onsil.tenancy import city_scope, transaction


def test_a_site_is_found_with_its_district_and_meters(home):
    found = building.site(CITY, "home-1")
    assert found.id == home.id
    assert building.site(CITY, home.id).code == "home-1"
    assert building.site(CITY, str(home.id)).code == "home-1"
    assert geography.district(CITY, found.district).name_ko == "합정동"
    assert [meter.code for meter in found.meters.all()] == ["power", "weather"]
    assert found.origin == "replayed"
    assert found.attribution("en") == "Measured data, replayed"
    assert building.sites_of(CITY, home.person) == [home]
    assert building.sites(CITY, "solar") == []
    with transaction(CITY) as tx:
        entity = hub.entity(tx, CITY, home.entity)
    assert entity is not None
    assert entity["type"] == "Building"


def test_registering_again_updates_and_leaves_one_trace_a_change(home):
    again = building.register_site(CITY, home_spec(), home_meters())
    assert again.id == home.id
    renamed = building.register_site(CITY, home_spec(name_ko="데모 가정 하나"), home_meters())
    assert renamed.name("ko") == "데모 가정 하나"
    assert (Site.objects.count(), Meter.objects.count()) == (1, 2)
    with transaction(CITY) as tx:
        trail = audit_trail(tx, CITY, subject_kind="site")
    assert [record.action for record in trail] == ["site.register"] * 2


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"code": "Home 1"}, "site-code"),
        ({"kind": "castle"}, "site-kind"),
        ({"lon": Decimal("126.84"), "lat": Decimal("37.66")}, "site-outside"),
    ],
)
def test_what_cannot_be_registered_is_told_why(db, city, change, code):
    refused = building.register_site(CITY, home_spec(**change))
    assert isinstance(refused, Refusal)
    assert refused.code == code
    assert Site.objects.count() == 0


def test_a_stream_belongs_to_one_meter(home):
    refused = building.register_site(CITY, home_spec("home-2"), home_meters("home-1"))
    assert refused.code == "meter-taken"
    bad = building.MeterSpec("x", "urn:ngsi-ld:Building:p:x", "power", "love", "kWh", "consumed")
    assert building.register_site(CITY, home_spec("home-3"), [bad]).code == "meter-terms"
    assert building.site(CITY, "home-2").code == "unknown-site"


def test_another_city_does_not_see_the_site(home):
    with city_scope("goyang"):
        assert building.sites("goyang") == []
        assert building.site("goyang", home.id).code == "unknown-site"


def test_linkage_counts_readings_on_time_over_those_expected(home):
    start = datetime(2026, 2, 1, tzinfo=UTC)
    with transaction(CITY) as tx:
        spec = hub.SeriesSpec(home.entity, "electricity", "kWh", 3600, "interval")
        hub.ensure_series(tx, CITY, [spec])
        readings = [
            hub.Reading(
                home.entity,
                "electricity",
                start + timedelta(hours=n),
                1,
                received_at=start + timedelta(hours=n + (1 if n < 18 else 6)),
            )
            for n in range(21)  # 18 on time, 3 late, 3 missing of 24
        ]
        hub.record(tx, CITY, readings, _Clock(start + timedelta(days=2)))
    day = Period(start, start + timedelta(days=1))
    (found,) = building.linkage(CITY, day)
    rates = {one.meter.code: one.rate for one in found.meters}
    assert rates == {"power": Decimal("0.7500"), "weather": None}
    assert found.rate == building.city_linkage(CITY, day) == Decimal("0.7500")


def test_a_site_without_series_has_no_rate_rather_than_zero(home):
    day = Period(datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 2, 2, tzinfo=UTC))
    (found,) = building.linkage(CITY, day)
    assert found.rate is None
    assert building.city_linkage(CITY, day) is None


class _Clock:
    def __init__(self, instant: datetime) -> None:
        self.instant = instant

    def now(self) -> datetime:
        return self.instant
