"""The registry desk: who may do what, proposals decided by another, and the sums shown."""

from uuid import uuid4

import pytest
from city_hall import CITY, CLOCK, CityHall, granted
from django.urls import reverse
from office import GONE, acts, said, shut_to

from onsil import footprint
from onsil.console.registry.acting import ACTS
from onsil.footprint import credits
from onsil.tenancy import transaction


@pytest.fixture
def batch(hall: CityHall) -> footprint.CreditBatch:
    hall.submitted(hall.official)
    with transaction(CITY) as tx:
        granted(footprint.approve_monitoring(tx, CITY, hall.monitoring.id, "checker", CLOCK))
        return granted(footprint.issue(tx, CITY, hall.monitoring.id, "job", CLOCK))


def state(batch: footprint.CreditBatch) -> dict[str, int]:
    with transaction(CITY) as tx:
        found = granted(credits.conservation(tx, CITY, batch.id))
    assert found.whole
    return {name: units for name, units in found.states.items() if units}


def ask(client, kind: str, **data):
    path = reverse("registry-act", kwargs={"kind": kind})
    return client.post(path, {"key": uuid4(), **data}, follow=True)


def waiting() -> credits.Action:
    with transaction(CITY) as tx:
        (found,) = credits.actions(tx, CITY, "proposed")
    return found


@pytest.mark.parametrize(
    "name", ["registry-desk", "registry-actions", "registry-projects", "registry-sums"]
)
def test_staff_and_verifiers_read_the_desk(hall: CityHall, batch, as_user, name: str):
    for person in (*hall.staff, hall.verifier):
        assert as_user(person).get(reverse(name)).status_code == 200
    assert as_user(hall.citizen).get(reverse(name)).status_code == 403


def test_the_desk_finds_units_and_gives_them_as_a_file(hall: CityHall, batch, as_user):
    browser = as_user(hall.official)
    text = browser.get("/console/registry/").content.decode()
    assert f"{batch.serial_prefix}-{batch.serial_first}…" in text
    assert f"project:{batch.project_id}" in text
    assert "맞는 구간이 없습니다" in browser.get(
        "/console/registry/", {"vintage": "1999"}
    ).content.decode()  # fmt: skip
    file = browser.get("/console/registry/", {"format": "csv"}).content.decode("utf-8-sig")
    assert f"project:{batch.project_id}" in file
    sums = browser.get("/console/registry/sums/", {"format": "csv"}).content.decode("utf-8-sig")
    assert f"{batch.serials},2025,{batch.tonnes}," in sums
    assert "True" in sums


def test_a_block_shows_accounts_and_what_can_be_done(hall: CityHall, batch, as_user):
    with transaction(CITY) as tx:
        block = credits.blocks(tx, CITY, batch.id)[0]
    path = reverse("registry-desk-unit", kwargs={"block": block.id})
    text = as_user(hall.official).get(path).content.decode()
    for word in ("내보내기", "배출권으로 전환", "발행량과 일치", f"project:{batch.project_id}"):
        assert word in text, word
    assert "registry/act/" not in as_user(hall.verifier).get(path).content.decode()
    assert as_user(hall.official).get(f"/console/registry/units/{GONE}/").status_code == 404


def test_every_form_opens_for_those_who_may(hall: CityHall, as_user):
    for kind in ACTS:
        path = reverse("registry-act", kwargs={"kind": kind})
        assert as_user(hall.official).get(path).status_code == 200, kind
        assert as_user(hall.verifier).get(path).status_code == 403
        assert as_user(hall.operator).post(path).status_code == 403
    assert as_user(hall.official).get("/console/registry/act/nothing/").status_code == 404


def test_an_export_is_proposed_by_one_and_decided_by_another(hall: CityHall, batch, as_user):
    account = f"project:{batch.project_id}"
    terms = {"batch": batch.id, "account": account, "units": 1, "registry": "R", "recipient": "7"}
    assert "다른 담당자의 결정을 기다립니다" in said(ask(as_user(hall.both), "export", **terms))
    assert state(batch)["pending-export"] == 1
    path = reverse("registry-decide", kwargs={"action": waiting().id})
    shut_to([hall.official, hall.verifier], as_user, path, decision="approve")
    own = said(as_user(hall.both).post(path, {"decision": "approve", "serials": "X"}, follow=True))
    assert "요청한 사람은 결정할 수 없습니다" in own
    approver = as_user(hall.approver)
    assert "일련번호" in said(approver.post(path, {"decision": "approve"}, follow=True))
    assert "처리했습니다" in said(
        approver.post(path, {"decision": "approve", "serials": "X-1"}, follow=True)
    )
    assert state(batch)["exported"] == 1
    assert acts("units.export.approved") == 1
    assert "이미 결정된" in said(approver.post(path, {"decision": "approve"}, follow=True))
    gone = reverse("registry-decide", kwargs={"action": GONE})
    assert approver.post(gone, {"decision": "approve"}).status_code == 404


def test_a_rejected_proposal_leaves_everything_as_it_was(hall: CityHall, batch, as_user):
    account, before = f"project:{batch.project_id}", state(batch)
    terms = {"batch": batch.id, "account": account, "units": 1, "registry": "R", "recipient": "7"}
    ask(as_user(hall.official), "export", **terms)
    path = reverse("registry-decide", kwargs={"action": waiting().id})
    approver = as_user(hall.approver)
    assert "반려 사유" in said(approver.post(path, {"decision": "reject"}, follow=True))
    assert "처리했습니다" in said(
        approver.post(path, {"decision": "reject", "reason": "수신처 확인"}, follow=True)
    )
    assert state(batch) == before
    assert "수신처 확인" in approver.get("/console/registry/actions/").content.decode()


def test_a_loss_is_reported_and_shown(hall: CityHall, batch, as_user):
    terms = {
        "project": batch.project_id, "cause": "fire", "tonnes": "1.5",
        "happened_on": "2025-07-01", "evidence": "소방서 확인",
    }  # fmt: skip
    ask(as_user(hall.official), "reversal", **terms)
    path = reverse("registry-decide", kwargs={"action": waiting().id})
    as_user(hall.approver).post(path, {"decision": "approve"})
    text = as_user(hall.official).get("/console/registry/projects/").content.decode()
    assert "소방서 확인" in text
    assert "화재" in text


def test_statements_are_made_in_one_step(hall: CityHall, batch, as_user):
    browser = as_user(hall.official)
    year = CLOCK.now().year
    done = [
        ask(browser, "label", label="CCP", batch=batch.id, starts=f"{year - 1}-01-01",
            reference="decision 7"),
        ask(browser, "adjustment", batch=batch.id, declaration="Committed", status="Not Started",
            country="KR", letter="LoA 1", letter_on="2025-01-02"),
        ask(browser, "plan", project=batch.project_id, vintage=year + 1, units=5, basis="model"),
        ask(browser, "holder", account="company:x", name="공개 기업"),
        ask(browser, "elsewhere", registry="R", serials="R-1", units=1, beneficiary="b",
            retired_on="2025-01-02", evidence="page"),
        ask(browser, "cancel", batch=batch.id, account=f"project:{batch.project_id}", units=1,
            reason="오류"),
        ask(browser, "transfer", batch=batch.id, account=f"project:{batch.project_id}", units=1,
            destination="company:x"),
    ]  # fmt: skip
    for one in done:
        assert "처리했습니다" in said(one)
    text = browser.get("/console/registry/projects/").content.decode()
    assert "계획한 크레딧" in text
    assert state(batch)["cancelled"] == 1
    public = browser.get("/registry/units/", {"holder": "공개"}).content.decode()
    assert "공개 기업" in public


def test_a_refusal_is_told_on_the_form_and_nothing_happens(hall: CityHall, batch, as_user):
    before = state(batch)
    answer = ask(
        as_user(hall.official), "cancel", batch=batch.id, account="buffer", units=1, reason="x"
    )
    assert "보유자의 계정이 아닙니다" in answer.content.decode()
    assert ask(as_user(hall.official), "cancel", batch="no", units=0).status_code == 200
    assert state(batch) == before
