"""What officials do on their screens: each act by the right role, once, and refused with words."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import uuid4

import pytest
from city_hall import CITY, CLOCK, CityHall, granted
from django.urls import reverse
from footprint_world import GAS_2022, SAR_2018, World, fill, site
from office import GONE, acts, balance, said, shut_to, told

from onsil import footprint, ledger
from onsil.core.periods import local_day
from onsil.core.refusal import Refusal
from onsil.rewards import services as rewards
from onsil.rewards.models import BudgetFunding
from onsil.tenancy import transaction
from onsil.tenancy.cities import city as city_profile

pytestmark = pytest.mark.django_db
FUND = "fund:incentive"


# ---------------------------------------------------------------- the budget


@pytest.fixture
def money(hall: CityHall) -> int:
    """A million won in the incentive fund."""
    specs = [
        ledger.AccountSpec("external:bank", "KRW", "bank", minimum=None),
        ledger.AccountSpec(FUND, "KRW", "fund"),
    ]
    leg = ledger.Leg("external:bank", FUND, "KRW", 1_000_000)
    with transaction(CITY) as tx:
        ledger.open_accounts(tx, CITY, specs)
        asked = ledger.TransferRequest("given", "gift", (leg,), CLOCK.now())
        assert ledger.post(tx, CITY, [asked], CLOCK)["given"].transfer_id
    return 1_000_000


def budget() -> int:
    year = local_day(CLOCK.now(), city_profile(CITY).zone).year
    return balance(f"budget:bus-weekly:{year}")


def test_an_approver_fills_a_budget_once(hall: CityHall, money: int, as_user):
    path, before = reverse("console-fund", args=["bus-weekly"]), budget()
    approver = as_user(hall.approver)
    sent = {"amount": "300000", "key": str(uuid4())}
    assert "채웠습니다" in told(approver, path, **sent)
    told(approver, path, **sent)
    assert (balance(FUND), budget()) == (700_000, before + 300_000)
    assert BudgetFunding.objects.filter(city=CITY, account=FUND).count() == 1
    assert acts("budget.fund") == 1 + acts_of_the_plan()
    page = approver.get(reverse("console-programme", args=["bus-weekly"])).content.decode()
    assert "700,000" in page


def acts_of_the_plan() -> int:
    return BudgetFunding.objects.filter(city=CITY).exclude(account=FUND).count()


def test_a_used_form_fills_no_other_sum_or_programme(hall: CityHall, money: int, as_user):
    approver, key = as_user(hall.approver), str(uuid4())
    told(approver, reverse("console-fund", args=["bus-weekly"]), amount="1000", key=key)
    others = [p.code for p in rewards.programmes(CITY) if p.code != "bus-weekly"]
    for code, amount in (("bus-weekly", "2000"), (others[0], "1000")):
        words = told(approver, reverse("console-fund", args=[code]), amount=amount, key=key)
        assert "이미 1,000원을 채웠습니다" in words
    assert balance(FUND) == money - 1000


NO_SUMS = [
    ({"amount": "0", "key": GONE}, "금액(원): "),
    ({"amount": "-5", "key": GONE}, "금액(원): "),
    ({"amount": "1.5", "key": GONE}, "금액(원): "),
    ({"amount": "많이", "key": GONE}, "금액(원): "),
    ({"amount": str(10**13), "key": GONE}, "금액(원): "),
    ({"amount": "1000"}, "새로 고친 뒤"),
    ({"amount": "1000", "key": "x"}, "새로 고친 뒤"),
    ({"amount": "1000001", "key": GONE}, "잔액이 부족합니다"),
]


def test_what_is_no_sum_moves_no_money(hall: CityHall, money: int, as_user):
    before = budget()
    path = reverse("console-fund", args=["bus-weekly"])
    for sent, words in NO_SUMS:
        assert words in told(as_user(hall.approver), path, **sent)
        assert (balance(FUND), budget()) == (money, before)


def test_only_approvers_fill_budgets_that_there_are(hall: CityHall, money: int, as_user):
    path = reverse("console-fund", args=["bus-weekly"])
    sent = {"amount": "1", "key": str(uuid4())}
    shut_to([hall.official, hall.operator, hall.verifier, hall.citizen], as_user, path, **sent)
    unknown = reverse("console-fund", args=["no-such"])
    assert as_user(hall.approver).post(unknown, sent).status_code == 404
    assert balance(FUND) == money


# ---------------------------------------------------------------- projects and periods


def project_form(**changes: object) -> dict[str, object]:
    return {
        "code": "DEMO-SOLAR-2", "name_ko": "데모 둘째 사업", "name_en": "Demo second project",
        "programme": "kr-offset", "methodology": "solar-self-consumption",
        "starts": "2025-01-01", "ends": "2030-01-01", "buffer_percent": "12.5", **changes,
    }  # fmt: skip


def registered() -> list[footprint.Project]:
    with transaction(CITY) as tx:
        return footprint.projects(tx, CITY)


def test_an_official_registers_a_project_once(hall: CityHall, as_user):
    path, official = reverse("console-project-new"), as_user(hall.official)
    first = official.post(path, project_form(), follow=True)
    assert "사업을 등록했습니다" in said(first)
    again = official.post(path, project_form(), follow=True)
    assert again.redirect_chain == first.redirect_chain
    (made,) = [p for p in registered() if p.code == "DEMO-SOLAR-2"]
    assert (made.buffer_bp, made.ends, made.actor) == (
        1250, date(2030, 1, 1), str(hall.official.pk),
    )  # fmt: skip
    assert reverse("console-project", args=[made.id]) in first.redirect_chain[-1][0]
    assert acts("project.registered") == 2  # with the one of the hall


WRONG_PROJECTS = [
    ({"code": ""}, "사업 번호: "),
    ({"code": "두 낱말"}, "사업 번호: "),
    ({"name_en": "x" * 121}, "이름(영어): "),
    ({"programme": "a b"}, "감축 제도: "),
    ({"methodology": "wishing"}, "방법론: "),
    ({"starts": "어제"}, "인정 시작일: "),
    ({"starts": "0001-01-01"}, "2000년부터 2199년까지"),
    ({"ends": "9999-12-31"}, "2000년부터 2199년까지"),
    ({"ends": "2024-12-31"}, "시작보다 빠릅니다"),
    ({"buffer_percent": "51"}, "유보 비율(%): "),
    ({"code": "DEMO-SOLAR-1"}, "다른 조건으로 이미 등록"),
]


def test_a_wrong_project_is_named_and_not_registered(hall: CityHall, as_user):
    before = registered()
    for changes, words in WRONG_PROJECTS:
        sent = project_form(**changes)
        assert words in told(as_user(hall.official), reverse("console-project-new"), **sent)
        assert registered() == before


def periods(project: footprint.Project) -> list[footprint.Monitoring]:
    with transaction(CITY) as tx:
        return footprint.monitorings(tx, CITY, project.id)


def test_an_official_opens_a_period_of_whole_local_days_once(hall: CityHall, as_user):
    path, official = reverse("console-open-period", args=[hall.project.id]), as_user(hall.official)
    sent = {"first": "2025-07-01", "last": "2025-07-31"}
    first = official.post(path, sent, follow=True)
    assert "모니터링 기간을 열었습니다" in said(first)
    again = official.post(path, sent, follow=True)
    assert again.redirect_chain == first.redirect_chain
    (made,) = [m for m in periods(hall.project) if m.id != hall.monitoring.id]
    assert (made.period.start, made.period.end) == (
        datetime(2025, 6, 30, 15, tzinfo=UTC), datetime(2025, 7, 31, 15, tzinfo=UTC),
    )  # fmt: skip
    assert made.status == "open"


WRONG_PERIODS = [
    ({"first": "2025-07-01"}, "마지막 날: "),
    ({"first": "2025-07-02", "last": "2025-07-01"}, "마지막 날이 첫날보다 앞섭니다"),
    ({"first": "0001-01-01", "last": "2025-07-01"}, "2000년부터 2199년까지"),
    ({"first": "2025-07-01", "last": "9999-12-31"}, "2000년부터 2199년까지"),
    ({"first": "2024-12-31", "last": "2025-01-31"}, "인증 기간"),
    ({"first": "2025-06-30", "last": "2025-07-02"}, "겹칩니다"),
]


def test_a_wrong_period_is_named_and_not_opened(hall: CityHall, as_user):
    path = reverse("console-open-period", args=[hall.project.id])
    for sent, words in WRONG_PERIODS:
        assert words in told(as_user(hall.official), path, **sent)
        assert [m.id for m in periods(hall.project)] == [hall.monitoring.id]


def test_only_officials_register_and_open(hall: CityHall, as_user):
    others = [hall.approver, hall.operator, hall.verifier, hall.citizen]
    shut_to(others, as_user, reverse("console-project-new"), **project_form())
    days = {"first": "2025-07-01", "last": "2025-07-31"}
    shut_to(others, as_user, reverse("console-open-period", args=[hall.project.id]), **days)
    nowhere = reverse("console-open-period", args=[GONE])
    assert as_user(hall.official).post(nowhere, days).status_code == 404
    assert [p.code for p in registered()] == ["DEMO-SOLAR-1"]
    assert len(periods(hall.project)) == 1


# ---------------------------------------------------------------- offers


@pytest.fixture
def batch(hall: CityHall) -> footprint.CreditBatch:
    """The 69 tonnes of June."""
    hall.submitted(hall.official)
    with transaction(CITY) as tx:
        granted(
            footprint.approve_monitoring(tx, CITY, hall.monitoring.id, str(hall.both.pk), CLOCK)
        )
        return granted(footprint.issue(tx, CITY, hall.monitoring.id, "job", CLOCK))


def offers(batch: footprint.CreditBatch) -> list[tuple[int, int]]:
    with transaction(CITY) as tx:
        found = footprint.listings(tx, CITY, batch_id=batch.id)
    return [(one.tonnes, one.unit_price_krw) for one in found]


def test_credits_are_offered_once_a_click(hall: CityHall, batch, as_user):
    path = reverse("console-batch-list", args=[batch.id])
    page = reverse("console-project", args=[hall.project.id])
    official, approver = as_user(hall.official), as_user(hall.approver)
    assert 'name="offers" value="0"' in official.get(page).content.decode()
    sent = {"tonnes": "10", "unit_price_krw": "12000", "offers": "0"}
    assert "판매 목록에 올렸습니다" in told(official, path, **sent)
    assert "판매 목록에 올렸습니다" in told(official, path, **sent)
    assert offers(batch) == [(10, 12_000)]
    assert "그사이" in told(approver, path, **sent)
    assert "그사이" in told(official, path, **{**sent, "tonnes": "11"})
    assert offers(batch) == [(10, 12_000)]
    html = approver.get(page).content.decode()
    assert 'name="offers" value="1"' in html
    assert 'max="59"' in html
    told(approver, path, tonnes="59", unit_price_krw="11000", offers="1")
    assert offers(batch) == [(59, 11_000), (10, 12_000)]
    assert path not in official.get(page).content.decode()


WRONG_OFFERS = [
    ({"tonnes": "0"}, "톤: "),
    ({"tonnes": "2.5"}, "톤: "),
    ({"unit_price_krw": "0"}, "톤당 가격(원): "),
    ({"unit_price_krw": str(10**10)}, "톤당 가격(원): "),
    ({"offers": ""}, "새로 고친 뒤"),
    ({"offers": "9"}, "그사이"),
    ({"tonnes": "70"}, "69톤입니다"),
    ({"tonnes": str(10**30)}, "69톤입니다"),
]


def test_a_wrong_offer_is_named_and_not_made(hall: CityHall, batch, as_user):
    path = reverse("console-batch-list", args=[batch.id])
    for changes, words in WRONG_OFFERS:
        sent = {"tonnes": "1", "unit_price_krw": "1", "offers": "0"} | changes
        assert words in told(as_user(hall.official), path, **sent)
        assert offers(batch) == []


def test_only_officials_and_approvers_offer(hall: CityHall, batch, as_user):
    sent = {"tonnes": "1", "unit_price_krw": "1", "offers": "0"}
    path = reverse("console-batch-list", args=[batch.id])
    shut_to([hall.operator, hall.verifier, hall.citizen], as_user, path, **sent)
    nowhere = reverse("console-batch-list", args=[GONE])
    assert as_user(hall.official).post(nowhere, sent).status_code == 404
    assert offers(batch) == []


# ---------------------------------------------------------------- claims


def claims_of(run: footprint.Run) -> list[footprint.Claim]:
    with transaction(CITY) as tx:
        return footprint.claims(tx, CITY, run.id)


@pytest.fixture
def free_run(hall: CityHall) -> footprint.Run:
    """A day of sun that nothing has claimed."""
    with transaction(CITY) as tx:
        return World(tx).solar_run("2", date(2025, 3, 1))


@pytest.fixture
def second_programme(hall: CityHall) -> str:
    spec = footprint.ProjectSpec(
        "DEMO-OTHER", "데모 다른 제도", "Demo other programme", "voluntary",
        "solar-self-consumption", date(2025, 1, 1), date(2035, 1, 1),
    )  # fmt: skip
    with transaction(CITY) as tx:
        return granted(footprint.register_project(tx, CITY, spec, "job", CLOCK)).programme


def test_a_run_is_claimed_once(hall: CityHall, free_run, as_user):
    official = as_user(hall.official)
    panel = reverse("console-run", args=[free_run.id])
    path = reverse("console-run-claim", args=[free_run.id])
    assert path in official.get(panel).content.decode()
    assert path not in as_user(hall.approver).get(panel).content.decode()
    for _ in range(2):
        assert "감축량을 등록했습니다" in told(official, path, programme="kr-offset")
    (held,) = claims_of(free_run)
    assert (held.programme, held.actor, held.co2e_t) == (
        "kr-offset", str(hall.official.pk), free_run.co2e_t,
    )  # fmt: skip
    assert path not in official.get(panel).content.decode()


def test_a_second_claim_is_refused_and_names_both_sides(
    hall: CityHall, second_programme: str, as_user
):
    path = reverse("console-run-claim", args=[hall.run.id])
    words = told(as_user(hall.official), path, programme=second_programme)
    assert f"요청: {second_programme}" in words
    assert "보유: kr-offset" in words
    assert str(hall.claim.id) in words
    assert claims_of(hall.run) == [hall.claim]
    client = as_user(hall.official)
    client.cookies["django_language"] = "en"
    words = told(client, path, programme=second_programme)
    assert f"Asked for: {second_programme}" in words
    assert "Held by: kr-offset" in words


def test_a_run_is_claimed_only_for_a_programme_of_the_city(hall: CityHall, free_run, as_user):
    path = reverse("console-run-claim", args=[free_run.id])
    for programme in ("", "  ", "no-such-programme", "kr-offset2", "\x00"):
        words = told(as_user(hall.official), path, programme=programme)
        assert "제도를 골라 주세요" in words, programme
        assert claims_of(free_run) == []


def test_only_officials_claim_runs_that_there_are(hall: CityHall, free_run, as_user):
    path = reverse("console-run-claim", args=[free_run.id])
    others = [hall.approver, hall.operator, hall.verifier, hall.citizen]
    shut_to(others, as_user, path, programme="kr-offset")
    nowhere = reverse("console-run-claim", args=[GONE])
    official = as_user(hall.official)
    assert official.post(nowhere, {"programme": "kr-offset"}).status_code == 404
    assert claims_of(free_run) == []


@pytest.fixture
def unmeasurable(hall: CityHall) -> footprint.Run:
    """A house that used in the second year as much as in the first."""
    with transaction(CITY) as tx:
        world = World(tx)
        start = world.day(date(2023, 1, 1)).start
        felt = [(i * 7) % 33 - 5 for i in range(731)]
        use = [Decimal(10) + Decimal(2) * max(14 - t, 0) for t in felt]
        series = {
            "temperature": fill(tx, site(9), "temperature", felt, start, unit="degC",
                                kind="gauge", interval_s=86_400),
            "gas": fill(tx, site(9), "gas", use, start, interval_s=86_400),
        }  # fmt: skip
        stated = {
            "baseline_start": "2023-01-01", "baseline_end": "2024-01-01", "gas_energy_basis": "ncv",
        }  # fmt: skip
        return granted(
            footprint.quantify(
                tx, CITY, "building-energy-savings", series, stated,
                world.day(date(2024, 1, 1), 366), (SAR_2018, GAS_2022), "analyst", world.clock,
            )
        )  # fmt: skip


def test_a_run_that_cannot_be_measured_says_why_and_is_not_claimed(
    hall: CityHall, unmeasurable: footprint.Run, as_user
):
    why = unmeasurable.refusal
    assert isinstance(why, Refusal)
    official, panel = as_user(hall.official), reverse("console-run", args=[unmeasurable.id])
    path = reverse("console-run-claim", args=[unmeasurable.id])
    for headers in ({}, {"HX-Request": "true"}):
        answer = official.get(panel, headers=headers)
        html = answer.content.decode()
        assert "아직 산정할 수 없습니다" in html
        assert why.ko in answer.context["run"].refusal.ko
        assert why.ko.split(".")[0] in html
        assert path not in html
        assert "0 tCO₂e" not in html  # what was not measured is not zero
    assert "측정 가능한 감축량이 없는" in told(official, path, programme="kr-offset")
    assert claims_of(unmeasurable) == []
    html = official.get(reverse("console-projects")).content.decode()
    assert "아직 산정 불가" in html
    assert "0 tCO₂e" not in html
    rows = official.get(reverse("console-projects") + "?format=csv").content.decode().splitlines()
    (row,) = [r.split(",") for r in rows if r.startswith(str(unmeasurable.id))]
    assert row[4:6] == ["", "not-yet-measurable"]
