"""Factors read in once for all cities: who may, where they are in force, what each log says."""

from contextlib import contextmanager
from datetime import date
from decimal import Decimal

import psycopg
import pytest
from footprint_world import CITY, World, race
from hypothesis import given
from hypothesis import strategies as st

from onsil import footprint, proof
from onsil.core.database import ALL_CITIES, connect, cursor, scope
from onsil.core.refusal import Refusal
from onsil.footprint.factors import (
    FactorAuthority,
    FactorSet,
    Library,
    choose_factor,
    library_of,
)
from onsil.footprint.factors.imports import (
    FactorImport,
    approve_common_import,
    approve_import,
    common_factors,
    confirm_import,
    import_of,
    imports,
    return_import,
    submit_import,
    tell_cities,
)
from onsil.footprint.factors.imports.records import stands

OTHER = "goyang"
CITIES = (CITY, OTHER)
SET = """
[[set]]
id = "common-grid"
version = {version}
publisher = "시험 발행처"
document = "시험 문서"
edition = ""
article = ""
printed_table = "표 1"
page = "3"
published = 2026-01-15
read = 2026-02-01
{corrected}
maturity = "secondary"
programmes = ["inventory"]
note = ""
[[set.factor]]
commodity = "electricity"
boundary = "consumption"
unit = "kg/MWh"
co2 = "{co2}"
ch4 = "0.01"
n2o = "0.01"
"""


def text(co2: str = "400", version: int = 1) -> bytes:
    corrected = "" if version == 1 else f"corrected = 2026-02-{10 + version}"
    return SET.format(version=version, co2=co2, corrected=corrected).encode()


@contextmanager
def seeing(conn, city: str):
    scope(conn, city)
    try:
        yield conn
    finally:
        scope(conn, CITY)


def handed_in(conn, world, city: str, content: bytes) -> FactorImport:
    made = submit_import(conn, city, "x.toml", content, "user:1", world.clock)
    assert isinstance(made, list), made
    done = confirm_import(conn, city, made[0].id, "seen", "user:1", world.clock)
    assert isinstance(done, FactorImport), done
    return done


def common(conn, world, content: bytes = text(), cities=CITIES) -> FactorImport:
    with seeing(conn, ALL_CITIES):
        made = handed_in(conn, world, ALL_CITIES, content)
        done = approve_common_import(conn, cities, made.id, "user:2", world.clock)
    assert isinstance(done, FactorImport), done
    return done


def own(conn, world, content: bytes, city: str = CITY) -> FactorImport:
    with seeing(conn, city):
        made = handed_in(conn, world, city, content)
        done = approve_import(conn, city, made.id, "user:2", world.clock)
    assert isinstance(done, FactorImport), done
    return done


def co2_of(conn, city: str, on: date = date(2026, 3, 1)) -> Decimal:
    with seeing(conn, city):
        authority = FactorAuthority("inventory", "common-grid", "consumption", "AR5")
        found = choose_factor(authority, on, library_of(conn, city))
    assert not isinstance(found, Refusal), found
    assert found.gases_kg is not None
    return found.gases_kg["co2"]


def test_one_approval_is_in_force_in_every_city_and_no_sooner(conn, world):
    with seeing(conn, ALL_CITIES):
        made = handed_in(conn, world, ALL_CITIES, text())
    for city in CITIES:
        with seeing(conn, city):
            assert "common-grid" not in {one.id for one in library_of(conn, city).sets}
            assert import_of(conn, ALL_CITIES, made.id) is None
            assert common_factors(conn, city) == []
    with seeing(conn, ALL_CITIES):
        approve_common_import(conn, CITIES, made.id, "user:2", world.clock)
    for city in (*CITIES, "a-city-of-later"):
        assert co2_of(conn, city) == 400
        with seeing(conn, city):
            assert [(c.made.reference, c.set_aside) for c in common_factors(conn, city)] == [
                ("common-grid@1", False)
            ]
            assert imports(conn, city) == []


def test_the_maker_decides_nothing_and_the_database_holds_it(conn, world, refused):
    with seeing(conn, ALL_CITIES):
        made = handed_in(conn, world, ALL_CITIES, text())
        for person in ("user:1", "1"):
            answer = approve_common_import(conn, CITIES, made.id, person, world.clock)
            refused(answer, "maker-is-checker")
            refused(return_import(conn, ALL_CITIES, made.id, "x", person, world.clock),
                    "maker-is-checker")  # fmt: skip
            with pytest.raises(psycopg.errors.CheckViolation), conn.transaction():
                conn.execute(
                    """UPDATE footprint_factor_import SET status = 'approved', checker = %s,
                    decided_at = now() WHERE city = '*' AND id = %s""",
                    (person, made.id),
                )
    assert conn.execute("SELECT count(*) FROM footprint_common_factor").fetchone() == (0,)


def test_a_city_can_neither_make_nor_change_nor_decide_a_common_one(conn, world, refused):
    with pytest.raises(psycopg.errors.InsufficientPrivilege), conn.transaction():
        submit_import(conn, ALL_CITIES, "x.toml", text(), "user:1", world.clock)
    with seeing(conn, ALL_CITIES):
        waiting = handed_in(conn, world, ALL_CITIES, text())
    answer = approve_common_import(conn, CITIES, waiting.id, "user:2", world.clock)
    refused(answer, "unknown-import")
    with seeing(conn, ALL_CITIES):
        approve_common_import(conn, CITIES, waiting.id, "user:2", world.clock)
    with cursor(conn) as run:
        run.execute("UPDATE footprint_factor_import SET reason = 'x' WHERE city = '*'")
        assert run.rowcount == 0
    for statement in (
        "UPDATE footprint_common_factor SET version = 9",
        "DELETE FROM footprint_common_factor",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), conn.transaction():
            conn.execute(statement)  # pyright: ignore


def test_a_city_is_told_only_of_what_is_approved_and_as_it_stands(conn, world):
    with seeing(conn, ALL_CITIES):
        made = handed_in(conn, world, ALL_CITIES, text())
    statement = """INSERT INTO footprint_common_factor
      (city, id, import_id, set_id, version, sha256, told_at)
      VALUES (%s, gen_random_uuid(), %s, %s, %s, %s, now())"""
    said = (CITY, made.id, made.set_id, made.version, made.sha256)
    with pytest.raises(psycopg.errors.CheckViolation), conn.transaction():
        conn.execute(statement, said)
    with seeing(conn, ALL_CITIES):
        approve_common_import(conn, (OTHER,), made.id, "user:2", world.clock)
    with pytest.raises(psycopg.errors.CheckViolation), conn.transaction():
        conn.execute(statement, (*said[:-1], "0" * 64))
    conn.execute(statement, said)


def test_every_citys_log_has_a_leaf_and_cities_of_later_get_theirs_once(conn, world):
    made = common(conn, world)
    for city in CITIES:
        with seeing(conn, city):
            ((told, entry),) = footprint.entry_sources["common-factors"].entries(conn, city)
            assert entry == footprint.entry_of(conn, city, "common-factors", told)
            assert (entry["set"], entry["version"], entry["maker"], entry["checker"]) == (
                "common-grid", 1, "user:1", "user:2",
            )  # fmt: skip
            assert (entry["import"], entry["sha256"]) == (made.id, made.sha256)
            leaves = conn.execute(
                "SELECT count(*) FROM proof_audit WHERE city = %s AND subject_kind = %s",
                (city, "common-factors"),
            ).fetchone()
            assert leaves == (1,)
            assert list(footprint.entry_sources["factor-import"].entries(conn, city)) == []
    with seeing(conn, "newtown"):
        assert tell_cities(conn, ["newtown"], "operator", world.clock) == 1
        assert tell_cities(conn, ["newtown"], "operator", world.clock) == 0


_TO_401 = """UPDATE footprint_factor_import SET content = replace(content, '"400"', '"401"'),
  sha256 = encode(sha256(convert_to(replace(content, '"400"', '"401"'), 'UTF8')), 'hex')"""
_ALTERATIONS = (
    _TO_401,
    "UPDATE footprint_factor_import SET checker = 'user:9'",
    "UPDATE footprint_common_factor SET version = 7",
    "DELETE FROM footprint_common_factor",
)


def test_what_is_altered_afterwards_is_named_by_every_citys_log(
    connector, fresh_database, tmp_path
):
    """By the database's owner, with the triggers out of the way."""
    conn = connector()
    world = World(conn)
    with seeing(conn, ALL_CITIES):
        common(conn, world)
    conn.commit()
    for city in CITIES:
        with connect(fresh_database, city) as there:
            signer = proof.load_or_create_signer(tmp_path / "keys", city)
            proof.sequence(there, city, tmp_path / "log", signer, world.clock)
    for statement in (None, *_ALTERATIONS):
        with psycopg.connect(fresh_database) as owner:
            owner.execute("SET session_replication_role = replica")
            if statement:
                owner.execute(statement)  # pyright: ignore
            for city in CITIES:
                owner.execute("SELECT set_config('onsil.city', %s, true)", (city,))
                report = proof.verify(owner, city, tmp_path / "log", footprint.entry_sources)
                named = {finding.kind for finding in report.findings}
                assert ("common-factors" in named) == (statement is not None), (statement, report)
            owner.rollback()


def test_where_a_city_has_its_own_its_own_stand(conn, world):
    """The stated rule: from a city's own first version on, common ones are set aside there."""
    common(conn, world)
    own(conn, world, text("410", 2))
    assert (co2_of(conn, CITY), co2_of(conn, OTHER)) == (410, 400)
    common(conn, world, text("420", 2))
    assert (co2_of(conn, CITY), co2_of(conn, OTHER)) == (410, 420)
    with seeing(conn, CITY):
        standing = {c.made.reference: c.set_aside for c in common_factors(conn, CITY)}
        assert standing == {"common-grid@1": False, "common-grid@2": True}
        names = [one.reference for one in library_of(conn, CITY).versions("common-grid")]
        assert names == ["common-grid@1", "common-grid@2"]
        (first,) = library_of(conn, CITY).factor_set("common-grid@1").factors
        assert (first.gases_kg or {})["co2"] == 400
    common(conn, world, text("430", 3))
    assert (co2_of(conn, CITY), co2_of(conn, OTHER)) == (410, 430)
    own(conn, world, text("440", 3))
    assert (co2_of(conn, CITY), co2_of(conn, OTHER)) == (440, 430)


def test_a_city_that_was_first_keeps_its_own(conn, world, refused):
    own(conn, world, text("410"))
    common(conn, world)
    assert (co2_of(conn, CITY), co2_of(conn, OTHER)) == (410, 400)
    with seeing(conn, OTHER):
        answer = submit_import(conn, OTHER, "x.toml", text("411"), "user:1", world.clock)
        assert refused(answer, "version-not-next").facts["next"] == 2


def test_a_common_set_follows_what_is_shipped_and_leaves_no_version_out(conn, world, refused):
    with seeing(conn, ALL_CITIES):
        for content in (text().replace(b"common-grid", b"kr-grid-2018"), text(version=2)):
            answer = submit_import(conn, ALL_CITIES, "x.toml", content, "user:1", world.clock)
            refused(answer, "version-not-next")
    common(conn, world)
    with seeing(conn, ALL_CITIES):
        again = submit_import(conn, ALL_CITIES, "x.toml", text(), "user:3", world.clock)
        assert isinstance(again, list)
        assert [one.status for one in again] == ["approved"]
        assert len(imports(conn, ALL_CITIES)) == 1


def test_a_later_release_that_ships_the_same_version_changes_nothing_here(conn, world, monkeypatch):
    made = common(conn, world)
    from onsil.footprint.factors.imports import records

    shipped = records.shipped_library()
    same = made.parsed()
    assert isinstance(same, FactorSet)
    monkeypatch.setattr(
        records, "shipped_library", lambda: Library.of([*shipped.sets, same], shipped.tables)
    )
    assert co2_of(conn, CITY) == 400


def test_two_cities_races_end_with_one_version_of_each_number(fresh_database):
    """A city's own approval and the common one of the same number wait for each other."""
    with connect(fresh_database, ALL_CITIES) as conn:
        world = World(conn)
        everywhere = handed_in(conn, world, ALL_CITIES, text("420"))
        alone = handed_in(conn, world, CITY, text("410"))

    def all_cities(conn):
        scope(conn, ALL_CITIES)
        return approve_common_import(conn, CITIES, everywhere.id, "user:2", world.clock)

    def one_city(conn):
        return approve_import(conn, CITY, alone.id, "user:2", world.clock)

    answers = race(fresh_database, [all_cities, one_city])
    made = [one for one in answers if isinstance(one, FactorImport)]
    with connect(fresh_database, CITY) as conn:
        versions = library_of(conn, CITY).versions("common-grid")
    assert [one.version for one in versions] == [1]
    if len(made) == 1:
        (no,) = [one for one in answers if isinstance(one, Refusal)]
        assert no.code == "version-not-next"


@given(
    own_numbers=st.sets(st.integers(1, 6), max_size=4),
    common_numbers=st.sets(st.integers(1, 6), max_size=4),
    later=st.integers(1, 9),
)
def test_what_is_in_force_is_one_of_a_number_and_stays(own_numbers, common_numbers, later):
    mine = [("x", number) for number in own_numbers]
    kept = {number for number in common_numbers if stands(mine, "x", number)}
    assert kept.isdisjoint(own_numbers)
    assert all(stands(mine, "y", number) for number in common_numbers)
    next_own = max({*own_numbers, *kept}, default=0) + later
    assert all(stands([*mine, ("x", next_own)], "x", number) for number in kept)
