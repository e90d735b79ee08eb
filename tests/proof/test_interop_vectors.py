"""What others have signed, drawn and written: their texts and values, read by our code.

Each value says where it is from. (The published roots, inclusion and consistency proofs of RFC 6962
are in `test_merkle.py`, the reference note of the Go implementation in `test_notes.py`.)
"""

import base64
import struct
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from onsil.proof.checkpoint import parse_checkpoint, parse_text
from onsil.proof.cosignature import cosigned_message, ed25519_message, mldsa44_message
from onsil.proof.keys import COSIGNATURE, ED25519, MLDSA44, NoteError, VerifierKey
from onsil.proof.merkle import leaf_hash, root_hash, tree
from onsil.proof.note import parse_lines, split_note
from onsil.proof.policy import Policy, PolicyError
from onsil.proof.store import FolderStore
from onsil.proof.tiles import TiledLog, index_path, tile_path, tile_width
from onsil.proof.witness.protocol import parse_request

VECTORS = Path(__file__).parent / "vectors"

# c2sp.org/tlog-checkpoint and c2sp.org/tlog-cosignature: the example of both.
COSIGNED = """example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
"""  # noqa: E501

# c2sp.org/tlog-witness: the example body of add-checkpoint.
REQUEST = """old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
"""  # noqa: E501

# c2sp.org/tlog-witness: the example answer.
ANSWER = """— witness.example/w1 CMp+6LWBU0anHGH5aNDTJkH/gj79sG+T6+iP2ThYN5krrDJbR1HDnucjL39QsZTSvVjyQLrdk3DXDqI5G2HgLatVs0pWh6Up69HVOw==
— witness.example/w1 I7rEps0pvK2UqkS2gSpVUDhrhVtQV9lgF6pRrWAvjJHjyWpW7VcE3SiOlVlbQNt64vWhO+DlkL0+UfzuOBMh9ChdMkP1vi/lCAsmlw==
— witness.example/w2 AWui8Sk55XjYLOijihBjhqEH6nS1ndDymE0a+6idX7pLcnoB+dhnz0854aLZgrrKbYKA7nC3HNJhm/kWl7oJlqU3rXXvpysAdyP3wQ==
"""  # noqa: E501


def test_the_cosigned_checkpoint_of_the_specification_is_read():
    held = parse_checkpoint(COSIGNED)
    assert (held.origin, held.size) == ("example.com/behind-the-sofa", 20852163)
    assert held.root.hex().startswith("0ac5186a9186")
    log, witness = held.signatures
    assert (log.name, log.id.hex(), len(log.value)) == (held.origin, "033de0ae", 64)
    assert (witness.name, len(witness.value)) == ("witness.example.com/w1", 72)
    (timestamp,) = struct.unpack(">Q", witness.value[:8])
    assert datetime.fromtimestamp(timestamp, UTC) == datetime(2023, 3, 20, 12, 25, 47, tzinfo=UTC)
    # c2sp.org/tlog-cosignature, "Ed25519 signed message": the same checkpoint and time.
    assert ed25519_message(split_note(COSIGNED)[0], timestamp) == (
        b"cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\n"
        b"CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    )


def test_the_request_and_the_answer_of_the_specification_are_read():
    request = parse_request(REQUEST.encode())
    assert (request.old_size, len(request.proof)) == (20852014, 4)
    assert request.proof[0].hex().startswith("3e544d0abc07")
    assert len(request.checkpoint.signatures) == 2
    lines = parse_lines(ANSWER)
    assert [line.name for line in lines] == ["witness.example/w1"] * 2 + ["witness.example/w2"]
    assert "".join(line.line for line in lines) == ANSWER


def test_a_note_with_empty_lines_in_its_text_is_split_at_the_last():
    """c2sp.org/signed-note: the example at the top of the text."""
    note = (
        "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\n"
        "ed è subito sera.\n\n"
        "— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMou"
        "FSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
    )
    text, [signature] = split_note(note)
    assert text.endswith("sole:\n\ned è subito sera.\n")
    assert signature.name == "quasimodo.example/salvatore"


@pytest.mark.parametrize(
    ("vkey", "name", "kind"),
    [
        # golang.org/x/mod/sumdb/note, documentation and tests
        ("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "PeterNeumann",
         ED25519),
        ("EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop", "EnochRoot", ED25519),
        # cmd/go: the key of the Go checksum database
        ("sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8", "sum.golang.org",
         ED25519),
        # github.com/transparency-dev/formats, note/note_cosigv1_test.go
        ("TEST+7997405c+AQcC+FTVKf0jlTdHDY3rbevmnKxxPjigCXlVtGe6RIr6", "TEST", ED25519),
        ("remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2", "remora.n621.de",
         COSIGNATURE),
        ((VECTORS / "torchwood-mldsa44.vkey").read_text(), "witness.example/w1", MLDSA44),
    ],
)  # fmt: skip
def test_verifier_keys_of_others_are_read_and_written_the_same(vkey, name, kind):
    key = VerifierKey.parse(vkey)
    assert (key.name, key.kind, key.text) == (name, kind, vkey.strip())


def test_an_ml_dsa_44_cosignature_of_another_implementation_holds():
    """Key and signature made by filippo.io/torchwood, over the leaves 8 to 12 of a log.

    github.com/transparency-dev/formats, note/note_cosigv1_test.go, TestMLDSAVerifyTorchwood.
    """
    key = VerifierKey.parse((VECTORS / "torchwood-mldsa44.vkey").read_text())
    [line] = parse_lines((VECTORS / "torchwood-mldsa44.line").read_text())
    assert (line.name, line.id) == (key.name, key.id)
    root = base64.b64decode("E7ERCtFloiK1fdb+B6/dLG0pM1nmIR0ETKBSauCjtVw=")
    (timestamp,) = struct.unpack(">Q", line.value[:8])
    assert timestamp == 0
    message = cosigned_message(key.name, 0, "example.com/log", 8, 13, root)
    assert key.holds(message, line.value[8:])
    for other in (
        cosigned_message(key.name, 0, "example.com/log", 8, 12, root),
        cosigned_message(key.name, 1, "example.com/log", 8, 13, root),
        cosigned_message("witness.example/w2", 0, "example.com/log", 8, 13, root),
    ):
        assert not key.holds(other, line.value[8:])


def test_the_cosigned_message_has_its_layout_byte_by_byte():
    """c2sp.org/tlog-cosignature, "ML-DSA-44 signed message"."""
    held = parse_text("b\n42\n" + base64.b64encode(bytes([0x42]) * 32).decode() + "\n")
    assert mldsa44_message("a", 0x0102030405060708, held) == (
        b"subtree/v1\n\x00\x01a\x01\x02\x03\x04\x05\x06\x07\x08\x01b"
        + bytes(8) + (42).to_bytes(8, "big") + bytes([0x42]) * 32
    )  # fmt: skip
    long = parse_text("o" * 256 + "\n0\n" + base64.b64encode(bytes(32)).decode() + "\n")
    with pytest.raises(NoteError):
        mldsa44_message("a", 1, long)


@pytest.mark.parametrize(
    ("number", "path"),
    # c2sp.org/tlog-tiles: 1234067; golang.org/x/mod/sumdb/tlog, Tile.Path: 5 and 1024
    [(1234067, "x001/x234/067"), (5, "005"), (1024, "x001/024"), (999, "999"), (1000, "x001/000")],
)
def test_tile_numbers_are_paths_of_three_digits(number, path):
    assert index_path(number) == path


def test_a_tree_of_seventy_thousand_has_the_tiles_of_the_specification(tmp_path):
    """c2sp.org/tlog-tiles: 273 full tiles and one of 112, one full and one of 17, one of 1."""
    log = TiledLog(FolderStore(tmp_path))
    growth = log.plan(0, [n.to_bytes(4, "big") for n in range(70_000)])
    names = set(growth.objects)
    level = [sorted(n for n in names if n.startswith(f"tile/{k}/")) for k in ("0", "1", "2", "3")]
    assert len(level[0]) == 274
    assert "tile/0/273.p/112" in level[0]
    assert level[1] == ["tile/1/000", "tile/1/001.p/17"]
    assert level[2] == ["tile/2/000.p/1"]
    assert level[3] == []
    assert "tile/entries/273.p/112" in names
    assert all(len(growth.objects[f"tile/0/{n:03d}"]) == 8192 for n in range(273))
    leaves = [leaf_hash(n.to_bytes(4, "big")) for n in range(70_000)]
    assert root_hash(log.hashes(70_000), 70_000) == root_hash(tree(leaves), 70_000)
    assert [tile_width(0, 0, 256), tile_width(1, 0, 256)] == [256, 1]
    assert tile_path(0, 273, 112) == "tile/0/273.p/112"


def test_bundled_entries_hash_to_the_level_below_as_rfc_6962_says(tmp_path):
    """RFC 6962 §2.1: the hash of a leaf is SHA-256(0x00 || entry), of nothing SHA-256()."""
    log = TiledLog(FolderStore(tmp_path))
    growth = log.plan(0, [b"", b"\x00", b"\x10"])
    tile = growth.objects["tile/0/000.p/3"]
    assert tile[:32] == sha256(b"\x00").digest()
    assert tile[32:64] == sha256(b"\x00\x00").digest()
    assert growth.objects["tile/entries/000.p/3"] == b"\x00\x00\x00\x01\x00\x00\x01\x10"


def example_policy() -> str:
    """c2sp.org/tlog-policy: the example with two levels of groups, keys filled in."""
    keys = {
        name: VerifierKey(f"{name}.example", sha256(name.encode()).digest(), COSIGNATURE).text
        for name in ("X1", "X2", "X3", "Y1", "Y2", "Y3")
    }
    log = VerifierKey("log.example", sha256(b"log").digest()).text
    lines = [f"log {log}", ""]
    lines += [f"witness {n} {keys[n]}" for n in ("X1", "X2", "X3")]
    lines += ["group X-witnesses 2 X1 X2 X3", ""]
    lines += [f"\twitness  {n}\t{keys[n]} https://{n}.example/ " for n in ("Y1", "Y2", "Y3")]
    lines += ["  # a comment", "group Y-witnesses any Y1 Y2 Y3", "",
              "group X-and-Y all X-witnesses Y-witnesses", "quorum X-and-Y", ""]  # fmt: skip
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("cosigned", "met"),
    [
        ("X1 X2 Y1", True), ("X1 X3 Y3", True), ("X1 X2 X3 Y1 Y2 Y3", True),
        ("X1 Y1", False), ("X1 X2 X3", False), ("Y1 Y2 Y3", False), ("", False),
    ],
)  # fmt: skip
def test_the_policy_of_the_specification_means_what_it_says(cosigned, met):
    policy = Policy.parse(example_policy())
    assert policy.met_by(cosigned.split()) is met
    assert len(policy.logs) == 1
    assert policy.witnesses[3].url == "https://Y1.example/"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("quorum X-and-Y", ""),
        ("quorum X-and-Y", "quorum X-and-Y\nquorum none"),
        ("quorum X-and-Y", "quorum Z"),
        ("group X-witnesses 2", "group X-witnesses 4"),
        ("group X-witnesses 2", "group X-witnesses 0"),
        ("group X-witnesses 2", "group X-witnesses 02"),
        ("group X-witnesses 2", "group X-witnesses some"),
        ("group Y-witnesses any Y1", "group Y-witnesses any X1"),
        ("group Y-witnesses any Y1", "group Y-witnesses any none"),
        ("group Y-witnesses any Y1 Y2 Y3", "group Y-witnesses any"),
        ("all X-witnesses", "all later"),
        ("witness X2", "witness X1"),
        ("witness X2", "witness none"),
        ("witness X2", "witness"),
        ("  # a comment", "\x01"),
        ("  # a comment", "something else"),
    ],
)
def test_a_policy_that_breaks_a_rule_of_the_specification_is_refused(old, new):
    text = example_policy()
    assert old in text
    with pytest.raises(PolicyError):
        Policy.parse(text.replace(old, new))


def test_a_key_twice_is_refused_and_no_quorum_is_met_by_nobody():
    key = VerifierKey("w.example", bytes(32), COSIGNATURE).text
    again = VerifierKey("v.example", bytes(32), COSIGNATURE).text
    with pytest.raises(PolicyError, match="line 2"):
        Policy.parse(f"witness a {key}\nwitness b {again}\nquorum none\n")
    log = VerifierKey("l", bytes(32)).text
    with pytest.raises(PolicyError, match="twice"):
        Policy.parse(f"log {log}\nlog {log}\nquorum none\n")
    with pytest.raises(PolicyError, match="not a witness"):
        Policy.parse(f"witness a {VerifierKey('l', bytes(32)).text}\nquorum none\n")
    assert Policy.parse("quorum none\n").met_by([])
