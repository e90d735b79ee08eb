"""Pure rules of the console: alarms, burn-down, energy flow, gap calendar, files."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest

from onsil import hub
from onsil.console import alarms, burndown, energy, export, loop, projects, sitework

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def test_alarms_come_worst_first_then_oldest():
    def alarm(key: str, status: str, age_h: int | None) -> alarms.Alarm:
        at = None if age_h is None else NOW - timedelta(hours=age_h)
        return alarms.Alarm(key, status, "", "", "", "", at=at)

    mixed = [alarm("a", "info", 9), alarm("b", "bad", 1), alarm("c", "watch", None),
             alarm("d", "bad", 5), alarm("e", "watch", 2)]  # fmt: skip
    assert [a.key for a in alarms.ordered(mixed)] == ["d", "b", "e", "c", "a"]


def test_only_devices_that_need_somebody_alarm():
    health = [
        SimpleNamespace(device=SimpleNamespace(id=s), state=s, ko="말", en="word", last_seen=NOW)
        for s in ("ok", "silent", "stuck", "impossible", "new")
    ]
    found = {a.key: a.status for a in alarms.of_devices(health, "/")}
    assert found == {"device-silent": "bad", "device-stuck": "watch", "device-impossible": "watch"}


def test_a_log_waits_in_silence_for_five_minutes():
    def log(**fields: object) -> SimpleNamespace:
        return SimpleNamespace(**{"problem": "", "pending": 0, "signed_at": NOW} | fields)

    late = NOW + alarms.SEAL_OVERDUE + timedelta(seconds=1)
    assert not alarms.of_log(log(pending=3), NOW + timedelta(minutes=1), "/")
    assert not alarms.of_log(log(), late, "/")
    assert alarms.of_log(log(pending=3), late, "/")[0].status == "watch"
    assert alarms.of_log(log(pending=3, signed_at=None), NOW, "/")
    assert alarms.of_log(log(problem="damaged"), NOW, "/")[0].status == "bad"


def test_nothing_waiting_is_no_alarm():
    assert alarms.waiting("x", 0, "{n}", "{n}", ("", ""), "/") == []
    assert alarms.waiting("x", 3, "{n}건", "{n}", ("", ""), "/")[0].what("ko") == "3건"
    assert alarms.of_quarantine({}, "/") == []
    assert "5" in alarms.of_quarantine({"range": 2, "unit": 3}, "/")[0].what("en")


def test_a_budget_burns_down_week_by_week():
    days = [(date(2026, 1, 5), 100), (date(2026, 1, 11), 50), (date(2026, 1, 20), 25)]
    assert burndown.burn(1000, days, 2026, date(2026, 1, 21)) == [
        (date(2026, 1, 1), 1000), (date(2026, 1, 4), 1000), (date(2026, 1, 11), 850),
        (date(2026, 1, 18), 850), (date(2026, 1, 21), 825),
    ]  # fmt: skip


def test_a_past_years_budget_stops_at_its_end():
    points = burndown.burn(1000, [(date(2025, 12, 31), 1000)], 2025, date(2026, 5, 1))
    assert points[-1] == (date(2025, 12, 31), 0)
    assert points[-2][1] == 1000
    assert len(points) == 54


def test_the_forecast_ends_at_nothing_or_at_new_year():
    line = burndown.forecast_line((date(2026, 1, 25), 825), Decimal(400), 2026)
    assert [left for _, left in line] == [425, 25, 0]
    slow = burndown.forecast_line((date(2026, 12, 20), 825), Decimal(1), 2026)
    assert slow[-1] == (date(2026, 12, 31), 823)


def series(kind: str, unit: str, interval_s: int = 900) -> hub.Series:
    return hub.Series("urn:x", "a", unit, interval_s, kind)  # pyright: ignore


def rollup(total: float, low: float = 0, high: float = 0, count: int = 4) -> hub.Rollup:
    return hub.Rollup(NOW, count, count, total, low, high)


def test_energy_is_added_integrated_or_differenced():
    assert energy.energy_kwh(series("interval", "Wh"), [rollup(1500), rollup(500)]) == 2
    assert energy.energy_kwh(series("gauge", "kW"), [rollup(8)]) == 2  # four quarters at 2 kW
    counted = energy.energy_kwh(series("counter", "MWh"), [rollup(0, 10, 12), rollup(0, 12, 15)])
    assert counted == 5000
    assert energy.energy_kwh(series("gauge", "degC"), [rollup(80)]) is None
    assert energy.energy_kwh(series("interval", "kWh"), []) is None


def test_what_is_not_exported_was_used_on_the_spot():
    def part(direction: str, amount: int, quantity: str = "electricity") -> energy.MeterEnergy:
        return energy.MeterEnergy("household", quantity, direction, Decimal(amount), "measured")

    flows = {
        (link["source"], link["target"]): link["value"]
        for link in energy.links(
            [part("generated", 10), part("exported", 4), part("consumed", 7),
             part("consumed", 3), part("consumed", 5, "gas"), part("ambient", 99, "temperature")]
        )
    }  # fmt: skip
    assert flows == {
        ("햇빛", "현장에서 씀"): 6, ("햇빛", "전력망으로 보냄"): 4, ("전력망", "가정"): 10,
        ("도시가스", "가정"): 5,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rate", "level"),
    [(None, "none"), ("0", "0"), ("0.5", "1"), ("0.75", "2"), ("0.89", "3"), ("0.9", "4")],
)
def test_a_day_has_one_of_six_looks(rate, level):
    assert sitework.level(None if rate is None else Decimal(rate)) == level


def test_the_calendar_puts_mondays_on_top_and_counts_gaps():
    rates = {"2025-06-30": Decimal(1), "2025-07-01": None, "2025-07-07": Decimal("0.5")}
    made = sitework.Calendar.of(
        {(date(2025, 6, 30) + timedelta(days=i)).isoformat(): None for i in range(8)} | rates
    )
    assert made.squares[0].y == made.squares[7].y == 14
    assert made.squares[7].x > made.squares[0].x
    assert made.rates[0] == ("2025-06", Decimal(1), 0)
    assert made.rates[1][2] == 6


def test_a_file_opens_in_an_office_and_runs_nothing():
    text = export.csv_text(["이름", "값"], [["=1+1", -5], ["보통", None], ["@x", NOW]])
    assert text.startswith("\ufeff")
    lines = text.removeprefix("\ufeff").splitlines()
    assert lines == ["이름,값", "'=1+1,-5", "보통,", "'@x,2026-05-01T00:00:00+00:00"]


def test_a_station_holds_few_characters():
    assert loop.brief(960_000, False, "₩", "원") == "96만원"
    assert loop.brief(2_800_000_000, False, "₩", "원") == "28억원"
    assert loop.brief(36_000, True, "₩", "원") == "₩36k"
    assert loop.brief(999, False, "", "점") == "999점"


def test_a_document_is_laid_out_line_by_line():
    document = {"a": None, "b": {"c": "1", "d": ""}, "e": ["x", "y"], "f": [{"g": 2}, {"g": 3}]}
    assert projects.plainly(document) == [
        ("b.c", "1"), ("e", "x, y"), ("f.1.g", "2"), ("f.2.g", "3"),
    ]  # fmt: skip
