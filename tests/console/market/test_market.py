"""A company buys once, holds, and uses up; nobody else can, and nothing is sold twice."""

from uuid import uuid4

from django.test import Client
from portal_world import CITY, World

from onsil import footprint, ledger
from onsil.tenancy import transaction


def client(person) -> Client:
    made = Client()
    made.force_login(person)
    return made


def state(world: World) -> tuple[int, int, int]:
    """Tonnes the company holds, its won, and the fund's won."""
    company = f"company:{world.company}"
    with transaction(CITY) as tx:
        return (
            ledger.balance(tx, CITY, company, world.batch.asset),
            ledger.balance(tx, CITY, company, "KRW"),
            ledger.balance(tx, CITY, "fund:incentive", "KRW"),
        )


def listing(world: World) -> footprint.Listing:
    with transaction(CITY) as tx:
        return footprint.listings(tx, CITY)[0]


def test_roles(world: World):
    for path in ("/console/market/", "/console/market/holdings/"):
        assert client(world.buyer).get(path).status_code == 200
        assert client(world.official).get(path).status_code == 200
        assert client(world.saver).get(path).status_code == 403
        assert client(world.verifier).get(path).status_code == 403
        assert Client().get(path).status_code == 302
    buy = f"/console/market/buy/{listing(world).id}/?tonnes=1"
    assert client(world.official).get(buy).status_code == 403
    retire = f"/console/market/retire/{world.batch.id}/"
    assert client(world.official).post(retire).status_code == 403


def test_a_purchase_is_shown_first_and_made_once(world: World):
    buyer, offer = client(world.buyer), listing(world)
    before = state(world)
    path = f"/console/market/buy/{offer.id}/"
    text = buyer.get(path, {"tonnes": 1}).content.decode()
    assert "이대로 살까요?" in text
    assert state(world) == before
    form = {"tonnes": 1, "unit_price_krw": offer.unit_price_krw, "key": str(uuid4())}
    for _ in range(2):
        assert buyer.post(path, form).status_code == 302
    tonnes, krw, fund = state(world)
    assert (tonnes, krw, fund) == (before[0] + 1, before[1] - 18_000, before[2] + 18_000)
    again = buyer.post(path, {**form, "tonnes": 2}, follow=True)
    assert state(world) == (tonnes, krw, fund)
    assert "notice--error" in again.content.decode()


def test_a_changed_price_or_nothing_left_is_refused_in_words(world: World):
    buyer = client(world.buyer)
    with transaction(CITY) as tx:
        offer = footprint.listings(tx, CITY, open_only=False)[0]
    before = state(world)
    path = f"/console/market/buy/{offer.id}/"
    for form in (
        {"tonnes": 1, "unit_price_krw": 1, "key": str(uuid4())},
        {"tonnes": 900, "unit_price_krw": offer.unit_price_krw, "key": str(uuid4())},
    ):
        answer = buyer.post(path, form, follow=True)
        assert "매물이 없습니다" in answer.content.decode()
    assert buyer.get(path, {"tonnes": "-1"}).status_code == 302
    assert buyer.get(f"/console/market/buy/{uuid4()}/", {"tonnes": 1}).status_code == 404
    assert state(world) == before


def test_retiring_ends_with_a_public_certificate_and_happens_once(world: World):
    buyer = client(world.buyer)
    path = f"/console/market/retire/{world.batch.id}/"
    before = state(world)
    form = {
        "tonnes": 1, "beneficiary": "데모 구매 기업", "reason": "2025년 사업장",
        "key": str(uuid4()),
    }  # fmt: skip
    unsure = buyer.post(path, form)
    assert unsure.status_code == 200
    assert state(world) == before
    first = buyer.post(path, {**form, "sure": "on"})
    second = buyer.post(path, {**form, "sure": "on"})
    assert first.status_code == second.status_code == 302
    assert first["Location"] == second["Location"]
    assert state(world)[0] == before[0] - 1
    assert "데모 구매 기업" in Client().get(first["Location"]).content.decode()
    much = buyer.post(path, {**form, "sure": "on", "tonnes": 900, "key": str(uuid4())})
    assert "잔액이 부족합니다" in much.content.decode()
