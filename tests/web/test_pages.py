"""The frame of every page: sign-in, errors, languages, policy, weight."""

from pathlib import Path

import pytest
from django.test import Client

from onsil.citizen.models import Role, User
from onsil.citizen.services import people

STATIC = Path(__file__).parents[2] / "src" / "onsil" / "web" / "static"


@pytest.fixture
def client() -> Client:
    return Client(SERVER_NAME="localhost")


@pytest.mark.django_db
@pytest.mark.usefixtures("city")
def test_sign_in_offers_a_passkey_first_and_a_password(client: Client):
    html = client.get("/accounts/login/").content.decode()
    assert html.index("패스키로 로그인") < html.index("비밀번호로 로그인")
    assert "평택시" in html
    assert '<a class="skip" href="#main">' in html
    wrong = client.post("/accounts/login/", {"login": "x@demo.invalid", "password": "wrong wrong"})
    assert 'role="alert"' in wrong.content.decode()


@pytest.mark.django_db
@pytest.mark.usefixtures("city")
def test_no_page_runs_a_script_of_its_own(client: Client):
    for path in ("/accounts/login/", "/accounts/signup/", "/nowhere/"):
        answer = client.get(path)
        policy = answer["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        for script in answer.content.decode().split("<script")[1:]:
            tag = script.split(">")[0]
            assert "src=" in tag or 'type="application/json"' in tag, script[:200]


@pytest.mark.django_db
@pytest.mark.usefixtures("city")
def test_what_is_not_there_is_told_kindly(client: Client):
    answer = client.get("/nowhere/")
    assert answer.status_code == 404
    assert "페이지를 찾을 수 없습니다" in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.usefixtures("city")
def test_signing_in_leads_to_ones_own_screen(client: Client):
    assert client.get("/start/").status_code == 302
    homes = {Role.OFFICIAL: "/console/", Role.VERIFIER: "/console/evidence/",
             Role.BUYER: "/console/market/"}  # fmt: skip
    for role, home in homes.items():
        person = User.objects.create_user(f"{role}@demo.invalid", "a long password")
        people.give_role(person, role)
        client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
        assert client.get("/start/")["Location"] == home


@pytest.mark.django_db
@pytest.mark.usefixtures("city")
def test_every_account_page_wears_the_design(client: Client):
    person = User.objects.create_user("someone@demo.invalid", "a long password")
    for path in ("/accounts/signup/", "/accounts/password/reset/"):
        assert "onsil/parts.css" in client.get(path).content.decode(), path
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    for path in ("/accounts/logout/", "/accounts/password/change/", "/accounts/2fa/"):
        answer = client.get(path, follow=True)
        assert answer.status_code == 200, path
        assert "onsil/parts.css" in answer.content.decode(), path


def test_a_citizens_page_weighs_little():
    """Our own share; KRDS's tokens add 50 kB, the page itself and its words the rest of 300."""
    weight = sum(
        (STATIC / "onsil" / name).stat().st_size
        for name in ("tokens.css", "onsil.css", "parts.css", "loop.css", "onsil.js", "live.js")
    )
    assert weight < 70_000
