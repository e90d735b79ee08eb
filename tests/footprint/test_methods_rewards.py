"""Demand response and citizens' actions: what is rewarded, and never more than was verified."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from method_kit import changed, outcome, reasons, refusal

from onsil.core.periods import Period, local_days, midnight
from onsil.footprint.methodologies import citizen_actions, creditable, demand_response
from onsil.footprint.terms import ActivitySeries, MethodInputs

SEOUL = ZoneInfo("Asia/Seoul")
EVENT = date(2025, 6, 12)
FIRST = date(2025, 5, 1)


def action(number=1, **columns):
    made = {
        "id": f"action-{number}", "person": "p-1", "day": date(2025, 6, 2),
        "action": "electricity-saved", "amount": Decimal(35), "unit": "kWh", "evidence": "meter",
        "verified": False, **columns,
    }  # fmt: skip
    return {name: value for name, value in made.items() if value is not None}


def actions(*rows) -> MethodInputs:
    return changed(citizen_actions, {"actions": rows})


class TestCitizens:
    def test_from_the_meter_to_the_reward(self):
        """Golden 15: 35 kWh × 424 g ÷ 10 g × 3 KRW × 12 = 53,424 KRW (a newspaper has 54,424)."""
        found = outcome(citizen_actions, actions(action()))
        grams = found.co2e_t * 1_000_000
        points = grams / 10
        assert points * 3 * 12 == 53_424
        assert found.co2e_t == Decimal("0.01484")

    def test_never_units(self):
        assert not creditable(citizen_actions)
        assert not creditable(demand_response)

    def test_each_action_is_a_line_of_its_own_day(self):
        found = outcome(citizen_actions, actions(action(), action(2, day=date(2025, 6, 3))))
        assert [(x.meter, x.quantity, x.unit, x.parts) for x in found.lines] == [
            ("action-1", "citizen-action", "kWh", {"2025-06-02": 35}),
            ("action-2", "citizen-action", "kWh", {"2025-06-03": 35}),
        ]

    @pytest.mark.parametrize(
        ("columns", "reason"),
        [
            ({"evidence": "declared"}, "not-verified"),
            ({"evidence": "photo"}, "not-verified"),
            ({"evidence": "sensor"}, "not-verified"),
            ({"day": date(2025, 5, 31)}, "outside-period"),
            ({"day": date(2025, 7, 1)}, "outside-period"),
            ({"action": "tumbler", "unit": "cup"}, "no-coefficient"),
            ({"amount": None}, "amount-missing"),
            ({"amount": Decimal(201)}, "amount-impossible"),
        ],
    )
    def test_an_action_that_does_not_count_says_why(self, columns, reason):
        found = outcome(citizen_actions, actions(action(), action(2, **columns)))
        assert reasons(found, "actions") == {"action-2": reason}
        assert found.co2e_t == Decimal("0.01484")
        answer = refusal(citizen_actions, actions(action(2, **columns)), "no-row-usable")
        assert answer.facts["table"] == "actions"

    @pytest.mark.parametrize("columns", [{"verified": True, "evidence": "photo"},
                                         {"evidence": "card"}, {"evidence": "receipt"},
                                         {"amount": Decimal(200)}])  # fmt: skip
    def test_evidence_on_a_server_or_a_persons_word_counts(self, columns):
        outcome(citizen_actions, actions(action(**columns)))

    def test_another_unit_is_refused(self):
        answer = refusal(citizen_actions, actions(action(unit="Wh")), "unit-mismatch")
        assert answer.facts == {"action": "action-1", "unit": "Wh", "wanted": "kWh"}

    def test_nothing_done_is_refused(self):
        refusal(citizen_actions, actions(action(amount=Decimal(0))), "nothing-saved")


@given(st.lists(st.integers(1, 20), min_size=1, max_size=8), st.integers(2, 9))
@settings(deadline=None, max_examples=40)
def test_citizens_linear_and_free_of_order(amounts, times):
    def rows(factor):
        return [action(i, amount=Decimal(n * factor)) for i, n in enumerate(amounts)]

    once = outcome(citizen_actions, actions(*rows(1)))
    more = outcome(citizen_actions, actions(*reversed(rows(times))))
    assert more.co2e_t == times * once.co2e_t == times * sum(amounts) * Decimal("0.000424")


def site(kw_of, events=None, days_off=(), step_s=3600, **parameters) -> MethodInputs:
    """Use from May to mid June; `kw_of(local time)` gives kW, None where not measured."""
    start, step = midnight(FIRST, SEOUL), timedelta(seconds=step_s)
    hours = [start + step * i for i in range(timedelta(days=45) // step)]
    kept = [(at, kw) for at in hours if (kw := kw_of(at.astimezone(SEOUL))) is not None]
    series = ActivitySeries(
        "electricity", "urn:ngsi-ld:Building:x:1", "power", "kW", step_s, "gauge", "measured",
        tuple(at for at, _ in kept), tuple(Decimal(kw) for _, kw in kept),
    )  # fmt: skip
    if events is None:
        events = [event()]
    inputs = changed(
        demand_response,
        {"events": events, "days_off": [{"id": d.isoformat(), "day": d} for d in days_off]},
        {"adjustment_cap_pct": Decimal(0), **parameters},
    )
    return replace(
        inputs,
        series={"electricity": series},
        period=local_days(date(2025, 6, 1), date(2025, 6, 14), SEOUL),
    )


def event(number=1, **columns):
    return {
        "id": f"event-{number}", "day": EVENT, "start_minute": Decimal(14 * 60),
        "minutes": Decimal(120), **columns,
    }  # fmt: skip


def in_event(at: datetime) -> bool:
    return at.date() == EVENT and 14 <= at.hour < 16


def flat(at: datetime):
    return 600 if in_event(at) else 1000


def by_day(levels):
    """1,000 kW, but for the given days, whose whole day is at another level."""
    return lambda at: 600 if in_event(at) else levels.get(at.date(), 1000)


def settled(inputs: MethodInputs):
    return outcome(demand_response, inputs).details["events"]["event-1"]


class TestDemandResponse:
    def test_what_was_not_used_counts(self):
        found = outcome(demand_response, site(flat))
        assert found.lines[0].quantity == "electricity-shifted"
        assert found.lines[0].amount == 800_000
        assert found.lines[0].parts == {"2025-06-12": 800_000}
        assert found.co2e_t == Decimal("0.8") * Decimal("0.4594106")

    def test_what_is_taken_back_was_moved_and_not_saved(self):
        def later(at):
            return 1300 if at.date() == EVENT and at.hour in (16, 17, 23) else flat(at)

        found = outcome(demand_response, site(later))
        assert found.lines[0].amount == 800_000
        assert found.details["saved_wh"] == 200_000
        assert found.details["shifted_wh"] == 600_000
        watched = outcome(demand_response, site(later, recovery_hours=Decimal(8)))
        assert watched.details["saved_wh"] == 0
        assert watched.co2e_t == 0

    def test_weekends_days_off_and_event_days_are_no_baseline(self):
        wild = {EVENT - timedelta(days=d): 9000 for d in (4, 5)}  # a weekend
        wild |= {date(2025, 6, 6): 9000, date(2025, 6, 10): 9000}
        other = event(2, day=date(2025, 6, 10))
        inputs = site(by_day(wild), [event(), other], days_off=[date(2025, 6, 6)])
        assert settled(inputs)["baseline_wh"] == 2_000_000

    @pytest.mark.parametrize(
        ("method", "baseline_wh"),
        # The last ten working days at 1000, 1010, … 1090 kW, newest highest.
        [("max-4-5", 2 * 1_075_000), ("mid-6-10", 2 * 1_045_000), ("mid-8-10", 2 * 1_045_000)],
    )
    def test_the_baselines_by_hand(self, method, baseline_wh):
        earlier = [EVENT - timedelta(days=d) for d in range(1, 20)]
        working = [d for d in earlier if d.weekday() < 5][:10]
        levels = {d: 1090 - 10 * i for i, d in enumerate(working)}
        assert settled(site(by_day(levels), cbl=method))["baseline_wh"] == baseline_wh

    def test_drops_one_or_two_on_each_side(self):
        earlier = [EVENT - timedelta(days=d) for d in range(1, 20)]
        working = [d for d in earlier if d.weekday() < 5][:10]
        levels = {d: 1000 for d in working} | {working[0]: 1300, working[1]: 1200}
        load = by_day(levels)
        assert settled(site(load, cbl="mid-6-10"))["baseline_wh"] == 2_000_000
        assert settled(site(load, cbl="mid-8-10"))["baseline_wh"] == 2_050_000
        assert settled(site(load, cbl="max-4-5"))["baseline_wh"] == 2_250_000

    def test_a_day_far_below_the_others_is_left_out_and_an_earlier_one_taken(self):
        idle = {EVENT - timedelta(days=1): 500, EVENT - timedelta(days=2): 700}
        assert settled(site(by_day(idle), cbl="max-4-5"))["baseline_wh"] == 2_000_000
        just = {EVENT - timedelta(days=1): 750, EVENT - timedelta(days=2): 750}
        assert settled(site(by_day(just), cbl="max-4-5"))["baseline_wh"] == 2 * 937_500

    def test_the_day_itself_adjusts_its_baseline_up_to_the_cap(self):
        def warm(at):
            return flat(at) if at.date() != EVENT or in_event(at) else 1100

        assert settled(site(warm))["baseline_wh"] == 2_000_000
        raised = site(warm, adjustment_cap_pct=Decimal(20))
        assert settled(raised)["baseline_wh"] == 2_200_000
        assert settled(raised)["recovered_wh"] == 0
        assert settled(raised)["curtailed_wh"] == 2_200_000 - 1_200_000
        capped = site(warm, adjustment_cap_pct=Decimal(5))
        assert settled(capped)["baseline_wh"] == 2_100_000

        def cool(at):
            return flat(at) if at.date() != EVENT or in_event(at) else 900

        assert settled(site(cool, adjustment_cap_pct=Decimal(20)))["baseline_wh"] == 1_800_000
        assert settled(site(cool, adjustment_cap_pct=Decimal(5)))["baseline_wh"] == 1_900_000

    @pytest.mark.parametrize("hour", [14, 15, 16, 21])
    def test_an_event_or_recovery_with_a_gap_is_excluded(self, hour):
        def gapped(at):
            return None if at.date() == EVENT and at.hour == hour else flat(at)

        answer = refusal(demand_response, site(gapped), "no-row-usable")
        assert reasons(answer, "") == {"event-1": "use-missing"}
        assert answer.facts["missing"] == 1
        assert answer.facts["table"] == "events"

    def test_a_gap_outside_them_does_no_harm(self):
        def gapped(at):
            return None if at.date() == EVENT and at.hour in (13, 22) else flat(at)

        outcome(demand_response, site(gapped))

    def test_baseline_days_with_a_gap_are_passed_over(self):
        def gapped(at):
            if at.date() == EVENT - timedelta(days=1):
                return None if at.hour == 15 else 9000
            return flat(at)

        assert settled(site(gapped))["baseline_wh"] == 2_000_000

    def test_events_outside_the_period_or_without_enough_days_say_why(self):
        early = event(2, day=date(2025, 5, 30))
        found = outcome(demand_response, site(flat, [event(), early]))
        assert reasons(found, "events") == {"event-2": "outside-period"}
        few = site(lambda at: None if at.date() < date(2025, 6, 6) else flat(at))
        answer = refusal(demand_response, few, "no-row-usable")
        assert reasons(answer, "") == {"event-1": "too-few-baseline-days"}

    def test_more_than_the_baseline_is_nothing_curtailed(self):
        answer = refusal(demand_response, site(lambda at: 1200 if in_event(at) else 1000),
                         "nothing-curtailed")  # fmt: skip
        assert answer.facts == {"events": 1}

    def test_a_single_watt_hour_counts(self):
        found = outcome(demand_response, site(
            lambda at: Decimal("999.9995") if in_event(at) else 1000))  # fmt: skip
        assert found.lines[0].amount == 1

    def test_a_failed_event_takes_nothing_from_another(self):
        worse = event(2, day=date(2025, 6, 11))

        def use(at):
            return 1200 if at.date() == date(2025, 6, 11) and 14 <= at.hour < 16 else flat(at)

        found = outcome(demand_response, site(use, [event(), worse]))
        assert found.lines[0].amount == 800_000
        assert found.details["events"]["event-2"]["curtailed_wh"] == -400_000

    def test_two_events_of_a_day_are_added(self):
        early = event(2, start_minute=Decimal(8 * 60))

        def use(at):
            return 700 if at.date() == EVENT and 8 <= at.hour < 10 else flat(at)

        found = outcome(demand_response, site(use, [event(), early]))
        assert found.lines[0].parts == {"2025-06-12": 800_000 + 600_000}

    @pytest.mark.parametrize(("kw", "mean_kw"), [("900", 1275), ("899.9999", 1400)])
    def test_a_low_day_is_one_below_three_quarters_of_the_mean(self, kw, mean_kw):
        """Three days at 1,400 kW and two at 900: the mean is 1,200, three quarters of it 900."""
        low = [EVENT - timedelta(days=1), EVENT - timedelta(days=2)]
        inputs = site(
            lambda at: Decimal(kw) if at.date() in low else 600 if in_event(at) else 1400,
            cbl="max-4-5",
        )
        assert settled(inputs)["baseline_wh"] == 2000 * mean_kw

    def test_no_more_than_twice_the_days_are_looked_at(self):
        """One low day of the newest five and five low ones before: four are left, and too few."""
        earlier = [EVENT - timedelta(days=d) for d in range(1, 30)]
        working = [d for d in earlier if d.weekday() < 5]
        low = dict.fromkeys([working[0], *working[5:10]], 500)
        answer = refusal(demand_response, site(by_day(low), cbl="max-4-5"), "no-row-usable")
        assert reasons(answer, "") == {"event-1": "too-few-baseline-days"}
        del low[working[9]]
        assert settled(site(by_day(low), cbl="max-4-5"))["baseline_wh"] == 2_000_000

    @pytest.mark.parametrize("off", [EVENT, EVENT - timedelta(days=7)])
    def test_without_the_hours_before_there_is_no_adjustment(self, off):
        def use(at):
            if at.date() == off and at.hour == 11:
                return None
            return 1100 if at.date() == EVENT and not in_event(at) else flat(at)

        assert settled(site(use, adjustment_cap_pct=Decimal(20)))["baseline_wh"] == 2_000_000

    def test_quarter_hours_count_to_the_minute(self):
        """100 kW more in the quarter after the six hours of recovery is not taken back."""

        def use(at):
            after = at.date() == EVENT and (at.hour, at.minute) == (22, 0)
            return 1100 if after else flat(at)

        found = settled(site(use, step_s=900))
        assert found["recovered_wh"] == 0
        assert found["curtailed_wh"] == 800_000
        last = settled(site(lambda at: 1100 if at.date() == EVENT and (at.hour, at.minute)
                            == (21, 45) else flat(at), step_s=900))  # fmt: skip
        assert last["recovered_wh"] == 25_000

    def test_an_event_shorter_than_an_interval_or_beyond_the_readings_has_no_use(self):
        for wrong in (event(minutes=Decimal(30)),
                      event(day=date(2025, 6, 13), start_minute=Decimal(23 * 60))):  # fmt: skip
            answer = refusal(demand_response, site(flat, [wrong]), "no-row-usable")
            assert reasons(answer, "") == {"event-1": "use-missing"}

    def test_an_event_up_to_the_last_reading_counts(self):
        last = event(day=date(2025, 6, 13), start_minute=Decimal(22 * 60))

        def use(at):
            return 600 if at.date() == date(2025, 6, 13) and at.hour >= 22 else 1000

        assert outcome(demand_response, site(use, [last])).lines[0].amount == 800_000

    def test_out_of_calibration_there_is_no_use(self):
        answer = site(flat, calibrated_until=EVENT)
        found = refusal(demand_response, answer, "no-row-usable")
        assert reasons(found, "") == {"event-1": "use-missing"}

    def test_another_unit_is_refused(self):
        inputs = site(flat)
        one = inputs.series["electricity"]
        wrong = replace(inputs, series={"electricity": replace(one, unit="m3")})
        refusal(demand_response, wrong, "unit-mismatch")

    def test_the_readings_wanted_reach_back_and_beyond(self):
        period = Period(midnight(date(2025, 6, 1), SEOUL), midnight(date(2025, 6, 2), SEOUL))
        watched = demand_response.span({"recovery_hours": Decimal(6)}, period, "Asia/Seoul")
        assert watched.start == period.start - timedelta(days=45)
        assert watched.end == period.end + timedelta(hours=6)


@given(st.integers(1, 999), st.integers(0, 500))
@settings(deadline=None, max_examples=15)
def test_demand_response_never_more_saved_than_curtailed_and_never_below_nothing(kw, back):
    def use(at):
        if in_event(at):
            return kw
        return 1000 + back if at.date() == EVENT and at.hour == 16 else 1000

    found = outcome(demand_response, site(use))
    curtailed = 2 * (1000 - kw) * 1000
    assert found.lines[0].amount == curtailed
    assert found.details["saved_wh"] == max(0, curtailed - back * 1000)
    assert 0 <= found.details["saved_wh"] <= curtailed
