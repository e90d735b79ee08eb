"""Who may use which factor when: an auditor's tests 6, 7 and 8, each refusal with its reason."""

from dataclasses import replace
from datetime import date
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onsil.core.canonical import plain
from onsil.core.refusal import Refusal
from onsil.footprint.factors import (
    PROGRAMME_KINDS,
    Factor,
    FactorAuthority,
    FactorError,
    Library,
    choose_factor,
    factor_programmes,
    factor_set,
    gwp,
    gwp_gases,
    shipped_library,
)
from onsil.footprint.methodologies.emissions import emissions, emitted, emitted_co2

TODAY = date(2026, 3, 1)


def authority(programme: str, factor_set: str, gwp_set: str = "AR5", **more) -> FactorAuthority:
    stated = {"boundary": "consumption", "commodity": "electricity", **more}
    return FactorAuthority(programme, factor_set, gwp_set=gwp_set, **stated)


def factor(reference: str, commodity: str, boundary: str) -> Factor:
    found = factor_set(reference).factor(commodity, boundary)
    assert found is not None
    return found


GRID = factor("kr-grid-2021", "electricity", "consumption")
GAS = factor("kr-city-gas-2022", "city-gas", "combustion")
HEAT = factor("kdhc-pyeongtaek-heat-2024", "district-heat", "consumption")
DIESEL = factor("kr-fuels-2022", "diesel", "combustion")
WATER = factor("kr-tap-water", "tap-water", "supply")
CAR = factor("kr-new-cars-2020", "car", "tailpipe")


@pytest.mark.parametrize(
    ("wanted", "as_of", "code"),
    [
        (authority("kr-offset", "kr-grid-2025", "SAR"), TODAY, "factor-not-for-programme"),
        (authority("inventory", "kr-grid-2021"), date(2022, 1, 9), "factor-not-yet-valid"),
        (
            authority("inventory", "kdhc-pyeongtaek-heat-2024", commodity="district-heat"),
            TODAY,
            "factor-expired",
        ),
        (
            authority("citizen-reward", "kr-tap-water", commodity="tap-water", boundary="supply"),
            date(2026, 12, 1),
            "factor-co2-only",
        ),
        (
            authority("citizen-reward", "kr-new-cars-2020", commodity="car", boundary="tailpipe"),
            TODAY,
            "factor-co2-only",
        ),
        (authority("inventory", "kr-grid-2021", boundary="combustion"), TODAY,
         "factor-boundary-unknown"),
        (authority("citizen-reward", "kr-grid-2025", "SAR"), TODAY, "gwp-not-for-programme"),
        (authority("disclosure", "kr-grid-2024"), TODAY, "factor-not-newest"),
        (authority("kr-ets", "kr-grid-2021", "SAR"), TODAY, "allocation-day-missing"),
        (
            authority("kr-ets", "kr-grid-2024", "SAR", allocated=date(2024, 12, 1)),
            TODAY,
            "factor-not-yet-valid",
        ),
        (
            authority("kr-ets", "kr-grid-2018", "SAR", allocated=date(2025, 1, 1)),
            TODAY,
            "factor-not-newest",
        ),
    ],
)  # fmt: skip
def test_6_a_wrong_factor_is_refused(refused, wanted, as_of, code):
    assert refused(choose_factor(wanted, as_of), code).facts["programme"] == wanted.programme


def test_a_sets_validity_is_about_the_activitys_day(refused):
    wanted = authority("inventory", "kdhc-pyeongtaek-heat-2024", commodity="district-heat")
    assert choose_factor(wanted, TODAY, activity=date(2024, 12, 31)) == HEAT
    refused(choose_factor(wanted, TODAY, activity=date(2023, 12, 31)), "factor-not-yet-valid")


def test_a_trading_scheme_keeps_the_allocations_factor_while_disclosure_moves(refused):
    kept = authority("kr-ets", "kr-grid-2021", "SAR", allocated=date(2024, 12, 1))
    for as_of in (date(2025, 6, 1), date(2026, 3, 1)):
        assert choose_factor(kept, as_of) == GRID
    moving = authority("disclosure", "kr-grid-2024")
    assert choose_factor(moving, date(2025, 12, 16))
    refused(choose_factor(moving, date(2025, 12, 17)), "factor-not-newest")
    assert choose_factor(authority("disclosure", "kr-grid-2025"), date(2025, 12, 17))


def test_co2_alone_serves_where_the_source_counts_co2_alone(refused):
    wanted = authority("inventory", "kr-new-cars-2020", commodity="car", boundary="tailpipe")
    assert choose_factor(wanted, TODAY, gases="co2") == CAR
    total = authority("citizen-reward", "kr-grid-2025")
    refused(choose_factor(total, TODAY, gases="co2"), "factor-not-per-gas")


def test_the_authority_document_of_old_runs_is_as_it_was():
    wanted = FactorAuthority("kr-offset", "kr-grid-2018", "consumption", "SAR")
    assert set(wanted.document()) == {
        "programme", "factor_set", "boundary", "gwp_set", "commodity",
    }  # fmt: skip


def test_a_pinned_version_and_its_correction(refused):
    library = shipped_library()
    assert [s.version for s in library.versions("kr-city-gas-kets-2025")] == [1, 2]
    wanted = {"commodity": "city-gas", "boundary": "combustion"}
    by_id = authority("kr-offset", "kr-city-gas-kets-2025", "SAR", **wanted)
    pinned = authority("kr-offset", "kr-city-gas-kets-2025@1", "SAR", **wanted)
    old, new = choose_factor(by_id, TODAY), choose_factor(by_id, date(2026, 11, 22))
    assert isinstance(old, Factor)
    assert isinstance(new, Factor)
    assert (old.version, new.version) == (1, 2)
    assert choose_factor(pinned, TODAY) == old
    refused(choose_factor(pinned, date(2026, 11, 22)), "factor-superseded")
    assert library.superseded_by(library.set_of(old)) == "kr-city-gas-kets-2025@2"


def test_a_correction_leaves_the_earlier_versions_hash_alone():
    library = shipped_library()
    first = library.factor_set("kr-grid-2021@1")
    second = replace(first, version=2, corrected=date(2026, 10, 1), superseded_by="")
    longer = Library.of([*library.sets, second], library.tables)
    assert longer.factor_set("kr-grid-2021@1").digest == first.digest
    assert longer.superseded_by(first) == second.reference
    assert second.digest != first.digest
    with pytest.raises(FactorError):
        Library.of([*library.sets, first], ())


def test_7_gwp_swap_turns_04781_into_04777():
    """An auditor's test 7."""
    for gwp_set, printed in (("SAR", "0.4781"), ("AR5", "0.4777")):
        found = emitted(Decimal(1), "MWh", GRID, gwp_set)
        assert found["co2e_t"].quantize(Decimal(printed)) == Decimal(printed)
        assert found["gases_kg"] == {
            "co2": Decimal("474.7"), "ch4": Decimal("0.0125"), "n2o": Decimal("0.0100"),
        }  # fmt: skip
    total = factor("kr-grid-2025", "electricity", "consumption")
    with pytest.raises(FactorError, match="AR5"):
        emitted(Decimal(1), "MWh", total, "SAR")


def test_8_kilowatt_hours_and_megawatt_hours_cannot_be_mixed_up():
    """An auditor's test 8."""
    for amount, unit in ((1, "MWh"), (1000, "kWh"), (1_000_000, "Wh"), ("3.6", "GJ")):
        found = emitted(Decimal(amount), unit, GRID, "SAR")
        assert found["co2e_t"].quantize(Decimal("1e-20")) == Decimal("0.4780625")
    assert emissions(Decimal(1_000_000), GRID, "SAR") == emitted(Decimal(1), "MWh", GRID, "SAR")


@pytest.mark.parametrize(
    ("made", "unit", "basis"),
    [
        (GAS, "MWh", None),
        (GAS, "MWh", "hhv"),
        (GRID, "MWh", "gcv"),
        (GAS, "m3", None),
        (GAS, "kg", None),
        (DIESEL, "kg", None),
        (DIESEL, "TJ", "gcv"),
        (GRID, "kg", None),
        (GRID, "tC", None),
        (GRID, "nonsense", None),
        (WATER, "Nm3", None),
        (CAR, "passenger-km", None),
    ],
)
def test_8_what_is_easily_mixed_up_fails(made, unit, basis):
    with pytest.raises(FactorError):
        emitted(Decimal(1), unit, made, "SAR", basis)


def test_8_gross_energy_becomes_net_only_by_the_sets_own_values():
    gross = emitted(Decimal("42.7"), "MJ", GAS, "SAR", "gcv")
    net = emitted(Decimal("38.5"), "MJ", GAS, "SAR", "ncv")
    volume = emitted(Decimal(1), "Nm3", GAS, "SAR")
    for one in (net, volume):
        assert abs(one["co2e_t"] - gross["co2e_t"]) < Decimal("1e-24")


def test_8_litres_become_the_printed_kilograms():
    found = emitted_co2(Decimal(1), "L", DIESEL)
    assert found["gases_kg"]["co2"].quantize(Decimal("0.001")) == Decimal("2.600")
    assert emitted_co2(Decimal(1), "m3", DIESEL)["co2e_t"].quantize(Decimal("0.001")) == Decimal(
        "2.600"
    )


def test_co2_alone_never_becomes_co2e():
    with pytest.raises(FactorError, match="CO2 alone"):
        emitted(Decimal(1), "m3", WATER, "AR5")
    assert emitted_co2(Decimal(10), "m3", WATER)["co2e_t"] == Decimal("0.00237")
    with pytest.raises(FactorError, match="total"):
        emitted_co2(Decimal(1), "MWh", factor("kr-grid-2024", "electricity", "consumption"))


def test_heat_is_stated_per_terajoule_and_used_in_any_unit_of_energy():
    found = emitted(Decimal(1_000_000), "Wh", HEAT, "AR5")["co2e_t"]
    by_hand = (Decimal(15717) + 28 * Decimal("0.3793") + 265 * Decimal("0.0301")) * Decimal(
        "0.0036"
    ) / 1000  # fmt: skip
    assert abs(found - by_hand) < Decimal("1e-20")


@pytest.mark.parametrize("one", shipped_library().sets, ids=lambda s: s.reference)
def test_every_shipped_factor_survives_its_document(one):
    for made in one.factors:
        assert Factor.from_document(plain(made.document())) == made
        if made.per == "MWh" and not made.co2_only:
            old = Factor.from_document(plain(made.document_1()))
            assert replace(old, version=made.version) == made
    assert one.note
    assert one.read
    assert one.published
    assert len(one.digest) == 64


def test_every_column_of_every_table_has_a_known_unit():
    from onsil.core.quantities import same_dimension

    for table in shipped_library().tables:
        for unit in table.columns.values():
            assert unit in ("text", "1") or same_dimension(unit, unit), (table.id, unit)


def test_a_table_says_what_it_does_not_state():
    table = shipped_library().coefficient_table("kets-oxidation-2025")
    assert table.value("gas", "tier_2") == Decimal("0.995")
    for key, column in (("gas", "tier_9"), ("peat", "tier_1")):
        with pytest.raises(FactorError):
            table.value(key, column)
    with pytest.raises(FactorError):
        table.text("gas", "tier_1")
    with pytest.raises(KeyError):
        shipped_library().coefficient_table("nothing@3")


def test_programmes_name_kinds_and_sets_that_there_are():
    ids = {one.id for one in shipped_library().sets}
    found = factor_programmes().values()
    assert {programme.kind for programme in found} == set(PROGRAMME_KINDS)
    for programme in found:
        assert set(programme.sets) <= ids, programme.id


@pytest.mark.parametrize(
    ("gwp_set", "gas", "value"),
    [
        ("SAR", "sf6", "23900"), ("AR4", "nf3", "17200"), ("AR5", "hfc134a", "1300"),
        ("AR6", "cf4", "7380"), ("AR6", "co2", "1"),
    ],
)  # fmt: skip
def test_more_gases_have_their_reports_values(gwp_set, gas, value):
    assert gwp(gwp_set, gas) == Decimal(value)
    assert gas in gwp_gases(gwp_set)


def test_a_gas_that_a_report_does_not_value_is_unknown():
    with pytest.raises(KeyError):
        gwp("SAR", "nf3")


def test_a_factor_of_more_gases_sums_them():
    made = replace(GRID, gases_kg={**(GRID.gases_kg or {}), "sf6": Decimal("0.001")})
    found = emitted(Decimal(1), "MWh", made, "SAR")
    assert found["co2e_t"] == Decimal("0.5019625")
    assert found["gases_kg"]["sf6"] == Decimal("0.001")


def test_refusals_are_values():
    answer = choose_factor(authority("nobody", "kr-grid-2018"), TODAY)
    assert isinstance(answer, Refusal)
    assert answer.code == "unknown-programme"


amounts = st.decimals(
    min_value=0, max_value=10**12, allow_nan=False, allow_infinity=False, places=6
)  # fmt: skip


@given(amounts, amounts)
def test_emissions_of_parts_are_those_of_the_whole(one, other):
    with localcontext() as context:
        context.prec = 50
        whole = emitted(one + other, "kWh", GRID, "AR5")["co2e_t"]
        parts = [emitted(amount, "kWh", GRID, "AR5")["co2e_t"] for amount in (one, other)]
        assert whole == sum(parts)


@given(amounts, st.sampled_from([("Wh", 1), ("kWh", 1000), ("MWh", 10**6), ("GWh", 10**9)]))
def test_no_unit_of_energy_changes_what_is_emitted(amount, unit):
    name, factor_wh = unit
    with localcontext() as context:
        context.prec = 50
        found = emitted(amount, name, GRID, "SAR")
        assert found["co2e_t"] == emitted(amount * factor_wh, "Wh", GRID, "SAR")["co2e_t"]


@given(
    st.sampled_from([*factor_programmes(), "nobody"]),
    st.sampled_from([one.reference for one in shipped_library().sets] + ["none", "kr-grid-2018"]),
    st.sampled_from(["SAR", "AR4", "AR5", "AR6"]),
    st.dates(date(2005, 1, 1), date(2031, 1, 1)),
    st.sampled_from(["co2e", "co2"]),
)
def test_what_is_chosen_is_always_allowed_known_and_sayable(programme, name, gwp_set, day, gases):
    found = factor_set(name) if name != "none" else factor_set("kr-grid-2018")
    for made in found.factors:
        wanted = FactorAuthority(
            programme, name, made.boundary, gwp_set, made.commodity, allocated=day
        )
        chosen = choose_factor(wanted, day, gases=gases)
        if isinstance(chosen, Refusal):
            assert chosen.ko
            assert chosen.en
            continue
        rules, used = factor_programmes()[programme], shipped_library().set_of(chosen)
        assert used.id in rules.sets
        assert used.known_from <= day
        assert gwp_set in rules.gwp_sets
        assert (used.valid_from or day) <= day <= (used.valid_to or day)
        if gases == "co2e":
            assert chosen.co2e_kg(gwp_set) > 0
        else:
            assert chosen.gases_kg is not None
