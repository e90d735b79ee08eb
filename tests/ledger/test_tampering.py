"""A database owner who alters history by SQL is named by the verification."""

from pathlib import Path

import psycopg
import pytest

from onsil import ledger, proof
from onsil.core.clock import SystemClock
from onsil.core.database import connect
from onsil.ledger import AccountSpec, Leg, LotTerms, TransferRequest

CITY = "pyeongtaek"
LOCAL = f"local:{CITY}"
CLOCK = SystemClock()


@pytest.fixture
def posted(fresh_database, tmp_path) -> list:
    """Thirty transfers, logged and signed; their ids."""
    signer = proof.load_or_create_signer(tmp_path / "keys", CITY)
    with connect(fresh_database, CITY) as conn:
        ledger.open_accounts(
            conn,
            CITY,
            [
                AccountSpec("external:bank", "KRW", minimum=None),
                AccountSpec("trust:local", "KRW"),
                AccountSpec("issuer:local", LOCAL, minimum=None),
                AccountSpec("citizen:1", LOCAL, lots=True),
                AccountSpec("merchant:1", LOCAL, lots=True),
            ],
        )
        requests = [
            TransferRequest(
                "charge",
                "charge",
                (
                    Leg("issuer:local", "citizen:1", LOCAL, 1_000, LotTerms("own")),
                    Leg("external:bank", "trust:local", "KRW", 1_000),
                ),
            )
        ]
        requests += [
            TransferRequest(f"p{n}", "payment", (Leg("citizen:1", "merchant:1", LOCAL, 10 + n),))
            for n in range(29)
        ]
        given = ledger.post(conn, CITY, requests, CLOCK)
        conn.commit()
        proof.sequence(conn, CITY, tmp_path / "log", signer, CLOCK)
    assert all(given.values())
    return [given[r.key].transfer_id for r in requests]


def verified(dsn: str, tmp_path: Path) -> list[tuple[str, object]]:
    with connect(dsn, CITY) as conn:
        report = proof.verify(conn, CITY, tmp_path / "log", {"transfer": ledger.entry_source})
    return [(f.code, f.subject_id) for f in report.findings]


def as_owner(dsn: str, *statements: str, **parameters) -> None:
    with psycopg.connect(dsn, autocommit=True) as owner:
        for statement in statements:
            owner.execute(statement, parameters)  # pyright: ignore


def test_untouched_rows_verify(fresh_database, posted, tmp_path):
    assert verified(fresh_database, tmp_path) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_leg SET memo = 'x' WHERE transfer_id = %(id)s",
        "UPDATE ledger_leg SET effective_at = effective_at + interval '1 second' WHERE transfer_id = %(id)s",  # noqa: E501
        "UPDATE ledger_leg SET key = 'x' WHERE transfer_id = %(id)s",
        "UPDATE ledger_leg SET phase = 2 WHERE transfer_id = %(id)s",
        "UPDATE ledger_leg SET amount = amount + 1 WHERE transfer_id = %(id)s",
        "UPDATE ledger_leg SET destination_balance = 0 WHERE transfer_id = %(id)s",
        "UPDATE ledger_leg SET pieces = '[]' WHERE transfer_id = %(id)s",
        "UPDATE ledger_leg SET pieces = replace(pieces, '[[1,', '[[2,') WHERE transfer_id = %(id)s",
        "UPDATE ledger_leg SET pieces = replace(pieces, ',16]', ',17]') WHERE transfer_id = %(id)s",
        "UPDATE ledger_leg SET pieces = '[[99,0,0,16]]' WHERE transfer_id = %(id)s",
        "UPDATE ledger_leg SET pieces = 'x' WHERE transfer_id = %(id)s",
        "UPDATE ledger_leg SET pieces = '[[1]]' WHERE transfer_id = %(id)s",
        "UPDATE ledger_leg SET source_id = 999 WHERE transfer_id = %(id)s",
    ],
)
def test_an_altered_row_is_named_and_no_other(fresh_database, posted, tmp_path, statement):
    as_owner(fresh_database, statement, id=posted[7])
    assert verified(fresh_database, tmp_path) == [("row-altered", posted[7])]


def test_a_deleted_transfer_is_named(fresh_database, posted, tmp_path):
    as_owner(fresh_database, "DELETE FROM ledger_leg WHERE transfer_id = %(id)s", id=posted[7])
    assert verified(fresh_database, tmp_path) == [("row-missing", posted[7])]


def test_an_inserted_transfer_is_named(fresh_database, posted, tmp_path):
    forged = posted[7].__class__(int=posted[7].int + 1)
    as_owner(
        fresh_database,
        """INSERT INTO ledger_leg (city, transfer_id, number, phase, source_id, destination_id,
             amount, source_balance, destination_balance, recorded_at, effective_at, pieces, key,
             fingerprint, kind)
           SELECT city, %(forged)s, number, phase, source_id, destination_id, amount,
             source_balance, destination_balance, recorded_at, effective_at, pieces, 'forged',
             fingerprint, kind FROM ledger_leg WHERE transfer_id = %(id)s""",
        id=posted[7],
        forged=forged,
    )
    assert verified(fresh_database, tmp_path) == [("row-unlogged", forged)]


def test_an_alteration_with_a_matching_new_commitment_is_named(fresh_database, posted, tmp_path):
    from onsil.proof.entries import commitment, entry_bytes

    as_owner(
        fresh_database, "UPDATE ledger_leg SET memo = 'x' WHERE transfer_id = %(id)s", id=posted[7]
    )
    with connect(fresh_database, CITY) as conn:
        entry = ledger.transfer_entry(conn, CITY, posted[7])
        leaf = proof.leaf(conn, CITY, "transfer", posted[7])
    assert entry is not None
    assert leaf is not None
    value = commitment(leaf.salt, entry_bytes(CITY, "transfer", posted[7], entry))
    as_owner(
        fresh_database,
        """UPDATE proof_batch SET commitments =
          overlay(commitments PLACING %(value)s FROM 2 * position(uuid_send(%(id)s) IN ids) - 1)
        WHERE position(uuid_send(%(id)s) IN ids) > 0""",
        id=posted[7],
        value=value,
    )
    assert verified(fresh_database, tmp_path) == [("entry-altered", posted[7])]


def test_a_transfer_deleted_together_with_its_leaf_is_missed_in_the_tree(
    fresh_database, posted, tmp_path
):
    as_owner(
        fresh_database,
        "DELETE FROM ledger_leg WHERE transfer_id = %(id)s",
        """UPDATE proof_batch SET size = size - 1,
          ids = overlay(ids PLACING '' FROM position(uuid_send(%(id)s) IN ids) FOR 16),
          salts = overlay(salts PLACING '' FROM 2 * position(uuid_send(%(id)s) IN ids) - 1 FOR 32),
          commitments =
            overlay(commitments PLACING '' FROM 2 * position(uuid_send(%(id)s) IN ids) - 1 FOR 32)
        WHERE position(uuid_send(%(id)s) IN ids) > 0""",
        id=posted[7],
    )
    assert verified(fresh_database, tmp_path) == [("entry-missing", None)]


@pytest.mark.parametrize(
    ("statement", "codes"),
    [
        (
            "UPDATE ledger_account SET balance = balance + 5, received = received + 5 WHERE code = 'merchant:1'",  # noqa: E501
            {"asset-sum", "balance-legs", "balance-lots", "trust-short"},
        ),
        (
            "UPDATE ledger_account SET purse = replace(purse, ',1000]', ',999]')",
            {"balance-lots", "positions"},
        ),
        (
            "UPDATE ledger_account SET held = held + 1 WHERE code = 'trust:local'",
            {"held-pending"},
        ),
        (
            "UPDATE ledger_leg SET pieces = replace(pieces, ',12]', ',13]') WHERE amount = 12",
            {"positions"},
        ),
        (
            "UPDATE ledger_leg SET amount = amount + 1 WHERE amount = 15",
            {"balance-legs", "leg-chain"},
        ),
        (
            "UPDATE ledger_account SET balance = balance - 1 WHERE code = 'trust:local'",
            {"asset-sum", "balance-legs", "trust-short"},
        ),
    ],
)
def test_the_books_tell_when_balances_were_altered(fresh_database, posted, statement, codes):
    with connect(fresh_database, CITY) as conn:
        assert ledger.conservation(conn, CITY) == []
    as_owner(fresh_database, statement)
    with connect(fresh_database, CITY) as conn:
        assert {i.code for i in ledger.conservation(conn, CITY)} == codes


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_leg SET memo = 'x'",
        "DELETE FROM ledger_leg",
        "UPDATE ledger_terms SET fund = 'x'",
        "DELETE FROM ledger_terms",
        "UPDATE ledger_pending SET legs = '[]'",
        "DELETE FROM ledger_pending",
        "UPDATE ledger_account SET code = 'x'",
        "DELETE FROM ledger_refusal",
        "UPDATE proof_batch SET salts = commitments",
        "DELETE FROM proof_checkpoint",
        "UPDATE proof_audit SET actor = 'x'",
    ],
)
def test_the_running_system_may_not_alter_the_journals(conn, statement):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_account SET balance = -1 WHERE code = 'trust:local'",
        "UPDATE ledger_account SET balance = -1 WHERE code = 'merchant:1'",
        "UPDATE ledger_account SET held = 1001 WHERE code = 'trust:local'",
        "UPDATE ledger_account SET held = -1 WHERE code = 'trust:local'",
        "UPDATE ledger_account SET received = 0 WHERE code = 'merchant:1'",
        "UPDATE ledger_leg SET amount = 0",
        "UPDATE ledger_leg SET destination_id = source_id",
    ],
)
def test_postgresql_itself_refuses_what_must_not_be(fresh_database, posted, statement):
    with pytest.raises(psycopg.errors.CheckViolation):
        as_owner(fresh_database, statement)


def test_a_bundle_of_a_payment_is_verified_without_the_server(fresh_database, posted, tmp_path):
    with connect(fresh_database, CITY) as conn:
        entry = ledger.transfer_entry(conn, CITY, posted[3])
        assert entry is not None
        made = proof.bundle(conn, CITY, "transfer", posted[3], tmp_path / "log", entry)
    assert isinstance(made, dict)
    shown = proof.verify_bundle(made)
    assert shown.valid
    assert shown.subject_id == posted[3]
    made["entry"]["legs"][0]["amount"] += 1
    assert proof.verify_bundle(made).findings == ["the content is not what was logged"]
