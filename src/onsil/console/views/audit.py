"""Who did what: the audit trail, filtered, paged, exported."""

from itertools import chain
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as _

from onsil import proof
from onsil.configuration import configuration
from onsil.console import people
from onsil.console.export import csv_response
from onsil.console.frame import STAFF, Request, needs, page
from onsil.core.canonical import canonical_bytes
from onsil.tenancy import transaction

_PAGE, _FILE = 50, 10_000


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


@needs(*STAFF)
def listing(request: Request) -> HttpResponse:
    """The trail, newest first; `?kind=`, `?actor=` (e-mail), `?subject=`, `?before=`."""
    wanted = {k: request.GET.get(k, "").strip() for k in ("kind", "actor", "subject")}
    actors = people.actors_of(wanted["actor"]) if wanted["actor"] else (None,)
    as_file = request.GET.get("format") == "csv"
    limit = _FILE if as_file else _PAGE + 1
    with transaction(request.city.code) as conn:
        trails = [
            proof.audit_trail(
                conn, request.city.code, limit, before=_uuid(request.GET.get("before", "")),
                subject_kind=wanted["kind"] or None, subject_id=wanted["subject"] or None,
                actor=actor,
            )
            for actor in actors
        ]  # fmt: skip
        log = proof.status(conn, request.city.code, configuration().log_home)
    found = sorted(chain(*trails), key=lambda r: r.id, reverse=True)[:limit]
    names = people.names_of(r.actor for r in found)
    if as_file:
        header = [_("때"), _("한 사람"), _("한 일"), _("대상 종류"), _("대상"), _("전"), _("후")]
        rows = [
            (r.at, names.get(r.actor, r.actor), r.action, r.subject_kind, r.subject_id,
             _json(r.before), _json(r.after))
            for r in found
        ]  # fmt: skip
        return csv_response(f"{request.city.code}-audit", header, rows)
    records = [
        {"id": r.id, "at": r.at, "actor": names.get(r.actor, r.actor), "action": r.action,
         "kind": r.subject_kind, "subject": r.subject_id, "changes": changes(r.before, r.after)}
        for r in found[:_PAGE]
    ]  # fmt: skip
    more = found[_PAGE - 1].id if len(found) > _PAGE else None
    return page(
        request, "console/audit.html", section="audit", records=records, more=more, log=log,
        wanted=wanted,
    )  # fmt: skip


def _json(state: object) -> str:
    return "" if state is None else canonical_bytes(state).decode()


def changes(before: object, after: object) -> list[tuple[str, object, object]]:
    """What differs between two states: (field, was, is); everything for a new or removed thing."""
    was = dict(before) if isinstance(before, dict) else {}
    now = dict(after) if isinstance(after, dict) else {}
    keys = sorted(was.keys() | now.keys())
    return [(k, was.get(k), now.get(k)) for k in keys if was.get(k) != now.get(k)]
