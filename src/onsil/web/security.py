"""What a page of ours may load: its own files, its own live events, nothing else."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from onsil.configuration import configuration


def content_policy() -> str:
    """The Content-Security-Policy of every page.

    Styles may be inline because charts and maps position their own elements; scripts may not.
    """
    conf = configuration()
    sources = {
        "default-src": "'self'",
        "script-src": "'self'",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self'",
        "worker-src": "'self' blob:",
        "connect-src": f"'self' {conf.live_address} {conf.hub_address}",
        "frame-ancestors": "'none'",
        "form-action": "'self'",
        "base-uri": "'self'",
        "object-src": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in sources.items())


class ContentPolicyMiddleware:
    """Sends the policy, and lets the camera be used for scanning by our own pages alone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.policy = content_policy()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", self.policy)
        response.headers.setdefault("Permissions-Policy", "camera=(self), geolocation=(self)")
        return response
