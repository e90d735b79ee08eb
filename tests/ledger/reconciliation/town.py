"""A small city's books and a bank that writes files about them, for tests on a real database."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from onsil import ledger
from onsil.core.clock import FixedClock
from onsil.core.database import Connection
from onsil.core.periods import midnight
from onsil.ledger import AccountSpec, Leg, LotTerms, TransferRequest
from onsil.ledger.reconciliation import (
    BankAccount,
    ImportReport,
    Office,
    Setup,
    import_file,
    read_setup,
    reconcile,
)

CITY, LOCAL = "pyeongtaek", "local:pyeongtaek"
SEOUL = ZoneInfo("Asia/Seoul")
DAY = date(2026, 3, 2)
ACCOUNTANT, CHECKER = "user:accountant", "user:checker"
HEAD = "거래일자,거래시간,출금금액,입금금액,잔액,적요,보낸분/받는분,거래메모,거래번호"
CITIZEN, SHOP = "citizen:1", "merchant:1"


def setup() -> Setup:
    """The demonstration city's set-up with its trust account alone."""
    found = read_setup(Path(__file__).parents[3] / "cities" / CITY / "reconciliation")
    return replace(found, accounts={"trust": found.accounts["trust"]})


@dataclass
class Town:
    """The ledger on one side, the bank's account on the other."""

    conn: Connection
    clock: FixedClock
    setup: Setup = field(default_factory=setup)
    at_bank: int = 0
    told: list[str] = field(default_factory=list)

    @property
    def trust(self) -> BankAccount:
        return self.setup.accounts["trust"]

    @property
    def office(self) -> Office:
        return Office(self.conn, CITY, self.trust, self.clock, SEOUL)

    def post(self, key: str, kind: str, *legs: Leg, **more) -> ledger.Answer:
        request = TransferRequest(key, kind, legs, **more)
        answer = ledger.post(self.conn, CITY, [request], self.clock)[key]
        assert answer, answer.refusal
        return answer

    def charge(self, key: str, amount: int, **more) -> ledger.Answer:
        terms = LotTerms("charge", datetime(2031, 1, 1, tzinfo=UTC), refundable=True)
        return self.post(
            key, "charge", Leg("external:bank", "trust:local", "KRW", amount),
            Leg("issuer:local", CITIZEN, LOCAL, amount, lot=terms), **more,
        )  # fmt: skip

    def pay_out(self, key: str, amount: int, file: str, **more) -> ledger.Answer:
        """Spent at a shop, settled, and paid out by the file `file`."""
        self.post(f"pay:{key}", "payment", Leg(CITIZEN, SHOP, LOCAL, amount))
        self.post(f"settle:{key}", "settlement", Leg(SHOP, "issuer:local", LOCAL, amount),
                  Leg("trust:local", f"payable:{key}", "KRW", amount))  # fmt: skip
        return self.post(f"payout:{key}", "payout", Leg(f"payable:{key}", "external:bank", "KRW",
                         amount), origin_kind="settlement", origin_id=file, **more)  # fmt: skip

    def bank_says(
        self, amount: int, *, memo: str = "", text: str = "이체", party: str = "", days: int = 0,
        number: str = "",
    ) -> None:  # fmt: skip
        """A line of the bank's next file."""
        self.at_bank += amount
        day = DAY + timedelta(days=days)
        out, come = (0, amount) if amount > 0 else (-amount, 0)
        self.told.append(
            f"{day.isoformat()},10:00:00,{out},{come},{self.at_bank},{text},{party},{memo},{number}"
        )

    def file(self) -> bytes:
        """Everything the bank has said so far, as its file."""
        return ("\n".join([HEAD, *self.told]) + "\n").encode("cp949")

    def bring_in(self, content: bytes | None = None, days: int = 0):
        """Import a file that covers up to so many days after DAY."""
        return import_file(
            self.conn, CITY, self.setup, "trust", "bank-csv", "통장.csv",
            self.file() if content is None else content, ACCOUNTANT, self.clock, SEOUL,
            (DAY, DAY + timedelta(days=days)),
        )  # fmt: skip

    def reconciled(self, days: int = 0):
        """Bring the bank's file in and run the rules."""
        found = self.bring_in(days=days)
        assert isinstance(found, ImportReport), found
        return reconcile(self.conn, CITY, self.trust, self.clock, SEOUL)

    def to_day(self, days: int, hours: int = 9) -> None:
        """Move the clock to an hour of a day after DAY."""
        self.clock.instant = midnight(DAY + timedelta(days=days), SEOUL) + timedelta(hours=hours)


def found(conn: Connection) -> Town:
    """A city whose books begin at nothing, on the morning of DAY."""
    ledger.open_accounts(conn, CITY, [
        AccountSpec("external:bank", "KRW", "external", minimum=None),
        AccountSpec("trust:local", "KRW", "trust"),
        AccountSpec("reserve:points", "KRW", "reserve"),
        AccountSpec("issuer:local", LOCAL, "issuer", minimum=None),
        AccountSpec(CITIZEN, LOCAL, "citizen", lots=True),
        AccountSpec(SHOP, LOCAL, "merchant", lots=True),
        *(AccountSpec(f"payable:{n}", "KRW", "payable") for n in ("p1", "p2", "p3")),
    ])  # fmt: skip
    return Town(conn, FixedClock(midnight(DAY, SEOUL) + timedelta(hours=9)))
