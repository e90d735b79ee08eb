"""Where a won, a point or a credit came from, and where a reading went.

`trace_back` walks from value to readings, `trace_forward` from a reading to what it bought. Every
step carries its own proof, so that a browser or an offline program can check it by itself.
"""

from datetime import datetime
from uuid import UUID

from onsil import hub
from onsil.core.refusal import Refusal
from onsil.portal.terms import Trace
from onsil.portal.trace.awards import visit_award
from onsil.portal.trace.books import Books
from onsil.portal.trace.carbon import visit_batch, visit_claim, visit_retirement, visit_run
from onsil.portal.trace.forward import follow_reading
from onsil.portal.trace.value import visit_transfer
from onsil.portal.trace.walk import Walk, as_uuid
from onsil.tenancy import transaction
from onsil.tenancy.cities import city as city_profile

__all__ = ["KINDS", "PUBLIC_KINDS", "trace_back", "trace_forward"]

# What a trace back can begin with; several words stand for a transfer of the ledger.
KINDS = (
    "payment", "conversion", "sale", "transfer", "award", "credit", "retirement", "claim", "run",
)  # fmt: skip
PUBLIC_KINDS = frozenset({"credit", "retirement"})
_TRANSFERS = frozenset({"payment", "conversion", "sale", "transfer"})


def trace_back(
    city: str,
    kind: str,
    id: str,
    *,
    reader: str = "",
    public: bool = False,
    own_only: bool = False,
) -> Trace | Refusal:
    """The way from a transfer, award, credit batch, retirement, claim or run to its readings.

    `reader` is the id of the person who reads (their home is called theirs), `public` leaves out
    what is personal, `own_only` what another citizen did before value came to the reader.
    Refusals: `trace-kind-unknown`, `trace-unknown`.
    """
    subject_id = as_uuid(id)
    if kind not in KINDS:
        return Refusal(
            "trace-kind-unknown",
            f"'{kind}'(으)로는 여정을 시작할 수 없습니다. 쓸 수 있는 것: {', '.join(KINDS)}",
            f"A trace cannot begin with '{kind}'. It can with: {', '.join(KINDS)}",
        )
    with transaction(city) as conn:
        walk = Walk(conn, city, city_profile(city).zone, public, reader, own_only)
        subject = _begin(walk, kind, subject_id) if subject_id is not None else None
        if subject is None:
            return _unknown(kind, id)
        return walk.finish(subject, backward=True)


def _begin(walk: Walk, kind: str, subject_id: UUID) -> str | None:
    if kind in _TRANSFERS:
        return visit_transfer(walk, Books(walk.conn, walk.city), subject_id)
    visit = {
        "award": visit_award,
        "credit": visit_batch,
        "retirement": visit_retirement,
        "claim": visit_claim,
        "run": visit_run,
    }[kind]
    return visit(walk, subject_id)


def trace_forward(
    city: str, entity: str, attribute: str, instant: datetime, *, reader: str = "",
    public: bool = False, own_only: bool = False,
) -> Trace | Refusal:  # fmt: skip
    """The way from one reading to the runs, claims, awards, credits and payments it went into.

    `instant` is aware. Refusal: `trace-unknown` when there is no such series.
    """
    with transaction(city) as conn:
        series = hub.find_series(conn, city, entities=[entity], attribute=attribute)
        if not series:
            return _unknown("reading", f"{entity}#{attribute}")
        walk = Walk(conn, city, city_profile(city).zone, public, reader, own_only)
        books = Books(conn, city)
        return walk.finish(follow_reading(walk, books, series[0], instant), backward=False)


def _unknown(kind: str, id: str) -> Refusal:
    return Refusal(
        "trace-unknown",
        "찾을 수 없습니다. 식별자를 다시 확인해 주세요.",
        "There is no such thing. Please check the identifier.",
        {"kind": kind, "id": id},
    )
