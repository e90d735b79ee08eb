"""Every methodology's worked example by its module's own name, without a registry or a database."""

import hashlib
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from importlib import import_module

import pytest
from method_kit import outcome

from onsil.core.canonical import canonical_bytes
from onsil.core.periods import Period
from onsil.footprint.engines import run_2
from onsil.footprint.intervals import Intervals
from onsil.footprint.methodologies import conditions, records
from onsil.footprint.terms import MethodInputs

NAMES = (
    "bus_modal_shift", "citizen_actions", "demand_response", "district_heat_saving",
    "efficient_appliances", "ev_replacement", "grid_solar", "led_replacement",
    "building_energy_savings_2", "afforestation", "effluent_reuse", "incineration_avoidance",
    "landfill_avoidance", "pet_recycling", "pyrolysis_mass_balance", "street_tree_census",
    "tree_growth", "urban_tree_defaults",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_the_example_comes_out_as_by_hand(name: str) -> None:
    made = import_module(f"onsil.footprint.methodologies.{name}")
    example = made.worked_example()
    assert outcome(made, example.inputs).co2e_t == example.co2e_t
    assert made.span(example.inputs.parameters, example.inputs.period, example.inputs.zone)


# SHA-256 of the outputs that each version writes for its example. Whoever moves a byte of them
# makes a new version: stored runs are recomputed with this one.
WRITTEN = {
    "bus_modal_shift": "fe72fc85e59e7f5e20d0fa9235b87394c1aa987e1ab4cc2962e585066381b3eb",
    "citizen_actions": "c952e917e89fe00512b4590750f242546b2cf4655fb0d1b40abbc6e91dfb9fa9",
    "demand_response": "1b1cdba987d16f9bd3888adc200c49c0138ee93cddaf79c50cb214819d5fdfb4",
    "district_heat_saving": "864801b34f9e57c52ed8851c36caff30dc918990f6409db48f314f007b6f2f06",
    "efficient_appliances": "93002e33ef2ae62bc07587fecc633a255ae577c7d29694c7cea94fe5e8b8df4c",
    "ev_replacement": "9d9873dee30c7ac1b30ceeba1c96f3da816f940b5f14cb6ffd55b6236ef6cdde",
    "grid_solar": "734bebf1eba2b2723ff8fad27ee567e2b8c11a1ae4a161ac1fc163841162406f",
    "led_replacement": "d6324ba2bd99e71f7c11b093d363f838f7eda1b4c9e6a7b83f0956ba18477fde",
    "building_energy_savings_2": "c19ec2a76c875af8de47b81bf7be14a89fa77a970ee214417f8913275324454b",
    "afforestation": "4d6bb00bb810774d7963f4f1d187ed86ca1ca654d075d6ff2002d48a3f0bdb05",
    "effluent_reuse": "835b7f828fab59f690948afa01eb0a5fd046421724199c1bbd32f0b142bfa788",
    "incineration_avoidance": "e52d24b1cf264bf4565450f26fdac07362d5d83a11596f379c004849ac8c8265",
    "landfill_avoidance": "11d311ad0c6f4e40362bfa4161ddf9eaf93f59117ad1b6829e62aedf3c77f63d",
    "pet_recycling": "b9f7e50e3c5c0c7906fffc11fadc033ae40cb20195da47c7753e253da16da27c",
    "pyrolysis_mass_balance": "558c6c8b82767a708c568aae0395da6efead6742c4cde3355dcc43c5a8985f5a",
    "street_tree_census": "202b6f37bb53f16ee723f66db3b685698e5b92fe6f9a12a7e8df9e989a03f738",
    "tree_growth": "a49e0cc4aa5e8d6fbe78689070e536551481f9ea6150b4c0bc44397439038291",
    "urban_tree_defaults": "307ee386e72bad717b5d9f297ed75b5f359cd35a972285be1f1b0f4a5b5aab9d",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_version_keeps_the_bytes_it_writes(name: str) -> None:
    made = import_module(f"onsil.footprint.methodologies.{name}")
    found = outcome(made, made.worked_example().inputs)
    assert hashlib.sha256(canonical_bytes(run_2.quantified(found))).hexdigest() == WRITTEN[name]


# SHA-256 of what each example is counted from. Its methodology's page prints it, and people do the
# arithmetic again by hand: it stays as it is as long as its version does.
SHOWN = {
    "bus_modal_shift": "c89b9f5af866e21b08e1355aba6dcf3f55b459ae91276a201d5cbdb5bc958c19",
    "citizen_actions": "d2847970213342765b05986c8283796be7718c405bc19e480a485cc2eae7117a",
    "demand_response": "44664f264fb646ac11d568250f8ebf2986527f637785911a84829ed9c6a8ab05",
    "district_heat_saving": "ac65a0662642ab86365de3700438e4af3f8ef10fdb1bf2030a3a997abeaedfb8",
    "efficient_appliances": "9dbeab95f31777424b1447a18ff434ee45c3f5e190e35447d16936ec7b98057d",
    "ev_replacement": "51906cb4dfbba014e11cca67f634bd779ec69612b0bc5d46dfa6d4cc5cd335f7",
    "grid_solar": "a8f34fac3a888221e4f5ac672db85f1d24bc6ae1a460d66a638a388a29c3630a",
    "led_replacement": "9b6e2906585ed1fe492153a54ada596ada6dd789cc23c8332e065eb5d302a9fb",
    "building_energy_savings_2": "6658bb3871a41bbb5ed1e9f8eed8c85425e98d8cfadf64ac359d88e2206608fc",
    "afforestation": "0735c9341e7da0f03c0d4a79797d1ed82b4df377f50f089222e8d755cb8d08d9",
    "effluent_reuse": "2cfede5eb7142d0ccf831592cadb28cc58fb616558f837ff6a19213b277db6e8",
    "incineration_avoidance": "c003d92bb16c4ba0e7b77e25fd78caa2776e030a15e69311579fec78e3a8728e",
    "landfill_avoidance": "56af2c2d21e446129aacdbf039fc7263097dfd9f3946a59d2bf74b3523d924d1",
    "pet_recycling": "ec2c5848e1ea252f6c26970b1c2b43b22170187b8d824b6fd0eeb2de7aeb03cf",
    "pyrolysis_mass_balance": "dcf06d6739cdb8a7e296bc8c2d86c30007dfce279f51db9bf25b663d646c5261",
    "street_tree_census": "31f77f07a2ff66d253da3d769307e2a196f2ca518ce4b1e3a0d476bbfbbcfa23",
    "tree_growth": "ad27c1a60b47a744b9a3e30901c36dde293ae1d6bec5aac218a390f54dbb177b",
    "urban_tree_defaults": "e8560d4f814c13007a66b93ed84282258c4d66c395fb5a21b67843787f76b9ee",
}


def shown(inputs: MethodInputs) -> bytes:
    """All that an example states, the factors and coefficients by their names."""
    return canonical_bytes(
        {
            "period": [inputs.period.start, inputs.period.end], "zone": inputs.zone,
            "parameters": inputs.parameters, "gwp_set": inputs.gwp_set,
            "series": {role: asdict(found) for role, found in inputs.series.items()},
            "tables": inputs.tables, "coefficients": sorted(inputs.coefficients),
            "factors": {name: repr(found) for name, found in inputs.factors.items()},
        }
    )  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_version_keeps_its_example(name: str) -> None:
    inputs = import_module(f"onsil.footprint.methodologies.{name}").worked_example().inputs
    assert hashlib.sha256(shown(inputs)).hexdigest() == SHOWN[name]


def test_rows_are_counted_by_their_fate():
    rows = [{"id": name} for name in "abcde"]
    fates = {"b": "hours-missing", "c": "wrong", "d": "wrong"}
    judged = records.judge(rows, lambda row: fates.get(row["id"]))
    assert judged.coverage() == {
        "expected": 5, "used": 2, "missing": 1, "excluded": {"wrong": 2},
        "used_pct": Decimal("40.00"),
        "left_out": [["b", "hours-missing"], ["c", "wrong"], ["d", "wrong"]],
    }  # fmt: skip
    assert records.none_usable("lamps", judged) is None
    assert records.judge([], lambda row: None).coverage()["used_pct"] == 0


def test_a_refusal_names_the_first_five_rows_and_all_their_fates():
    rows = [{"id": name} for name in "abcdef"]
    answer = records.none_usable("lamps", records.judge(rows, lambda row: "wrong"))
    assert answer is not None
    assert "a: wrong, b: wrong, c: wrong, d: wrong, e: wrong)" in answer.en
    assert answer.facts["table"] == "lamps"
    assert answer.facts["excluded"] == {"wrong": 6}


def test_nothing_and_less_than_nothing_are_refused():
    assert records.nothing_saved(Decimal("1e-50")) is None
    for tonnes in (Decimal(0), Decimal(-1)):
        answer = records.nothing_saved(tonnes)
        assert answer is not None
        assert answer.facts == {"co2e_t": tonnes}


def test_days_are_local_ones():
    start = datetime(2025, 5, 31, 15, tzinfo=UTC)
    inputs = import_module("onsil.footprint.methodologies.led_replacement").worked_example().inputs
    assert inputs.period.start == start
    days = records.days_of_period(inputs)
    assert (days.first, days.end, days.count) == (date(2025, 6, 1), date(2025, 7, 1), 30)
    assert days.within(date(2025, 6, 2), date(2025, 6, 1)) == 0
    assert days.within(None, None) == 30
    assert days.within(date(2025, 6, 30), None) == 1
    assert date(2025, 6, 30) in days
    assert date(2025, 7, 1) not in days


def test_readings_end_with_their_calibration_at_local_midnight():
    start = datetime(2025, 5, 31, 14, tzinfo=UTC)
    made = Intervals(
        Period(start, start + timedelta(hours=4)), 3600, [Decimal(1), Decimal(1), None, Decimal(1)],
        ["used", "used", "missing", "used"],
    )  # fmt: skip
    conditions.exclude_uncalibrated(made, {"calibrated_until": date(2025, 6, 1)}, "Asia/Seoul")
    assert made.fates == ["used", "out-of-calibration", "missing", "out-of-calibration"]
    assert made.values == [1, None, None, None]


def test_a_row_is_in_calibration_up_to_the_periods_last_day():
    inputs = import_module("onsil.footprint.methodologies.led_replacement").worked_example().inputs
    assert not conditions.uncalibrated({"calibrated_until": date(2025, 7, 1)}, inputs)
    assert conditions.uncalibrated({"calibrated_until": date(2025, 6, 30)}, inputs)
    assert not conditions.uncalibrated({}, inputs)
