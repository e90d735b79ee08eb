"""What has expired leaves wallets once, and its won go where the rules say."""

from datetime import timedelta

from django.core import mail
from small_town import Town

from onsil.citizen import jobs
from onsil.citizen.services import expiry, trust
from onsil.core.clock import FixedClock
from onsil.core.periods import local_day, midnight
from onsil.tenancy import city_scope
from onsil.tenancy.cities import city as city_profile


def test_expired_money_leaves_the_wallet_and_its_won_the_trust(town: Town):
    soon = town.clock.now() + timedelta(hours=1)
    late = FixedClock(soon + timedelta(hours=1))
    person, other = town.citizen(), town.citizen(money=700)
    town.give_money(person, 5_000, expires_at=soon)
    town.give_money(person, 2_000)
    town.give_points(person, 300, expires_at=soon)
    assert expiry.run() == dict.fromkeys(expiry.run(), 0), "nothing has expired yet"
    trusted = town.balance("trust:local", "KRW")
    given = expiry.run(clock=late)
    assert given["local:pyeongtaek"] == 1
    assert given["point:bus-weekly"] == 1
    assert expiry.run(clock=late)["local:pyeongtaek"] == 0
    assert (town.money(person), town.money(other)) == (2_000, 700)
    assert town.balance(f"citizen:{person.pk}", "point:bus-weekly") == 0
    assert town.balance("trust:local", "KRW") == trusted - 5_000
    assert town.balance("breakage:city", "KRW") == 5_000
    assert town.balance(expiry.POINTS_LEFT, "KRW") == 300
    proof, backing = trust.now()
    assert proof.covered
    assert backing.circulating == 2_700
    assert not town.imbalances()


def test_the_days_round_makes_one_report_a_city(town: Town):
    with city_scope(""):
        jobs.day(0)
        jobs.day(0)
    (made,) = trust.reports()
    assert made.covered
    with city_scope("goyang"):
        (theirs,) = trust.reports()
    assert theirs.id != made.id


def test_people_are_written_to_once_on_each_of_the_notice_days(town: Town):
    mail.outbox = []
    zone = city_profile(town.city).zone
    today = local_day(town.clock.now(), zone)
    person = town.citizen()
    person.language = "en"
    person.save(update_fields=["language"])
    for days, won in ((7, 3_000), (6, 50), (30, 400)):
        town.give_money(person, won, expires_at=midnight(today + timedelta(days=days + 1), zone))
    assert [expiry.tell(), expiry.tell()] == [2, 0]
    assert sorted(letter.subject.split(": ")[1].split(" ")[0] for letter in mail.outbox) == [
        "₩3,000", "₩400",
    ]  # fmt: skip
    assert all(letter.to == [person.email] for letter in mail.outbox)
    tomorrow = FixedClock(town.clock.now() + timedelta(days=1))
    assert expiry.tell(clock=tomorrow) == 0, "six and twenty-nine days are no notice days"
