"""Asking the rooms for what the alarm list is made of."""

from datetime import datetime, timedelta

from django.urls import reverse

from onsil import devices, footprint, hub, proof
from onsil.citizen import services as citizen
from onsil.citizen.models import Merchant
from onsil.configuration import configuration
from onsil.console import alarms
from onsil.core.clock import FixedClock
from onsil.hub.datasets.access import all_requests
from onsil.hub.steps import run
from onsil.rewards import services as rewards
from onsil.tenancy import transaction
from onsil.tenancy.cities import CityProfile

_LOOK_BACK = timedelta(days=7)


def alarm_list(city: CityProfile, now: datetime) -> list[alarms.Alarm]:
    """Everything that wants a person in this city, worst first."""
    with transaction(city.code) as conn:
        health = devices.device_health(conn, city.code, FixedClock(now))
        counts = hub.quarantine_counts(conn, city.code, now - _LOOK_BACK)
        log = proof.status(conn, city.code, configuration().log_home)
        submitted = [m for m in footprint.monitorings(conn, city.code) if m.status == "submitted"]
        asked = sum(one.state == "asked" for one in run(conn, all_requests(city.code)))
    unreleased = [s for s in citizen.settlements.settlements() if s.released_at is None]
    applied = citizen.merchants.merchants(Merchant.State.APPLIED)
    shops = reverse("console-shops")
    return alarms.ordered(
        [
            *alarms.of_devices(health, reverse("devices")),
            *alarms.of_quarantine(counts, reverse("console-quarantine")),
            *alarms.of_budgets(rewards.budget_status(city.code), reverse("console-programmes")),
            *alarms.of_log(log, now, reverse("console-audit")),
            *alarms.waiting(
                "monitoring", len(submitted), "승인을 기다리는 모니터링 {n}건",
                "Monitoring periods waiting for approval: {n}",
                ("제출한 사람이 아닌 승인 담당이 검토하세요.",
                 "Somebody other than the submitter reviews it."), reverse("console-projects"),
            ),
            *alarms.waiting(
                "settlement", len(unreleased), "지급을 기다리는 정산 {n}건",
                "Settlements waiting to be paid out: {n}",
                ("정산 파일을 확인하고 지급을 승인하세요.", "Check the file and release it."),
                shops,
            ),
            *alarms.waiting(
                "data-request", asked, "검토를 기다리는 데이터 이용 신청 {n}건",
                "Requests for data waiting for a decision: {n}",
                ("쓸 곳을 읽고 승인하거나 까닭을 적어 반려하세요.",
                 "Read what it is for; approve, or refuse with the reason."),
                reverse("console-data-requests"),
            ),
            *alarms.waiting(
                "merchant", len(applied), "심사를 기다리는 가맹점 {n}곳",
                "Shops waiting for a decision: {n}",
                ("신청 내용을 확인하고 승인하거나 반려하세요.", "Check and decide."), shops,
            ),
        ]
    )  # fmt: skip
