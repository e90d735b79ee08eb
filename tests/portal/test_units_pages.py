"""The public registry's search of units: by serial and else, its files, and a block's history."""

import csv
import io
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from portal_world import CITY, World, granted

from onsil import footprint
from onsil.footprint import credits
from onsil.tenancy import transaction


def client(language: str = "ko") -> Client:
    return Client(headers={"accept-language": language})


def test_units_are_searched_by_serial_and_else(world: World):
    listing = reverse("registry-units")
    assert listing == "/registry/units/"
    found = client().get(listing, {"serial": str(world.batch.serial_first)})
    assert found.status_code == 302
    assert found["Location"].startswith("/registry/units/")
    text = client().get(listing).content.decode()
    assert world.batch.serial_prefix in text
    assert f"company:{world.company}" not in text
    assert world.batch.serial_prefix in client().get(listing, {"state": "retired"}).content.decode()
    assert world.batch.serial_prefix in client().get(
        listing, {"beneficiary": "데모 구매", "vintage": "2025"}
    ).content.decode()  # fmt: skip
    for none in ({"vintage": "1999"}, {"project": "nowhere"}, {"holder": "데모"}, {"serial": "X"}):
        assert "맞는 크레딧이 없습니다" in client().get(listing, none).content.decode()
    assert client().get(listing, {"page": "9999999"}).status_code == 200
    assert client(language="en").get(listing).content.decode().count("Find credits")


def test_the_search_comes_as_files(world: World):
    answer = client().get(reverse("registry-units-csv"), {"state": "retired"})
    assert answer["Content-Type"].startswith("text/csv")
    (row,) = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert (row["status"], row["units"], row["holder"]) == ("Retired", "1", "")
    assert row["first"] == str(world.retirement.serial_first)
    told = client().get(reverse("registry-units-json"), {"state": "retired"}).json()["units"]
    assert [one["first"] for one in told] == [world.retirement.serial_first]
    assert told[0]["address"].endswith(f"{row['address'][-37:]}")


def test_a_block_tells_its_history_and_no_private_name(world: World):
    with transaction(CITY) as tx:
        used = granted(credits.block_of_serial(tx, CITY, world.retirement.serial_first))
        first = next(
            e for e in credits.events(tx, CITY, batch_id=world.batch.id) if e.kind == "issuance"
        )
        old = [b for b in credits.ancestors(tx, CITY, used) if b.born_by == first.id]
    text = client().get(reverse("registry-unit", kwargs={"block": used.id})).content.decode()
    for said in ("발행", "판매", "사용 완료", "데모 구매 기업", "상응조정 선언", "라벨이 없습니다"):
        assert said in text, said
    assert str(world.company) not in text
    moved = client().get(f"/registry/units/{old[0].id}/")
    assert moved.status_code == 302
    assert client().get(f"/registry/units/{uuid4()}/").status_code == 404


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_batch_shows_labels_and_the_issuances_receipt(world: World, language: str):
    browser = client(language=language)
    assert browser.get(f"/registry/{world.batch.id}/").status_code == 200
    receipt = browser.get(reverse("receipt", kwargs={"kind": "issuance", "id": world.batch.id}))
    assert receipt.status_code == 200


def test_an_issuance_entry_is_what_the_receipt_gives(world: World):
    with transaction(CITY) as tx:
        entry = footprint.entry_of(tx, CITY, "issuance", world.batch.id)
    assert entry == credits.batch_entry(world.batch)
