"""The room's own verification and the stand-alone file say the same of every receipt."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onsil import proof
from onsil.proof import standalone
from proof.receipt_samples import ENTRY, Sample, sample


def agreed(raw: bytes, made: Sample, logs: list[str] | None = None, policy: str | None = None):
    """The result of both, which must be one; details of what could not be read may differ."""
    logs, policy = logs or [], made.policy if policy is None else policy
    ours = proof.verify_receipt(raw, logs, policy)
    keys = [standalone.Key(key) for key in logs]
    theirs = standalone.verify(raw, keys, standalone.Policy(policy) if policy else None)
    told = [finding["code"] for finding in theirs["findings"]]
    assert {**ours.shown, "findings": [f.code for f in ours.findings]} == {
        **theirs, "findings": told,
    }, raw  # fmt: skip
    return ours


def test_they_agree_on_every_flipped_byte():
    made = sample()
    raw = made.text.encode()
    found = [
        agreed(raw[:i] + bytes([raw[i] ^ (1 << i % 8)]) + raw[i + 1 :], made)
        for i in range(len(raw))
    ]  # fmt: skip
    whole = agreed(raw, made)
    assert whole.valid
    assert all(one.content == ENTRY for one in found if one.valid)
    assert all(one.shown["leaf"] == whole.shown["leaf"] for one in found if one.valid)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_they_agree_on_what_was_cut_or_put_in(data: st.DataObject):
    made = sample(signed_by="ab")
    raw = made.text.encode()
    start = data.draw(st.integers(0, len(raw)))
    end = data.draw(st.integers(start, min(len(raw), start + 200)))
    agreed(raw[:start] + data.draw(st.binary(max_size=40)) + raw[end:], made)


@settings(max_examples=60, deadline=None)
@given(
    size=st.integers(1, 70), index=st.integers(0, 69), anchored=st.integers(1, 70),
    signed_by=st.sets(st.sampled_from("abc")), quorum=st.integers(1, 3), bare=st.booleans(),
)  # fmt: skip
def test_they_agree_on_any_tree_and_any_witnesses(size, index, anchored, signed_by, quorum, bare):
    index %= size
    anchored = min(max(anchored, index + 1), size)
    made = sample(
        size=size, index=index, anchored=anchored, signed_by="".join(signed_by), quorum=quorum,
        bare=bare,
    )  # fmt: skip
    check = agreed(made.text.encode(), made)
    assert check.valid == (len(signed_by) >= quorum)
    assert (check.content is None) == bare
    assert agreed(made.text.encode(), made, [made.log_key], "").valid


@pytest.mark.parametrize(
    "said",
    [
        {"anchor": {}}, {"anchor": None}, {"salt": "00" * 32}, {"salt": 1}, {"format": "other"},
        {"more": 1}, {"commitment": "AB" * 32}, {"content": 5}, {"content": ""},
        {"content": "é\x00"},
    ],
)  # fmt: skip
def test_they_agree_on_odd_extra_data(said: dict):
    made = sample(extra=said)
    assert not agreed(made.text.encode(), made).valid


@pytest.mark.parametrize("cut", ["\r\n", "\ufeff", "", "\n", " ", "\x85"])
def test_they_agree_on_odd_files(cut: str):
    made = sample()
    for text in (made.text.replace("\n", cut), cut + made.text, made.text + cut, made.text[:-1]):
        agreed(text.encode(), made)


def test_they_agree_when_the_log_signs_with_both_kinds_of_keys():
    made = sample(log_signs_twice=True)
    both = [made.log_key, made.log_key_mldsa]
    assert agreed(made.text.encode(), made, both, "").shown["logs"] == [made.held.origin]
    for key in both:
        assert agreed(made.text.encode(), made, [key], "").valid
    wrong = made.text.replace("\n13\n", "\n12\n")
    assert [f.code for f in agreed(wrong.encode(), made, both, "").findings] == [
        "signature-wrong", "signature-wrong",
    ]  # fmt: skip


def test_a_witness_is_no_log():
    made = sample()
    with pytest.raises(proof.NoteError):
        proof.verify_receipt(made.text.encode(), [made.witnesses[0].key])
