"""Asking for a data set, step by step: the form, the official's decision, the key, its end."""

import re

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from offering import CITY, FILE, NOW, fill
from onsil import hub, proof
from onsil.citizen.models import Membership, Role, User
from onsil.core.clock import FixedClock
from onsil.hub.datasets.access import EVERYTHING, veil
from onsil.hub.datasets.measuring import keep_quality
from onsil.hub.datasets.quality import Part
from onsil.hub.datasets.registry import read_datasets
from onsil.hub.datasets.store import put_datasets
from onsil.hub.steps import run
from onsil.tenancy import city_scope, transaction

TAPS = "simulated-bus-taps"
GATE = f"urn:ngsi-ld:BusGate:{CITY}:sim-bus-1"
WORDS = {"purpose": "버스를 언제 많이 타는지 연구합니다.", "organisation": "", "days": "90"}


@pytest.fixture
def offered(db, city: str):
    catalogue, datasets = read_datasets(FILE)
    with transaction(CITY) as conn:
        run(conn, put_datasets(CITY, catalogue, datasets, NOW))
        fill(conn)
        hub.upsert_entities(conn, CITY, [
            {"id": GATE, "type": "BusGate", "name": "모의 버스 단말 1", "simulated": True,
             "location": {"type": "Point", "coordinates": [127.0857, 36.9911]}}
        ], clock=FixedClock(NOW))  # fmt: skip


def browser(name: str, *roles: Role) -> Client:
    client = Client(
        SERVER_NAME="localhost", headers={"accept-language": "ko", "accept": "text/html"}
    )
    user = User.objects.create_user(f"{name}@example.org", "long-enough-1", name=name)
    with city_scope(CITY):
        for role in roles:
            Membership.objects.create(city=CITY, user=user, role=role)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def anna(offered) -> Client:
    return browser("anna")


@pytest.fixture
def official(offered) -> Client:
    return browser("official", Role.OFFICIAL)


def unveil() -> None:
    """Each request is its own transaction in life; in a test they share one."""
    with transaction(CITY) as conn:
        run(conn, veil(EVERYTHING))


def text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    unveil()
    return answer.content.decode()


def waiting_id(official: Client) -> str:
    page = text(official, reverse("console-data-requests"))
    found = re.search(r"data-requests/([0-9a-f-]{36})/decide", page)
    assert found is not None
    return found[1]


def decide(official: Client, id: str, decision: str, reason: str = "") -> str:
    answer = official.post(reverse("console-data-request-decide", args=[id]),
                           {"decision": decision, "reason": reason}, follow=True)  # fmt: skip
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_stranger_sees_what_it_is_but_not_what_is_in_it(offered):
    stranger = Client(SERVER_NAME="localhost", headers={"accept-language": "ko"})
    page = text(stranger, reverse("data-set", args=[TAPS]))
    assert "신청 후 이용" in page
    assert "모의 버스 단말 1" not in page
    assert reverse("data-request", args=[TAPS]) in page
    assert reverse("data-set-csv", args=[TAPS]) not in page
    for form in ("csv", "parquet", "geojson", "xlsx"):
        answer = stranger.get(reverse(f"data-set-{form}", args=[TAPS]))
        assert answer.status_code == 401
        assert "WWW-Authenticate" in answer.headers
    assert "로그인" in text(stranger, reverse("data-request", args=[TAPS]))
    answer = stranger.post(reverse("data-request", args=[TAPS]), WORDS)
    assert "신청했습니다" not in answer.content.decode()


def test_from_the_request_to_the_key_and_its_end(anna, official):
    answer = anna.post(reverse("data-request", args=[TAPS]), WORDS, follow=True)
    assert "신청했습니다" in answer.content.decode()
    assert "검토를 기다립니다" in text(anna, reverse("data-requests"))
    id = waiting_id(official)
    assert "anna" in text(official, reverse("console-data-requests"))
    assert "버스를 언제 많이 타는지" in text(official, reverse("console-data-requests"))
    assert "까닭을 적어 주세요" in decide(official, id, "refuse")
    assert "처리했습니다" in decide(official, id, "approve")
    assert mail.outbox[-1].to == ["anna@example.org"]
    assert "승인" in mail.outbox[-1].subject
    page = text(anna, reverse("data-set", args=[TAPS]))
    assert "모의 버스 단말 1" in page
    assert anna.get(reverse("data-set-csv", args=[TAPS])).status_code == 200
    unveil()
    shown = anna.post(reverse("data-request-key", args=[id])).content.decode()
    key = re.search(r"odk_[\w-]{43}", shown)
    assert key is not None
    assert key[0] not in text(anna, reverse("data-requests"))
    program = Client(SERVER_NAME="localhost", headers={"Authorization": f"Bearer {key[0]}"})
    answer = program.get(reverse("data-set-csv", args=[TAPS]))
    assert answer.status_code == 200
    assert GATE in b"".join(answer.streaming_content).decode()  # pyright: ignore
    unveil()
    assert "까닭을 적어" in decide(official, id, "end")
    assert "처리했습니다" in decide(official, id, "end", "약속한 곳에 쓰지 않음")
    assert program.get(reverse("data-set-csv", args=[TAPS])).status_code == 401
    unveil()
    assert "약속한 곳에 쓰지 않음" in text(anna, reverse("data-requests"))
    with transaction(CITY) as conn:
        acts = proof.audit_trail(conn, CITY, subject_kind="data-set-request")
    assert [act.action for act in reversed(acts)] == [
        "data-set.asked", "data-set.approved", "data-set.key-made", "data-set.ended"
    ]  # fmt: skip
    assert key[0] not in str(acts)


def test_a_refusal_is_told_with_its_reason_and_one_may_ask_again(anna, official):
    anna.post(reverse("data-request", args=[TAPS]), WORDS)
    again = anna.post(reverse("data-request", args=[TAPS]), WORDS)
    assert again.status_code == 400
    assert "이미 신청하셨습니다" in again.content.decode()
    decide(official, waiting_id(official), "refuse", "쓸 곳이 분명하지 않음")
    assert "쓸 곳이 분명하지 않음" in mail.outbox[-1].body
    assert "쓸 곳이 분명하지 않음" in text(anna, reverse("data-requests"))
    assert anna.get(reverse("data-set-csv", args=[TAPS])).status_code == 302
    assert anna.post(reverse("data-request", args=[TAPS]), WORDS).status_code == 302


def test_nobody_decides_for_themselves_or_without_the_office(anna, official):
    official.post(reverse("data-request", args=[TAPS]), WORDS)
    page = text(official, reverse("console-data-requests"))
    assert "다른 담당자가 처리합니다" in page
    second = browser("second", Role.APPROVER)
    id = waiting_id(second)
    assert "스스로 신청한 것은" in decide(official, id, "approve")
    path = reverse("console-data-request-decide", args=[id])
    assert anna.post(path, {"decision": "approve"}).status_code == 403
    assert anna.get(reverse("console-data-requests")).status_code == 403
    assert anna.post(reverse("data-request-key", args=[id])).status_code == 302  # refused
    assert anna.post(reverse("data-request-withdraw", args=[id])).status_code == 404
    assert "처리했습니다" in decide(second, id, "approve")


def test_a_short_purpose_is_sent_back_with_what_was_typed(anna):
    answer = anna.post(reverse("data-request", args=[TAPS]), WORDS | {"purpose": "연구<b>"})
    assert answer.status_code == 400
    assert "연구&lt;b&gt;" in answer.content.decode()


def test_one_looks_for_formats_and_for_what_is_open(offered):
    page = reverse("data-sets")
    reader = Client(SERVER_NAME="localhost", headers={"accept-language": "ko"})
    counted = lambda query: text(reader, f"{page}?{query}").count("list__link")  # noqa: E731
    assert counted("access=request") == 1
    assert counted("access=open") == 9
    assert counted("form=parquet") == counted("form=json-ld") == 10
    assert counted("form=geojson") <= 10
    assert counted("form=shapefile") == 0


def test_a_data_set_shows_where_it_comes_from(offered):
    page = text(Client(SERVER_NAME="localhost"), reverse("data-set", args=["solar-generation"]))
    assert 'class="lineage"' in page
    assert "PVDAQ" in page
    assert "4,749" in page


def test_officials_see_use_by_data_set(official, anna):
    anna.get(reverse("data-set-csv", args=["simulated-soil-temperature"]))
    unveil()
    page = text(official, reverse("console-data-sets"))
    assert "모의 토양 온도" in page
    assert re.search(r'모의 토양 온도.*?<td class="number">1</td>', page, re.DOTALL)
    assert "데이터 세트" in page


def test_quality_is_shown_and_what_cannot_be_measured_is_no_zero(offered, official):
    parts = [Part("completeness", "readings", 999, 1000), Part("validity", "entities", 2, 2)]
    with transaction(CITY) as conn:
        run(conn, keep_quality(CITY, "simulated-soil-temperature", NOW.date(), parts, NOW))
    page = text(Client(SERVER_NAME="localhost", headers={"accept-language": "ko"}),
                reverse("data-set", args=["simulated-soil-temperature"]))  # fmt: skip
    assert "99.9%" in page
    assert "100%" in page
    assert page.count("아직 잴 수 없음") == 3 + 1  # and once in the explanation
    assert ">0%" not in page
    rows = text(official, reverse("console-data-sets"))
    assert "99.9%" in rows
