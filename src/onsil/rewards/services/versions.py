"""Stored versions of programmes, and which one rules a day."""

import tomllib
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from functools import lru_cache

from onsil.core.refusal import OperationError
from onsil.rewards.models import Programme, ProgrammeVersion
from onsil.rewards.programme_file import terms_of
from onsil.rewards.terms import ProgrammeTerms


def versions_of(programme: Programme) -> list[ProgrammeVersion]:
    """Every version ever loaded, the one to prefer first: not retired, then the latest."""
    rows = list(ProgrammeVersion.objects.filter(programme=programme).select_related("programme"))
    return sorted(rows, key=lambda row: (row.retired_at is None, row.loaded_at), reverse=True)


def version_on(versions: Iterable[ProgrammeVersion], day: date) -> ProgrammeVersion | None:
    """The version that rules a local day, of those given in order of preference."""
    return next((row for row in versions if stored_terms(row).in_force(day)), None)


def stored_terms(version: ProgrammeVersion) -> ProgrammeTerms:
    """The terms of a stored version. Raises OperationError when its rule kind is gone."""
    return _parsed(version.document)


@lru_cache(maxsize=256)
def _parsed(document: str) -> ProgrammeTerms:
    terms, problems = terms_of(tomllib.loads(document, parse_float=Decimal))
    if problems:
        message = f"stored programme {terms.code!r}: {'; '.join(problems)}"
        raise OperationError(message, retry=False)
    return terms
