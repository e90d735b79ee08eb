"""What a finding is, what each code means in words, and how findings are kept and read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from onsil import proof
from onsil.core.canonical import plain
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.refusal import Refusal
from onsil.footprint.store import execute
from onsil.footprint.store import rows as select

SEVERITIES = ("note", "warning", "discount", "blocking")

TEXTS: dict[str, tuple[str, str]] = {
    "gaps": (
        "기대한 {expected}개 가운데 {missing}개가 빠졌습니다. 0으로 채우지 않았습니다.",
        "{missing} of {expected} expected values are missing. None was taken as zero.",
    ),
    "excluded": (
        "{count}개를 제외했습니다: {reason}.",
        "{count} values were left out: {reason}.",
    ),
    "incomplete": (
        "기대 {expected} = 사용 {used} + 빠짐 {missing} + 제외 {excluded}이(가) 맞지 않습니다.",
        "{expected} expected is not {used} used + {missing} missing + {excluded} excluded.",
    ),
    "coverage-low": (
        "{used_pct}%만 쓰였습니다.",
        "Only {used_pct} % could be used.",
    ),
    "off-grid": (
        "구간의 시작이 아닌 때의 값 {count}개는 쓰지 않았습니다.",
        "{count} values lie at the start of no interval and were not used.",
    ),
    "outside": (
        "기간 밖의 값 {count}개가 스냅샷에 있습니다. 기간에 넣지 않았습니다.",
        "{count} values of the snapshot lie outside the period and are not counted in it.",
    ),
    "cut-within-a-day": (
        "기간이 현지 자정에 시작하거나 끝나지 않습니다: {bound}.",
        "The period does not begin or end at a local midnight: {bound}.",
    ),
    "corrected": (
        "기간의 값 {count}개가 처음과 다르게 정정되었습니다. 정정된 값을 한 번 썼습니다.",
        "{count} values of the period were corrected; the corrected ones are counted, once.",
    ),
    "simulated": (
        "실측이 아닌 모의 계측입니다.",
        "The series is simulated, not measured.",
    ),
    "calibration-unknown": (
        "교정 성적서가 등록되어 있지 않습니다.",
        "No calibration certificate is on record.",
    ),
    "calibration-delayed": (
        "교정이 유효하지 않던 {days}일 때문에 {deduct_pct}%를 덜어냅니다. 나중에 다시 "
        "교정되었습니다.",
        "{deduct_pct} % is taken off for {days} days without a valid calibration; the meter was "
        "calibrated again later.",
    ),
    "calibration-lapsed": (
        "{since}부터 {days}일 동안 유효한 교정이 없고 그 뒤의 교정도 없습니다.",
        "No calibration was valid on {days} days from {since}, and none came later.",
    ),
    "implausible": (
        "{quantity}의 원단위 {intensity}은(는) 있을 수 있는 범위 {low}–{high} tCO2e/{unit}을 "
        "벗어납니다.",
        "{intensity} tCO2e/{unit} of {quantity} is outside the plausible {low} to {high}.",
    ),
    "uncertainty-unknown": (
        "불확도가 계산되지 않았습니다.",
        "No uncertainty is stated.",
    ),
    "uncertainty-high": (
        "불확도 {relative_pct}%가 30%를 넘습니다.",
        "The uncertainty of {relative_pct} % is above 30 %.",
    ),
    "uncertainty-total": (
        "불확도 {relative_pct}%가 100%를 넘어 감축이 있었다고 할 수 없습니다.",
        "The uncertainty of {relative_pct} % is above 100 %: a reduction cannot be told from none.",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One thing found about a run's data. `subject` is a role, a meter or a quantity.

    A `blocking` one stops claims; a `discount` takes `facts["deduct_pct"]` off the meter's amount.
    """

    code: str
    severity: str
    subject: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def text(self, language: str) -> str:
        """The finding in words."""
        return TEXTS[self.code][0 if language == "ko" else 1].format_map(self.facts)

    @property
    def ko(self) -> str:
        return self.text("ko")

    @property
    def en(self) -> str:
        return self.text("en")

    def document(self) -> dict[str, Any]:
        """As it lies in an evidence bundle."""
        return {
            "code": self.code,
            "severity": self.severity,
            "subject": self.subject,
            "facts": plain(dict(self.facts)),
        }


def findings_of(conn: Connection, city: str, run_id: UUID) -> list[Finding]:
    """The findings of the newest look at a run, the gravest first; none where nobody looked."""
    found = select(
        conn,
        "SELECT code, severity, subject, facts FROM footprint_findings_now(%s, %s)",
        (city, run_id),
    )
    made = [Finding(**row) for row in found]
    return sorted(made, key=lambda one: -SEVERITIES.index(one.severity))


def blocked(conn: Connection, city: str, run_id: UUID) -> Refusal | None:
    """`quality-blocked` where the last look at a run found what stops it; else None."""
    found = select(
        conn,
        """SELECT code, subject FROM footprint_findings_now(%s, %s)
        WHERE severity = 'blocking' ORDER BY position""",
        (city, run_id),
    )
    if not found:
        return None
    names = ", ".join(f"{one['code']} ({one['subject']})" for one in found)
    return Refusal(
        "quality-blocked",
        f"해결되지 않은 품질 문제로 청구할 수 없습니다: {names}.",
        f"Findings about its data stop claims on this run: {names}.",
        {"run": str(run_id), "findings": [one["code"] for one in found]},
    )


def keep(
    conn: Connection, city: str, run_id: UUID, found: Sequence[Finding], actor: str, at: datetime
) -> int:
    """Write a look at a run down, and its findings into the log; gives the number of the look.

    The same findings as the last time are not written again.
    """
    last = select(
        conn,
        """SELECT coalesce(max(number), 0) AS number FROM footprint_inspection
        WHERE city = %s AND run_id = %s""",
        (city, run_id),
    )[0]["number"]
    before = [one.document() for one in findings_of(conn, city, run_id)]
    now = [one.document() for one in _by_weight(found)]
    if last and before == now:
        return last
    made = new_id()
    execute(
        conn,
        """INSERT INTO footprint_inspection (city, id, run_id, number, actor, created_at)
        VALUES (%s,%s,%s,%s,%s,%s)""",
        (city, made, run_id, last + 1, actor, at),
    )
    for position, one in enumerate(now):
        execute(
            conn,
            """INSERT INTO footprint_quality_finding
            (city, run_id, number, position, code, severity, subject, facts)
            VALUES (%s,%s,%s,%s,%s,%s,%s,%s)""",
            (
                city, run_id, last + 1, position, one["code"], one["severity"], one["subject"],
                Jsonb(one["facts"]),
            ),
        )  # fmt: skip
    entry = inspection_entry(conn, city, made)
    assert entry is not None
    proof.append(conn, city, "inspection", made, entry)
    if last or any(one["severity"] == "blocking" for one in now):
        after = {"number": last + 1, "findings": [f"{x['severity']}:{x['code']}" for x in now]}
        proof.audit(conn, city, actor, "run.inspected", "run", str(run_id), None, after)
    return last + 1


def inspection_entry(conn: Connection, city: str, inspection_id: UUID) -> dict[str, Any] | None:
    """What the log holds of a look at a run: who looked and every finding; None where unknown."""
    looked = select(
        conn,
        """SELECT run_id, number, actor, created_at FROM footprint_inspection
        WHERE city = %s AND id = %s""",
        (city, inspection_id),
    )
    if not looked:
        return None
    one = looked[0]
    found = select(
        conn,
        """SELECT position, code, severity, subject, facts FROM footprint_quality_finding
        WHERE city = %s AND run_id = %s AND number = %s ORDER BY position""",
        (city, one["run_id"], one["number"]),
    )
    return {
        "run": one["run_id"],
        "number": one["number"],
        "findings": found,
        "actor": one["actor"],
        "created_at": one["created_at"],
    }


def _by_weight(found: Sequence[Finding]) -> list[Finding]:
    return sorted(found, key=lambda one: -SEVERITIES.index(one.severity))
