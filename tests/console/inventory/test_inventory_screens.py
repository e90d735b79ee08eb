"""Officials open, fill, import, compile, explain, seal an inventory; verifiers look and check."""

import io
from decimal import Decimal
from uuid import UUID

import pytest
from city_hall import CITY, CityHall
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from office import GONE, shut_to, told

from onsil.citizen.models import User
from onsil.footprint import inventory
from onsil.tenancy import transaction

LINE = {
    "code": "homes-power", "ref": "I.1.2", "name": "가정 전력", "amount": "1,000", "unit": "MWh",
    "document": "전력 통계 2025", "programme": "inventory", "factor_set": "kr-grid-2021",
    "commodity": "electricity", "boundary": "consumption", "tier": "2", "activity_quality": "H",
    "factor_quality": "M", "activity_pct": "3", "factor_pct": "4", "method": "곱하기",
    "cause": "activity",
}  # fmt: skip


@pytest.fixture
def book(hall: CityHall, as_user) -> inventory.Inventory:
    """A city's inventory of 2025, opened by an official through the screen."""
    answer = as_user(hall.official).post(
        "/console/inventory/open/",
        {
            "kind": "city",
            "year": "2025",
            "gwp_set": "AR5",
            "level": "BASIC",
            "boundary": "행정구역",
        },
    )
    assert answer.status_code == 302, answer.status_code
    with transaction(CITY) as tx:
        return inventory.inventories(tx, CITY)[0]


def newest(book: inventory.Inventory) -> inventory.Version:
    with transaction(CITY) as tx:
        return max(inventory.versions(tx, CITY, book.id), key=lambda v: v.number)


def fill_the_rest(client, book: inventory.Inventory, *told_refs: str) -> str:
    """Import notation keys for every row that no line speaks of."""
    rows = [
        f"note-{row.ref},{row.ref},{row.ref},NE"
        for row in inventory.required_rows("city", "BASIC")
        if row.ref not in told_refs
    ]
    data = "code,ref,name,notation\n" + "\n".join(rows)
    file = SimpleUploadedFile("rest.csv", data.encode())
    return told(client, f"/console/inventory/{book.id}/lines/import/", file=file, cause="activity")


def test_who_may_look(hall: CityHall, as_user, book: inventory.Inventory):
    for path in ("/console/inventory/", f"/console/inventory/{book.id}/",
                 f"/console/inventory/{book.id}/lines/",
                 f"/console/inventory/{book.id}/changes/",
                 f"/console/inventory/{book.id}/settings/"):  # fmt: skip
        for person in (*hall.staff, hall.verifier):
            assert as_user(person).get(path).status_code == 200, path
        assert as_user(hall.citizen).get(path).status_code == 403


def test_nobody_else_may_write(hall: CityHall, as_user, book: inventory.Inventory):
    others: list[User] = [hall.citizen, hall.verifier, hall.operator]
    for act in ("lines/put/", "lines/import/", "lines/remove/", "compile/", "settings/set/",
                "policy/"):  # fmt: skip
        shut_to(others, as_user, f"/console/inventory/{book.id}/{act}", **LINE)
    shut_to(others, as_user, "/console/inventory/open/", year="2024")


def test_a_year_from_lines_to_seal(hall: CityHall, as_user, book: inventory.Inventory):
    maker, checker = as_user(hall.official), as_user(hall.approver)
    base = f"/console/inventory/{book.id}/"
    assert "줄을 적었습니다" in told(maker, f"{base}lines/put/", **LINE)
    assert "산정했습니다" in told(maker, f"{base}compile/")
    text = maker.get(base).content.decode()
    assert "477.7" in text
    assert "누락" in text
    seal = f"/console/inventory/versions/{newest(book).id}/decide/"
    assert "표기 기호도 없는" in told(checker, seal, act="seal")
    assert "줄을 들였습니다" in fill_the_rest(maker, book, "I.1.2")
    told(maker, f"{base}compile/")
    version = newest(book)
    seal = f"/console/inventory/versions/{version.id}/decide/"
    assert "산정한 사람은 확정할 수 없습니다" in told(maker, seal, act="seal")
    assert "확정했습니다" in told(checker, seal, act="seal")
    assert newest(book).sealed
    verifier = as_user(hall.verifier)
    again = f"/console/inventory/versions/{version.id}/recompute/"
    assert "글자 하나까지 같습니다" in told(verifier, again)


def test_a_wrong_line_is_told_and_not_kept(hall: CityHall, as_user, book: inventory.Inventory):
    maker = as_user(hall.official)
    put = f"/console/inventory/{book.id}/lines/put/"
    assert "0이 아니라 누락" in told(maker, put, **{**LINE, "amount": ""})
    assert "숫자가 아닙니다" in told(maker, put, **{**LINE, "amount": "많이"})
    with transaction(CITY) as tx:
        assert inventory.lines(tx, CITY, book.id) == []


def test_a_file_with_a_wrong_row_stores_nothing(hall: CityHall, as_user, book: inventory.Inventory):
    data = "code,ref,name,notation\na,I.1.1,가,NO\nb,I.99,나,NO\n"
    answer = as_user(hall.official).post(
        f"/console/inventory/{book.id}/lines/import/",
        {"file": SimpleUploadedFile("a.csv", data.encode()), "cause": "activity"},
    )
    assert answer.status_code == 422
    assert "unknown-reference" in answer.content.decode()
    with transaction(CITY) as tx:
        assert inventory.lines(tx, CITY, book.id) == []


def test_a_line_beside_the_table(hall: CityHall, as_user, book: inventory.Inventory):
    maker = as_user(hall.official)
    told(maker, f"/console/inventory/{book.id}/lines/put/", **LINE)
    told(maker, f"/console/inventory/{book.id}/compile/")
    path = f"/console/inventory/{book.id}/line/homes-power/"
    text = maker.get(path, headers={"HX-Request": "true"}).content.decode()
    assert "kr-grid-2021/electricity/consumption" in text
    assert "전력 통계 2025" in text
    assert "<html" not in text
    assert "<html" in maker.get(path).content.decode()
    assert maker.get(f"/console/inventory/{book.id}/line/nothing/").status_code == 404


def test_a_change_is_explained(hall: CityHall, as_user, book: inventory.Inventory):
    maker = as_user(hall.official)
    base = f"/console/inventory/{book.id}/"
    told(maker, f"{base}lines/put/", **LINE)
    told(maker, f"{base}compile/")
    assert "까닭" in told(maker, f"{base}lines/put/", **{**LINE, "amount": "1100"})
    told(maker, f"{base}lines/put/", **{**LINE, "amount": "1100"}, reason="검침 정정")
    told(maker, f"{base}compile/")
    policy = {"base_year": "2025", "threshold": "5", "causes": ["error", "factor"], "text": "방침"}
    assert "적었습니다" in told(maker, reverse("inventory-policy", args=(book.id,)), **policy)
    text = maker.get(f"{base}changes/").content.decode()
    assert "활동량 변화" in text
    assert "47.77" in text
    assert "갈래의 합과 같음" in text
    assert "재산정 사유" in maker.get(f"{base}settings/").content.decode()


def test_settings_want_a_reason(hall: CityHall, as_user, book: inventory.Inventory):
    maker = as_user(hall.official)
    path = f"/console/inventory/{book.id}/settings/set/"
    sent = {"gwp_set": "AR5", "level": "BASIC+", "boundary": "행정구역", "population": "600,000"}
    assert "까닭" in told(maker, path, **sent)
    assert "바꾸었습니다" in told(maker, path, **sent, reason="인구를 적음")
    with transaction(CITY) as tx:
        assert inventory.settings(tx, CITY, book.id).population == 600_000


def test_a_company_has_its_own(hall: CityHall, as_user):
    maker = as_user(hall.official)
    maker.post("/console/inventory/open/", {
        "kind": "company", "subject": "company:demo", "name": "데모 기업", "year": "2025",
        "gwp_set": "AR5", "level": "BASIC", "boundary": "본사", "approach": "equity-share",
    })  # fmt: skip
    with transaction(CITY) as tx:
        book = inventory.inventories(tx, CITY, "company")[0]
    base = f"/console/inventory/{book.id}/"
    bad = {"gwp_set": "AR5", "level": "BASIC", "boundary": "본사", "approach": "equity-share",
           "parts": "a, b", "reason": "x"}  # fmt: skip
    assert "한 줄에 하나씩" in told(maker, f"{base}settings/set/", **bad)
    told(maker, f"{base}settings/set/", **{**bad, "parts": "own, 본사, 40, 1, 0"})
    line = {**LINE, "ref": "2.L", "entity": "own", "programme": "disclosure",
            "factor_set": "kr-grid-2025"}  # fmt: skip
    assert "줄을 적었습니다" in told(maker, f"{base}lines/put/", **line)
    told(maker, f"{base}compile/")
    assert newest(book).co2e_kg == Decimal("417300") * 4 / 10
    assert "위치 기준" in maker.get(base).content.decode()


def test_a_certificate_is_retired_on_the_companys_page(hall: CityHall, as_user):
    maker = as_user(hall.official)
    maker.post("/console/inventory/open/", {
        "kind": "company", "subject": "company:rec", "name": "인증 기업", "year": "2025",
        "gwp_set": "AR5", "level": "BASIC", "boundary": "본사",
        "approach": "operational-control",
    })  # fmt: skip
    with transaction(CITY) as tx:
        book = inventory.inventories(tx, CITY, "company")[0]
    base = f"/console/inventory/{book.id}/"
    line = {**LINE, "ref": "2.L", "programme": "disclosure", "factor_set": "kr-grid-2025"}
    told(maker, f"{base}lines/put/", **line)
    told(maker, f"{base}compile/")
    shown = maker.get(base).content.decode()
    assert "위치 기준과 시장 기준" in shown
    assert "아직 쓰지 않은 인증서가 없습니다" in shown
    act = reverse("inventory-certificate", kwargs={"book": book.id})
    assert "청구를 찾을 수 없습니다" in told(maker, act, claim=str(GONE))
    assert maker.post(act, {"claim": "x"}).status_code == 404
    assert as_user(hall.verifier).post(act, {"claim": str(GONE)}).status_code == 403


def test_both_approaches_stand_beside_each_other(
    hall: CityHall, as_user, book: inventory.Inventory
):
    maker = as_user(hall.official)
    told(maker, f"/console/inventory/{book.id}/lines/put/", **LINE)
    told(maker, f"/console/inventory/{book.id}/compile/")
    shown = maker.get(f"/console/inventory/{book.id}/").content.decode()
    assert "방법 1과 방법 2" in shown
    assert str(book.id.int) in shown  # the seed
    assert "MC ±" in shown


def test_files_and_what_is_not_there(hall: CityHall, as_user, book: inventory.Inventory):
    maker = as_user(hall.official)
    told(maker, f"/console/inventory/{book.id}/lines/put/", **LINE)
    told(maker, f"/console/inventory/{book.id}/compile/")
    stem = f"/console/inventory/versions/{newest(book).id}/inventory."
    assert b"477.7" in maker.get(f"{stem}csv").content
    assert maker.get(f"{stem}json").json()["totals"]["BASIC"] == "477700"
    assert io.BytesIO(maker.get(f"{stem}xlsx").content).read(2) == b"PK"
    assert b"code,ref,name" in maker.get("/console/inventory/template.csv").content
    assert maker.get(f"/console/inventory/{GONE}/").status_code == 404
    gone = reverse("inventory-file", kwargs={"version": GONE, "form": "csv"})
    assert maker.get(gone).status_code == 404
    for path in (f"/console/inventory/versions/{GONE}/decide/",
                 f"/console/inventory/versions/{GONE}/recompute/",
                 f"/console/inventory/{GONE}/compile/"):  # fmt: skip
        assert maker.post(path).status_code == 404, path


def test_a_line_is_taken_out_with_a_reason(hall: CityHall, as_user, book: inventory.Inventory):
    maker = as_user(hall.official)
    base = f"/console/inventory/{book.id}/"
    told(maker, f"{base}lines/put/", **LINE)
    assert "까닭" in told(maker, f"{base}lines/remove/", code="homes-power", cause="boundary")
    remove = reverse("inventory-remove", args=(book.id,))
    told(maker, remove, code="homes-power", cause="boundary", reason="폐지")
    with transaction(CITY) as tx:
        assert inventory.lines(tx, CITY, UUID(str(book.id))) == []
    assert "뺀 줄입니다" in maker.get(f"{base}line/homes-power/").content.decode()
