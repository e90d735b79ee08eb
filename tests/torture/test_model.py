"""The stateful model over the pure machine and over PostgreSQL."""

from database_door import DatabaseDoor
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from ledger_model import LOCAL, Door, LedgerModel
from pure_door import PureDoor

from effort import LONG, tries
from onsil.ledger.terms import Leg, LotTerms, TransferRequest


def effort(examples: int, steps: int, longer: int) -> settings:
    """Few fixed examples in every run; many random ones, made small when they fail, under
    `make torture`."""
    return settings(
        max_examples=tries(examples, examples * longer),
        stateful_step_count=steps,
        deadline=None,
        derandomize=not LONG,
        suppress_health_check=list(HealthCheck),  # pyright: ignore
        phases=list(Phase) if LONG else [Phase.explicit, Phase.generate],
    )


def test_the_pure_machine_decides_as_the_naive_ledger_does():
    run_state_machine_as_test(
        lambda: LedgerModel(PureDoor()),  # pyright: ignore
        settings=effort(60, 40, 50),
    )


def test_the_ledger_on_postgresql_does_as_the_naive_ledger_does(conn):
    run_state_machine_as_test(
        lambda: LedgerModel(DatabaseDoor(conn, "pyeongtaek")),  # pyright: ignore
        settings=effort(12, 30, 25),
    )


def follow_part_of_a_mixed_payment(door: Door) -> None:
    """A payment brings value of two hands; only one hand's part of it moves on."""
    terms = LotTerms("city", None, "", False)
    model = LedgerModel(door)

    def move(*legs: tuple[str, str, int]) -> str:
        key = model.key()
        moved = tuple(
            Leg(source, destination, LOCAL, amount, terms if source == "issuer" else None)
            for source, destination, amount in legs
        )
        (answer,) = model.ask([TransferRequest(key, "test", moved)])
        assert answer.state == "applied"
        return key

    def traced(key: str) -> set[str]:
        told = {model.naive.names[i] for i in door.traced(model.ids[key])}
        assert told == model.naive.story_of(key)
        return told

    first, second = move(("issuer", "minji", 3)), move(("issuer", "minji", 3))
    one = move(("minji", "seoyun", 2))
    rest = move(("minji", "seoyun", 1), ("minji", "seoyun", 3))
    assert traced(rest) == {rest, first, second}
    back = move(("seoyun", "minji", 3))
    assert traced(back) == {back, one, rest, first}
    end = move(("seoyun", "shop", 3))
    assert traced(end) == {end, rest, second}
    model.accounts_agree()
    model.teardown()


def test_only_what_moved_on_is_followed_back_in_memory():
    follow_part_of_a_mixed_payment(PureDoor())


def test_only_what_moved_on_is_followed_back_on_postgresql(conn):
    follow_part_of_a_mixed_payment(DatabaseDoor(conn, "pyeongtaek"))
