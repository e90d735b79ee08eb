"""The accountants' screens: files in, exceptions handled, days closed, statements handed out."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from city_hall import CITY, user
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from office import GONE, acts, balance, said, shut_to, told

from ledger.reconciliation.town import DAY, Town, found
from onsil import ledger
from onsil.citizen.models import Merchant, Role, User
from onsil.citizen.reference import new_reference
from onsil.citizen.services import Application, merchants, people
from onsil.console.books import work
from onsil.ledger import closing, reconciliation
from onsil.tenancy import transaction

STAFF = ("official", "approver", "both", "operator")


@pytest.fixture
def town(db, city: str, monkeypatch) -> Iterator[Town]:
    """The small city's books at nine in the morning, the screens' clock set by the test."""
    with transaction(city) as conn:
        made = found(conn)
        monkeypatch.setattr(work, "CLOCK", made.clock)
        yield made


@pytest.fixture
def staff(town: Town) -> dict[str, User]:
    return {
        "official": user("books-official", Role.OFFICIAL),
        "approver": user("books-approver", Role.APPROVER),
        "both": user("books-both", Role.OFFICIAL, Role.APPROVER),
        "operator": user("books-operator", Role.OPERATOR),
        "verifier": user("books-verifier", Role.VERIFIER),
        "citizen": user("books-citizen"),
    }


@pytest.fixture
def desk(staff, as_user) -> Client:
    return as_user(staff["official"])


def bring(client: Client, content: bytes, form: str = "bank-csv", **more):
    file = SimpleUploadedFile("통장 3월.csv", content)
    data = {"account": "trust", "form": form, "file": file, **more}
    return client.post(reverse("books-files"), data, follow=True)


def lines(side: str = "bank"):
    with transaction(CITY) as conn:
        return reconciliation.open_lines(conn, CITY, "trust", side)  # pyright: ignore


def page(client: Client, name: str, *args, status: int = 200, **query) -> str:
    answer = client.get(reverse(name, args=args), query)
    assert answer.status_code == status, answer.status_code
    return answer.content.decode()


def test_who_may_look_and_who_may_work(town, staff, as_user):
    town.bank_says(500)
    town.reconciled()
    line = lines()[0].id
    for name in ("books", "books-files", "books-exceptions", "books-closes"):
        for who in (*STAFF, "verifier"):
            page(as_user(staff[who]), name)
        page(as_user(staff["citizen"]), name, status=403)
    page(as_user(staff["verifier"]), "books-statements", status=403)
    page(as_user(staff["verifier"]), "books-statement-file", "csv", status=403)
    others = [staff["verifier"], staff["operator"], staff["citizen"]]
    shut_to(others, as_user, reverse("books-act", args=[line]), act="match", reason="x")
    shut_to(others, as_user, reverse("books-hand-over", args=[line]))
    shut_to(others, as_user, reverse("books-comment", args=[line]), text="x")
    shut_to(others, as_user, reverse("books-undo", args=[line, GONE]), reason="x")
    shut_to(others, as_user, reverse("books-close-do", args=[DAY.isoformat()]))
    shut_to([*others, staff["official"]], as_user, reverse("books-decide", args=[GONE]))
    shut_to([*others, staff["official"]], as_user,
            reverse("books-close-decide", args=[DAY.isoformat()]))  # fmt: skip
    assert bring(as_user(staff["verifier"]), town.file()).status_code == 403


def test_a_file_is_brought_in_matched_and_kept(town, desk):
    town.charge("c1", 50_000)
    town.bank_says(50_000)
    town.bank_says(120, text="예금이자")
    answer = bring(desk, town.file())
    assert "2줄 가운데 새로운 2줄을 들이고 1건을 맞췄습니다" in said(answer)
    text = answer.content.decode()
    assert "통장 3월.csv" in text
    assert "예금이자" in text
    file = answer.context["file"]
    original = desk.get(reverse("books-file-original", args=[file.id]))
    assert original.content == town.file()
    assert "attachment" in original["Content-Disposition"]
    assert "이미 들인 파일입니다" in said(bring(desk, town.file()))
    assert "통장 3월.csv" in page(desk, "books-files")
    assert "통장 3월.csv" in page(desk, "books")
    page(desk, "books-file", GONE, status=404)
    page(desk, "books-file-original", GONE, status=404)


def test_what_cannot_be_read_is_told_place_by_place_and_nothing_is_taken(town, desk):
    town.told.append("2026-03-02,10:00,0,많이,1,,<b>나쁜</b>,,")
    answer = bring(desk, town.file())
    assert answer.status_code == 409
    text = answer.content.decode()
    assert "원 단위 금액이 아닙니다" in text
    assert "incoming" in text
    assert lines() == []
    assert bring(desk, b"\x00\x01", "bank-xlsx").status_code == 409
    assert bring(desk, town.file(), first="2026-03-05").status_code == 409
    assert bring(desk, town.file(), first="2026-03-05", last="2026-03-01").status_code == 409
    assert desk.post(reverse("books-files"), {"account": "trust"}).status_code == 409


def test_the_same_in_english(town, desk):
    desk.cookies["django_language"] = "en"
    town.told.append("2026-03-02,10:00,0,lots,1,,,,")
    text = bring(desk, town.file()).content.decode()
    assert "not an amount in whole won" in text
    assert "Bank and card files" in text
    town.told.clear()
    town.bank_says(120)
    text = bring(desk, town.file()).content.decode()
    for name in ("books", "books-exceptions", "books-closes", "books-statements"):
        text += page(desk, name)
    text += page(desk, "books-exception", lines()[0].id)
    town.to_day(1)
    text += page(desk, "books-close", DAY.isoformat())
    import re

    mains = " ".join(re.findall(r"(?s)<main.*?</main>", text))
    body = re.sub(r"(?s)<(script|style).*?</\1>|<[^>]+>", " ", mains)
    korean = {w for w in re.findall("[가-힣]+", body)}
    known = {"통장", "월", "이체", "데모", "담당", "공무원", "평택시", "한국어", "온실"}
    assert not {w for w in korean if not any(k.startswith(w) or w in k for k in known)}, korean


def test_exceptions_are_listed_filtered_and_exported(town, desk):
    town.bank_says(120, text="예금이자")
    town.bank_says(-700, text="=cmd", party="모르는 곳")
    town.charge("c1", 9_000)
    town.to_day(5)
    bring(desk, town.file())
    text = page(desk, "books-exceptions")
    assert "예외 3건" in text
    assert "장부에 없음" in text
    assert "은행에 없음" in text
    assert "예외 1건" in page(desk, "books-exceptions", problem="missing-in-bank")
    assert "예외 2건" in page(desk, "books-exceptions", side="bank", account="trust")
    assert "이 조건에 맞는 예외가 없습니다" in page(desk, "books-exceptions", older="30")
    assert "예외 3건" in page(desk, "books-exceptions", older="many")
    file = desk.get(reverse("books-exceptions"), {"format": "csv", "side": "bank"})
    rows = file.content.decode("utf-8-sig").splitlines()
    assert len(rows) == 3
    assert "'=cmd" in file.content.decode()


def test_an_exception_is_corrected_with_a_reason(town, desk):
    town.bank_says(120, text="예금이자")
    bring(desk, town.file())
    line = lines()[0].id
    where = reverse("books-act", args=[line])
    assert "예금 이자 (이자 계정)" in page(desk, "books-exception", line)
    no = desk.post(where, {"act": "correct", "correction": "interest", "reason": " "})
    assert no.status_code == 409
    assert "사유를 적어 주세요" in no.content.decode()
    no = desk.post(where, {"act": "match", "reason": "까닭"})
    assert no.status_code == 409
    done = {"act": "correct", "correction": "interest", "reason": "분기 이자"}
    assert "처리했습니다" in told(desk, where, **done)
    assert balance("interest:trust") == 120
    assert desk.post(where, done).status_code == 409
    assert balance("interest:trust") == 120
    assert "열린 예외가 없습니다" in page(desk, "books-exceptions")
    story = page(desk, "books-exception", line)
    assert "분기 이자" in story
    assert "되돌리기" in story
    assert acts("reconciliation.correct") == 1


def test_two_lines_are_matched_commented_and_taken_apart(town, desk):
    town.charge("c1", 30_000)
    town.bank_says(30_000, days=9, text="늦은 입금")
    town.to_day(10)
    bring(desk, town.file())
    (bank,), (book,) = lines("bank"), lines("book")
    text = page(desk, "books-exception", bank.id)
    assert "짝일 수 있음" in text
    assert "적어 두었습니다" in told(desk, reverse("books-comment", args=[bank.id]), text="전화함")
    assert "사유를 적어" in told(desk, reverse("books-comment", args=[bank.id]), text=" ")
    done = told(desk, reverse("books-act", args=[bank.id]), act="match", lines=str(book.id),
                reason="은행이 늦음")  # fmt: skip
    assert "처리했습니다" in done
    assert lines() == []
    answer = desk.get(reverse("books-exception", args=[bank.id]))
    match = next(e["one"].match_id for e in answer.context["events"] if e["one"].match_id)
    undo = reverse("books-undo", args=[bank.id, match])
    assert "사유를 적어" in told(desk, undo, reason="")
    assert "처리했습니다" in told(desk, undo, reason="다른 돈")
    assert len(lines()) == 1
    assert "이미 되돌렸거나" in told(desk, undo, reason="또")
    assert "전화함" in page(desk, "books-exception", bank.id)


def test_nonsense_changes_nothing(town, desk):
    town.bank_says(120)
    bring(desk, town.file())
    line = lines()[0].id
    where = reverse("books-act", args=[line])
    assert desk.post(where, {"act": "burn", "reason": "x"}).status_code == 404
    assert desk.post(where, {"act": "match", "lines": "x", "reason": "x"}).status_code == 404
    gone = desk.post(where, {"act": "match", "lines": GONE, "reason": "x"})
    assert gone.status_code == 409
    assert desk.post(reverse("books-act", args=[GONE]), {"act": "match"}).status_code == 404
    page(desk, "books-exception", GONE, status=404)
    assert len(lines()) == 1


def test_above_the_limit_another_approves(town, staff, as_user):
    both, approver = as_user(staff["both"]), as_user(staff["approver"])
    town.bank_says(500_000, text="모르는 입금")
    bring(both, town.file())
    where = reverse("books-act", args=[lines()[0].id])
    done = told(both, where, act="correct", correction="suspense", reason="확인 중")
    assert "다른 사람의 승인을 기다립니다" in done
    assert balance("suspense:trust") == 0
    with transaction(CITY) as conn:
        (asked,) = reconciliation.waiting_proposals(conn, CITY)
    decide = reverse("books-decide", args=[asked["id"]])
    assert decide not in page(both, "books-exceptions")
    assert "요청한 사람은 승인할 수 없습니다" in told(both, decide, decision="approve")
    assert decide in page(approver, "books-exceptions")
    assert "승인했습니다" in told(approver, decide, decision="approve")
    assert balance("suspense:trust") == 500_000
    assert "이미 처리된 요청" in told(approver, decide, decision="approve")
    assert approver.post(reverse("books-decide", args=[GONE])).status_code == 404


def a_day(town: Town, client: Client) -> None:
    town.charge("c1", 50_000)
    town.bank_says(50_000)
    bring(client, town.file())
    town.to_day(1)


def test_a_clean_day_is_looked_at_and_closed(town, desk):
    a_day(town, desk)
    text = page(desk, "books-close", DAY.isoformat())
    assert "모든 것이 맞습니다" in text
    assert "이 날을 마감" in text
    assert "50,000" in text
    done = told(desk, reverse("books-close-do", args=[DAY.isoformat()]))
    assert "마감했습니다" in done
    text = page(desk, "books-close", DAY.isoformat())
    assert "마감됨" in text
    assert "이 날을 마감" not in text
    again = desk.post(reverse("books-close-do", args=[DAY.isoformat()]))
    assert again.status_code == 409
    assert "마감됨" in page(desk, "books-closes", month="2026-03")
    assert DAY.isoformat() in page(desk, "books")
    page(desk, "books-closes", month="soon")
    page(desk, "books-close", "soon", status=404)
    page(desk, "books-close", (DAY + timedelta(days=30)).isoformat(), status=404)
    assert desk.post(reverse("books-close-do", args=["soon"])).status_code == 404


def test_a_day_not_in_order_needs_a_reason_and_two_people(town, staff, as_user):
    desk, approver = as_user(staff["both"]), as_user(staff["approver"])
    town.charge("c1", 50_000)
    town.to_day(1)
    where = reverse("books-close-do", args=[DAY.isoformat()])
    assert "이 날의 파일이 들어오지 않았습니다" in page(desk, "books-close", DAY.isoformat())
    assert desk.post(where).status_code == 409
    assert desk.post(where, {"reason": ""}).status_code == 409
    assert "승인을 기다립니다" in told(desk, where, reason="은행 휴일")
    decide = reverse("books-close-decide", args=[DAY.isoformat()])
    assert decide not in page(desk, "books-close", DAY.isoformat())
    assert "요청한 사람은" in told(desk, decide, decision="approve")
    assert "승인하지 않았습니다" in told(approver, decide, decision="decline")
    told(desk, where, reason="은행 휴일")
    assert decide in page(approver, "books-close", DAY.isoformat())
    assert "마감했습니다" in told(approver, decide, decision="approve")
    text = page(desk, "books-close", DAY.isoformat())
    assert "은행 휴일" in text
    assert "사유를 달고 마감됨" in text
    assert "기다리는 마감 요청이 없습니다" in told(approver, decide, decision="approve")
    assert acts("close.closed") == 1


def asked(account: str, **more) -> str:
    return urlencode({"account": account, "asset": "KRW", "first": DAY.isoformat(),
                      "last": DAY.isoformat(), **more})  # fmt: skip


def test_officials_take_any_accounts_statement(town, desk):
    a_day(town, desk)
    text = desk.get(f"{reverse('books-statements')}?{asked('trust:local')}").content.decode()
    assert "50,000" in text
    for form, magic in (("csv", b"\xef\xbb\xbf"), ("xlsx", b"PK"), ("pdf", b"%PDF-")):
        answer = desk.get(f"{reverse('books-statement-file', args=[form])}?{asked('trust:local')}")
        content = b"".join(answer)  # pyright: ignore
        assert content.startswith(magic), form
        assert f".{form}" in answer["Content-Disposition"]
    nobody = desk.get(f"{reverse('books-statements')}?{asked('trust:nobody')}")
    assert nobody.status_code == 409
    assert "장부가 없습니다" in nobody.content.decode()
    backwards = f"{reverse('books-statements')}?{asked('trust:local', last='2026-01-01')}"
    assert "처음 날보다 앞섭니다" in desk.get(backwards).content.decode()
    page(desk, "books-statement-file", "csv", status=404)
    page(desk, "books-statement-file", "doc", status=404)
    gone = desk.get(f"{reverse('books-statement-file', args=['csv'])}?{asked('trust:nobody')}")
    assert gone.status_code == 409


def test_citizens_and_shops_take_their_own_and_nobody_elses(town, staff, as_user):
    saver, owner = user("books-saver"), user("books-owner")
    people.admit(saver, "counter")
    application = Application("데모 빵집", "000-00-00000", "bakery", "", 1)
    shop = merchants.apply(owner, application)
    assert isinstance(shop, Merchant)
    merchants.decide(shop.pk, True, actor=staff["official"])
    local = f"local:{CITY}"
    mine, theirs = f"citizen:{saver.pk}", f"merchant:{shop.pk}"
    ledger.open_accounts(town.conn, CITY, [
        ledger.AccountSpec(mine, local, "citizen", lots=True),
        ledger.AccountSpec(theirs, local, "merchant", lots=True),
    ])  # fmt: skip
    town.post("g", "charge", ledger.Leg("external:bank", "trust:local", "KRW", 5_000),
              ledger.Leg("issuer:local", mine, local, 5_000,
                         lot=ledger.LotTerms("charge")))  # fmt: skip
    town.post("p", "payment", ledger.Leg(mine, theirs, local, 3_000), origin_kind="payment",
              origin_id="p")  # fmt: skip
    phone, till = as_user(saver), as_user(owner)
    assert "거래내역서" in page(phone, "app-statement")
    assert "거래내역서" in page(till, "shop-statement")
    query = {"asset": local, "month": "2026-03"}
    own = b"".join(phone.get(reverse("app-statement-file", args=["csv"]), query)).decode()  # pyright: ignore
    assert "데모 빵집" in own
    sold = till.get(reverse("shop-statement-file", args=["csv"]), query)
    text = b"".join(sold).decode()  # pyright: ignore
    assert "3000" in text
    assert str(saver.pk) not in text
    assert str(saver.pk) not in sold["Content-Disposition"]
    pdf = phone.get(reverse("app-statement-file", args=["pdf"]), query)
    assert b"".join(pdf).startswith(b"%PDF-")  # pyright: ignore
    for wrong in ({"asset": "KRW", "month": "2026-03"}, {"asset": local, "month": "x"},
                  {"asset": local}, {"asset": local, "month": "2026-13"}):  # fmt: skip
        assert phone.get(reverse("app-statement-file", args=["csv"]), wrong).status_code == 404
    assert phone.get(reverse("app-statement-file", args=["doc"]), query).status_code == 404
    assert till.get(reverse("app-statement-file", args=["csv"]), query).status_code == 302


def test_receivers_are_shown_money_once(town, monkeypatch):
    from onsil.ledger.reconciliation import Receiver, Taken, receivers, register_receiver

    seen: list[str] = []

    def take(city, new, clock):
        seen.extend(line.reference for line in new)
        return [Taken(line.id, "matched") for line in new]

    monkeypatch.setattr("onsil.ledger.reconciliation.receiving._registered", {})
    register_receiver("test", Receiver(take, lambda line: bool(line.reference)))
    assert set(receivers()) == {"test"}
    town.bank_says(7_000, memo="91234567890128")
    town.bank_says(-100)
    town.bank_says(300, text="번호 없음")
    for _ in range(2):
        work.bring_in(CITY, "trust", "bank-csv", "x.csv", town.file(), "user:x", town.clock)
    assert seen == ["91234567890128"]
    by_text = {line.text: line.id for line in lines()}
    assert work.hand_over(CITY, by_text["번호 없음"], town.clock)
    assert seen == ["91234567890128", ""]
    assert not work.hand_over(CITY, by_text["번호 없음"], town.clock)


def test_money_for_a_charge_goes_to_its_office(town, desk):
    """A line that names no charge waits for an accountant, who may hand it over."""
    town.bank_says(7_000, text="번호 없이 보냄", party="김하나")
    town.bank_says(9_000, memo=f"충전 {new_reference()}")
    bring(desk, town.file())
    named = next(line for line in lines() if line.reference)
    plain = next(line for line in lines() if not line.reference)
    assert "충전 확인에서 예외" in page(desk, "books-exception", named.id)
    text = page(desk, "books-exception", plain.id)
    assert "충전 입금으로 넘기기" in text
    where = reverse("books-hand-over", args=[plain.id])
    assert "충전 입금으로 넘겼습니다" in told(desk, where)
    assert "넘길 수 없습니다" in told(desk, where)
    text = page(desk, "books-exception", plain.id)
    assert "충전 확인에서 예외" in text
    assert "충전 입금으로 넘기기" not in text


def test_yesterday_is_closed_by_the_job_when_it_is_in_order(town, desk):
    a_day(town, desk)
    made, no = work.close_yesterday(CITY, town.clock)
    assert [c.day for c in made] == [DAY]
    assert no is None
    assert made[0].closed_by == work.JOB
    assert "저절로" in page(desk, "books-close", DAY.isoformat())
    assert work.close_yesterday("goyang", town.clock) == ([], None)


def test_the_jobs_run_over_every_city(town, desk, monkeypatch):
    from onsil.console.books import jobs

    a_day(town, desk)
    jobs.reconcile(0)
    town.clock.instant -= timedelta(hours=4)
    jobs.close(0)
    with transaction(CITY) as conn:
        assert closing.last_closed(conn, CITY) is None
    town.clock.instant += timedelta(hours=4)
    jobs.close(0)
    with transaction(CITY) as conn:
        assert closing.last_closed(conn, CITY) == DAY


def test_a_city_without_bank_accounts_sees_how_to_begin(town, staff):
    for role in (Role.OFFICIAL,):
        people.give_role(staff["official"], role)
    from onsil.tenancy import city_scope

    with city_scope("goyang"):
        people.give_role(staff["official"], Role.OFFICIAL)
    other = Client(SERVER_NAME="goyang.localhost")
    other.force_login(staff["official"], backend="django.contrib.auth.backends.ModelBackend")
    text = other.get(reverse("books")).content.decode()
    assert "대사할 계좌가 없습니다" in text
