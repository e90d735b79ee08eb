"""The day's settlement on the officials' screens: its file as digested, its money let go once.

Here transactions commit, since the ledger's writer answers on a connection of its own.
"""

import hashlib
from collections.abc import Iterator
from datetime import timedelta

import pytest
from city_hall import user
from django.test import Client
from django.urls import reverse
from office import GONE, acts, balance, shut_to, told
from small_town import CITY, Town

from onsil.citizen.models import Merchant, Payment, Role, Settlement, User
from onsil.citizen.services import budgets, codes, payments, payouts, settlements
from onsil.core.clock import FixedClock
from onsil.core.ids import new_id
from onsil.core.periods import midnight
from onsil.supervisor.postgres import EmbeddedPostgres
from onsil.tenancy import city_scope
from onsil.tenancy.cities import city as city_profile
from own_database import own_database


@pytest.fixture(scope="module")
def town(postgres: EmbeddedPostgres, django_db_blocker) -> Iterator[Town]:
    """A city on a database of its own, its posting writer at work."""
    with own_database(postgres, django_db_blocker) as dsn, city_scope(CITY):
        made = Town(dsn)
        with made.writer():
            yield made


@pytest.fixture(scope="module")
def people(town: Town) -> dict[str, User]:
    roles = (Role.OFFICIAL, Role.APPROVER, Role.OPERATOR, Role.VERIFIER)
    return {str(role): user(f"office-{role}", role) for role in roles} | {
        "citizen": user("office-citizen"),
        "second": user("office-second", Role.APPROVER),
    }


@pytest.fixture(scope="module")
def shop(town: Town) -> Merchant:
    return town.shop(name="데모 빵집")


def settled(town: Town, shop: Merchant, day: int, actor: str = settlements.JOB) -> Settlement:
    """A sale of 4,000 won `day` days ahead, and the settlement of that day by `actor`."""
    zone = city_profile(CITY).zone
    morning = town.clock.now().astimezone(zone).replace(hour=9, minute=0) + timedelta(days=day)
    at = FixedClock(morning)
    budgets.fund_budgets(clock=at)
    code = codes.show_amount(shop, 4_000, clock=at)
    paid = payments.pay(code.pk, town.citizen(money=4_000), clock=at)  # pyright: ignore
    assert isinstance(paid, Payment)
    assert paid.applied
    made = settlements.build(actor=actor, clock=FixedClock(morning + timedelta(days=1)))
    assert isinstance(made, Settlement), made
    assert made.net == 4_000
    return made


def pay_out(made: Settlement) -> None:
    """What the worker does when the pay day has come."""
    payouts.pay_due(clock=FixedClock(midnight(made.pay_day, city_profile(CITY).zone)))


def owed(shop: Merchant) -> int:
    return balance(f"payable:{shop.pk}")


def test_an_approver_lets_the_money_go_once(town: Town, people, shop: Merchant, as_user):
    made, before = settled(town, shop, 0), owed(shop)
    path, page = reverse("console-release", args=[made.pk]), reverse("console-shops")
    assert path not in as_user(people["official"]).get(page).content.decode()
    approver = as_user(people["approver"])
    assert path in approver.get(page).content.decode()
    released = acts("settlement.released")
    assert "지급을 승인했습니다" in told(approver, path)
    assert "이미 지급이 승인된 정산입니다" in told(approver, path)
    assert "이미 지급이 승인된 정산입니다" in told(as_user(people["second"]), path)
    made.refresh_from_db()
    assert made.released_by == str(people["approver"].pk)
    assert owed(shop) == before, "the banks get it on the pay day"
    pay_out(made)
    assert before - owed(shop) == 4_000
    assert acts("settlement.released") == released + 1
    assert path not in approver.get(page).content.decode()
    assert not town.imbalances()


@pytest.mark.parametrize("written", ["{}", "user:{}"])
def test_who_made_a_settlement_does_not_release_it(
    town: Town, people, shop: Merchant, as_user, written: str
):
    maker = people["approver"]
    made = settled(town, shop, 10 + len(written), written.format(maker.pk))
    before, path = owed(shop), reverse("console-release", args=[made.pk])
    words = told(as_user(maker), path)
    assert words
    assert "지급을 승인했습니다" not in words
    made.refresh_from_db()
    assert (made.released_at, made.released_by, owed(shop)) == (None, "", before)
    assert "지급을 승인했습니다" in told(as_user(people["second"]), path)
    pay_out(made)
    assert owed(shop) == before - 4_000


def test_only_approvers_release_settlements_that_there_are(
    town: Town, people, shop: Merchant, as_user
):
    made = settled(town, shop, 30)
    path = reverse("console-release", args=[made.pk])
    shut_to([people[w] for w in ("official", "operator", "verifier", "citizen")], as_user, path)
    nowhere = reverse("console-release", args=[GONE])
    assert as_user(people["approver"]).post(nowhere).status_code == 404
    made.refresh_from_db()
    assert made.released_at is None


def test_the_file_leaves_byte_for_byte(town: Town, people, shop: Merchant, as_user):
    made = settled(town, shop, 40)
    path = reverse("console-settlement-file", args=[made.pk])
    for who in ("official", "approver", "operator"):
        answer = as_user(people[who]).get(path)
        assert answer.status_code == 200
        assert answer["Content-Type"] == "text/csv; charset=utf-8"
        name = f"{CITY}-settlement-{made.day.isoformat()}.csv"
        assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
        assert hashlib.sha256(answer.content).hexdigest() == made.digest
        assert "데모 빵집" in answer.content.decode("utf-8-sig")
    for who in ("verifier", "citizen"):
        assert as_user(people[who]).get(path).status_code == 403
    assert Client(SERVER_NAME="localhost").get(path).status_code == 302
    nowhere = reverse("console-settlement-file", args=[GONE])
    assert as_user(people["official"]).get(nowhere).status_code == 404


def test_another_citys_settlement_is_unknown_here(town: Town, people, as_user):
    with city_scope("goyang"):
        theirs = Settlement.objects.create(
            city="goyang", day=town.clock.now().date(), pay_day=town.clock.now().date(),
            content=b"x", digest="0" * 64, payments=0, net=0, made_by=settlements.JOB,
            made_at=town.clock.now(), id=new_id(),
        )  # fmt: skip
    file = reverse("console-settlement-file", args=[theirs.pk])
    assert as_user(people["official"]).get(file).status_code == 404
    release = reverse("console-release", args=[theirs.pk])
    assert as_user(people["approver"]).post(release).status_code == 404
