"""Fifteen invariants hold of the ledger, and each has a defect that trips it and no other."""

import pytest
from invariants import INVARIANTS, tripped
from mutants import MUTANTS, Mutant, seen_with


def test_there_are_fifteen_and_each_has_its_mutant():
    assert len(INVARIANTS) == 15
    assert {mutant.breaks for mutant in MUTANTS} == set(INVARIANTS)
    for sentence, _ in INVARIANTS.values():
        assert sentence.endswith(".")


def test_a_sound_ledger_trips_none(fresh_database, tmp_path):
    seen = seen_with(None, fresh_database, tmp_path)
    assert tripped(seen) == {}
    codes = {told.answer.refusal.code for told in seen.told if told.answer.refusal is not None}
    assert codes == {
        "insufficient-balance", "account-limit", "asset-mismatch", "key-reused", "linked-failed",
        "pending-settled", "pending-expired", "already-reversed",
    }  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name.replace(" ", "-"))
def test_a_mutant_trips_its_invariant_and_no_other(mutant: Mutant, fresh_database, tmp_path):
    found = tripped(seen_with(mutant, fresh_database, tmp_path))
    assert list(found) == [mutant.breaks], found
