"""A city's bank accounts, card settlements, file formats and matching rules, read from TOML.

`<folder>/<account>.toml` and `<folder>/formats/<format>.toml`; see docs/books.md.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from onsil.core.refusal import OperationError
from onsil.ledger.reconciliation.formats import Format, read_format
from onsil.ledger.reconciliation.terms import (
    BankAccount,
    Book,
    Correction,
    Rule,
    RuleSet,
    Text,
)

_KINDS = ("reference", "window", "many-to-one", "one-to-many", "cancel")


@dataclass(frozen=True)
class Setup:
    """What a city reconciles, by code; empty for a city without bank accounts."""

    accounts: Mapping[str, BankAccount]
    formats: Mapping[str, Format]


def read_setup(folder: Path) -> Setup:
    """Read a city's folder. Raises OperationError naming the file and the field at fault."""
    formats = {
        path.stem: read_format(path.stem, _table(path), str(path))
        for path in sorted((folder / "formats").glob("*.toml"))
    }
    accounts = {path.stem: _account(path, formats) for path in sorted(folder.glob("*.toml"))}
    return Setup(accounts, formats)


def _table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise OperationError(f"{path}: {error}", retry=False) from error


def _account(path: Path, formats: Mapping[str, Format]) -> BankAccount:
    table = _table(path)
    try:
        unknown = sorted(set(table["formats"]) - set(formats))
        if unknown:
            raise ValueError(f"no format {', '.join(unknown)}")
        books = tuple(
            Book(b["account"], b["asset"], tuple(b.get("counterparts", ())), _sign(b["sign"]))
            for b in table["book"]
        )
        return BankAccount(
            path.stem, table["kind"], _text(table["name"]), tuple(table["formats"]), books,
            tuple(table.get("holds", ())), books[0].asset, _date(table["starts"]),
            int(table["limit_krw"]), int(table.get("grace_days", 1)),
            int(table.get("stale_days", 7)), bool(table.get("collects", False)),
            tuple(_correction(c) for c in table.get("correction", ())),
            tuple(_rule_set(r) for r in table["rules"]), bool(table.get("confirmed", False)),
        )  # fmt: skip
    except KeyError as error:
        raise OperationError(f"{path}: field {error} is missing", retry=False) from error
    except (TypeError, ValueError) as error:
        raise OperationError(f"{path}: {error}", retry=False) from error


def _sign(value: object) -> int:
    if value not in (1, -1):
        raise ValueError("`sign` is 1 or -1")
    return int(str(value))


def _date(value: object) -> date:
    if not isinstance(value, date):
        raise ValueError(f"{value!r} is no date")
    return value


def _text(table: Mapping[str, str]) -> Text:
    return Text(table["ko"], table["en"])


def _correction(table: Mapping[str, Any]) -> Correction:
    return Correction(table["code"], table["account"], table["kind"], _text(table["name"]))


def _rule_set(table: Mapping[str, Any]) -> RuleSet:
    return RuleSet(_date(table["valid_from"]), tuple(_rule(r) for r in table["rule"]))


def _rule(table: Mapping[str, Any]) -> Rule:
    if table["kind"] not in _KINDS:
        raise ValueError(f"rule {table['code']}: `kind` is one of {', '.join(_KINDS)}")
    if table.get("choose", "only") not in ("only", "oldest"):
        raise ValueError(f"rule {table['code']}: `choose` is only or oldest")
    kinds = table.get("book_kinds")
    return Rule(
        table["code"], table["kind"], _text(table["name"]), int(table.get("days_before", 0)),
        int(table.get("days_after", 0)), tuple(table.get("group", ())),
        None if kinds is None else frozenset(kinds), tuple(table.get("books", ())),
        table.get("choose", "only"),
        int(table.get("tolerance_krw", 0)),
    )  # fmt: skip
