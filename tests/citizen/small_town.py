"""What tests of the room do all the time, in a city whose transactions really commit."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from uuid import uuid4

from onsil import ledger
from onsil.citizen import approval
from onsil.citizen.models import ChargeOrder, Deposit, Merchant, Role, User
from onsil.citizen.reference import grouped
from onsil.citizen.services import Application, charges, deposits, merchants, people, postings
from onsil.core.clock import Clock, SystemClock
from onsil.core.periods import local_day
from onsil.ledger import rules
from onsil.tenancy import transaction
from onsil.tenancy.cities import city as city_profile

CITY = "pyeongtaek"
_numbers = count(1)


def business_number() -> str:
    """Numbers that begin with 000 belong to nobody; the last digit is the check digit."""
    nine = f"{next(_numbers):09d}"
    for digit in range(10):
        if approval.business_number(nine + str(digit)):
            return nine + str(digit)
    raise AssertionError


@dataclass(frozen=True)
class BankLine:
    """A credit line of a bank's file."""

    reference: str
    amount: int
    booked_at: datetime
    bank_id: str = field(default_factory=lambda: uuid4().hex)
    depositor: str = "데모 시민"
    simulated: bool = True


@dataclass
class Town:
    """A city on a database of its own; a posting writer runs when it is asked to."""

    dsn: str
    city: str = CITY
    clock: Clock = field(default_factory=SystemClock)

    def user(self, *roles: str) -> User:
        user = User.objects.create_user(f"{uuid4().hex}@demo.invalid")
        for role in roles:
            people.give_role(user, role)
        return user

    def citizen(self, *, money: int = 0, points: int = 0) -> User:
        user = self.user()
        people.admit(user, "counter")
        if money:
            self.give_money(user, money)
        if points:
            self.give_points(user, points)
        return user

    def give_points(
        self, user: User, points: int, *, programme: str = "bus-weekly", fund: str = "city",
        expires_at: datetime | None = None,
    ) -> None:  # fmt: skip
        asset, person = f"point:{programme}", postings.wallet_account(user.pk)
        expires_at = expires_at or self.clock.now() + timedelta(days=300)
        terms = ledger.LotTerms(fund=fund, expires_at=expires_at, origin_kind="award")
        self._post(
            [
                ledger.AccountSpec(person, asset, "citizen", lots=True),
                ledger.AccountSpec("issuer:point", asset, "issuer", minimum=None),
            ],
            ledger.Leg("issuer:point", person, asset, points, lot=terms),
            ledger.Leg("external:bank", "reserve:points", "KRW", points),
        )

    def give_money(
        self, user: User, won: int, *, rule: str = "", expires_at: datetime | None = None,
        fund: str = "city",
    ) -> None:  # fmt: skip
        terms = ledger.LotTerms(fund=fund, merchant_rule=rule, expires_at=expires_at)
        person = postings.wallet_account(user.pk)
        self._post(
            [],
            ledger.Leg("issuer:local", person, f"local:{self.city}", won, lot=terms),
            ledger.Leg("external:bank", "trust:local", "KRW", won),
        )

    def _post(self, specs: list[ledger.AccountSpec], *legs: ledger.Leg) -> None:
        with transaction() as tx:
            ledger.open_accounts(tx, self.city, [*postings.city_accounts(self.city), *specs])
            request = ledger.TransferRequest(f"given:{uuid4()}", "gift", tuple(legs))
            answer = ledger.post(tx, self.city, [request], self.clock)[request.key]
            assert answer, answer.refusal

    def shop(
        self, *, approved: bool = True, name: str = "데모 가맹점", **terms: object
    ) -> Merchant:
        owner = self.user()
        fields = {"kind": "bakery", "address": "데모로 1", "yearly_sales_krw": 90_000_000, **terms}
        application = Application(name=name, business_number=business_number(), **fields)
        shop = merchants.apply(owner, application)
        assert isinstance(shop, Merchant)
        if approved:
            shop = merchants.decide(shop.pk, True, actor=self.user(Role.OFFICIAL))
            assert isinstance(shop, Merchant)
        return shop

    def money(self, user: User) -> int:
        return self.balance(postings.wallet_account(user.pk), f"local:{self.city}")

    def takings(self, shop: Merchant) -> int:
        return self.balance(shop.account, f"local:{self.city}")

    def balance(self, code: str, asset: str) -> int:
        with transaction() as tx:
            return ledger.balance(tx, self.city, code, asset)

    def lots(self, user: User) -> dict[object, object]:
        """The live positions of a wallet's money by their terms."""
        with transaction() as tx:
            found = ledger.lots(
                tx, self.city, postings.wallet_account(user.pk), f"local:{self.city}"
            )
        return {lot.terms: lot.spans for lot in found if lot.amount}

    def charge(self, user: User, won: int) -> ChargeOrder:
        """Money of one's own: ordered, paid in by a line of the bank, and there."""
        order = charges.order(user, won, uuid4(), clock=self.clock)
        assert isinstance(order, ChargeOrder), order
        assert order.open, (order.state, order.refusal)
        deposit = deposits.take_line(self.bank_line(order), clock=self.clock)
        assert deposit.fate == Deposit.Fate.MATCHED, deposit.reason
        return charges.refresh(order, self.clock)

    def bank_line(self, order: ChargeOrder, **other: object) -> "BankLine":
        fields = {"reference": f"CHARGE {grouped(order.reference)}", "amount": order.amount}
        return BankLine(booked_at=self.clock.now(), **{**fields, **other})

    def fund_cashback(self, won: int, *funders: str) -> None:
        """Money of this year for the cashback of some funders."""
        year = local_day(self.clock.now(), city_profile(self.city).zone).year
        for funder in funders:
            account = rules.names.cashback_budget(funder, year)
            self._post(
                [ledger.AccountSpec(account, "KRW", "budget")],
                ledger.Leg("external:bank", account, "KRW", won),
            )

    def imbalances(self) -> list[ledger.Imbalance]:
        with transaction() as tx:
            return ledger.conservation(tx, self.city)

    @contextmanager
    def writer(self) -> Iterator[None]:
        """The posting writer at work, as in a running system."""
        stop = threading.Event()
        thread = threading.Thread(
            target=ledger.run_writer, args=(self.dsn, self.clock, stop), daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(20)
            assert not thread.is_alive()
