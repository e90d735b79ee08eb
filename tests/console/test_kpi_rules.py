"""The plan's figures: measured against the target, or honestly missing."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from onsil.console import kpis
from onsil.console.kpis import Measured, Missing
from onsil.tenancy.cities import city

NOW = datetime(2026, 5, 1, tzinfo=UTC)
LINKAGE = {
    "measure": "linkage-rate", "green": "building", "ko": "데이터 연계율", "en": "Linkage",
    "target": 90, "unit": "percent", "direction": "at-least",
}  # fmt: skip
CERTIFICATE = {
    "measure": "water-certificate", "green": "water", "ko": "물 인증서", "en": "Certificate",
    "target": 1, "unit": "certificate", "direction": "reached",
}  # fmt: skip
LANDFILL = {**CERTIFICATE, "measure": "landfill", "target": 80, "unit": "percent",
            "direction": "reduce-by"}  # fmt: skip


def one(line: dict, result: Measured | Missing | None, language: str = "ko") -> kpis.Kpi:
    found = {} if result is None else {line["measure"]: result}
    return kpis.read([line], found, language)[0]


@pytest.mark.parametrize(
    ("value", "status"), [("90", "good"), ("89.9", "watch"), ("72", "watch"), ("71.9", "bad")]
)
def test_running_operation_is_good_watch_or_bad(value, status):
    assert one(LINKAGE, Measured(Decimal(value), NOW)).status == status


def test_a_growing_figure_is_in_progress_not_bad():
    line = {**LINKAGE, "measure": "reduction", "target": 12_540, "unit": "tCO2e/year"}
    shown = one(line, Measured(Decimal(1254), NOW))
    assert (shown.status, shown.status_word) == ("info", "진행 10%")
    assert shown.target_text == "≥ 12,540 tCO₂e"
    assert shown.share_capped == "10.0"


def test_a_figure_nobody_measures_says_so_in_the_readers_language():
    assert not one(LINKAGE, None).measured
    assert one(LINKAGE, None).missing
    shown = one(LINKAGE, Missing("장치가 없습니다", "no devices"), "en")
    assert (shown.missing, shown.value, shown.status, shown.share) == ("no devices", "", "", None)


def test_directions_are_told_in_the_target():
    assert one(LINKAGE, None).target_text == "≥ 90%"
    assert one(LANDFILL, None).target_text == "−80%"
    assert one(CERTIFICATE, None).target_text == "1건"
    assert one(CERTIFICATE, Measured(Decimal(0), NOW)).status_word == "아직"
    assert one(CERTIFICATE, Measured(Decimal(1), NOW)).status == "good"


def test_a_value_above_the_target_fills_the_bar_and_no_more():
    shown = one(LINKAGE, Measured(Decimal(99), NOW))
    assert shown.share_capped == "100.0"
    assert shown.value == "99"


def test_a_trend_keeps_its_gaps():
    shown = one(LINKAGE, Measured(Decimal(90), NOW, trend=(Decimal(80), None, Decimal(90))))
    assert shown.trend == (Decimal(80), None, Decimal(90))
    assert shown.trend_label == "80 → 90"


def test_every_figure_of_the_citys_plan_is_shown_once():
    plan = city("pyeongtaek").data["kpi"]
    shown = kpis.read(plan, {})
    assert [k.measure for k in shown] == [line["measure"] for line in plan]
    assert len({k.measure for k in shown}) == len(shown) == 16
    assert all(k.owner and k.missing and k.target_text for k in shown)


@pytest.mark.parametrize(
    ("value", "text"),
    [("1234.56", "1,234.6"), ("12", "12"), ("0.1234", "0.123"), ("0.0002", "< 0.01"), ("0", "0")],
)
def test_numbers_are_short(value, text):
    assert kpis.number(Decimal(value)) == text
