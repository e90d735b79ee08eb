"""Programmes over time: versions, dates, seasons, groups, budgets from several sources."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from reward_examples import ZONE

from onsil import ledger
from onsil.core.clock import FixedClock
from onsil.core.periods import local_days
from onsil.core.refusal import Refusal
from onsil.proof import audit_trail
from onsil.rewards import services as rewards
from onsil.rewards.models import Award, Budget, Decision, Enrolment, ProgrammeVersion
from onsil.tenancy import transaction

MARCH = local_days(date(2026, 3, 1), date(2026, 4, 1), ZONE)
MONDAY = date(2026, 3, 2)
BEGIN = datetime(2025, 1, 1, tzinfo=ZONE)


def ride(city: str, person: UUID, day: date, fare: int, clock: FixedClock, hour: int = 8):
    at = datetime(day.year, day.month, day.day, hour, tzinfo=ZONE)
    key = f"tap:{person}:{at.isoformat()}"
    return rewards.record_evidence(
        city, "bus-weekly", person, "bus-ride", fare, at, "card", key, key,
        facts={"service": "city"}, clock=clock,
    )  # fmt: skip


def rewrite(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_loading_opens_budgets_and_leaves_an_audit_trail(loaded, clock):
    with transaction(loaded) as tx:
        balance = ledger.balance(tx, loaded, "budget:bus-weekly:2026", "KRW")
        actions = {record.action for record in audit_trail(tx, loaded)}
    assert balance == 2_800_000_000
    assert {"programme.load", "budget.fund"} <= actions
    assert {terms.code for terms in rewards.programmes(loaded, date(2026, 3, 1))} == {
        "bus-weekly", "household-saving",
    }  # fmt: skip
    assert rewards.programmes(loaded, date(2024, 12, 31)) == []


def test_a_changed_file_rules_new_weeks_and_not_those_decided(loaded, own_folder, person, clock):
    rewards.enrol(loaded, person, "bus-weekly", "adult", since=BEGIN)
    ride(loaded, person, MONDAY, 2_000, clock)
    assert rewards.decide(loaded, "bus-weekly", MARCH, clock=clock).points == 2_000

    rewrite(own_folder / "bus-weekly.toml", "weekdays = [1, 2, 3, 4, 5]", "weekdays = [6, 7]")
    clock.advance(timedelta(minutes=1))
    assert rewards.load_programmes(loaded, clock=clock).loaded == ["bus-weekly"]
    assert ProgrammeVersion.objects.filter(programme__code="bus-weekly").count() == 2

    ride(loaded, person, MONDAY, 500, clock, hour=18)  # the decided week keeps the old rule
    ride(loaded, person, MONDAY + timedelta(days=7), 900, clock)  # a Monday under the new one
    rewards.decide(loaded, "bus-weekly", MARCH, clock=clock)
    old, new = Decision.objects.filter(sequence=2).get(), Decision.objects.get(window="2026-W11")
    assert old.points == 500
    assert new.points == 0
    assert new.reason_code == "no-counted-day"
    assert new.version_id != old.version_id


def test_bringing_the_old_file_back_brings_its_version_back(loaded, own_folder, clock):
    path = own_folder / "bus-weekly.toml"
    original = path.read_text("utf-8")
    rewrite(path, "grace_days = 3", "grace_days = 4")
    rewards.load_programmes(loaded, clock=clock)
    path.write_text(original, "utf-8")
    clock.advance(timedelta(minutes=1))
    rewards.load_programmes(loaded, clock=clock)
    (terms,) = [t for t in rewards.programmes(loaded) if t.code == "bus-weekly"]
    assert terms.grace_days == 3
    assert ProgrammeVersion.objects.filter(programme__code="bus-weekly").count() == 2


def test_two_files_of_one_programme_rule_their_own_dates(loaded, own_folder, person, clock):
    path = own_folder / "bus-weekly.toml"
    text = path.read_text("utf-8")
    path.write_text(
        text.replace("from = 2025-01-01", "from = 2025-01-01\nuntil = 2026-03-09"), "utf-8"
    )
    later = text.replace("from = 2025-01-01", "from = 2026-03-09").replace("2_900", "3_000")
    (own_folder / "bus-weekly-spring.toml").write_text(later, "utf-8")
    assert not rewards.load_programmes(loaded, clock=clock).problems
    rewards.enrol(loaded, person, "bus-weekly", "adult", since=BEGIN)
    for day in (MONDAY, MONDAY + timedelta(days=7)):
        ride(loaded, person, day, 5_000, clock)
    rewards.decide(loaded, "bus-weekly", MARCH, clock=clock)
    assert {d.window: d.points for d in Decision.objects.all()} == {
        "2026-W10": 2_900, "2026-W11": 3_000,
    }  # fmt: skip


def test_days_already_decided_by_week_are_not_decided_again_by_month(
    loaded, own_folder, person, clock
):
    rewards.enrol(loaded, person, "bus-weekly", "adult", since=BEGIN)
    ride(loaded, person, MONDAY, 1_450, clock)
    rewards.decide(loaded, "bus-weekly", MARCH, clock=clock)
    path = own_folder / "bus-weekly.toml"
    text = path.read_text("utf-8")
    monthly = (
        text.replace('cut = "iso-week"', 'cut = "month"')
        .replace('[[cap]]\nwindow = "iso-week"\npoints = { adult = 2_900, teen = 2_020 }\n', "")
        .replace('window = "four-weeks"', 'window = "month"')
    )
    path.write_text(monthly, "utf-8")
    (problem,) = rewards.load_programmes(loaded, clock=clock).problems
    assert problem.code == "windows-decided"
    assert "2026-03-09" in problem.en
    path.write_text(text.replace("from = 2025-01-01", "from = 2025-01-01\nuntil = 2026-04-01"))
    later = monthly.replace("from = 2025-01-01", "from = 2026-04-01")
    (own_folder / "bus-monthly.toml").write_text(later, "utf-8")
    assert not rewards.load_programmes(loaded, clock=clock).problems


def test_a_season_takes_evidence_only_on_its_days(loaded, own_folder, person, clock):
    path = own_folder / "bus-weekly.toml"
    season = '[season]\nfrom = "03-03"\nuntil = "11-30"\n\n[rule]'
    rewrite(path, "[rule]", season)
    rewards.load_programmes(loaded, clock=clock)
    rewards.enrol(loaded, person, "bus-weekly", "adult", since=BEGIN)
    refused = ride(loaded, person, MONDAY, 1_450, clock)
    assert isinstance(refused, Refusal)
    assert refused.code == "out-of-season"
    assert ride(loaded, person, MONDAY + timedelta(days=1), 1_450, clock)


def test_an_unusable_file_is_told_and_the_others_are_loaded(loaded, own_folder, clock):
    rewrite(own_folder / "household-saving.toml", 'kind = "saving-tiers"', 'kind = "guess"')
    report = rewards.load_programmes(loaded, clock=clock)
    (problem,) = report.problems
    assert problem.code == "programme-unusable"
    assert "household-saving.toml" in problem.ko
    assert "bus-weekly" in report.unchanged
    (terms,) = [t for t in rewards.programmes(loaded) if t.code == "household-saving"]
    assert terms.kind == "saving-tiers"  # what was loaded before still rules


def test_group_by_age_and_a_change_of_group(loaded, person, clock):
    young = rewards.enrol(loaded, person, "bus-weekly", age=18, since=BEGIN, clock=clock)
    assert young.group == "teen"
    again = rewards.enrol(loaded, person, "bus-weekly", age=18, clock=clock)
    assert again.id == young.id
    birthday = datetime(2026, 3, 9, tzinfo=ZONE)
    grown = rewards.enrol(loaded, person, "bus-weekly", age=19, since=birthday, clock=clock)
    assert grown.group == "adult"
    for day in (MONDAY, MONDAY + timedelta(days=7)):
        ride(loaded, person, day, 5_000, clock)
    rewards.decide(loaded, "bus-weekly", MARCH, clock=clock)
    paid = {d.window: (d.group, d.points) for d in Decision.objects.all()}
    assert paid == {"2026-W10": ("teen", 2_020), "2026-W11": ("adult", 2_900)}


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"programme": "no-such", "group": "adult"}, "unknown-programme"),
        ({"programme": "bus-weekly", "group": "pensioner"}, "unknown-group"),
        ({"programme": "bus-weekly", "age": 13}, "not-eligible"),
        ({"programme": "bus-weekly", "group": "adult", "age": 15}, "not-eligible"),
        ({"programme": "bus-weekly"}, "group-needed"),
        ({"programme": "bus-weekly", "group": "adult",
          "since": datetime(2024, 1, 1, tzinfo=ZONE)}, "programme-not-in-force"),
    ],
)  # fmt: skip
def test_who_cannot_join_is_told_why(loaded, person, clock, terms, code):
    refused = rewards.enrol(loaded, person, clock=clock, **terms)
    assert isinstance(refused, Refusal)
    assert refused.code == code
    assert Enrolment.objects.count() == 0


def test_who_left_is_paid_for_before_and_not_for_after(loaded, person, clock):
    rewards.enrol(loaded, person, "bus-weekly", "adult", since=BEGIN)
    clock.instant = datetime(2026, 3, 5, tzinfo=ZONE)
    assert rewards.leave(loaded, person, "bus-weekly", clock=clock)
    clock.instant = datetime(2026, 3, 20, tzinfo=ZONE)
    assert ride(loaded, person, MONDAY, 1_450, clock)
    refused = ride(loaded, person, MONDAY + timedelta(days=4), 1_450, clock)
    assert refused.code == "not-enrolled"
    assert rewards.leave(loaded, person, "bus-weekly", clock=clock).code == "not-enrolled"
    assert rewards.decide(loaded, "bus-weekly", MARCH, clock=clock).points == 1_450


def test_several_sources_pay_in_order_each_with_its_own_lot(loaded, own_folder, person, clock):
    rewrite(
        own_folder / "bus-weekly.toml",
        'year = 2026\nsource = "city"\nkrw = 2_800_000_000',
        'year = 2026\nsource = "national"\nkrw = 1_000\n\n[[budget]]\nyear = 2026\n'
        'source = "city"\nkrw = 5_000',
    )
    assert not rewards.load_programmes(loaded, clock=clock).problems
    rewards.enrol(loaded, person, "bus-weekly", "adult", since=BEGIN)
    ride(loaded, person, MONDAY, 1_450, clock)
    rewards.decide(loaded, "bus-weekly", MARCH, clock=clock)
    rewards.post_awards(loaded, clock=clock)
    with transaction(loaded) as tx:
        ledger.drain(tx, loaded, clock)
        lots = ledger.lots(tx, loaded, f"citizen:{person}", "point:bus-weekly")
        assert ledger.balance(tx, loaded, "budget:bus-weekly:2026", "KRW") == 4_550
    assert {lot.terms.fund: lot.amount for lot in lots} == {"national": 1_000, "city": 450}
    assert Award.objects.get().funding == [
        {"source": "national", "krw": 1_000}, {"source": "city", "krw": 450},
    ]  # fmt: skip


def test_a_budget_may_be_cut_to_what_is_spent_and_no_further(loaded, own_folder, person, clock):
    rewards.enrol(loaded, person, "bus-weekly", "adult", since=BEGIN)
    ride(loaded, person, MONDAY, 1_450, clock)
    rewards.decide(loaded, "bus-weekly", MARCH, clock=clock)
    path = own_folder / "bus-weekly.toml"
    original = path.read_text("utf-8")
    path.write_text(original.replace("2_800_000_000", "1_449"), "utf-8")
    (problem,) = rewards.load_programmes(loaded, clock=clock).problems
    assert problem.code == "budget-below-spent"
    path.write_text(original.replace("2_800_000_000", "1_450"), "utf-8")
    assert not rewards.load_programmes(loaded, clock=clock).problems
    with transaction(loaded) as tx:
        assert ledger.balance(tx, loaded, "budget:bus-weekly:2026", "KRW") == 1_450


def test_the_incentive_fund_tops_a_budget_up_with_what_it_holds(loaded, clock):
    def fund(amount: int, key: str):
        return rewards.fund_budget(
            loaded, "household-saving", 2026, "market", amount, actor="official:1", key=key,
            account="fund:incentive", clock=clock,
        )  # fmt: skip

    with transaction(loaded) as tx:
        spec = ledger.AccountSpec("fund:incentive", "KRW", kind="fund")
        ledger.open_accounts(tx, loaded, [spec])
        leg = ledger.Leg("external:bank", "fund:incentive", "KRW", 30_000)
        ledger.post(tx, loaded, [ledger.TransferRequest("sale", "test", (leg,))], clock)
    assert fund(0, "nothing").code == "amount-not-positive"
    refused = fund(30_001, "top-up-0")
    assert isinstance(refused, Refusal)
    assert refused.code == "insufficient-balance"
    assert not Budget.objects.filter(source="market").exclude(amount_krw=0).exists()
    assert fund(20_000, "top-up-1").amount_krw == 20_000
    assert fund(20_000, "top-up-1").amount_krw == 20_000  # the same key moves money once
    with transaction(loaded) as tx:
        assert ledger.balance(tx, loaded, "fund:incentive", "KRW") == 10_000


def test_budget_status_burns_down_and_warns_weeks_ahead(loaded, own_folder, person, clock):
    path = own_folder / "bus-weekly.toml"
    path.write_text(path.read_text("utf-8").replace("2_800_000_000", "12_000"), "utf-8")
    rewards.load_programmes(loaded, clock=clock)
    rewards.enrol(loaded, person, "bus-weekly", "adult", since=BEGIN)
    clock.instant = datetime(2026, 2, 20, tzinfo=ZONE)
    for week in range(6):
        ride(loaded, person, date(2026, 1, 5) + timedelta(weeks=week), 1_000, clock)
    year = local_days(date(2026, 1, 1), date(2027, 1, 1), ZONE)
    rewards.decide(loaded, "bus-weekly", year, clock=clock)
    (status,) = [
        s for s in rewards.budget_status(loaded, date(2026, 2, 16))
        if (s.programme, s.year) == ("bus-weekly", 2026)
    ]  # fmt: skip
    assert (status.amount, status.used, status.left) == (12_000, 6_000, 6_000)
    assert status.share_used == Decimal("50.0")
    assert status.days[0] == (date(2026, 1, 11), 1_000)
    assert status.forecast.run_out == date(2026, 3, 30)
    assert status.warning
    assert "2026-03-30" in status.message.ko
    assert "6.0 weeks" in status.message.en
    assert status.sources[0].confirmed is False
