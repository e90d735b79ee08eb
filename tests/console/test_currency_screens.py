"""The currency office's screens: rules with sources, policy money, settlements, the trust.

Here transactions commit, since the ledger's writer answers on a connection of its own.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from city_hall import user
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from office import GONE, acts, said, shut_to, told
from small_town import CITY, Town

from onsil.citizen.models import Payment, PolicyGrant, Role, Settlement, User
from onsil.citizen.services import budgets, codes, payments, settlements, trust
from onsil.core.clock import FixedClock
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
    made = {str(role): user(f"currency-{role}", role) for role in roles}
    both = user("currency-both", Role.OFFICIAL, Role.APPROVER)
    return made | {"both": both, "citizen": user("currency-citizen")}


def text(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, (path, answer.status_code)
    return answer.content.decode()


# ---- rules


def test_the_rules_of_today_say_where_they_come_from(town: Town, people, as_user):
    page = text(as_user(people["official"]), reverse("currency"))
    for word in ("700,000원", "영업일 기준 D+2", "확인 전", "울산", "신유형 상품권 표준약관"):
        assert word in page, word
    assert "100,000원" in page
    assert "10,000원" in page, "what a citizen gets back of the example"


def test_a_past_day_shows_its_own_rules(town: Town, people, as_user):
    client = as_user(people["official"])
    past = text(client, reverse("currency") + "?on=2025-11-15")
    assert "13 %" in past
    assert "2025-11-15의 규칙" in past
    early = text(client, reverse("currency") + "?on=2001-01-01")
    assert "그날의 규칙은 없습니다" in early
    assert "2020-01-01의 규칙" in early
    assert "700,000원" in text(client, reverse("currency") + "?on=nonsense")


def test_the_rules_in_english(town: Town, people, as_user):
    client = as_user(people["official"])
    for name in ("currency", "currency-grants", "currency-settlements", "currency-trust"):
        page = client.get(reverse(name), headers={"accept-language": "en"}).content.decode()
        assert "Local currency" in page
        body = page.split("<main", 1)[1].split("</main>", 1)[0]
        left = re.sub(r'<(\w+)[^>]* lang="ko".*?</\1>', "", body, flags=re.S)
        assert not re.findall("[가-힣]+", left), name


@pytest.mark.parametrize(
    "name", ["currency", "currency-grants", "currency-settlements", "currency-trust",
             "currency-template"],
)  # fmt: skip
def test_only_staff_enter(town: Town, people, as_user, name: str):
    path = reverse(name)
    assert Client(SERVER_NAME="localhost").get(path).status_code == 302
    for who in ("verifier", "citizen"):
        assert as_user(people[who]).get(path).status_code == 403
    for who in ("official", "approver", "operator"):
        assert as_user(people[who]).get(path).status_code == 200


# ---- policy money


def upload(client: Client, town: Town, rows: str, title: str = "데모 지원금", **more):
    file = SimpleUploadedFile("list.csv", ("대상자,금액\n" + rows).encode(), "text/csv")
    data = {"form_id": str(uuid4()), "title": title, "file": file, "fund": "relief",
            "last_day": (town.clock.now() + timedelta(days=30)).date().isoformat(),
            "merchant_rule": "policy", **more}  # fmt: skip
    return client.post(reverse("currency-upload"), data, follow=True)


def test_a_list_goes_its_whole_way(town: Town, people, as_user):
    official, approver = as_user(people["official"]), as_user(people["approver"])
    first, second = town.citizen(), town.citizen()
    page = upload(official, town, f"{first.email},50000\n{second.email},30000\nx@y.kr,1\n")
    content = page.content.decode()
    assert "이 도시의 시민 지갑이 아닙니다" in content
    assert "예산 부족" in content
    grant = PolicyGrant.objects.latest("made_at")
    path = reverse("currency-grant", args=[grant.pk])
    ask, decide = (reverse(f"currency-{act}", args=[grant.pk]) for act in ("ask", "decide"))
    assert ask in content
    budget = {"form_id": str(uuid4()), "fund": "relief", "won": "100000"}
    for _ in range(2):
        assert "예산에 넣었습니다" in told(official, reverse("currency-budget"), **budget)
    assert "100,000원" in text(official, reverse("currency-grants"))
    assert "승인을 요청했습니다" in told(official, ask)
    assert decide not in text(official, path), "an official does not let lists go"
    assert "까닭을 적어" in told(approver, decide, decision="return")
    assert "승인했습니다" in told(approver, decide, decision="approve")
    done = text(approver, path)
    assert done.count("지급됨") >= 3
    assert (town.money(first), town.money(second)) == (50_000, 30_000)
    assert "승인했습니다" in told(approver, decide, decision="approve"), "clicked twice"
    assert town.money(first) == 50_000
    assert acts("policy-grant.approved") == 1
    rows = official.get(path + "?format=csv").content.decode("utf-8-sig")
    assert "지급됨" in rows
    assert "제외" in rows
    only = text(official, path + "?show=bad")
    assert "x@y.kr" in only
    assert first.email not in only


def test_who_uploaded_does_not_let_it_go(town: Town, people, as_user):
    both = as_user(people["both"])
    upload(both, town, f"{town.citizen().email},10\n")
    grant = PolicyGrant.objects.latest("made_at")
    decide = reverse("currency-decide", args=[grant.pk])
    told(both, reverse("currency-ask", args=[grant.pk]))
    page = text(both, reverse("currency-grant", args=[grant.pk]))
    assert decide not in page
    assert "올린 사람은 승인할 수 없습니다" in page
    assert "승인했습니다" not in told(both, decide, decision="approve")
    assert "반려했습니다" in told(
        as_user(people["approver"]), decide, decision="return", reason="금액 확인"
    )
    assert "금액 확인" in text(both, reverse("currency-grant", args=[grant.pk]))


def test_a_bad_upload_says_what_is_wrong_and_keeps_the_form(town: Town, people, as_user):
    official = as_user(people["official"])
    before = PolicyGrant.objects.count()
    empty = upload(official, town, "")
    assert empty.status_code == 400
    assert "대상자가 없습니다" in empty.content.decode()
    assert "데모 지원금" in empty.content.decode()
    missing = official.post(reverse("currency-upload"), {"title": "x"})
    assert missing.status_code == 400
    assert PolicyGrant.objects.count() == before
    wrong = official.post(reverse("currency-budget"), {"fund": "relief", "won": "-1"})
    assert wrong.status_code == 400
    form = {"form_id": str(uuid4()), "fund": "겨울", "won": "5"}
    assert "영문 소문자" in told(official, reverse("currency-budget"), **form)


def test_acts_are_shut_to_others(town: Town, people, as_user):
    upload(as_user(people["official"]), town, f"{town.citizen().email},10\n", title="닫힌 문")
    grant = PolicyGrant.objects.latest("made_at")
    others = [people[w] for w in ("verifier", "citizen", "operator")]
    for name in ("currency-ask", "currency-decide"):
        shut_to(others, as_user, reverse(name, args=[grant.pk]))
    for name in ("currency-upload", "currency-budget"):
        shut_to([*others, people["approver"]], as_user, reverse(name))
    approver, official = as_user(people["approver"]), as_user(people["official"])
    for client, name in ((official, "ask"), (approver, "decide")):
        path = reverse(f"currency-{name}", args=[GONE])
        assert client.post(path, {"decision": "approve"}).status_code == 404
    assert official.get(reverse("currency-grant", args=[GONE])).status_code == 404


# ---- settlements


def test_a_settled_day_with_its_fee_and_subsidy(town: Town, people, as_user):
    zone = city_profile(CITY).zone
    morning = FixedClock(town.clock.now().astimezone(zone).replace(hour=9, minute=0))
    official, approver = as_user(people["official"]), as_user(people["approver"])
    assert "아직 정산한 날이 없습니다" in text(official, reverse("currency-settlements"))
    budgets.fund_budgets(clock=morning)
    shop = town.shop(name="데모 반찬가게")
    code = codes.show_amount(shop, 40_000, clock=morning)
    paid = payments.pay(code.pk, town.citizen(money=40_000), clock=morning)  # pyright: ignore
    assert isinstance(paid, Payment)
    made = settlements.build(clock=FixedClock(morning.now() + timedelta(days=1)))
    assert isinstance(made, Settlement)
    page = text(official, reverse("currency-settlements"))
    assert "29,999,900원" in page, "what is left of the subsidy"
    detail = text(official, reverse("currency-settlement", args=[made.pk]))
    for word in ("데모 반찬가게", "영세(연 매출 3억 원 이하)", "100원", made.pay_day.isoformat()):
        assert word in detail, word
    release = reverse("console-release", args=[made.pk])
    assert release not in detail
    answer = approver.post(release, {"back": "settlements"}, follow=True)
    assert "지급을 승인했습니다" in said(answer)
    assert "지급일을 기다림" in answer.content.decode()
    gone = reverse("currency-settlement", args=[GONE])
    assert official.get(gone).status_code == 404


# ---- trust


def test_the_trusts_proof_on_the_screen(town: Town, people, as_user):
    official, path = as_user(people["official"]), reverse("currency-trust")
    assert "아직 기록이 없습니다" in text(official, path)
    today = FixedClock(town.clock.now())
    first = trust.record(clock=today)
    assert trust.record(clock=today).id == first.id
    today.advance(timedelta(days=1))
    trust.record(clock=today)
    page = text(official, path)
    assert "충분합니다" in page
    assert "날마다의 기록" in page
    assert str(first.id) in page
    assert acts("trust-report.made") == 2
    rows = official.get(path + "?format=csv").content.decode("utf-8-sig")
    assert len(rows.splitlines()) == 3
