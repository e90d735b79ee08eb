"""The rules of a city's currency, each with the days it held: read, checked, and asked by date.

`cities/<city>/currency.toml` has one list of tables a topic (`[[charging]]`, `[[cashback]]`, …),
each with `from`, `until` (the first day it no longer holds), `source` and `confirmed`. Nothing is
ever overwritten: a payment of last March is judged by last March's rules.
"""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

from onsil.core.refusal import OperationError, Refusal
from onsil.ledger.rules import (
    cashback,
    charging,
    expiry,
    gifts,
    merchants,
    policy_money,
    refunds,
    settlement,
    spending,
    trust,
    words,
)
from onsil.ledger.rules.fields import Fields

FILE = "currency.toml"
USUAL = Path(__file__).with_name("usual.toml")
"""The rules that a new city begins with, none of them confirmed."""
_READERS: Mapping[str, Callable[[Fields], Any]] = {
    "charging": charging.read,
    "spending": spending.read,
    "merchants": merchants.read,
    "cashback": cashback.read,
    "refund": refunds.read,
    "gift": gifts.read,
    "expiry": expiry.read,
    "policy": policy_money.read,
    "settlement": settlement.read,
    "trust": trust.read,
}
TOPICS = tuple(_READERS)


@dataclass(frozen=True)
class DatedRule:
    """One version of one topic's rule. `until` is exclusive, None: still in force."""

    topic: str
    since: date
    until: date | None
    source: str
    confirmed: bool
    note: str
    rule: Any

    def holds(self, day: date) -> bool:
        return self.since <= day and (self.until is None or day < self.until)


@dataclass(frozen=True)
class RuleSet:
    """The rules in force on a day, one a topic; `sources` are their dated versions."""

    day: date
    charging: charging.ChargingRule
    spending: spending.SpendingRule
    merchants: merchants.MerchantRule
    cashback: cashback.CashbackRule
    refund: refunds.RefundRule
    gift: gifts.GiftRule
    expiry: expiry.ExpiryRule
    policy: policy_money.PolicyRule
    settlement: settlement.SettlementRule
    trust: trust.TrustRule
    sources: Mapping[str, DatedRule]

    @property
    def unconfirmed(self) -> tuple[str, ...]:
        """The topics whose rule no document of the city confirms."""
        return tuple(topic for topic in TOPICS if not self.sources[topic].confirmed)


@dataclass(frozen=True)
class RuleBook:
    """Every version of every rule of a city."""

    file: str
    versions: Mapping[str, tuple[DatedRule, ...]]

    @property
    def begins(self) -> date:
        """The first day on which every topic has a rule."""
        return max(history[0].since for history in self.versions.values())

    def rule_set_on(self, day: date) -> RuleSet:
        """The rules that held on a day. Raises OperationError for a day before the book begins."""
        found: dict[str, DatedRule] = {}
        for topic, history in self.versions.items():
            held = next((version for version in history if version.holds(day)), None)
            if held is None:
                raise OperationError(
                    f"{self.file}: [[{topic}]] has no rule for {day.isoformat()}", retry=False
                )
            found[topic] = held
        return RuleSet(day=day, sources=found, **{t: found[t].rule for t in TOPICS})

    def history(self, topic: str) -> tuple[DatedRule, ...]:
        """A topic's versions, oldest first."""
        return self.versions[topic]

    def changes(self) -> tuple[date, ...]:
        """Every day on which some rule changed, oldest first."""
        days = {v.since for history in self.versions.values() for v in history}
        return tuple(sorted(day for day in days if day >= self.begins))


def rules_of(table: Mapping[str, Any], file: str = FILE) -> RuleBook | Refusal:
    """The book that a table states. A Refusal lists every problem with file and key:
    unknown, missing and ill-typed keys, overlaps and gaps between versions, missing topics."""
    problems = [f"{name}: unknown topic" for name in sorted(set(table) - set(TOPICS))]
    versions = {topic: _history(topic, table.get(topic), problems) for topic in TOPICS}
    if problems:
        return words.rules_unusable(file, problems)
    return RuleBook(file, versions)


def read_rules(path: Path) -> RuleBook:
    """Read a city's rules file. Raises OperationError naming the file and every key at fault."""
    try:
        table = tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise OperationError(f"{path}: {error}", retry=False) from error
    book = rules_of(table, str(path))
    if isinstance(book, Refusal):
        raise OperationError(book.en, retry=False)
    return book


def _history(topic: str, tables: Any, problems: list[str]) -> tuple[DatedRule, ...]:
    if not isinstance(tables, list) or not tables:
        problems.append(
            f"{topic}: is missing" if tables is None else f"{topic}: must be [[{topic}]]"
        )
        return ()
    made: list[DatedRule] = []
    for number, table in enumerate(tables, start=1):
        if not isinstance(table, Mapping):
            problems.append(f"{topic}[{number}]: must be a table")
            continue
        made.append(_version(topic, Fields(table, f"{topic}[{number}]", problems)))
    ordered = tuple(sorted(made, key=lambda version: version.since))
    _check_joins(topic, ordered, problems)
    return ordered


def _version(topic: str, at: Fields) -> DatedRule:
    since, until = at.day("from"), at.maybe_day("until")
    if until is not None and until <= since:
        at.refuse("until", f"must come after from {since}")
    version = DatedRule(
        topic, since, until, at.text("source"), at.flag("confirmed"), at.text("note", ""),
        _READERS[topic](at),
    )  # fmt: skip
    at.close()
    return version


def _check_joins(topic: str, ordered: Sequence[DatedRule], problems: list[str]) -> None:
    """One version ends where the next begins, and the last goes on."""
    for before, after in pairwise(ordered):
        if before.until is None or before.until > after.since:
            problems.append(
                f"{topic}.until: the rules from {before.since} and {after.since} overlap"
            )
        elif before.until < after.since:
            problems.append(f"{topic}.from: no rule from {before.until} to {after.since}")
    if ordered and ordered[-1].until is not None:
        problems.append(f"{topic}.until: no rule from {ordered[-1].until} on")
