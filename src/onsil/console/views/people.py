"""Staff and roles. Anybody of the staff reads; an operator changes."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from onsil import proof
from onsil.citizen.models import Membership, Role, User
from onsil.console import people
from onsil.console.frame import STAFF, Request, needs, page
from onsil.console.views.audit import changes
from onsil.core.refusal import Refusal
from onsil.tenancy import transaction


def _word(role: str) -> str:
    return _(str(Role(role).label))


@needs(*STAFF)
def listing(request: Request) -> HttpResponse:
    """Everybody who acts for the city; a POST by an operator adds one."""
    if request.method == "POST":
        return _add(request)
    found = [{"user": p.user, "roles": [_word(r) for r in p.roles]}
             for p in people.staff(request.city.code)]  # fmt: skip
    counts = [(_word(r), n) for r, n in people.counts(request.city.code).items()]
    return page(
        request, "console/people.html", section="people", people=found, counts=counts,
        given=[(r.value, _word(r)) for r in people.GIVEN],
        may_change=Role.OPERATOR in request.roles,
        link=request.session.pop("entry-link", ""),
    )  # fmt: skip


@needs(Role.OPERATOR)
def _add(request: Request) -> HttpResponse:
    done = people.add(
        request.city.code, request.POST.get("email", "").strip(),
        request.POST.get("name", "").strip(), request.POST.get("role", ""), request.user,
    )  # fmt: skip
    if isinstance(done, Refusal):
        messages.error(request, done.text(get_language() or "ko"))
    else:
        messages.success(request, _("%(who)s 님에게 역할을 주었습니다.") % {"who": str(done.user)})
        if not done.user.has_usable_password():
            request.session["entry-link"] = request.build_absolute_uri(people.entry_link(done.user))
    return redirect("console-people")


def _person(request: Request, person: UUID) -> User:
    """A user with a role in this city; anybody else's existence is nobody's business here."""
    get_object_or_404(
        Membership.objects.filter(city=request.city.code, user=person).exclude(role=Role.CITIZEN)[
            :1
        ]
    )
    return get_object_or_404(User, pk=person)


@needs(*STAFF)
def panel(request: Request, person: UUID) -> HttpResponse:
    """One person: roles, and what was changed about them and by them lately."""
    user = _person(request, person)
    with transaction(request.city.code) as conn:
        trail = proof.audit_trail(
            conn, request.city.code, 20, subject_kind="person", subject_id=str(user.pk)
        )
    names = people.names_of(r.actor for r in trail)
    history = [{"at": r.at, "actor": names.get(r.actor, r.actor), "action": r.action,
                "changes": changes(r.before, r.after)} for r in trail]  # fmt: skip
    held = user.roles(request.city.code)
    return page(
        request, "console/person.html", section="people", person=user, history=history,
        roles_held=[(r, _word(r), r in people.GIVEN) for r in sorted(held)],
        roles_left=[(r.value, _word(r)) for r in people.GIVEN if r not in held],
        may_change=Role.OPERATOR in request.roles,
    )  # fmt: skip


@require_POST
@needs(Role.OPERATOR)
def change(request: Request, person: UUID) -> HttpResponse:
    """Give (`give=role`) or take (`take=role`) a role."""
    user = _person(request, person)
    if role := request.POST.get("give"):
        refusal = people.give(request.city.code, user, role, request.user)
    else:
        refusal = people.take(request.city.code, user, request.POST.get("take", ""), request.user)
    if refusal is not None:
        messages.error(request, refusal.text(get_language() or "ko"))
    else:
        messages.success(request, _("역할을 바꾸었습니다. 감사 기록에 남았습니다."))
    still = user.roles(request.city.code) - {Role.CITIZEN}
    return redirect("console-person", person) if still else redirect("console-people")
