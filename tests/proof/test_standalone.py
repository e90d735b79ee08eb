"""The stand-alone verifier: alone in a bare interpreter, and whatever is done to a receipt."""

import ast
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onsil.core.programs import run_program
from onsil.proof import standalone
from proof.receipt_samples import ENTRY, ORIGIN, TIME, Sample, policy_of, sample, witnesses

FILE = Path(standalone.__file__)
_PACKAGES = ("cryptography", "_cffi_backend", "cffi", "pycparser")
_EVERY = """
import json, runpy, sys
sys.path.append(sys.argv[1])
verifier = runpy.run_path(sys.argv[2])
policy = verifier["Policy"](open(sys.argv[3], encoding="utf-8").read())
raw = open(sys.argv[4], "rb").read()
flipped = (raw[:i] + bytes([raw[i] ^ (1 << i % 8)]) + raw[i + 1:] for i in range(len(raw)))
print(json.dumps([verifier["verify"](one, [], policy) for one in flipped]))
"""


@pytest.fixture(scope="module")
def made() -> Sample:
    return sample()


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with nothing to import but cryptography and what it stands on."""
    folder = tmp_path_factory.mktemp("bare")
    for name in _PACKAGES:
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            continue
        found = Path(spec.origin)
        found = found.parent if found.name == "__init__.py" else found
        (folder / found.name).symlink_to(found)
    return folder


def alone(bare: Path, *arguments: str, language: str = "C") -> subprocess.CompletedProcess[str]:
    """`python verify_receipt.py …` in isolated mode, without site-packages."""
    start = (
        "import runpy, sys; sys.path.append(sys.argv[1]); sys.argv = sys.argv[2:];"
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    return subprocess.run(
        [sys.executable, "-I", "-S", "-X", "utf8", "-c", start, str(bare), str(FILE), *arguments],
        capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": language},
    )  # fmt: skip


def kept(folder: Path, made: Sample) -> tuple[str, str]:
    (folder / "receipt.txt").write_text(made.text, "utf-8")
    (folder / "policy.txt").write_text(made.policy, "utf-8")
    return str(folder / "receipt.txt"), str(folder / "policy.txt")


def verified(text: str, made: Sample, policy: str | None = None) -> dict:
    return standalone.verify(text.encode(), [], standalone.Policy(policy or made.policy))


def codes(found: dict) -> list[str]:
    return [finding["code"] for finding in found["findings"]]


def meaning(found: dict) -> list:
    """What a reader is told is proved; the anchor's coordinates are told as not asked after."""
    return [found["content"], found["leaf"], found["logs"]]


def test_it_imports_nothing_but_the_standard_library_and_cryptography():
    tree = ast.parse(FILE.read_text("utf-8"), feature_version=(3, 9))
    names = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert {name.partition(".")[0] for name in names} <= {*sys.stdlib_module_names, "cryptography"}


def test_it_runs_alone(bare: Path, tmp_path: Path, made: Sample):
    receipt, policy = kept(tmp_path, made)
    done = alone(bare, receipt, "--policy", policy)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("valid\n")
    assert "cosigned by A 2026-02-02T02:40:00Z" in done.stdout
    assert '"amount": 4500' in done.stdout
    korean = alone(bare, receipt, "--key", made.log_key, language="ko_KR.UTF-8")
    assert (korean.returncode, korean.stdout.splitlines()[0]) == (0, "맞습니다")
    assert "증인은 확인하지 않았습니다" in korean.stdout
    shown = json.loads(alone(bare, receipt, "--policy", policy, "--json").stdout)
    assert shown == verified(made.text, made)


def test_its_exit_status_says_what_happened(bare: Path, tmp_path: Path, made: Sample):
    receipt, policy = kept(tmp_path, made)
    (tmp_path / "bad.txt").write_text(made.text.replace("index 7", "index 8"), "utf-8")
    assert alone(bare, str(tmp_path / "bad.txt"), "--policy", policy).returncode == 1
    unusable = {
        (receipt,): "--key", (receipt, "--key", "x"): "name+id+key",
        (str(tmp_path / "none"), "--policy", policy): "none",
        (receipt, "--key", made.witnesses[0].key): "key of a log",
        (receipt, "--policy", receipt): "policy line 1",
    }  # fmt: skip
    for arguments, said in unusable.items():
        done = alone(bare, *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert said in done.stderr


def test_no_flipped_byte_changes_what_is_proved(bare: Path, tmp_path: Path, made: Sample):
    """Every byte of a real receipt, one after another, judged in the bare interpreter."""
    receipt, policy = kept(tmp_path, made)
    found = json.loads(
        run_program([sys.executable, "-I", "-S", "-c", _EVERY, bare, FILE, policy, receipt])
    )
    assert len(found) == len(made.text.encode())
    good = verified(made.text, made)
    passed = [one for one in found if one["valid"]]
    assert all(meaning(one) == meaning(good) for one in passed)
    assert all(codes(one) for one in found if not one["valid"])
    # What passes is a witness's name gone unknown (two others make the quorum), or a coordinate of
    # the anchor, which is told as not asked after.
    strange = [
        one for one in passed
        if len(one["witnesses"]) == 3 and one["anchor"] == good["anchor"]
    ]  # fmt: skip
    assert strange == []


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_no_cut_insertion_or_exchange_changes_what_is_proved(data: st.DataObject):
    made = sample(signed_by="ab")
    raw = made.text.encode()
    start = data.draw(st.integers(0, len(raw)))
    end = data.draw(st.integers(start, min(len(raw), start + 200)))
    other = raw[:start] + data.draw(st.binary(max_size=40)) + raw[end:]
    found = standalone.verify(other, [], standalone.Policy(made.policy))
    if found["valid"]:
        assert meaning(found) == meaning(verified(made.text, made))


@pytest.mark.parametrize(
    ("signed_by", "quorum", "signed", "findings"),
    [
        ("abc", 3, 3, []), ("ac", 2, 2, []), ("bc", 1, 2, []),
        ("a", 2, 1, ["quorum-not-met"]), ("", 1, 0, ["quorum-not-met"]),
    ],
)  # fmt: skip
def test_witnesses_are_counted_by_the_policy(signed_by, quorum, signed, findings):
    made = sample(signed_by=signed_by, quorum=quorum)
    found = verified(made.text, made)
    assert codes(found) == findings
    assert found["quorum"] == {"met": not findings, "signed": signed, "known": 3}


def test_a_witness_of_another_tree_is_named():
    made = sample(signed_by="ab")
    forged = made.witnesses[0].line(sample(size=14).held)
    text = made.text.replace(made.witnesses[0].line(made.held), forged)
    found = verified(text, made)
    assert codes(found) == ["signature-wrong", "quorum-not-met"]
    assert "witness.example/a" in found["findings"][0]["en"]


def test_a_repeated_witness_counts_once_and_a_strangers_line_not_at_all():
    made = sample(signed_by="a", quorum=2)
    text = made.text + made.witnesses[0].line(made.held, TIME + 60)
    found = verified(text + "— stranger.example AAAAAAAA\n", made)
    assert found["quorum"] == {"met": False, "signed": 1, "known": 3}
    assert (found["witnesses"][0]["time"], found["other_signatures"]) == (TIME + 60, 1)


def test_groups_within_groups():
    known = witnesses()
    lines = policy_of(sample().log_key, known, 1).split("\n")
    lines[-3:] = [
        "group ab all A B",
        "\tgroup any-two 2\tab C ",
        "  # with both",
        "quorum any-two",
        "",
    ]
    policy = "\n".join(lines)
    for signed_by, met in {"abc": True, "ab": False, "ac": False, "c": False}.items():
        made = sample(signed_by=signed_by)
        assert (verified(made.text, made, policy)["quorum"]["met"], signed_by) == (met, signed_by)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("quorum none", "quorum none"), ("group g 3 A B", "3 of 2"), ("group g 0 A", "0 of 1"),
        ("group g 1_0 A", "of 1"), ("group g any A A", "twice"), ("group g any D", "not defined"),
        ("group A any B", "taken"), ("group none any A", "taken"), ("witness A x+y+z", "taken"),
        ("log x+y+z", "base64"), ("witness D x+00000000+AQ==", "neither"), ("other", "other"),
    ],
)  # fmt: skip
def test_a_policy_that_cannot_be_used_is_told_by_its_line(made: Sample, line: str, said: str):
    base = policy_of(made.log_key, made.witnesses, 1).replace("group quorum-of-3", "group q")
    base = base.replace("quorum quorum-of-3", "quorum q").replace(" A B C", " C")
    with pytest.raises(standalone.Unusable, match=rf"policy line \d+: .*{said}"):
        standalone.Policy(base + line + "\n")


def test_a_policy_needs_a_quorum_and_takes_no_key_twice(made: Sample):
    with pytest.raises(standalone.Unusable, match="no quorum"):
        standalone.Policy(f"log {made.log_key}\n")
    for kind in ("log", "witness A"):
        key = made.log_key if kind == "log" else made.witnesses[0].key
        again = f"{kind} {key}\n{kind.replace('A', 'B')} {key}\nquorum none\n"
        with pytest.raises(standalone.Unusable, match="twice"):
            standalone.Policy(again)


def test_the_anchor_is_checked_against_the_leaf(made: Sample):
    anchor = verified(made.text, made)["anchor"]
    assert (anchor["size"], anchor["block"]) == (11, 7)
    assert verified(sample(anchored=None).text, made)["anchor"] is None
    whole = {**anchor, "proof": []}
    assert codes(verified(sample(extra={"anchor": whole}).text, made)) == ["anchor-does-not-cover"]
    for name in anchor:
        broken = sample(extra={"anchor": {**whole, name: None}})
        assert codes(verified(broken.text, made)) == ["anchor-malformed"]


def test_content_is_taken_only_in_its_one_spelling(made: Sample):
    """Even when a log had sealed another spelling: two programs might read it differently."""
    for content in (
        '{"a":1,"a":2}',
        '{"a": 1}',
        '{"a":1.5}',
        '{"a":NaN}',
        '["a"]',
        "{",
        '"\\ud800"',
    ):
        with pytest.raises(standalone.Wrong):
            standalone.read_canonical(content.encode(), "content-malformed")
    deep = "[" * 100_000
    with pytest.raises(standalone.Wrong):
        standalone.read_canonical(('{"a":' + deep).encode(), "content-malformed")
    entry = {"b": [True, False, None, -3], "a": {"\U0001f600": 1, "\ufb01": 2}}
    assert (
        standalone.canonical(entry) == '{"a":{"\U0001f600":1,"\ufb01":2},"b":[true,false,null,-3]}'
    )


def test_a_sample_says_what_was_sealed(made: Sample):
    found = verified(made.text, made)
    assert (found["content"], found["leaf"]["origin"]) == (ENTRY, ORIGIN)
