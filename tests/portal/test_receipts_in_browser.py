"""The module that the browser runs says of every receipt what the stand-alone program says."""

import base64
import json
from pathlib import Path

import pytest

from onsil.core.programs import run_program
from onsil.proof import standalone
from proof.receipt_samples import CITY, Sample, sample

ROOT = Path(__file__).parents[2]
MODULE = ROOT / "src/onsil/portal/static/onsil/receipt-check.js"
_DRAWN = ("steps", "reached", "asked")


def in_browser(receipts: list[bytes], logs: list[str], policy: str) -> list[dict]:
    """What the page's module says, run by Node (whose WebCrypto has no ML-DSA-44 here)."""
    given = {
        "logs": logs, "policy": policy,
        "receipts": [base64.b64encode(raw).decode() for raw in receipts],
    }  # fmt: skip
    script = Path(__file__).with_name("receipt_differential.mjs")
    return json.loads(
        run_program(["node", script, MODULE.as_uri()], given=json.dumps(given), wait_s=300)
    )


def by_program(receipts: list[bytes], logs: list[str], policy: str) -> list[dict]:
    keys = [standalone.Key(key) for key in logs]
    trust = standalone.Policy(policy) if policy else None
    return [standalone.verify(raw, keys, trust) for raw in receipts]


def comparable(found: dict) -> dict:
    """Without the words, which the page has in its own way, and what it draws."""
    rest = {name: value for name, value in found.items() if name not in _DRAWN}
    return {**rest, "findings": [finding["code"] for finding in found["findings"]]}


def agreeing(receipts: list[bytes], logs: list[str], policy: str) -> list[dict]:
    ours, theirs = in_browser(receipts, logs, policy), by_program(receipts, logs, policy)
    for raw, one, other in zip(receipts, ours, theirs, strict=True):
        assert comparable(one) == comparable(other), raw
    return ours


def mutants(made: Sample) -> list[bytes]:
    """The receipt with each of its bytes flipped in one bit, one after another."""
    raw = made.text.encode()
    return [raw[:i] + bytes([raw[i] ^ (1 << i % 8)]) + raw[i + 1 :] for i in range(len(raw))]


@pytest.fixture(scope="module")
def made() -> Sample:
    return sample(signed_by="ab")


def test_a_good_receipt_is_shown_with_its_way_up_the_tree(made: Sample):
    (found,) = agreeing([made.text.encode()], [], made.policy)
    assert found["valid"]
    assert found["reached"] == made.held.root.hex()
    assert [step["side"] for step in found["steps"]] == ["left", "left", "left", "right"]
    assert found["quorum"] == {"met": True, "signed": 2, "known": 3}


def test_every_flipped_byte_is_seen_alike(made: Sample):
    good, *found = agreeing([made.text.encode(), *mutants(made)], [made.log_key], made.policy)
    assert len(found) == len(made.text.encode())
    passed = [one for one in found if one["valid"]]
    for name in ("content", "leaf", "logs", "witnesses"):
        assert all(one[name] == good[name] for one in passed)
    # Whatever passes is a coordinate of the anchor, which is told as not asked after.
    assert all(one["anchor"] != good["anchor"] for one in passed)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"anchor": {}}, "anchor-malformed"),
        ({"anchor": None}, "anchor-malformed"),
        ({"salt": "00" * 32}, "content-differs"),
        ({"content": f'{{"city":"{CITY}","x":0.5}}'}, "content-differs"),
        ({"format": "other"}, "extra-malformed"),
        ({"more": 1}, "extra-malformed"),
        ({"commitment": 5}, "extra-malformed"),
        ({"content": 5}, "extra-malformed"),
        ({"content": "\x00\x1f\x7f\u2028\U0001f600"}, "content-differs"),
    ],
)
def test_odd_extra_data_are_judged_alike(said: dict, code: str):
    made = sample(extra=said, signed_by="ab")
    (found,) = agreeing([made.text.encode()], [made.log_key], made.policy)
    assert code in [finding["code"] for finding in found["findings"]]


@pytest.mark.parametrize("cut", ["\r\n", "\ufeff", "", "\n", " "])
def test_odd_files_are_judged_alike(made: Sample, cut: str):
    odd = [made.text.replace("\n", cut), cut + made.text, made.text + cut, made.text[:-1] + cut]
    agreeing([text.encode() for text in odd], [made.log_key], made.policy)


@pytest.mark.parametrize(("size", "index"), [(1, 0), (2, 1), (3, 2), (8, 5), (1000, 999), (257, 0)])
def test_trees_of_any_size(size: int, index: int):
    made = sample(size=size, index=index, anchored=size, signed_by="ab")
    (found,) = agreeing([made.text.encode()], [made.log_key], made.policy)
    assert found["valid"]


def test_without_a_policy_witnesses_are_not_spoken_for(made: Sample):
    (found,) = agreeing([made.text.encode()], [made.log_key], "")
    assert (found["valid"], found["quorum"], found["other_signatures"]) == (True, None, 2)


def test_what_this_browser_cannot_check_is_said_and_not_counted():
    """Node's WebCrypto, like many phones' browsers, has no ML-DSA-44."""
    made = sample(signed_by="ac")
    (found,) = in_browser([made.text.encode()], [], made.policy)
    assert found["unchecked"] == ["witness.example/c"]
    assert [finding["code"] for finding in found["findings"]] == ["quorum-unchecked"]
    assert not found["valid"]
    (enough,) = in_browser([sample().text.encode()], [], made.policy)
    assert (enough["valid"], enough["unchecked"]) == (True, ["witness.example/c"])
