"""The background jobs do by themselves what an official would call by hand."""

from datetime import date, datetime, timedelta

import pytest
from django.contrib import admin
from reward_examples import ZONE

from onsil import ledger
from onsil.core.refusal import OperationError
from onsil.rewards import jobs
from onsil.rewards import services as rewards
from onsil.rewards.models import Award, AwardPosting, Decision
from onsil.tenancy import city_scope, transaction


def a_week_ridden(city, person, clock) -> None:
    since = datetime(2025, 1, 1, tzinfo=ZONE)
    rewards.enrol(city, person, "bus-weekly", "adult", since=since)
    at = datetime(2026, 3, 2, 8, tzinfo=ZONE)
    assert rewards.record_evidence(
        city, "bus-weekly", person, "bus-ride", 1_450, at, "card", "t", "t",
        facts={"service": "city"}, clock=clock,
    )  # fmt: skip


def test_the_nightly_job_decides_and_the_minute_job_posts(loaded, person, clock):
    a_week_ridden(loaded, person, clock)
    with city_scope(""):  # a worker has no city in scope
        jobs.decide_awards(int(clock.now().timestamp()))
        assert_awards(1)
        jobs.post_awards(0)
    with transaction(loaded) as tx:
        ledger.drain(tx, loaded, clock)
    with city_scope(""):
        jobs.post_awards(0)
        jobs.decide_awards(int((clock.now() + timedelta(days=1)).timestamp()))
    assert AwardPosting.objects.get().state == "applied"
    assert Decision.objects.count() == 1


def assert_awards(count: int) -> None:
    with city_scope("*"):
        assert Award.objects.count() == count


def test_a_city_nobody_knows_cannot_be_loaded(db):
    with pytest.raises(OperationError, match="atlantis"):
        jobs.load_programmes("atlantis")


@pytest.mark.parametrize("model", [Decision, Award, AwardPosting])
def test_the_operator_reads_awards_and_changes_none(model, rf):
    shown = admin.site.get_model_admin(model)
    request = rf.get("/")
    assert not shown.has_add_permission(request)
    assert not shown.has_change_permission(request)
    assert not shown.has_delete_permission(request)


def test_the_day_a_waiting_week_is_decided_is_told(loaded, person, clock):
    a_week_ridden(loaded, person, clock)
    (waiting,) = rewards.waiting_of(loaded, person)
    assert (waiting.pieces, waiting.decided_from) == (1, date(2026, 3, 12))
    assert waiting.window_name.en == "week 10 of 2026"
