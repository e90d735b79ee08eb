"""Doing an official's work in a test: post a form, read what is told, look at the books."""

from city_hall import CITY
from django.test import Client

from onsil import ledger
from onsil.citizen.models import User
from onsil.proof import audit_trail
from onsil.tenancy import transaction

# An id that nothing has.
GONE = "00000000-0000-7000-8000-000000000000"


def said(answer) -> str:
    """What the screen that the act led to tells, all of its messages in one."""
    assert answer.status_code == 200, answer.status_code
    return " ".join(str(m) for m in answer.context["messages"])


def told(client: Client, path: str, **data: object) -> str:
    """Post, follow, and read what is told."""
    return said(client.post(path, data, follow=True))


def balance(code: str, asset: str = "KRW") -> int:
    with transaction(CITY) as tx:
        return ledger.balance(tx, CITY, code, asset)


def acts(action: str) -> int:
    with transaction(CITY) as tx:
        return sum(r.action == action for r in audit_trail(tx, CITY, 1000))


def shut_to(people: list[User], as_user, path: str, **data: object) -> None:
    """None of them may, nor may a stranger, and nobody by opening the address."""
    stranger = Client(SERVER_NAME="localhost").post(path, data)
    assert stranger.status_code == 302
    assert "login" in stranger["Location"]
    for person in people:
        assert as_user(person).post(path, data).status_code == 403, person
        assert as_user(person).get(path).status_code == 405, person
