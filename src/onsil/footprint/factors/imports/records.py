"""Imports as stored, from draft to in force: one person hands in, a second one decides."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from onsil import proof
from onsil.core.canonical import canonical_bytes
from onsil.core.clock import Clock
from onsil.core.database import ALL_CITIES, Connection
from onsil.core.ids import new_id
from onsil.core.refusal import Refusal
from onsil.footprint.factors.coefficients import CoefficientTable, stated_coefficients
from onsil.footprint.factors.factor_set import FactorSet, stated_factor_set
from onsil.footprint.factors.imports.checking import Finding, check_upload
from onsil.footprint.factors.imports.reading import read_upload
from onsil.footprint.factors.library import Library, shipped_library
from onsil.footprint.store import execute, lock, rows

DRAFT, CHECKED, APPROVED, RETURNED = "draft", "checked", "approved", "returned"
_SELECT = """SELECT id, kind, set_id, version, file_name, file_sha256, content, sha256, findings,
  blocking, flagged, status, maker, created_at, answer, checked_at, checker, decided_at, reason
  FROM footprint_factor_import"""


@dataclass(frozen=True)
class FactorImport:
    """A factor set or coefficient table handed in. `made` is what it states, as plain JSON."""

    id: UUID
    kind: str
    set_id: str
    version: int
    file_name: str
    file_sha256: str
    made: Mapping[str, Any]
    sha256: str
    findings: tuple[Finding, ...]
    blocking: int
    flagged: int
    status: str
    maker: str
    created_at: datetime
    answer: str
    checked_at: datetime | None
    checker: str | None
    decided_at: datetime | None
    reason: str

    @property
    def reference(self) -> str:
        return f"{self.set_id}@{self.version}"

    @property
    def usable(self) -> bool:
        """Whether its content is a set or table at all; a draft with errors may not be."""
        return self.blocking == 0

    def parsed(self) -> FactorSet | CoefficientTable:
        """The set or table. Raises FactorError for a draft that is none."""
        if self.kind == "coefficients":
            return stated_coefficients(self.made)
        return stated_factor_set(self.made)


def submit_import(
    conn: Connection, city: str, file_name: str, content: bytes, actor: str, clock: Clock
) -> list[FactorImport] | Refusal:
    """Hand in a file: every set or table in it becomes a draft with what was found in it.

    The same content again gives the import that is there, unless it was returned. Refused:
    file-too-large, file-unreadable, version-not-next, file-numbers (a number not kept as text).
    """
    stated = read_upload(file_name, content)
    if isinstance(stated, Refusal):
        return stated
    made: list[FactorImport] = []
    for one in stated:
        answer = _draft(conn, city, file_name, content, one, actor, clock.now())
        if isinstance(answer, Refusal):
            return answer
        made.append(answer)
    return made


def _draft(
    conn: Connection, city: str, file_name: str, content: bytes, stated: Mapping[str, Any],
    actor: str, at: datetime,
) -> FactorImport | Refusal:  # fmt: skip
    checked, found = check_upload(stated)
    kind = "coefficients" if "row" in checked else "factors"
    try:
        text = canonical_bytes(checked)
        set_id, version = str(checked["id"]), int(checked.get("version", 1))
    except (TypeError, KeyError, ValueError) as error:
        return Refusal(
            "file-numbers",
            f"파일을 읽을 수 없습니다. 이름(id)과 판(version)이 있어야 하고, 숫자는 따옴표로 감싼 "
            f"글자로 적어야 합니다({error}).",
            f"The file cannot be kept: it needs an id and a version, and its numbers written as "
            f"text ({error}).",
        )
    sha256 = hashlib.sha256(text).hexdigest()
    lock(conn, city, [f"factor import {set_id}"])
    earlier = [i for i in imports(conn, city) if i.sha256 == sha256 and i.status != RETURNED]
    if earlier:
        return earlier[0]
    refusal = _out_of_turn(library_of(conn, city), kind, set_id, version)
    if refusal is not None:
        return refusal
    made = new_id()
    execute(
        conn,
        """INSERT INTO footprint_factor_import (city, id, kind, set_id, version, file_name,
          file_sha256, content, sha256, findings, blocking, flagged, maker, created_at)
        VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)""",
        (
            city, made, kind, set_id, version, file_name, hashlib.sha256(content).hexdigest(),
            text.decode(), sha256, Jsonb([f.document() for f in found]),
            sum(f.severity == "block" for f in found), sum(f.severity == "flag" for f in found),
            actor, at,
        ),
    )  # fmt: skip
    after = {"set": set_id, "version": version, "sha256": sha256, "status": DRAFT}
    proof.audit(conn, city, actor, "factor-import.made", "factor-import", str(made), None, after)
    found_again = import_of(conn, city, made)
    assert found_again is not None
    return found_again


def _out_of_turn(library: Library, kind: str, set_id: str, version: int) -> Refusal | None:
    """A version that is there already, or that leaves one out."""
    members = library.tables if kind == "coefficients" else library.sets
    last = max((m.version for m in members if m.id == set_id), default=0)
    if version == last + 1:
        return None
    return Refusal(
        "version-not-next",
        f"{set_id}의 다음 판은 {last + 1}판입니다. 이미 있는 판은 바꿀 수 없으므로 "
        "정정은 새 판으로 올리세요.",
        f"The next version of {set_id} is {last + 1}: a version that is there never changes, so a "
        "correction comes as a new one.",
        {"set": set_id, "version": version, "next": last + 1},
    )


def confirm_import(
    conn: Connection, city: str, import_id: UUID, answer: str, actor: str, clock: Clock
) -> FactorImport | Refusal:
    """The maker says what was found is seen, answers the flags, and hands it to a second person.

    Refused: unknown-import, import-not-yours, import-not-draft, import-has-errors, answer-missing.
    """
    found = import_of(conn, city, import_id, for_update=True)
    if found is None:
        return _unknown(import_id)
    if _person(found.maker) != _person(actor):
        return _no(
            "import-not-yours",
            "올린 사람만 확인할 수 있습니다",
            "only the person who handed it in confirms it",
        )
    if found.status != DRAFT:
        return _not("import-not-draft", found)
    if found.blocking:
        return _no(
            "import-has-errors",
            f"쓸 수 없는 값이 {found.blocking}곳 있습니다. 고쳐서 다시 올리세요",
            f"{found.blocking} of its values cannot be used; mend the file and hand it in again",
        )
    if found.flagged and not answer.strip():
        return _no(
            "answer-missing",
            f"표시된 {found.flagged}곳을 어떻게 보았는지 적어야 합니다",
            f"say how the {found.flagged} flagged places were looked at",
        )
    execute(
        conn,
        """UPDATE footprint_factor_import SET status = 'checked', answer = %s, checked_at = %s
        WHERE city = %s AND id = %s""",
        (answer.strip(), clock.now(), city, import_id),
    )
    return _after(conn, city, found, actor, "factor-import.checked")


def approve_import(
    conn: Connection, city: str, import_id: UUID, actor: str, clock: Clock
) -> FactorImport | Refusal:
    """A second person puts it in force; it becomes a leaf of the city's log.

    Common ones (of the city `*`) have no log of their own: `approve_common_import` tells each
    city's. Refused: unknown-import, maker-is-checker, import-not-checked, version-not-next.
    """
    found = _for_decision(conn, city, import_id, actor)
    if isinstance(found, Refusal):
        return found
    refusal = _out_of_turn(library_of(conn, city), found.kind, found.set_id, found.version)
    if refusal is not None:
        return refusal
    _decide(conn, city, import_id, APPROVED, actor, clock.now(), "")
    made = _after(conn, city, found, actor, "factor-import.approved")
    if city != ALL_CITIES:
        proof.append(conn, city, "factor-import", import_id, _entry(made))
    return made


def return_import(
    conn: Connection, city: str, import_id: UUID, reason: str, actor: str, clock: Clock
) -> FactorImport | Refusal:
    """A second person sends it back with a reason.

    Refused: unknown-import, maker-is-checker, import-not-checked, reason-missing.
    """
    found = _for_decision(conn, city, import_id, actor)
    if isinstance(found, Refusal):
        return found
    if not reason.strip():
        return _no("reason-missing", "되돌리는 까닭을 적어야 합니다", "say why it is sent back")
    _decide(conn, city, import_id, RETURNED, actor, clock.now(), reason.strip())
    return _after(conn, city, found, actor, "factor-import.returned")


def _person(actor: str) -> str:
    """Who acts: "user:7" and "7" are one person."""
    return actor.removeprefix("user:")


def _for_decision(
    conn: Connection, city: str, import_id: UUID, actor: str
) -> FactorImport | Refusal:
    found = import_of(conn, city, import_id)
    if found is None:
        return _unknown(import_id)
    for scope in dict.fromkeys((ALL_CITIES, city)):  # common ones count among a city's versions
        lock(conn, scope, [f"factor import {found.set_id}"])
    found = import_of(conn, city, import_id, for_update=True)
    assert found is not None
    if _person(found.maker) == _person(actor):
        return _no(
            "maker-is-checker",
            "올린 사람은 승인하거나 되돌릴 수 없습니다. 다른 사람이 보아야 합니다",
            "the person who handed it in can neither approve nor return it; another one must look",
        )
    return found if found.status == CHECKED else _not("import-not-checked", found)


def _decide(
    conn: Connection, city: str, import_id: UUID, status: str, actor: str, at: datetime,
    reason: str,
) -> None:  # fmt: skip
    execute(
        conn,
        """UPDATE footprint_factor_import
        SET status = %s, checker = %s, decided_at = %s, reason = %s WHERE city = %s AND id = %s""",
        (status, actor, at, reason, city, import_id),
    )


def _after(conn: Connection, city: str, before: FactorImport, actor: str, act: str) -> FactorImport:
    made = import_of(conn, city, before.id)
    assert made is not None
    after = {"status": made.status, "answer": made.answer, "reason": made.reason}
    proof.audit(
        conn, city, actor, act, "factor-import", str(made.id), {"status": before.status}, after
    )
    return made


def import_of(
    conn: Connection, city: str, import_id: UUID, *, for_update: bool = False
) -> FactorImport | None:
    """One import; None for an unknown one."""
    lines = "FOR UPDATE" if for_update else ""
    found = rows(
        conn,
        f"{_SELECT} WHERE city = %s AND id = %s {lines}",
        (city, import_id),
    )
    return _import(found[0]) if found else None


def imports(conn: Connection, city: str, status: str | None = None) -> list[FactorImport]:
    """A city's imports, newest first, of one status or of all."""
    found = rows(
        conn,
        f"{_SELECT} WHERE city = %s AND (%s::text IS NULL OR status = %s) ORDER BY id DESC",
        (city, status, status),
    )
    return [_import(row) for row in found]


def _import(row: Mapping[str, Any]) -> FactorImport:
    said = {name: row[name] for name in row if name not in ("content", "findings")}
    return FactorImport(
        **said, made=json.loads(row["content"]),
        findings=tuple(Finding(**one) for one in row["findings"]),
    )  # fmt: skip


def library_of(conn: Connection, city: str) -> Library:
    """What is in force in a city: its own approved imports, common ones, and those shipped.

    Of one id and version there is one: the city's own before the common, the common before one
    that a later release of the program ships.
    """
    own = imports(conn, city, APPROVED)
    numbers = [(one.set_id, one.version) for one in own]
    common = [] if city == ALL_CITIES else imports(conn, ALL_CITIES, APPROVED)
    brought = [*own, *(one for one in common if stands(numbers, one.set_id, one.version))]
    shipped = shipped_library()
    if not brought:
        return shipped
    made, names = [one.parsed() for one in brought], {one.reference for one in brought}
    return Library.of(
        [*(one for one in shipped.sets if one.reference not in names),
         *(one for one in made if isinstance(one, FactorSet))],
        [*(one for one in shipped.tables if one.reference not in names),
         *(one for one in made if isinstance(one, CoefficientTable))],
    )  # fmt: skip


def stands(own: Iterable[tuple[str, int]], set_id: str, version: int) -> bool:
    """Whether a common version is in force beside a city's own (id, version): before its first."""
    return all(version < number for name, number in own if name == set_id)


def _entry(made: FactorImport) -> dict[str, Any]:
    return {
        "set": made.set_id,
        "version": made.version,
        "sha256": made.sha256,
        "maker": made.maker,
        "checker": made.checker,
        "at": made.decided_at,
    }


def import_entry(conn: Connection, city: str, import_id: UUID) -> dict[str, Any] | None:
    """What the log holds of an approved import; None for another one."""
    found = import_of(conn, city, import_id)
    if found is None or found.status != APPROVED:
        return None
    return {**_entry(found), "sha256": content_sha256(found)}


def content_sha256(found: FactorImport) -> str:
    """The hash of what is there now, whatever the row says of itself."""
    return hashlib.sha256(canonical_bytes(found.made)).hexdigest()


def runs_using(conn: Connection, city: str, set_id: str) -> list[dict[str, Any]]:
    """The last 200 runs that used a set in any version, newest first.

    Each with id, methodology, version, created_at and the digest of the set as it stood.
    """
    return rows(
        conn,
        """SELECT id, methodology, version, created_at, inputs::jsonb->'factor_sets'->>%s AS digest
        FROM footprint_run WHERE city = %s AND inputs::jsonb->'factor_sets' ? %s
        ORDER BY created_at DESC, id DESC LIMIT 200""",
        (set_id, city, set_id),
    )


def _unknown(import_id: UUID) -> Refusal:
    return Refusal(
        "unknown-import",
        "그런 계수 등록 건이 없습니다.",
        "There is no such import of factors.",
        {"import": str(import_id)},
    )


def _not(code: str, found: FactorImport) -> Refusal:
    return _no(code, f"지금 상태({found.status})에서는 할 수 없습니다", f"it is {found.status} now")


def _no(code: str, ko: str, en: str) -> Refusal:
    return Refusal(code, f"계수 등록: {ko}.", f"Import of factors: {en}.")
