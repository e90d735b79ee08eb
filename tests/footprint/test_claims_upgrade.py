"""The guard of claims laid over a database that already has claims, uses and a double claim."""

from importlib.resources import files
from uuid import UUID

import psycopg
import pytest
from footprint_world import CITY, World
from test_claims_waste import ask, burnt, decay

from onsil import footprint
from onsil.core.refusal import Refusal
from onsil.footprint.claims import Release, release_claim, use, uses_of

_BACK = """
DROP TABLE footprint_claim_fate CASCADE;
ALTER TABLE footprint_monitoring_claim DROP COLUMN fate;
ALTER TABLE footprint_claim_use DROP COLUMN fate;
ALTER TABLE footprint_claim_release DROP COLUMN fate;
DROP FUNCTION footprint_use_fate, footprint_claim_becomes, footprint_hold_renamed;
DROP FUNCTION footprint_monitoring_claim_gone, footprint_batch_uses, footprint_claim_tonnes_fit
  CASCADE;
ALTER TABLE footprint_hold DROP CONSTRAINT footprint_claimed_in_one_city;
ALTER TABLE footprint_run_record DROP COLUMN ticket CASCADE;
DELETE FROM footprint_claim_use WHERE kind = 'issuance';
DELETE FROM footprint_hold WHERE meter LIKE 'ticket:%';
UPDATE footprint_hold SET family = line_quantity
WHERE line_quantity IN ('solar-generation', 'stand-year', 'landfill-decay');
"""


@pytest.fixture
def before(connector, fresh_database) -> World:
    """Credits issued, an award given, a claim released, a lot claimed twice: then the old schema
    under it all, and the new one laid over it again."""
    conn = connector()
    world = World(conn)
    world.issued("10")
    given, gone = (world.claimed(world.solar_run(), "household-saving") for _ in range(2))
    assert use(conn, CITY, given.id, "award", "a-1", world.clock) is None
    assert isinstance(release_claim(conn, CITY, gone.id, "x", "o", world.clock), Release)
    assert isinstance(ask(world, decay(world, 2025, ticket="W-1"), "voluntary"), footprint.Claim)
    conn.commit()
    with psycopg.connect(fresh_database) as owner:
        owner.execute(
            """UPDATE footprint_hold SET family = 'landfill-decay'
            WHERE line_quantity = 'landfill-decay'"""
        )
    assert isinstance(ask(world, burnt(world, ticket="W-2"), "kr-offset"), footprint.Claim)
    conn.commit()
    guard = files("onsil.footprint") / "schema" / "0011_claims_guard.sql"
    with psycopg.connect(fresh_database) as owner:
        owner.execute(_BACK)
        owner.execute(guard.read_text("utf-8"))  # pyright: ignore
    return world


def fates(world: World) -> dict[str, int]:
    found = world.conn.execute(
        "SELECT fate, count(*) FROM footprint_claim_fate GROUP BY fate"
    ).fetchall()
    return {str(fate): int(count) for fate, count in found}


def test_what_was_made_of_claims_is_told_and_a_double_claim_comes_out(before: World):
    conn = before.conn
    assert fates(before) == {"units": 1, "given": 1, "released": 1}
    families = dict(conn.execute("SELECT line_quantity, family FROM footprint_hold").fetchall())
    assert families["solar-generation"] == "electricity-saved"
    assert families["waste-diverted"] == "waste-treated"
    assert families["landfill-decay"] == "landfill-decay"  # the other claim stands in its way
    by_programme = {one.programme: one.id for one in footprint.claims(conn, CITY)}
    issued: list[UUID] = [
        one.id for one in footprint.claims(conn, CITY, programme="kr-offset")
        if uses_of(conn, CITY, one.id)
    ]  # fmt: skip
    assert {use.kind for use in uses_of(conn, CITY, issued[0])} == {"monitoring", "issuance"}
    for claim_id in (issued[0], by_programme["household-saving"]):
        answer = release_claim(conn, CITY, claim_id, "x", "o", before.clock)
        assert isinstance(answer, Refusal)
        assert answer.code == "claim-used"
    (treated,) = [
        one for one in footprint.claims(conn, CITY, programme="kr-offset") if one.id not in issued
    ]
    assert isinstance(release_claim(conn, CITY, treated.id, "x", "o", before.clock), Release)
    families = dict(conn.execute("SELECT line_quantity, family FROM footprint_hold").fetchall())
    assert families["landfill-decay"] == "waste-treated"
    again = footprint.claim(conn, CITY, treated.run_id, "kr-offset", clock=before.clock)
    assert isinstance(again, Refusal)
    assert again.code == "claim-conflict"
