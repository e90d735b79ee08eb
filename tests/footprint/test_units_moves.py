"""Blocks of units: the lowest serials move first, split and merge conserve, none is held twice."""

import psycopg
import pytest
from footprint_world import CITY, World
from hypothesis import given
from hypothesis import strategies as st
from units_world import A, B, done, retired, spans, transferred, whole

from onsil import footprint, ledger
from onsil.core.ids import new_id
from onsil.footprint import credits
from onsil.footprint.credits import spans as of

some_spans = st.lists(st.integers(0, 300), unique=True, min_size=2, max_size=16).map(
    lambda cuts: list(zip(sorted(cuts)[::2], sorted(cuts)[1::2], strict=False))
)


def numbers(spans) -> set[int]:
    return {n for first, end in spans for n in range(first, end)}


@given(some_spans, st.integers(0, 400))
def test_the_lowest_serials_are_taken(held, wanted):
    chosen = of.lowest(held, wanted)
    everything = sorted(numbers(held))
    if wanted > len(everything):
        assert chosen is None
        return
    assert chosen is not None
    assert sorted(numbers(chosen)) == everything[:wanted]
    assert sorted(numbers(of.without(held, chosen))) == everything[wanted:]


@given(some_spans, some_spans)
def test_spans_are_sets_of_numbers(one, other):
    assert numbers(of.common(one, other)) == numbers(one) & numbers(other)
    assert numbers(of.without(one, other)) == numbers(one) - numbers(other)
    assert of.count(one) == len(numbers(one))
    assert numbers(of.joined(one)) == numbers(one)
    assert of.holds(one, other) == (numbers(other) <= numbers(one))


def test_issued_units_lie_by_serial_with_the_buffer_on_top(world: World):
    made = world.issued("50", buffer_bp=2000)
    first, last = made.serial_first, made.serial_last
    assert spans(world, made.id, f"project:{made.project_id}") == [(first, last - 5)]
    assert spans(world, made.id, "buffer") == [(last - 4, last)]
    whole(world)


def test_a_transfer_moves_the_lowest_serials(world: World, refused):
    made = world.issued("50")
    n, project = made.serial_first, f"project:{made.project_id}"
    moved = done(transferred(world, made, 5))
    assert moved.spans == ((n, n + 5),)
    done(transferred(world, made, 3, B, "t2"))
    done(transferred(world, made, 2, B, "t3", A))
    assert spans(world, made.id, A) == [(n + 2, n + 4)]
    assert spans(world, made.id, B) == [(n, n + 1), (n + 5, n + 7)]
    assert spans(world, made.id, project) == [(n + 8, made.serial_last)]
    assert ledger.balance(world.conn, CITY, B, made.asset) == 5
    assert transferred(world, made, 5) == moved
    refused(transferred(world, made, 6), "key-reused")
    refused(transferred(world, made, 4, B, "t4", A), "insufficient-balance")
    refused(transferred(world, made, 0, B, "t5", A), "units-invalid")
    refused(transferred(world, made, 1, A, "t6", A), "units-invalid")
    whole(world)


@pytest.mark.parametrize("account", ["buffer", "retired", "issuer:credit", "fund:incentive", " "])
def test_only_holders_give_and_take(world: World, refused, account):
    made = world.issued("10")
    refused(transferred(world, made, 1, account), "account-not-held")
    refused(transferred(world, made, 1, A, source=account), "account-not-held")


def test_chosen_serials_move_and_no_others(world: World, refused):
    made = world.issued("50")
    n, project = made.serial_first, f"project:{made.project_id}"

    def pick(key, *asked):
        return credits.transfer(
            world.conn, CITY, made.id, project, A, of.count(asked), key, "o", world.clock,
            spans=asked,
        )  # fmt: skip

    done(pick("k1", (n + 3, n + 5), (n + 10, n + 11)))
    assert spans(world, made.id, A) == [(n + 3, n + 4), (n + 10, n + 10)]
    refused(pick("k2", (n + 4, n + 6)), "serials-not-held")
    done(retired(world, made.id, 3, "r"))
    used = footprint.retirements(world.conn, CITY)[0]
    assert used.stretches == ((n + 3, n + 5), (n + 10, n + 11))
    assert (used.serial_first, used.serial_last, used.tonnes) == (n + 3, n + 10, 3)
    entry = footprint.entry_of(world.conn, CITY, "retirement", used.id)
    assert entry is not None
    assert entry["stretches"] == [[n + 3, n + 4], [n + 10, n + 10]]
    whole(world)


def test_splitting_and_merging_conserve(world: World, refused):
    made = world.issued("50")
    (block,) = credits.blocks(world.conn, CITY, made.id)

    def halve(block_id, units, key):
        return credits.split(world.conn, CITY, block_id, units, key, "o", world.clock)

    def join(blocks, key):
        return credits.merge(world.conn, CITY, blocks, key, "o", world.clock)

    refused(halve(block.id, 22, "s0"), "units-invalid")
    refused(halve(new_id(), 1, "s0"), "unknown-block")
    cut = done(halve(block.id, 7, "s1"))
    assert halve(block.id, 7, "s1") == cut
    refused(halve(block.id, 8, "s1"), "key-reused")
    refused(halve(block.id, 8, "s2"), "block-ended")
    low, high = credits.blocks(world.conn, CITY, made.id)
    assert (low.units, high.units) == (7, 15)
    done(transferred(world, made, 3))
    refused(join([b.id for b in credits.blocks(world.conn, CITY, made.id)], "m1"), "blocks-apart")
    rest = credits.blocks(world.conn, CITY, made.id, f"project:{made.project_id}")
    joined = done(join([b.id for b in rest], "m2"))
    assert join([b.id for b in rest], "m2") == joined
    (one,) = credits.blocks(world.conn, CITY, made.id, f"project:{made.project_id}")
    assert one.units == 19
    past = credits.ancestors(world.conn, CITY, one)
    assert past[0].span == block.span
    assert all(not p.live for p in past)
    whole(world)


def test_a_units_history_names_no_private_holder(world: World):
    made = world.issued("50")
    done(transferred(world, made, 5))
    done(retired(world, made.id, 2, "r"))
    block = credits.block_of_serial(world.conn, CITY, made.serial_first)
    assert block is not None
    steps = credits.history(world.conn, CITY, block)
    assert [(s.kind, s.source, s.destination) for s in steps] == [
        ("issuance", "", ""), ("transfer", "project", "held"), ("retirement", "held", "retired")
    ]  # fmt: skip
    credits.disclose_holder(world.conn, CITY, A, "한 기업", "d", "o", world.clock)
    assert credits.history(world.conn, CITY, block)[1].destination == "한 기업"
    credits.disclose_holder(world.conn, CITY, A, "", "e", "o", world.clock)
    assert credits.public_names(world.conn, CITY) == {}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE footprint_unit_block SET serials = serials",
        "UPDATE footprint_unit_block SET account = 'company:x'",
        "UPDATE footprint_unit_block SET born_by = born_by",
        "UPDATE footprint_unit_event SET tonnes = tonnes",
        "DELETE FROM footprint_unit_block",
        "DELETE FROM footprint_unit_event",
    ],
)
def test_the_app_may_end_a_block_and_nothing_else(world: World, statement):
    world.issued("10")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        world.conn.execute(statement)


_COPY = """INSERT INTO footprint_unit_block (city, id, batch_id, serials, account, born_by)
  SELECT city, gen_random_uuid(), batch_id, {}, 'company:x', born_by FROM footprint_unit_block
  WHERE account = 'company:a' AND ended_by IS NULL"""


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE footprint_unit_block SET account = 'company:x' WHERE ended_by IS NULL",
        "UPDATE footprint_unit_block SET serials = int8range(1, 2) WHERE ended_by IS NULL",
        "DELETE FROM footprint_unit_block",
        """UPDATE footprint_unit_block SET ended_by = (SELECT id FROM footprint_unit_event
           WHERE kind = 'retirement') WHERE ended_by IS NULL AND account LIKE 'project:%'""",
        _COPY.format("serials"),
        _COPY.format("int8range(upper(serials) + 1000, upper(serials) + 1001)"),
    ],
)
def test_even_the_owner_breaks_no_sum_unseen(world: World, statement):
    made = world.issued("10")
    done(transferred(world, made, 2))
    done(retired(world, made.id, 1, "r"))
    whole(world)
    world.conn.execute("RESET ROLE")
    world.conn.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(psycopg.errors.IntegrityError):
        world.conn.execute(statement)


def test_what_is_gone_does_not_come_back(world: World):
    made = world.issued("10")
    done(transferred(world, made, 2))
    done(retired(world, made.id, 1, "r"))
    moved = credits.move(
        world.conn, CITY,
        credits.Move(made.id, "transfer", "retired", B, 1, "back", "o"), world.clock,
    )  # fmt: skip
    done(moved)
    with pytest.raises(psycopg.errors.CheckViolation, match="cannot come back"):
        world.conn.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_a_ledger_that_moved_alone_is_found_out(world: World):
    made = world.issued("10")
    done(transferred(world, made, 2))
    ledger.open_accounts(world.conn, CITY, [ledger.AccountSpec(B, made.asset, "company")])
    request = ledger.TransferRequest("x", "transfer", (ledger.Leg(A, B, made.asset, 1),))
    ledger.post(world.conn, CITY, [request], world.clock)
    found = credits.conservation(world.conn, CITY, made.id)
    assert found is not None
    assert not found.whole
    assert [code for code, _ in found.findings] == ["ledger-differs"]
    done(transferred(world, made, 1, "company:c", "t9"))
    with pytest.raises(psycopg.errors.CheckViolation, match="ledger"):
        world.conn.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_conservation_of_what_is_not_there(world: World):
    assert credits.conservation(world.conn, CITY, new_id()) is None
    assert credits.conservation_all(world.conn, CITY) == []
