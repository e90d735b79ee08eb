"""Whose receipt is whose, what its page carries, and how the log is served to everybody."""

import ast
import json
import re
from hashlib import sha256
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from portal_world import CITY, World

from onsil import ledger, proof
from onsil.configuration import configuration
from onsil.core.ids import new_id
from onsil.portal.logbook import logbook
from onsil.proof import Cosigner
from onsil.proof.home import publish
from onsil.proof.policy import Policy
from onsil.proof.witness.serving import open_witness
from onsil.proof.witness_state import WitnessState, note_cosigned
from onsil.rewards.models import Award
from onsil.tenancy import transaction
from onsil.tenancy.witnesses import LOCAL_NAME, local_witness_folder


def client(person=None, language: str = "ko") -> Client:
    made = Client(headers={"accept-language": language})
    if person is not None:
        made.force_login(person)
    return made


def carried(page: str, name: str):
    found = re.search(rf'<script id="{name}" type="application/json">(.*?)</script>', page)
    assert found is not None, name
    return json.loads(found[1])


def paid(world: World) -> str:
    return reverse("receipt", args=["transfer", world.payments[0].transfer_id])


def receipt_text(world: World) -> str:
    return client(world.saver).get(paid(world) + "receipt.tlog-proof").content.decode()


def test_a_payments_receipt_is_its_payers_alone(world: World):
    path = paid(world)
    assert client(world.saver).get(path).status_code == 200
    for other in (world.stranger, world.verifier, world.official, world.buyer):
        assert client(other).get(path).status_code == 404
        assert client(other).get(path + "receipt.tlog-proof").status_code == 404
    for anonymous in (client().get(path), client().get(path + "receipt.tlog-proof")):
        assert anonymous.status_code == 302
        assert "/accounts/login/" in anonymous["Location"]


def test_the_page_carries_the_receipt_and_whom_to_believe(world: World):
    page = client(world.saver).get(paid(world)).content.decode()
    given, trust = carried(page, "receipt-given"), carried(page, "receipt-trust")
    assert given["text"] == receipt_text(world)
    assert given["name"].endswith(".tlog-proof")
    assert trust["logs"] == [key.text for log in logbook(CITY) for key in log.keys]
    check = proof.verify_receipt(given["text"].encode(), trust["logs"], trust["policy"])
    assert check.valid, check.findings
    assert check.content is not None
    assert check.content["legs"][0]["amount"] == 4_500


def test_the_file_is_a_tlog_proof(world: World):
    answer = client(world.saver).get(paid(world) + "receipt.tlog-proof")
    assert answer["Content-Type"].startswith("text/plain")
    assert '.tlog-proof"' in answer["Content-Disposition"]
    assert answer.content.startswith(b"c2sp.org/tlog-proof@v1\n")
    policy = client().get(reverse("log-policy")).content.decode()
    assert proof.verify_receipt(answer.content, [], policy).valid


def test_awards_and_retirements_have_receipts_too(world: World):
    award = Award.objects.filter(person=world.saver.pk).values_list("pk", flat=True)[0]
    assert client(world.saver).get(f"/receipt/award/{award}/").status_code == 200
    assert client(world.stranger).get(f"/receipt/award/{award}/").status_code == 404
    public = client().get(f"/receipt/retirement/{world.retirement.id}/")
    assert public.status_code == 200
    assert carried(public.content.decode(), "receipt-given")["text"].startswith("c2sp.org/")


def test_what_is_no_record_has_no_receipt(world: World):
    for path in (f"/receipt/transfer/{uuid4()}/", f"/receipt/award/{uuid4()}/",
                 f"/receipt/moon/{uuid4()}/"):  # fmt: skip
        assert client(world.saver).get(path).status_code == 404


def test_what_is_not_signed_yet_says_so_and_opens_again(world: World):
    leg = ledger.Leg("issuer:local", f"citizen:{world.saver.pk}", f"local:{CITY}", 1)
    request = ledger.TransferRequest("unsealed", "charge", (leg,))
    with transaction(CITY) as tx:
        fresh = ledger.post(tx, CITY, [request], world.clock)["unsealed"].transfer_id
    page = client(world.saver).get(f"/receipt/transfer/{fresh}/")
    assert page.status_code == 200
    text = page.content.decode()
    assert "봉인을 기다리는 중입니다" in text
    assert 'http-equiv="refresh"' in text
    assert (
        client(world.saver).get(f"/receipt/transfer/{fresh}/receipt.tlog-proof").status_code == 404
    )


def test_the_program_is_handed_out_with_its_sum(world: World):
    answer = client().get(reverse("verifier-program"))
    assert answer["Content-Type"].startswith("text/x-python")
    assert 'filename="verify_receipt.py"' in answer["Content-Disposition"]
    ast.parse(answer.content, feature_version=(3, 9))
    said = sha256(answer.content).hexdigest()
    for page in ("/verify/", "/log/"):
        assert said in client().get(page).content.decode()


def test_each_years_policy_names_its_log(world: World):
    year = world.clock.now().year
    newest = client().get(reverse("log-policy"))
    assert newest["Content-Type"].startswith("text/plain")
    assert newest.content == client().get(reverse("log-policy-of", args=[year])).content
    policy = Policy.parse(newest.content.decode())
    assert {log.key.name for log in policy.logs} == {f"onsil/{CITY}/{year}"}
    assert client().get(reverse("log-policy-of", args=[1999])).status_code == 404


def test_the_log_is_served_as_files(world: World):
    year = world.clock.now().year
    answer = client().get(f"/log/{CITY}/{year}/checkpoint")
    note = answer.content.decode()
    assert note.startswith(f"onsil/{CITY}/{year}\n")
    assert answer["Content-Type"].startswith("text/plain")
    assert answer["Cache-Control"] == "no-cache"
    assert answer["Access-Control-Allow-Origin"] == "*"
    key = client().get(f"/log/{CITY}/{year}/verifier-key").content.decode()
    assert proof.VerifierKey.parse(key).name == f"onsil/{CITY}/{year}"
    size = int(note.split("\n")[1])
    tile = client().get(f"/log/{CITY}/{year}/tile/0/000.p/{size}")
    assert len(tile.content) == 32 * size
    assert tile["Content-Type"] == "application/octet-stream"
    assert "immutable" in tile["Cache-Control"]
    for wrong in ("../keys", "tile/0/../../checkpoint", "tile/64/000", "tile/0/000.p/256", "x"):
        assert client().get(f"/log/{CITY}/{year}/{wrong}").status_code == 404
    assert client().get(f"/log/goyang/{year}/checkpoint").status_code == 404


@pytest.mark.parametrize(
    ("language", "said"), [("ko", "증인이 되는 법"), ("en", "Become a witness")]
)
def test_the_transparency_page_shows_the_log(world: World, language: str, said: str):
    page = client(language=language).get(reverse("transparency")).content.decode()
    newest = logbook(CITY)[0]
    assert said in page
    assert newest.root in page
    for key in newest.keys:
        assert key.text.replace("+", "&#x2B;") in page or key.text in page
    assert f"onsil verify --log http://testserver{newest.path}" in page


@pytest.fixture
def witnessed(world: World) -> Cosigner:
    """The installation's own witness has cosigned the newest of three checkpoints."""
    conf = configuration()
    cosigner, _ = open_witness(local_witness_folder(conf), LOCAL_NAME)
    signer = proof.load_or_create_signer(conf.key_folder, CITY)
    for count in (2, 3):
        with transaction(CITY) as tx:
            proof.append_many(tx, CITY, "probe", [(new_id(), {"n": n}) for n in range(count)])
            held = proof.sequence(tx, CITY, conf.log_home, signer, world.clock)
            assert held is not None
    year = world.clock.now().year
    with transaction(CITY) as tx:
        state = WitnessState(
            year, cosigner.keys[-1].text, LOCAL_NAME, held.size, world.clock.now(),
            world.clock.now(), None, "",
        )  # fmt: skip
        note_cosigned(tx, CITY, state, LOCAL_NAME, cosigner.keys[-1].id)
    lines = cosigner.cosign(held, world.clock.now())
    publish(conf.log_home.log(CITY, year), held.with_signatures(lines), signer.public_key)
    return cosigner


def test_the_installations_own_witness_is_called_that(world: World, witnessed: Cosigner):
    page = client().get(reverse("transparency")).content.decode()
    assert "운영자 자신의 증인" in page
    assert "최신까지 서명함" in page
    assert "바깥의 눈을 대신하지 못합니다" in page
    assert 'class="plot' in page  # three checkpoints make a graph
    policy = client().get(reverse("log-policy")).content.decode()
    assert witnessed.keys[-1].text in policy
    check = proof.verify_receipt(receipt_text(world).encode(), [], policy)
    assert check.valid
    assert [seen["key"] for seen in check.shown["witnesses"]] == [LOCAL_NAME]
    trust = carried(client(world.saver).get(paid(world)).content.decode(), "receipt-trust")
    assert "운영자 자신의 증인" in trust["operators"]["local"]
