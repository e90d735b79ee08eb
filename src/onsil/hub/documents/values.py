"""Values in documents: times, URIs, names, scopes, plain JSON; each check raises DocumentError."""

import re
import unicodedata
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from onsil.hub.contexts import Context
from onsil.hub.documents.terms import NULL, DocumentError

_DEPTH = 32
_TIME_MAX = 27
_LENGTH_MAX = 2048  # characters of a URI or a name
_ASCII_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!#$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]+")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:.")
_KEYWORDS = frozenset(("id", "type"))
_MARKUP = frozenset('<>"{}|\\^`')
# Fillers and blanks that Unicode counts as letters or symbols, though nothing shows.
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_NAME = re.compile(r"[^\W\d_]\w*(?::[^\W\d_]\w*)?")
_SCOPE = re.compile(r"/?[^\W\d_]\w*(?:/[^\W\d_]\w*)*")
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d{1,6})?Z")
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*|@none")


def parse_time(text: Any) -> datetime:
    """An ISO 8601 instant with a zone, in UTC. Raises DocumentError."""
    try:
        instant = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise DocumentError(f"not an ISO 8601 time: {text!r}") from None
    if instant.tzinfo is None:
        raise DocumentError(f"a time needs a zone: {text!r}")
    return instant.astimezone(UTC)


def time_text(instant: datetime) -> str:
    """An instant the way the hub writes it: UTC, `Z`, fractions only where there are any."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def check_date_time(text: Any, what: str) -> str:
    """A DateTime of §4.6.3, in UTC with `Z`, as it was sent. Raises DocumentError."""
    found = _date_time(text) if isinstance(text, str) and len(text) <= _TIME_MAX else None
    if found is None:
        raise DocumentError(
            f"{what} is a DateTime in UTC like 2026-11-22T10:00:00Z, not {str(text)[:80]!r}"
        )
    return found


@lru_cache(maxsize=4096)
def _date_time(text: str) -> str | None:
    if not _DATE_TIME.fullmatch(text):
        return None
    text = text.replace(",", ".")
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return None
    return text


@lru_cache(maxsize=4096)
def _is_uri(text: str) -> bool:
    if _ASCII_URI.fullmatch(text):
        return True
    if text.isascii() or not _SCHEME.match(text):
        return False
    return not any(
        c in _MARKUP or c in _BLANK or c.isspace() or unicodedata.category(c)[0] == "C"
        or "\ufe00" <= c <= "\ufe0f" or "\U000e0000" <= c <= "\U000e0fff"
        for c in text
    )  # fmt: skip


def is_uri(text: Any) -> bool:
    """Whether this is a URI or an IRI, none of whose characters is blank or invisible."""
    return isinstance(text, str) and len(text) <= _LENGTH_MAX and _is_uri(text)


def _is_name(name: str) -> bool:
    if _NAME.fullmatch(name):
        return True
    return ("://" in name or name.startswith("urn:")) and _is_uri(name)


def check_name(name: Any, context: Context) -> str:
    """The IRI of a type's or attribute's name (§4.6.2). Raises DocumentError."""
    if not isinstance(name, str) or not 0 < len(name) <= _LENGTH_MAX:
        raise DocumentError(f"not a name: {str(name)[:80]!r}")
    known = context.checked.get(name)
    if known is not None:
        return known
    if name in _KEYWORDS or name in context.aliases:
        raise DocumentError(f"{name!r} stands for a keyword of JSON-LD")
    iri = context.iri(name)
    if _is_name(name) or (":" in name and iri != name and _is_uri(iri)):
        context.remember(name, iri)
        return iri
    raise DocumentError(f"a name has letters, digits and _ and begins with a letter: {name!r}")


SCOPE_MAX = 1000  # characters; they are found by an index


def check_scopes(raw: Any, *, nulls: bool = False) -> list[str]:
    """One scope or a list of them (§4.18); [NULL] removes them. Raises DocumentError."""
    scopes = [raw] if isinstance(raw, str) else raw
    if nulls and scopes == [NULL]:
        return [NULL]
    if not isinstance(scopes, list) or not all(
        isinstance(s, str) and len(s) <= SCOPE_MAX and _SCOPE.fullmatch(s) for s in scopes
    ):
        raise DocumentError(f"not a scope, such as /city/district: {str(raw)[:200]!r}")
    return list(dict.fromkeys(scopes))


def check_json(name: str, value: Any, *, nulls: bool = False, depth: int = 0) -> None:
    """A Property's value: JSON without null; NGSI-LD Null inside only while merging (§5.5.4)."""
    if isinstance(value, str):
        if "\0" in value or (value == NULL and not nulls):
            raise DocumentError(f"{name}: a value does not hold {value!r}")
    elif isinstance(value, dict):
        if depth > _DEPTH:
            raise DocumentError(f"{name}: the value is nested too deeply")
        if value.get("@type") == "@json":
            return
        for key, inner in value.items():
            if "\0" in key:
                raise DocumentError(f"{name}: a value does not hold NUL")
            check_json(name, inner, nulls=nulls, depth=depth + 1)
    elif isinstance(value, list):
        if depth > _DEPTH:
            raise DocumentError(f"{name}: the value is nested too deeply")
        for inner in value:  # lists are never merged, so nothing in them can be removed
            check_json(name, inner, depth=depth + 1)
    elif value is None:
        raise DocumentError(f"{name}: null is no value; {NULL!r} removes what a patch names")


def check_raw_json(name: str, value: Any, depth: int = 0) -> None:
    """A JsonProperty's value: any JSON in an object or a list (§4.5.24.2)."""
    if depth == 0 and not isinstance(value, dict | list):
        raise DocumentError(f"{name}: json is an object or a list")
    if depth > _DEPTH:
        raise DocumentError(f"{name}: the value is nested too deeply")
    if isinstance(value, dict):
        for key, inner in value.items():
            if "\0" in key:
                raise DocumentError(f"{name}: a value does not hold NUL")
            check_raw_json(name, inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            check_raw_json(name, inner, depth + 1)
    elif isinstance(value, str) and "\0" in value:
        raise DocumentError(f"{name}: a value does not hold NUL")


def check_language_map(name: str, value: Any, *, nulls: bool = False) -> None:
    """Language tags with a text or texts each (§4.6.5). Raises DocumentError."""
    if not isinstance(value, dict) or not value:
        raise DocumentError(f"{name}: a languageMap is an object of language: text")
    for tag, text in value.items():
        if not _LANGUAGE.fullmatch(tag):
            raise DocumentError(f"{name}: not a language tag: {tag!r}")
        texts = text if isinstance(text, list) else [text]
        if not texts or not all(isinstance(t, str) and "\0" not in t for t in texts):
            raise DocumentError(f"{name}: a language has a text or a list of texts")
        if NULL in texts and (not nulls or isinstance(text, list)):
            raise DocumentError(f"{name}: a languageMap does not hold {NULL!r}")
