"""Who may see what is personal: its owner, the city's staff and its verifiers."""

from django.http import HttpRequest

from onsil.portal.terms import Trace

_ALL = frozenset({"official", "approver", "verifier", "operator"})


def sees_everything(request: HttpRequest) -> bool:
    """Whether the reader works for the city or verifies it."""
    user = request.user
    return user.is_authenticated and bool(user.roles(request.city.code) & _ALL)


def owns(request: HttpRequest, trace: Trace) -> bool:
    """Whether the trace is about the reader alone."""
    user = request.user
    return user.is_authenticated and trace.owners == {str(user.pk)}
