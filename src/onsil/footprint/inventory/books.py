"""Opening inventories and writing their lines: every change is a revision with its cause."""

from datetime import datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from onsil import proof
from onsil.core.canonical import plain
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.refusal import Refusal
from onsil.footprint.factors import library_of
from onsil.footprint.inventory.checking import check_line, check_settings
from onsil.footprint.inventory.terms import (
    CAUSES,
    CITY,
    Inventory,
    Line,
    LineSpec,
    RecalculationPolicy,
    Settings,
)
from onsil.footprint.store import Row, execute, lock, rows

_INVENTORY = """SELECT id, kind, subject, name, year, actor, created_at
  FROM footprint_inventory"""
_LINES = """SELECT DISTINCT ON (code) code, revision, spec, cause, reason, actor, created_at
  FROM footprint_inventory_line WHERE city = %s AND inventory_id = %s
  ORDER BY code, revision DESC"""


def open_inventory(
    conn: Connection,
    city: str,
    kind: str,
    subject: str,
    name: str,
    year: int,
    settings: Settings,
    actor: str,
    clock: Clock,
) -> Inventory | Refusal:
    """Begin a year's inventory of the city or of a company; again, the one that is there.

    Refused: `inventory-invalid`, `settings-invalid`.
    """
    if kind not in (CITY, "company") or not subject.strip() or not 1990 <= year <= 2100:
        return Refusal(
            "inventory-invalid",
            "도시나 기업, 이름과 연도(1990–2100)를 확인해 주세요.",
            "Check whose inventory it is and its year (1990 to 2100).",
            {"kind": kind, "subject": subject, "year": year},
        )
    wrong = check_settings(settings, kind)
    if wrong is not None:
        return wrong
    lock(conn, city, [f"inventory {kind} {subject} {year}"])
    there = inventory_of(conn, city, kind, subject, year)
    if there is not None:
        return there
    made, at = new_id(), clock.now()
    execute(
        conn,
        """INSERT INTO footprint_inventory (city, id, kind, subject, name, year, actor, created_at)
        VALUES (%s,%s,%s,%s,%s,%s,%s,%s)""",
        (city, made, kind, subject, name.strip() or subject, year, actor, at),
    )
    _keep_settings(conn, city, made, 1, settings, "", actor, at)
    proof.audit(
        conn, city, actor, "inventory.opened", "inventory", str(made), None,
        {"kind": kind, "subject": subject, "year": year, **settings.document()},
    )  # fmt: skip
    found = inventory(conn, city, made)
    assert found is not None
    return found


def inventory(conn: Connection, city: str, inventory_id: UUID) -> Inventory | None:
    found = rows(conn, f"{_INVENTORY} WHERE city = %s AND id = %s", (city, inventory_id))
    return Inventory(**found[0]) if found else None


def inventory_of(
    conn: Connection, city: str, kind: str, subject: str, year: int
) -> Inventory | None:
    """The inventory of one subject and year, or None."""
    found = rows(
        conn,
        f"{_INVENTORY} WHERE city = %s AND kind = %s AND subject = %s AND year = %s",
        (city, kind, subject, year),
    )
    return Inventory(**found[0]) if found else None


def inventories(
    conn: Connection, city: str, kind: str | None = None, subject: str | None = None
) -> list[Inventory]:
    """All inventories, the city's first, newest year first."""
    found = rows(
        conn,
        f"""{_INVENTORY} WHERE city = %(city)s
          AND (%(kind)s::text IS NULL OR kind = %(kind)s::text)
          AND (%(subject)s::text IS NULL OR subject = %(subject)s::text)
        ORDER BY kind, subject, year DESC""",
        {"city": city, "kind": kind, "subject": subject},
    )
    return [Inventory(**row) for row in found]


def settings(conn: Connection, city: str, inventory_id: UUID) -> Settings:
    """The settings that hold. Raises IndexError for an unknown inventory."""
    found = rows(
        conn,
        """SELECT content FROM footprint_inventory_settings
        WHERE city = %s AND inventory_id = %s ORDER BY revision DESC LIMIT 1""",
        (city, inventory_id),
    )
    return Settings.of(found[0]["content"])


def change_settings(
    conn: Connection, city: str, inventory_id: UUID, changed: Settings, reason: str, actor: str,
    clock: Clock,
) -> Settings | Refusal:  # fmt: skip
    """Change boundary, level or GWP set, with a reason; the same settings again change nothing.

    Refused: `unknown-inventory`, `settings-invalid`, `reason-missing`.
    """
    found = inventory(conn, city, inventory_id)
    if found is None:
        return unknown_inventory(inventory_id)
    wrong = check_settings(changed, found.kind)
    if wrong is not None:
        return wrong
    lock(conn, city, [f"inventory {inventory_id}"])
    before = settings(conn, city, inventory_id)
    if plain(before.document()) == plain(changed.document()):
        return before
    if not reason.strip():
        return reason_missing()
    revision = rows(
        conn,
        """SELECT max(revision) AS last FROM footprint_inventory_settings
        WHERE city = %s AND inventory_id = %s""",
        (city, inventory_id),
    )[0]["last"]
    at = clock.now()
    _keep_settings(conn, city, inventory_id, revision + 1, changed, reason, actor, at)
    proof.audit(
        conn, city, actor, "inventory.settings", "inventory", str(inventory_id),
        before.document(), {**changed.document(), "reason": reason},
    )  # fmt: skip
    return changed


def _keep_settings(
    conn: Connection, city: str, inventory_id: UUID, revision: int, made: Settings, reason: str,
    actor: str, at: datetime,
) -> None:  # fmt: skip
    execute(
        conn,
        """INSERT INTO footprint_inventory_settings
        (city, inventory_id, revision, content, reason, actor, created_at)
        VALUES (%s,%s,%s,%s,%s,%s,%s)""",
        (city, inventory_id, revision, Jsonb(plain(made.document())), reason, actor, at),
    )


def put_lines(
    conn: Connection,
    city: str,
    inventory_id: UUID,
    specs: list[LineSpec],
    cause: str,
    reason: str,
    actor: str,
    clock: Clock,
) -> list[Line] | Refusal:
    """Write lines, all or none. A line that says the same already keeps its revision.

    `cause` says why a line is changed (activity, factor, gwp, boundary, method or error), and
    `reason` is wanted for every change of a line that is there. Refused: `unknown-inventory`,
    `cause-unknown`, `reason-missing`, `line-twice`, and the codes of `check_line`.
    """
    found = inventory(conn, city, inventory_id)
    if found is None:
        return unknown_inventory(inventory_id)
    if cause not in CAUSES:
        return Refusal("cause-unknown", f"바꾼 까닭을 고르세요: {', '.join(CAUSES)}.",
                       f"Choose a cause: {', '.join(CAUSES)}.", {"cause": cause})  # fmt: skip
    codes = [one.code for one in specs]
    twice = next((code for code in codes if codes.count(code) > 1), None)
    if twice is not None:
        return Refusal("line-twice", f"{twice} 줄이 두 번 있습니다.",
                       f"The line {twice} is there twice.", {"line": twice})  # fmt: skip
    holds, library = settings(conn, city, inventory_id), library_of(conn, city)
    lock(conn, city, [f"inventory {inventory_id}"])
    there = {row["code"]: row for row in rows(conn, _LINES, (city, inventory_id))}
    written: list[tuple[LineSpec, int]] = []
    for spec in specs:
        checked = check_line(spec, found.kind, holds, clock.now().date(), library)
        if isinstance(checked, Refusal):
            return checked
        before = there.get(spec.code)
        if before is not None and before["spec"] == plain(checked[0].document()):
            continue
        if before is not None and not reason.strip():
            return reason_missing()
        written.append((checked[0], before["revision"] + 1 if before else 1))
    for spec, revision in written:
        _keep_line(conn, city, inventory_id, spec.code, revision, spec, cause, reason, actor,
                   clock.now())  # fmt: skip
    if written:
        proof.audit(
            conn, city, actor, "inventory.lines", "inventory", str(inventory_id), None,
            {"lines": [[s.code, r] for s, r in written], "cause": cause, "reason": reason},
        )  # fmt: skip
    return [line for line in lines(conn, city, inventory_id) if line.spec.code in codes]


def remove_line(
    conn: Connection, city: str, inventory_id: UUID, code: str, cause: str, reason: str,
    actor: str, clock: Clock,
) -> Refusal | None:  # fmt: skip
    """Take a line out; its revisions stay. Refused: `unknown-line`, `reason-missing`."""
    lock(conn, city, [f"inventory {inventory_id}"])
    there = {row["code"]: row for row in rows(conn, _LINES, (city, inventory_id))}
    if code not in there or there[code]["spec"] is None:
        return Refusal("unknown-line", f"{code} 줄이 없습니다.", f"There is no line {code}.",
                       {"line": code})  # fmt: skip
    if not reason.strip() or cause not in CAUSES:
        return reason_missing()
    revision = there[code]["revision"] + 1
    _keep_line(conn, city, inventory_id, code, revision, None, cause, reason, actor, clock.now())
    proof.audit(
        conn, city, actor, "inventory.line-removed", "inventory", str(inventory_id),
        {"line": code}, {"cause": cause, "reason": reason},
    )  # fmt: skip
    return None


def _keep_line(
    conn: Connection, city: str, inventory_id: UUID, code: str, revision: int,
    spec: LineSpec | None, cause: str, reason: str, actor: str, at: datetime,
) -> None:  # fmt: skip
    execute(
        conn,
        """INSERT INTO footprint_inventory_line
        (city, inventory_id, code, revision, spec, cause, reason, actor, created_at)
        VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s)""",
        (
            city, inventory_id, code, revision,
            None if spec is None else Jsonb(plain(spec.document())), cause, reason, actor, at,
        ),
    )  # fmt: skip


def lines(conn: Connection, city: str, inventory_id: UUID) -> list[Line]:
    """The lines as they stand, by reference number and code."""
    found = [row for row in rows(conn, _LINES, (city, inventory_id)) if row["spec"] is not None]
    made = [_line(row) for row in found]
    return sorted(made, key=lambda line: (line.spec.ref, line.spec.code))


def line_history(conn: Connection, city: str, inventory_id: UUID, code: str) -> list[Row]:
    """A line's revisions, newest first: spec (None once taken out), cause, reason, actor, time."""
    return rows(
        conn,
        """SELECT code, revision, spec, cause, reason, actor, created_at
        FROM footprint_inventory_line WHERE city = %s AND inventory_id = %s AND code = %s
        ORDER BY revision DESC""",
        (city, inventory_id, code),
    )


def _line(row: Row) -> Line:
    return Line(LineSpec.of(row["spec"]), row["revision"], row["cause"], row["reason"],
                row["actor"], row["created_at"])  # fmt: skip


def set_policy(
    conn: Connection, city: str, kind: str, subject: str, policy: RecalculationPolicy, actor: str,
    clock: Clock,
) -> RecalculationPolicy | Refusal:  # fmt: skip
    """State base year, threshold and causes of recalculation; the same again changes nothing.

    Refused: `policy-invalid`.
    """
    allowed = {"factor", "gwp", "boundary", "method", "error"}
    if not (
        1990 <= policy.base_year <= 2100 and 1 <= policy.threshold_bp <= 10_000
        and set(policy.causes) <= allowed and policy.causes and policy.text.strip()
    ):  # fmt: skip
        return Refusal(
            "policy-invalid",
            "기준연도, 한계(0.01–100 %), 재산정 사유와 방침 글을 확인해 주세요. "
            "활동량의 변화는 재산정 사유가 아닙니다.",
            "Check base year, threshold, causes and text. A change of activity is never a cause.",
            {"causes": list(policy.causes)},
        )
    lock(conn, city, [f"inventory policy {kind} {subject}"])
    before = recalculation_policy(conn, city, kind, subject)
    wanted = (policy.base_year, policy.threshold_bp, tuple(sorted(policy.causes)), policy.text)
    if before is not None and wanted == (
        before.base_year, before.threshold_bp, before.causes, before.text
    ):  # fmt: skip
        return before
    execute(
        conn,
        """INSERT INTO footprint_inventory_policy (city, kind, subject, revision, base_year,
          threshold_bp, causes, content, actor, created_at)
        VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)""",
        (
            city, kind, subject, before.revision + 1 if before else 1, policy.base_year,
            policy.threshold_bp, sorted(policy.causes), policy.text, actor, clock.now(),
        ),
    )  # fmt: skip
    proof.audit(
        conn, city, actor, "inventory.policy", "inventory-policy", f"{kind} {subject}",
        None if before is None else {"base_year": before.base_year, "bp": before.threshold_bp},
        {"base_year": policy.base_year, "bp": policy.threshold_bp, "causes": policy.causes},
    )  # fmt: skip
    made = recalculation_policy(conn, city, kind, subject)
    assert made is not None
    return made


def recalculation_policy(
    conn: Connection, city: str, kind: str, subject: str
) -> RecalculationPolicy | None:
    """The policy that holds for a subject, or None where none was stated."""
    found = rows(
        conn,
        """SELECT base_year, threshold_bp, causes, content AS text, revision, actor, created_at
        FROM footprint_inventory_policy WHERE city = %s AND kind = %s AND subject = %s
        ORDER BY revision DESC LIMIT 1""",
        (city, kind, subject),
    )
    if not found:
        return None
    return RecalculationPolicy(**{**found[0], "causes": tuple(found[0]["causes"])})


def unknown_inventory(inventory_id: UUID) -> Refusal:
    return Refusal(
        "unknown-inventory",
        "인벤토리를 찾을 수 없습니다.",
        "There is no such inventory.",
        {"inventory": str(inventory_id)},
    )


def reason_missing() -> Refusal:
    return Refusal(
        "reason-missing",
        "바꾸는 까닭을 적어 주세요. 판마다 설명에 쓰입니다.",
        "Say why it is changed; the explanation of the versions rests on it.",
    )
