"""Receipts and bundles of a real log: what they show, what they refuse, what touching them does."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from onsil import proof
from onsil.core.clock import FixedClock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.refusal import Refusal

CITY = "pyeongtaek"
KIND = "claim"
ORIGIN = f"onsil/{CITY}/2026"


@pytest.fixture
def signer(tmp_path: Path) -> proof.Signer:
    return proof.load_or_create_signer(tmp_path / "keys", CITY)


@pytest.fixture
def log(conn: Connection, tmp_path: Path, signer: proof.Signer) -> Callable[[], object]:
    clock = FixedClock(datetime(2026, 3, 1, tzinfo=UTC))
    return lambda: proof.sequence(conn, CITY, tmp_path, signer, clock)


@pytest.fixture
def key(signer: proof.Signer) -> str:
    return signer.verifier_key(ORIGIN)


def rows(conn: Connection, count: int) -> dict[UUID, dict[str, str]]:
    made = {new_id(): {"energy_wh": str(n), "meter": f"계량기 {n}"} for n in range(count)}
    proof.append_many(conn, CITY, KIND, list(made.items()))
    return made


def granted(answer):
    assert not isinstance(answer, Refusal), answer
    return answer


def codes(check: proof.ReceiptCheck) -> list[str]:
    return [finding.code for finding in check.findings]


def extra(text: str) -> dict:
    return json.loads(base64.b64decode(text.split("\n")[1].removeprefix("extra ")))


def test_a_receipt_is_verified_with_the_logs_key_alone(conn, tmp_path, log, key):
    made = rows(conn, 700)
    subject = list(made)[333]
    log()
    text = granted(proof.receipt(conn, CITY, KIND, subject, tmp_path, made[subject]))
    lines = text.split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    assert lines[2] == "index 333"
    assert text.partition("\n\n")[2].startswith(f"{ORIGIN}\n700\n")
    check = proof.verify_receipt(text.encode(), [key])
    assert (check.valid, check.findings) == (True, ())
    assert check.content == {**made[subject], "kind": KIND, "city": CITY, "id": str(subject)}
    assert check.shown["leaf"]["index"] == 333
    assert check.shown["logs"] == [ORIGIN]


def test_a_receipt_may_withhold_the_content(conn, tmp_path, log, key):
    made = rows(conn, 3)
    log()
    text = granted(proof.receipt(conn, CITY, KIND, next(iter(made)), tmp_path))
    assert set(extra(text)) == {"format", "commitment"}
    check = proof.verify_receipt(text.encode(), [key])
    assert (check.valid, check.content) == (True, None)


def test_each_wrong_thing_is_named(conn, tmp_path, log, key):
    made = rows(conn, 9)
    subject = list(made)[4]
    log()
    text = granted(proof.receipt(conn, CITY, KIND, subject, tmp_path, made[subject]))
    other = granted(proof.receipt(conn, CITY, KIND, subject, tmp_path, {"energy_wh": "999"}))
    touched = {
        other: ["content-differs"],
        text.replace("index 4", "index 5"): ["not-in-the-tree"],
        text.replace(f"{ORIGIN}\n9\n", f"{ORIGIN}\n8\n"): ["not-in-the-tree", "signature-wrong"],
        text.replace("extra ", "extra A"): ["extra-malformed"],
        text.replace("index 4", "index x"): ["not-a-receipt"],
        text.replace("index 4", "index 04"): ["not-a-receipt"],
        text.replace("\n", "\r\n"): ["not-a-receipt"],
        "\n".join(text.split("\n")[:3] + text.split("\n")[4:]): ["not-in-the-tree"],
        "": ["not-a-receipt"],
        "c2sp.org/tlog-proof@v1\n\n": ["not-a-receipt"],
    }
    for one, expected in touched.items():
        check = proof.verify_receipt(one.encode(), [key])
        assert codes(check) == expected
        assert not check.valid
        assert all(finding.ko and finding.en for finding in check.findings)


def test_another_logs_key_does_not_count(conn, tmp_path, log, signer, key):
    made = rows(conn, 2)
    subject = next(iter(made))
    log()
    text = granted(proof.receipt(conn, CITY, KIND, subject, tmp_path, made[subject])).encode()
    stranger = proof.load_or_create_signer(tmp_path / "other", CITY)
    for trusted in (stranger.verifier_key(ORIGIN), signer.verifier_key("onsil/goyang/2026")):
        assert codes(proof.verify_receipt(text, [trusted])) == ["log-unknown"]
    with pytest.raises(proof.NoteError):
        proof.verify_receipt(text, [key.replace("+", "-", 1)])
    with pytest.raises(proof.NoteError):
        proof.verify_receipt(text, [key], "quorum nobody\n")


def test_a_receipt_of_a_city_is_not_one_of_another(conn, tmp_path, log, key):
    """A content that names another city, sealed in this one's tree."""
    subject = new_id()
    raw = json.dumps({"city": "goyang", "id": str(subject), "kind": KIND}, separators=(",", ":"))
    proof.append_encoded(conn, CITY, KIND, [(subject, raw.encode())])
    log()
    text = granted(proof.receipt(conn, CITY, KIND, subject, tmp_path, {}))
    said = {**extra(text), "content": raw}
    packed = base64.b64encode(json.dumps(said, separators=(",", ":"), sort_keys=True).encode())
    lines = text.split("\n")
    forged = "\n".join([lines[0], "extra " + packed.decode(), *lines[2:]])
    assert codes(proof.verify_receipt(forged.encode(), [key])) == ["city-differs"]


def test_what_is_not_logged_or_not_signed_yet_has_no_receipt(conn, tmp_path, log):
    rows(conn, 1)
    log()
    waiting = next(iter(rows(conn, 1)))
    for subject, code in ((new_id(), "not-logged"), (waiting, "not-sequenced-yet")):
        refusal = proof.receipt(conn, CITY, KIND, subject, tmp_path)
        assert isinstance(refusal, Refusal)
        assert refusal.code == code


def test_a_bundle_holds_all_and_shows_what_was_touched(conn, tmp_path, log, signer):
    made_rows = rows(conn, 5)
    subject = list(made_rows)[2]
    log()
    made = granted(proof.bundle(conn, CITY, KIND, subject, tmp_path, made_rows[subject]))
    assert proof.verify_bundle(made, signer.public_key).valid
    assert not proof.verify_bundle(made, bytes(32)).valid
    touched = {
        "entry": {"energy_wh": "9"}, "salt": "00" * 32, "index": 3, "city": "goyang",
        "kind": "other", "id": str(new_id()), "format": "x", "proof": [], "entry ": None,
    }  # fmt: skip
    for name, value in touched.items():
        assert not proof.verify_bundle({**made, name.strip(): value}).valid
