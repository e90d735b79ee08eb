"""A company's scope 2: by the location as metered, by the market less certificates, each once."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from footprint_world import CITY, World
from hypothesis import given
from hypothesis import strategies as st
from inventory_books import GRID, SETTINGS, compiled, electricity, granted, outputs, put, stated

from onsil import footprint
from onsil.core.refusal import Refusal
from onsil.footprint import inventory
from onsil.footprint.inventory.certificates import market

D = Decimal
USE = replace(GRID, programme="disclosure", factor_set="kr-grid-2025")
Refused = Callable[..., Any]


def company(world: World, name: str = "company:maker", year: int = 2025) -> Any:
    return granted(
        inventory.open_inventory(
            world.conn, CITY, "company", name, name, year, replace(SETTINGS, boundary="본사"),
            "maker", world.clock,
        )
    )  # fmt: skip


def power(code: str, ref: str, mwh: str) -> Any:
    return electricity(code, mwh, ref=ref, factor=USE)


def certificate(world: World, mwh: str = "2.4", programme: str = "kr-rec") -> Any:
    """A day's generation of whole kilowatt-hours an hour, claimed for certificates."""
    return world.claimed(world.solar_run(mwh), programme)


def retire(world: World, book: Any, claim: Any) -> Any:
    return inventory.retire_certificate(
        world.conn, CITY, book.id, claim.id, "official", world.clock
    )


def test_a_certificate_lowers_the_market_and_never_the_location(world: World):
    book = company(world)
    granted(put(world, book, [power("site", "2.L", "10"), stated("fuel", "1.1", "1", "1000")]))
    before = outputs(world, compiled(world, book))["totals"]
    granted(retire(world, book, certificate(world)))
    made = outputs(world, compiled(world, book))
    assert made["totals"]["scope"] == before["scope"]
    assert made["totals"]["BASIC"] == before["BASIC"]
    assert D(made["totals"]["scope_2_market"]) == D("7.6") * D("417.3")
    assert made["market"]["from"] == "2.L"
    assert (D(made["market"]["covered_kwh"]), D(made["market"]["surplus_kwh"])) == (2400, 0)


def test_market_lines_of_their_own_come_first(world: World):
    """Supplier factors stated for the market are what the certificates are taken off."""
    book = company(world)
    granted(put(world, book, [power("l", "2.L", "10"), power("m", "2.M", "1")]))
    granted(retire(world, book, certificate(world)))
    made = outputs(world, compiled(world, book))
    assert D(made["totals"]["scope_2_market"]) == 0
    assert made["market"]["from"] == "2.M"
    assert D(made["market"]["surplus_kwh"]) == 1400  # lowers nothing


def test_a_certificate_counts_once_for_one_company(world: World, refused: Refused):
    held = certificate(world)
    first, second = company(world), company(world, "company:other")
    made = granted(retire(world, first, held))
    assert retire(world, first, held) == made  # said again, the same
    refused(retire(world, second, held), "certificate-used")
    assert inventory.retired(world.conn, CITY, second.id) == []


def test_the_database_holds_it_whatever_the_code_does(world: World):
    held, other = certificate(world), world.claimed(world.solar_run("3"), "kr-offset")
    first, second = company(world), company(world, "company:other")
    granted(retire(world, first, held))
    statement = """INSERT INTO footprint_claim_use (city, claim_id, kind, subject, created_at)
      VALUES (%s, %s, 'rec-retirement', %s, now())"""
    for claim_id, subject, error in (
        (held.id, second.id, psycopg.errors.UniqueViolation),
        (other.id, first.id, psycopg.errors.CheckViolation),
        (certificate(world, "1").id, "somebody", psycopg.errors.CheckViolation),
    ):
        with pytest.raises(error), world.conn.transaction():
            world.conn.execute(statement, (CITY, claim_id, str(subject)))


def test_what_was_retired_cannot_be_released(world: World, refused: Refused):
    held = certificate(world)
    granted(retire(world, company(world), held))
    answer = footprint.release_claim(
        world.conn, CITY, held.id, "another use", "official", world.clock
    )
    refused(answer, "claim-used")


def test_only_the_years_own_certificates_of_a_company_count(world: World, refused: Refused):
    held = certificate(world)
    refused(retire(world, company(world, year=2024), held), "year-differs")
    refused(retire(world, company(world), world.claimed(world.solar_run("5"), "kr-offset")),
            "not-a-certificate")  # fmt: skip
    town = granted(
        inventory.open_inventory(
            world.conn, CITY, inventory.CITY, CITY, "시", 2025, SETTINGS, "maker", world.clock
        )
    )
    refused(retire(world, town, held), "not-a-company")


def test_only_what_is_free_is_offered(world: World):
    held, sold = certificate(world), certificate(world, "1")
    book = company(world)
    offered = {one.claim for one in inventory.available(world.conn, CITY, 2025)}
    assert offered == {held.id, sold.id}
    granted(retire(world, book, held))
    assert [one.claim for one in inventory.available(world.conn, CITY, 2025)] == [sold.id]
    assert inventory.available(world.conn, CITY, 2024) == []
    assert [one.kwh for one in inventory.retired(world.conn, CITY, book.id)] == [2400]


def line(code: str, kwh: int, ref: str = "2.L", share: int = 10_000) -> tuple[Any, Any]:
    spec = {"code": code, "factor": {"commodity": "electricity"}, "share_bp": share}
    co2e = D(kwh) * D("0.4") * share / 10_000
    found = {
        "code": code, "ref": ref, "counted": True, "amount": D(kwh), "unit": "kWh", "co2e_kg": co2e,
    }  # fmt: skip
    return spec, found


@given(
    st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 10_000)), max_size=5),
    st.lists(st.integers(1, 8000), max_size=4),
)
def test_certificates_cover_no_more_than_is_used(used: Any, held: Any):
    made = [line(f"l{i}", kwh, share=share) for i, (kwh, share) in enumerate(used)]
    found = market(
        [spec for spec, _ in made], [one for _, one in made], [{"kwh": str(k)} for k in held]
    )
    assert found["covered_kwh"] + found["surplus_kwh"] == sum(held)
    assert found["covered_kwh"] <= sum(D(kwh) * share / 10_000 for kwh, share in used)
    if made:
        assert 0 <= found["net_kg"] <= found["gross_kg"]
        assert found["net_kg"] + found["less_kg"] == found["gross_kg"]
    else:
        assert (found["gross_kg"], found["net_kg"]) == (None, None)


def test_heat_is_covered_by_no_certificate():
    spec, found = line("heat", 1000)
    spec["factor"]["commodity"] = "heat"
    made = market([spec], [found], [{"kwh": "500"}])
    assert (made["less_kg"], made["surplus_kwh"]) == (0, 500)


def test_a_companys_year_from_lines_to_an_explained_base_year(world: World):
    """An official's walk: three scopes, a seal, a factor mended, and the base year asked for."""
    book = company(world)
    specs = [
        stated("fuel", "1.1", "10", "2000"), power("site", "2.L", "100"),
        *[stated(f"s3-{n}", f"3.{n}", "1", str(100 * n)) for n in range(1, 16)],
    ]  # fmt: skip
    settings = replace(SETTINGS, level="BASIC+", boundary="본사")
    granted(
        inventory.change_settings(
            world.conn, CITY, book.id, settings, "스코프 3까지", "maker", world.clock
        )
    )
    rest = [replace(stated("x", ref, "1", "1"), code=f"n-{ref}", activity=None, factor=None,
                    notation=("NO",)) for ref in ("1.2", "1.3", "1.4")]  # fmt: skip
    granted(put(world, book, [*specs, *rest]))
    first = compiled(world, book)
    made = outputs(world, first)
    assert made["missing"] == []
    assert D(made["totals"]["scope"]["3"]) == sum(100 * n for n in range(1, 16))
    granted(inventory.decide(world.conn, CITY, first.id, True, "", "checker", world.clock))
    mended = replace(specs[0], activity=inventory.Activity("table", "t", D(15), "고친 영수증"))
    granted(put(world, book, [mended], cause="error", reason="영수증이 빠져 있었음"))
    second = compiled(world, book)
    documents = [inventory.documents(world.conn, CITY, v.id)[0] for v in (first, second)]
    change = inventory.explain(documents[0], documents[1])
    assert change.whole
    assert change.causes["error"] == change.change_kg == 10_000
    policy = granted(
        inventory.set_policy(
            world.conn, CITY, "company", "company:maker",
            inventory.RecalculationPolicy(2025, 500, ("error", "method"), "5 %"), "maker",
            world.clock,
        )
    )  # fmt: skip
    asked = inventory.must_recalculate(policy, change, first.co2e_kg)
    assert asked.needed
    assert asked.share_bp is not None
    assert asked.share_bp > 500


def test_refusals_of_a_use_are_passed_on(world: World):
    held = certificate(world)
    released = footprint.release_claim(
        world.conn, CITY, held.id, "no longer", "official", world.clock
    )
    assert not isinstance(released, Refusal)
    answer = retire(world, company(world), held)
    assert isinstance(answer, Refusal)
    assert answer.code in ("claim-released", "claim-served")
