"""The screens of charging, gifts and refunds: what they show, and what a stranger may not."""

from uuid import uuid4

from django.test import Client
from django.urls import reverse
from small_town import Town
from test_screens import browser

from onsil.citizen.models import ChargeOrder, Gift, Refund, RefundFile, Role
from onsil.citizen.services import gifts, members


def post(client: Client, name: str, *args: object, **form: object):
    return client.post(reverse(name, args=args), form)


def test_charging_from_the_order_to_the_simulated_banks_file(town: Town):
    citizen, stranger = town.citizen(), town.citizen()
    client = browser(citizen)
    page = client.get(reverse("app-charge")).content.decode()
    assert "모의" in page
    assert "남은 한도" in page
    wrong = post(client, "app-charge", amount="1,500", form_id=uuid4())
    assert wrong.status_code == 409
    made = post(client, "app-charge", amount="20,000", form_id=uuid4())
    row = ChargeOrder.objects.get(citizen=citizen)
    assert made["Location"] == reverse("app-charge-order", args=[row.pk])
    assert "모의 은행에서 입금하기" in client.get(made["Location"]).content.decode()
    assert client.get(reverse("app-charge-state", args=[row.pk])).json()["next"] is None
    other = browser(stranger)
    for name in ("app-charge-order", "app-charge-state"):
        assert other.get(reverse(name, args=[row.pk])).status_code == 404
    assert post(other, "app-charge-simulate", row.pk).status_code == 404
    assert post(other, "app-charge-withdraw", row.pk).status_code == 404
    assert post(client, "app-charge-simulate", row.pk).status_code == 302
    assert town.money(citizen) == 20_000
    told = client.get(made["Location"]).content.decode()
    assert "충전했습니다" in told
    assert "모의" in told
    assert post(client, "app-charge-simulate", row.pk).status_code == 302
    assert town.money(citizen) == 20_000
    again = post(client, "app-charge", amount="5,000", form_id=uuid4())
    second = again["Location"].rstrip("/").rsplit("/", 1)[-1]
    assert post(client, "app-charge-withdraw", second).status_code == 302
    assert "취소한 주문입니다" in client.get(again["Location"]).content.decode()
    history = client.get(reverse("app-history"), {"group": "charge"}).content.decode()
    assert "+20,000" in history
    assert "모의" in history
    none = client.get(reverse("app-history"), {"group": "gift"}).content.decode()
    assert "고른 조건의 내역이 없습니다" in none


def test_a_gift_goes_from_the_form_to_the_other_wallet(town: Town):
    giver, receiver, stranger = town.citizen(), town.citizen(), town.citizen()
    town.charge(giver, 30_000)
    client, theirs = browser(giver), browser(receiver)
    code, form = members.member(receiver).code, uuid4()
    fields = {"to": code, "amount": "10,000", "words": "고마워요", "form_id": form}
    asked = post(client, "app-gift", **fields).content.decode()
    assert "이분에게 보낼까요?" in asked
    assert receiver.email not in asked
    assert not Gift.objects.filter(giver=giver).exists()
    sent = post(client, "app-gift", confirmed="1", **fields)
    gift = Gift.objects.get(giver=giver)
    address = reverse("app-gift-page", args=[gift.pk])
    assert sent["Location"] == address
    assert "선물로 따로 둔 돈" in client.get(reverse("app-wallet")).content.decode()
    assert "선물이 도착했습니다" in theirs.get(reverse("app")).content.decode()
    assert browser(stranger).get(address).status_code == 404
    assert client.post(address, {"act": "accept"}).status_code == 409
    assert theirs.get(reverse("app-gift-state", args=[gift.pk])).json()["next"] is None
    assert theirs.post(address, {"act": "accept"}).status_code == 302
    assert town.money(receiver) == 10_000
    assert client.post(address, {"act": "withdraw"}).status_code == 409
    assert "선물을 받았습니다" in theirs.get(address).content.decode()
    assert "고마워요" in theirs.get(reverse("app-history")).content.decode()
    assert gifts.refresh(gift).end == "accepted"


def test_a_refund_goes_through_two_officials(town: Town):
    citizen = town.citizen()
    order = town.charge(citizen, 40_000)
    client = browser(citizen)
    assert "환불 신청하기" in client.get(reverse("app-refund")).content.decode()
    form = {"lines": f"{order.pk}:40000", "bank": "데모은행", "number": "123-456-7890",
            "holder": "데모", "form_id": uuid4()}  # fmt: skip
    for wrong in ({"number": "12"}, {"lines": f"{order.pk}:39000"}, {"lines": "x:y"}, {"bank": ""}):
        assert client.post(reverse("app-refund"), {**form, **wrong}).status_code in (200, 409)
    assert not Refund.objects.filter(citizen=citizen).exists()
    made = client.post(reverse("app-refund"), form)
    row = Refund.objects.get(citizen=citizen)
    assert made["Location"] == reverse("app-refund-page", args=[row.pk])
    assert "환불을 신청했습니다" in client.get(made["Location"]).content.decode()
    assert client.get(reverse("app-refund-state", args=[row.pk])).json()["state"] == "applied"
    assert browser(town.citizen()).get(made["Location"]).status_code == 404
    first, second = browser(town.user(Role.OFFICIAL)), browser(town.user(Role.APPROVER))
    assert "****" not in first.get(reverse("console-refunds")).content.decode()
    refuse = {"decision": "refuse", "reason": ""}
    first.post(reverse("console-refund-decide", args=[row.pk]), refuse)
    row.refresh_from_db()
    assert row.stage == "asked"
    first.post(reverse("console-refund-decide", args=[row.pk]), {"decision": "approve"})
    assert first.post(reverse("console-refunds-release")).status_code == 403
    second.post(reverse("console-refunds-release"))
    row.refresh_from_db()
    assert row.stage == "paid"
    made_file = RefundFile.objects.get(pk=row.file_id)
    address = reverse("console-refund-file", args=[made_file.pk])
    assert first.get(address).status_code == 403
    assert b"1234567890" in second.get(address).content
    assert second.get(reverse("console-refunds")).status_code == 200


def test_officials_note_facts_and_telephone_numbers(town: Town):
    shop, citizen, desk = town.shop(name="사실 확인 가게"), town.citizen(), town.user(Role.OFFICIAL)
    client = browser(desk)
    address = reverse("console-shop-facts", args=[shop.pk])
    assert client.get(address).status_code == 200
    done = client.post(address, {
        "yearly_sales_krw": "4000000000", "kind": shop.kind, "region": "비전동", "in_city": "on",
        "source": "국세청 자료",
    })  # fmt: skip
    assert done.status_code == 302
    assert "받을 수 없음" in client.get(address).content.decode()
    phone = {"who": citizen.email, "phone": "010-0000-7777"}
    assert client.post(reverse("console-members"), phone).status_code == 302
    assert members.member(citizen).phone_end == "7777"
    unknown = client.post(reverse("console-members"), {"who": "x@y.invalid", "phone": "1"})
    assert unknown.status_code == 200
    assert browser(citizen).get(reverse("console-members")).status_code == 403


def test_the_payment_page_tells_whose_money_paid_and_what_came_back(town: Town):
    from test_payments import paid, shown

    from onsil.citizen.services import payments

    town.fund_cashback(1_000_000, "city")
    citizen, shop = town.citizen(), town.shop()
    town.charge(citizen, 20_000)
    town.give_money(citizen, 1_000, fund="policy:coupon-2026", rule="policy")
    payment = paid(payments.pay(shown(shop, 11_000).pk, citizen))
    page = browser(citizen).get(reverse("app-payment", args=[payment.pk])).content.decode()
    assert "정책지원금" in page
    assert "내가 충전한 돈" in page
    assert "시 10 %" in page
    assert "1,000원" in page
    other = town.shop(kind="market")
    town.give_money(citizen, 5_000, fund="policy:x", rule="kind:bakery")
    from test_screens import paying

    from onsil.citizen.services import codes

    code = codes.show_amount(other, 15_000)
    told = browser(citizen).get(paying(code)).content.decode()  # pyright: ignore
    assert "까지 결제할 수 있습니다" in told
