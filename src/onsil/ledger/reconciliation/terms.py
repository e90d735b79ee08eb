"""The nouns of reconciliation. Amounts are whole won as the bank sees them: above 0 came in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

Side = Literal["bank", "book"]
Problem = Literal["missing-in-ledger", "missing-in-bank", "amount-differs", "duplicate", "late"]
PROBLEMS: tuple[Problem, ...] = (
    "missing-in-ledger", "missing-in-bank", "amount-differs", "duplicate", "late",
)  # fmt: skip


@dataclass(frozen=True)
class Text:
    """A word in both languages."""

    ko: str
    en: str

    def said(self, language: str) -> str:
        return self.en if language.startswith("en") else self.ko


@dataclass(frozen=True)
class RawLine:
    """A line as a file says it, before it is known whether it is new. `day` is the city's."""

    number: int
    day: date
    at: datetime
    amount: int
    balance: int | None = None
    reference: str = ""
    text: str = ""
    party: str = ""
    bank_id: str = ""


@dataclass(frozen=True)
class RawFile:
    """What a file holds: its lines, the balances it ends its days with, the days it covers."""

    lines: tuple[RawLine, ...]
    balances: Mapping[date, int]
    days: frozenset[date]


@dataclass(frozen=True)
class BadLine:
    """A place in a file that cannot be read: line (from 1), field, what stands there, and why."""

    number: int
    field: str
    value: str
    ko: str
    en: str


@dataclass(frozen=True)
class Line:
    """One line of either side; `day` is the bank's booking day, or the books' in the city."""

    id: UUID
    side: Side
    account: str
    day: date
    at: datetime
    amount: int
    reference: str = ""
    text: str = ""
    party: str = ""
    kind: str = ""
    origin_kind: str = ""
    origin_id: str = ""
    transfer_id: UUID | None = None
    reverses: UUID | None = None
    balance: int | None = None
    file_id: UUID | None = None
    number: int = 0
    bank_id: str = ""
    simulated: bool = False


@dataclass(frozen=True)
class BankLine:
    """A bank's line as other rooms are told of it. `bank_id` never changes, whichever file it
    comes in; `booked_at` is local midnight where the file gives no time of day."""

    id: UUID
    account: str
    file: UUID
    number: int
    bank_id: str
    booked_on: date
    booked_at: datetime
    amount: int
    balance: int | None
    reference: str
    text: str
    depositor: str
    simulated: bool


@dataclass(frozen=True)
class Taken:
    """What a room made of a bank line that it was shown."""

    line_id: UUID
    outcome: str
    note_ko: str = ""
    note_en: str = ""
    subject_kind: str = ""
    subject_id: str = ""


RuleKind = Literal["reference", "window", "many-to-one", "one-to-many", "cancel"]


@dataclass(frozen=True)
class Rule:
    """How lines may be matched. Days are how far the bank may be before and after the books.

    reference: same amount, and a reference of the books stands in the bank's line.
    window: same amount within the days; `choose` "only" when there is one candidate on either side,
    "oldest" takes the oldest of several.
    many-to-one: book lines of one `group` against one bank line; one-to-many: the reverse.
    cancel: two book lines of one reference, or a transfer and its reversal, that sum to nothing.
    `tolerance` won may be missing in the bank (a fee that was kept back), and nothing otherwise.
    """

    code: str
    kind: RuleKind
    name: Text
    days_before: int = 0
    days_after: int = 0
    group: tuple[str, ...] = ()
    book_kinds: frozenset[str] | None = None
    books: tuple[str, ...] = ()
    """Only book lines of ledger accounts whose codes begin so; all when empty."""
    choose: Literal["only", "oldest"] = "only"
    tolerance: int = 0


@dataclass(frozen=True)
class RuleSet:
    """Rules in the order in which they are tried, valid from a day on."""

    valid_from: date
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Match:
    """Lines that explain one another. `difference` is the bank's sum less the books'."""

    rule: str
    why: Text
    bank: tuple[Line, ...]
    book: tuple[Line, ...]
    tolerance: int = 0

    @property
    def bank_sum(self) -> int:
        return sum(line.amount for line in self.bank)

    @property
    def book_sum(self) -> int:
        return sum(line.amount for line in self.book)

    @property
    def difference(self) -> int:
        return self.bank_sum - self.book_sum


@dataclass(frozen=True)
class Finding:
    """An open line that needs somebody: what is wrong, since when, what else it may belong to."""

    line: Line
    problem: Problem
    age_days: int
    others: tuple[Line, ...] = ()


@dataclass(frozen=True)
class Book:
    """Ledger accounts that mirror a bank account: one code, or all beginning with a prefix that
    ends in ":". `sign` -1: they stand for the world outside the bank account (`external:bank`), so
    what leaves them towards one of `counterparts` has come in at the bank."""

    account: str
    asset: str
    counterparts: tuple[str, ...] = ()
    sign: int = -1


@dataclass(frozen=True)
class Correction:
    """An account that a difference may be written to, by hand and with a reason."""

    code: str
    account: str
    kind: str
    name: Text


@dataclass(frozen=True)
class BankAccount:
    """A real account or card settlement, as data: which files it sends, what mirrors it.

    `holds`: ledger accounts (a code, or a prefix ending in ":") whose balances together the bank's
    balance must equal, lines under way set aside. `limit_krw`: acts above it need a second person.
    `grace_days`: how long an open line waits before it is an exception. `starts`: the first day.
    `collects`: whether money that comes in is shown to the rooms that expect some.
    """

    code: str
    kind: Literal["bank", "card"]
    name: Text
    formats: tuple[str, ...]
    books: tuple[Book, ...]
    holds: tuple[str, ...]
    asset: str
    starts: date
    limit_krw: int
    grace_days: int
    stale_days: int
    collects: bool
    corrections: tuple[Correction, ...]
    rule_sets: tuple[RuleSet, ...]
    confirmed: bool

    def rules_on(self, day: date) -> RuleSet | None:
        """The rules of a day: the newest set that was valid by then."""
        valid = [one for one in self.rule_sets if one.valid_from <= day]
        return max(valid, key=lambda one: one.valid_from) if valid else None
