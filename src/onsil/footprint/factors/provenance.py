"""Where a set of numbers was read, and how far that reading may be trusted."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal, InvalidOperation
from importlib.resources import files
from typing import Any

# confirmed: read in the publisher's own document. secondary: in another party's transcription or
# use of it. press: in a report that quotes the publisher. recalled: from memory. unconfirmed: its
# meaning (boundary, gases, year) is not certain.
MATURITIES = ("confirmed", "secondary", "press", "recalled", "unconfirmed")
_MAGNITUDE_MAX = 30
_UNIT = re.compile(r"[A-Za-z0-9_/*^ ().-]{1,60}")
_TOWER = re.compile(r"(\*\*|\^)[ (-]*\d{2}|(\*\*|\^).*(\*\*|\^)")
_OPTIONAL_TEXTS = ("printed_table", "url_name", "published_as", "superseded_by")


class FactorError(ValueError):
    """A data file that contradicts itself, or a factor used for what it does not say."""


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What is stated of a set. An empty page, article or table means that it was not seen.

    `title` is the document's (its key in files is `document`).
    `version` counts the corrections of one publication: 1 is the first reading. A corrected one
    says when (`corrected`). `superseded_by` names another set that took a set's place; it is not
    hashed, since what comes later cannot change what was. Where the day of publication was not
    seen, `published` is the first day on which it may be used and `published_as` says why.
    `valid_from` and `valid_to` are the first and last day of activity that the set is for.
    """

    id: str
    version: int = 1
    publisher: str
    title: str
    edition: str
    article: str
    printed_table: str = ""
    page: str
    url_name: str = ""
    published: date
    published_as: str = ""
    read: date
    corrected: date | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    statistic_years: tuple[int, int] | None = None
    maturity: str
    note: str
    superseded_by: str = ""
    programmes: tuple[str, ...] = ()

    @property
    def confirmed(self) -> bool:
        return self.maturity == "confirmed"

    @property
    def reference(self) -> str:
        """Id and version: what a programme or a run may pin."""
        return f"{self.id}@{self.version}"

    @property
    def known_from(self) -> date:
        """The first day on which a quantification could use this very version."""
        return self.corrected or self.published

    @property
    def provenance(self) -> dict[str, Any]:
        """Everything stated of the set but its numbers, by field name."""
        left_out = ("title", "superseded_by")
        found = {f.name: getattr(self, f.name) for f in fields(Provenance)}
        return {"document": self.title, **{k: v for k, v in found.items() if k not in left_out}}


def stated_provenance(made: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `Provenance` out of a TOML or JSON table.

    Raises FactorError for an unknown maturity, a missing field or dates the wrong way round.
    """
    name = made.get("id", "a set without id")
    if made.get("maturity") not in MATURITIES:
        raise FactorError(f"{name}: unknown maturity {made.get('maturity')!r}")
    try:
        stated: dict[str, Any] = {
            key: str(made[key]) for key in ("id", "publisher", "edition", "article", "page", "note")
        }
        stated["title"] = str(made["document"])
        stated |= {key: _day(made[key]) for key in ("published", "read")}
    except (KeyError, ValueError) as error:
        raise FactorError(f"{name}: {error} is missing or wrong") from error
    stated |= {key: made.get(key, "") for key in _OPTIONAL_TEXTS}
    for key in ("corrected", "valid_from", "valid_to"):
        stated[key] = _day(made[key]) if made.get(key) else None
    years = made.get("statistic_years")
    stated["statistic_years"] = None if years is None else (int(years[0]), int(years[1]))
    stated["maturity"] = made["maturity"]
    stated["version"] = int(made.get("version", 1))
    stated["programmes"] = tuple(made.get("programmes", ()))
    _check_order(name, stated)
    return stated


def _check_order(name: str, stated: Mapping[str, Any]) -> None:
    first, last = stated["valid_from"], stated["valid_to"]
    if first is not None and last is not None and last < first:
        raise FactorError(f"{name}: valid to {last}, before it begins on {first}")
    years = stated["statistic_years"]
    if years is not None and years[1] < years[0]:
        raise FactorError(f"{name}: statistic years {years} run backwards")
    if (stated["version"] > 1) != (stated["corrected"] is not None):
        raise FactorError(f"{name}: a correction, and only one, has a version above 1 and its day")


def _day(value: Any) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))


def decimal_of(text: Any) -> Decimal | None:
    """A number out of a file: text or whole number, never a float. None stays None."""
    if text is None:
        return None
    if isinstance(text, bool) or not isinstance(text, str | int | Decimal):
        raise FactorError(f"{text!r} must be written as text, so that no digit is lost")
    try:
        found = Decimal(text)
    except InvalidOperation as error:
        raise FactorError(f"{str(text)[:40]!r} is no number") from error
    if not found.is_finite() or abs(found.adjusted()) > _MAGNITUDE_MAX:
        raise FactorError(f"{str(text)[:40]!r} is no number that a factor can have")
    return found


def plain_unit(text: Any) -> str:
    """A unit out of a file, safe to be parsed: short, of plain signs, without towers of powers.

    Raises FactorError for any other text.
    """
    if not isinstance(text, str) or not _UNIT.fullmatch(text) or _TOWER.search(text):
        raise FactorError(f"{str(text)[:40]!r} is no unit")
    return text


def data_text(name: str) -> str:
    """A data file of the package, as text."""
    return files("onsil.footprint.factors").joinpath("data", name).read_text("utf-8")


def data_names() -> Iterator[str]:
    """The package's data files by name."""
    folder = files("onsil.footprint.factors").joinpath("data")
    yield from sorted(one.name for one in folder.iterdir() if one.name.endswith(".toml"))
