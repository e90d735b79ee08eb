"""The demonstration's bank: its simulated file matches the books but for one line of interest."""

from ledger.reconciliation.town import CITY, found
from onsil.core.refusal import Refusal
from onsil.demonstration import books
from onsil.ledger import Leg, closing, reconciliation
from onsil.tenancy import transaction


def test_the_simulated_file_matches_and_yesterday_is_closed_once(db, city: str) -> None:
    with transaction(city) as conn:
        town = found(conn)
        town.clock.instant = books.CLOCK.now()
        town.post("fund", "budget", Leg("external:bank", "reserve:points", "KRW", 50_000))
        for number in (1, 2):
            town.post(f"c{number}", "conversion",
                      Leg("reserve:points", "trust:local", "KRW", 10_000 * number))  # fmt: skip
        town.charge("own", 7_000, memo="91234567890128")
        made = books.close_the_day("user:demo")
        assert isinstance(made, closing.Close), made
        found_open = {
            side: reconciliation.open_lines(conn, CITY, "trust", side)  # pyright: ignore
            for side in ("bank", "book")
        }
        assert [line.amount for line in found_open["bank"]] == [books.INTEREST_KRW]
        assert found_open["bank"][0].simulated
        assert found_open["book"] == []
        assert books.close_the_day("user:demo") is None
        assert not isinstance(books.close_the_day("user:demo"), Refusal)
        assert len(reconciliation.imported_files(conn, CITY)) == 1
