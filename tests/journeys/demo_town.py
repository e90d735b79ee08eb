"""The people and the one week of bus rides that the journeys' city begins with."""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from onsil import ledger
from onsil.citizen.models import Merchant, Role, User
from onsil.citizen.services import Application, merchants, people, postings
from onsil.core.clock import SystemClock
from onsil.core.ids import new_id
from onsil.core.periods import Period, local_day, local_days
from onsil.rewards import services as rewards
from onsil.tenancy import transaction
from onsil.tenancy.cities import city as city_profile

CITY = "pyeongtaek"
PASSWORD = "demo password of the journeys"
RESIDENCE_CODE = "DEMQ2-34567"
ROLES = {
    "official": Role.OFFICIAL, "approver": Role.APPROVER, "verifier": Role.VERIFIER,
    "buyer": Role.BUYER, "operator": Role.OPERATOR,
}  # fmt: skip
FARE = 1_450


@dataclass
class People:
    """Who is in the city, by the name before the at sign."""

    users: dict[str, User] = field(default_factory=dict)
    shop: Merchant | None = None
    company: UUID = field(default_factory=new_id)

    def __getitem__(self, name: str) -> User:
        return self.users[name]


def settle_town(postgres_dsn: str) -> People:
    """Programmes, people of every role, an approved shop, and an award paid to citizen1."""
    town = People()
    rewards.load_programmes(CITY)
    people.ensure_residence_code(RESIDENCE_CODE, uses=1000)
    for number in (1, 2):
        person = _user(town, f"citizen{number}", f"데모 시민 {number}")
        people.admit(person, "counter")
    for name, role in ROLES.items():
        person = _user(town, f"{name}1", f"데모 {role.label}")
        people.give_role(person, role, town.company if role == Role.BUYER else None)
    owner = _user(town, "merchant1", "데모 가맹점주")
    application = Application("데모 가맹점", "000-00-00000", "bakery", "데모로 1", 90_000_000)
    shop = merchants.apply(owner, application)
    assert isinstance(shop, Merchant)
    decided = merchants.decide(shop.pk, True, actor=town["official1"])
    assert isinstance(decided, Merchant)
    town.shop = decided
    _user(town, "stranger1", "데모 방문자")
    _ride_and_be_paid(town["citizen1"], postgres_dsn)
    return town


def _user(town: People, name: str, said: str) -> User:
    person = User.objects.create_user(f"{name}@demo.invalid", PASSWORD, name=said)
    town.users[name] = person
    return person


def _ride_and_be_paid(person: User, dsn: str) -> None:
    """Rides in each of the last four decided weeks; the award goes through the real writer."""
    zone, clock = city_profile(CITY).zone, SystemClock()
    today = local_day(clock.now(), zone)
    monday = today - timedelta(days=today.weekday())
    first = monday - timedelta(weeks=5)
    since = local_days(first, monday, zone).start
    rewards.enrol(CITY, person.pk, "bus-weekly", "adult", since=since, actor="system")
    for week in range(4):
        day = first + timedelta(weeks=week, days=1)
        morning = local_days(day, day + timedelta(days=1), zone).start + timedelta(hours=8)
        for ride, hours in enumerate((0, 10)):
            rewards.record_evidence(
                CITY, "bus-weekly", person.pk, "bus-ride", FARE,
                morning + timedelta(hours=hours), "demo", f"ride-{week}-{ride}",
                f"demo-ride-{week}-{ride}", facts={"service": "city"}, simulated=True,
            )  # fmt: skip
    rewards.decide(CITY, "bus-weekly", Period(since, local_days(first, monday, zone).end))
    rewards.post_awards(CITY)
    with transaction() as tx:
        while ledger.drain(tx, CITY, clock):
            pass
    rewards.post_awards(CITY)
    with transaction() as tx:
        code = postings.wallet_account(person.pk)
        assert ledger.balance(tx, CITY, code, "point:bus-weekly") > 0, dsn
