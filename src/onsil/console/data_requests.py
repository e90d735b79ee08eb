"""Requests for data sets as officials see to them: decided under audit, told by e-mail."""

from datetime import datetime
from uuid import UUID

from django.core.mail import send_mail

from onsil import proof
from onsil.citizen.models import User
from onsil.core.refusal import Refusal
from onsil.hub.datasets import access
from onsil.hub.datasets.registry import Dataset
from onsil.hub.datasets.requests import Decision, UsageRequest
from onsil.hub.datasets.store import dataset
from onsil.hub.steps import run
from onsil.tenancy import transaction
from onsil.tenancy.cities import CityProfile


def decide(
    city: CityProfile, id: UUID, decision: Decision, actor: str, reason: str, now: datetime
) -> UsageRequest | Refusal | None:
    """Approve, refuse or end a request; who asked is written to. None: there is no such request."""
    with transaction(city.code) as conn:
        before = run(conn, access.request_of(city.code, str(id)))
        done = run(conn, access.decide_on(city.code, str(id), decision, actor, reason, now))
        if not isinstance(done, UsageRequest) or before is None:
            return done
        entry = run(conn, dataset(city.code, done.dataset))
        proof.audit(
            conn, city.code, actor, f"data-set.{done.state}", "data-set-request", done.id,
            {"state": before.state},
            {"state": done.state, "data_set": done.dataset, "reason": done.reason,
             "expires_at": done.expires_at.isoformat() if done.expires_at else None},
        )  # fmt: skip
    person = User.objects.filter(pk=UUID(done.person.removeprefix("user:"))).first()
    if person is not None:
        subject, body = _letter(done, entry.dataset if entry else None, person.language, city)
        send_mail(subject, body, None, [person.email], fail_silently=True)
    return done


def _letter(
    done: UsageRequest, about: Dataset | None, language: str, city: CityProfile
) -> tuple[str, str]:
    title = about.title.text(language) if about else done.dataset
    until = done.expires_at.astimezone(city.zone).strftime("%Y-%m-%d") if done.expires_at else ""
    if language.startswith("en"):
        said = {
            "approved": (f"{title}: your request was approved",
                         f"You may use it until {until}. Sign in and make your key under"
                         " Open data, My requests."),
            "refused": (f"{title}: your request was refused", f"Reason: {done.reason}"),
            "ended": (f"{title}: your access was ended", f"Reason: {done.reason}"),
        }  # fmt: skip
    else:
        said = {
            "approved": (f"{title}: 이용 신청이 승인되었습니다",
                         f"{until}까지 쓸 수 있습니다. 로그인해 열린 데이터의 ‘내 데이터 신청’에서"
                         " 열쇠를 만드세요."),
            "refused": (f"{title}: 이용 신청이 반려되었습니다", f"까닭: {done.reason}"),
            "ended": (f"{title}: 이용이 중지되었습니다", f"까닭: {done.reason}"),
        }  # fmt: skip
    return said[done.state]
