"""Awards as leaves of the transparency log, rebuilt from the live rows for verification.

An entry names the programme's version and every piece of evidence by its content's hash, so an
award, its decision, or the evidence beneath it cannot be altered unseen.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from onsil import footprint, ledger
from onsil.core.canonical import digest
from onsil.core.database import Connection, cursor
from onsil.ledger import closing, trust_reports
from onsil.proof import EntrySource, PagedSource
from onsil.rewards.models import Award, Decision


def award_entry(award: Award, decision: Decision, evidence: Sequence[str]) -> dict[str, Any]:
    """The canonical content of one award; `evidence` are the content hashes looked at."""
    return _entry(
        programme=decision.programme.code,
        version=decision.version.digest,
        person=award.person,
        window=decision.window,
        sequence=decision.sequence,
        entitled=decision.entitled,
        points=award.points,
        krw=award.krw,
        year=award.year,
        funding=award.funding,
        expires_at=award.expires_at,
        merchant_rule=award.merchant_rule,
        claim_id=award.claim_id,
        awarded_at=award.awarded_at,
        reason=decision.reason_code,
        evidence=sorted(evidence),
    )


def _entry(**fields: Any) -> dict[str, Any]:
    return fields


_AWARDS = """
SELECT a.id, p.code, v.digest, a.person, d.window, d.sequence, d.entitled, a.points, a.krw, a.year,
       a.funding, a.expires_at, a.merchant_rule, a.claim_id, a.awarded_at, d.reason_code, d.id
  FROM rewards_award a
  JOIN rewards_decision d ON d.id = a.decision_id AND d.city = a.city
  JOIN rewards_programmeversion v ON v.id = d.version_id AND v.city = a.city
  JOIN rewards_programme p ON p.id = d.programme_id AND p.city = a.city
 WHERE a.city = %(city)s AND (%(after)s::uuid IS NULL OR a.id > %(after)s::uuid)
 ORDER BY a.id LIMIT %(limit)s
"""
_EVIDENCE = """
SELECT l.decision_id, e.person, e.kind, e.quantity, e.occurred_at, e.level, e.source, e.reference,
       e.claim_id, e.facts, e.simulated
  FROM rewards_decisionevidence l
  JOIN rewards_evidence e ON e.id = l.evidence_id AND e.city = l.city
 WHERE l.city = %(city)s AND l.decision_id = ANY(%(decisions)s)
"""
_NAMES = (
    "programme", "version", "person", "window", "sequence", "entitled", "points", "krw", "year",
    "funding", "expires_at", "merchant_rule", "claim_id", "awarded_at", "reason",
)  # fmt: skip


def _page(
    conn: Connection, city: str, after: UUID | None, limit: int
) -> list[tuple[UUID, Mapping[str, Any]]]:
    with cursor(conn) as run:
        where = {"city": city, "after": after, "limit": limit}
        awards = run.execute(_AWARDS, where).fetchall()
        decisions = [row[-1] for row in awards]
        links = run.execute(_EVIDENCE, {"city": city, "decisions": decisions}).fetchall()
    evidence: dict[UUID, list[str]] = {decision: [] for decision in decisions}
    for link in links:
        evidence[link[0]].append(_live_digest(link[1:]))
    return [
        (
            row[0],
            _entry(**dict(zip(_NAMES, row[1:-1], strict=True)), evidence=sorted(evidence[row[-1]])),
        )
        for row in awards
    ]


def _live_digest(row: Sequence[Any]) -> str:
    """What `content_digest` would say of the evidence as it lies in the table now."""
    names = ("person", "kind", "quantity", "occurred_at", "level", "source", "reference")
    values = dict(zip(names, row[:7], strict=True))
    return digest({**values, "claim": row[7], "facts": row[8], "simulated": row[9]})


award_entries = PagedSource(_page)


def award_leaf(conn: Connection, city: str, award_id: UUID) -> Mapping[str, Any] | None:
    """One award's entry from the live rows; None when the city has no such award."""
    before = UUID(int=award_id.int - 1)
    found = _page(conn, city, before, 1)
    return found[0][1] if found and found[0][0] == award_id else None


def log_sources() -> dict[str, EntrySource]:
    """Where the live rows of every kind of leaf are read from, for verifying the whole log."""
    return {
        "transfer": ledger.entry_source, "award": award_entries,
        closing.LEAF: closing.entry_source,
        trust_reports.LEAF: trust_reports.entry_source, **footprint.entry_sources,
    }  # fmt: skip
