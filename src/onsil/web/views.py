"""The one view of the frame itself: where a person who has signed in goes."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

# The first role a person has decides; citizens may have other roles besides.
_HOMES = (
    (("official", "approver", "operator"), "/console/"),
    (("verifier",), "/console/evidence/"),
    (("buyer",), "/console/market/"),
    (("merchant",), "/shop/"),
)


@login_required
def start(request: HttpRequest) -> HttpResponse:
    """Send a person to the screen of what they are in this city; a stranger to the citizen's."""
    roles = request.user.roles(request.city.code)  # pyright: ignore[reportAttributeAccessIssue]
    for wanted, home in _HOMES:
        if roles.intersection(wanted):
            return redirect(home)
    return redirect("/app/")
