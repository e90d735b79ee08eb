"""Signed notes, checkpoints and tiles as their specifications write them."""

import os
import stat
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from onsil.core.refusal import OperationError
from onsil.proof.checkpoint import Checkpoint, open_checkpoint, parse_text
from onsil.proof.keys import NoteError, key_id, verifier_key
from onsil.proof.merkle import EMPTY_ROOT, leaf_hash, root_hash, tree
from onsil.proof.note import open_note, parse_verifier_key
from onsil.proof.signer import Signer, load_or_create_signer
from onsil.proof.store import FolderStore
from onsil.proof.tiles import TiledLog, bundle, index_path, tile_path, tile_width, unbundle

# The example of the Go reference implementation of signed notes.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6"
    "KE6RyyBwJnAM=\n"
)
SIGNER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
NOW = datetime(2026, 3, 1, tzinfo=UTC)
ORIGIN = "onsil/pyeongtaek/2026"


def test_the_reference_note_is_opened_with_the_reference_key():
    name, key = parse_verifier_key(PETER)
    assert name == "PeterNeumann"
    assert key_id(name, key).hex() == "c74f20a3"
    assert verifier_key(name, key) == PETER
    assert open_note(NOTE, {name: key}).startswith("If you think")


@pytest.mark.parametrize(
    "broken",
    [
        NOTE.replace("think", "thank"),
        NOTE.replace("x08go", "x08gp"),
        NOTE.replace("PeterNeumann", "EnochRoot"),
        NOTE[:-1],
        NOTE.replace("— ", "- "),
        NOTE.replace("\n\n", "\n"),
        NOTE.replace("think", "th\tnk"),
        NOTE.split("\n\n", 1)[0] + "\n",
        "",
    ],
)
def test_a_broken_note_is_not_opened(broken):
    name, key = parse_verifier_key(PETER)
    with pytest.raises(NoteError):
        open_note(broken, {name: key})


def test_signatures_of_strangers_are_passed_over_and_of_known_keys_must_hold():
    signed = SIGNER.sign("text\n", "witness")
    stranger = Signer(Ed25519PrivateKey.generate())
    both = signed + stranger.sign("text\n", "stranger").rsplit("\n\n", 1)[1]
    assert open_note(both, {"witness": SIGNER.public_key}) == "text\n"
    wrong = signed + stranger.sign("other\n", "stranger").rsplit("\n\n", 1)[1]
    keys = {"witness": SIGNER.public_key, "stranger": stranger.public_key}
    with pytest.raises(NoteError, match="stranger"):
        open_note(wrong, keys)


@pytest.mark.parametrize("text", ["", "x", "x+00+y", PETER.replace("c74f", "c74e"), PETER[:-4]])
def test_a_broken_verifier_key_is_not_taken(text):
    with pytest.raises(NoteError):
        parse_verifier_key(text)


def test_a_checkpoint_is_three_lines_under_the_name_of_its_origin():
    held = SIGNER.sign_checkpoint(Checkpoint(ORIGIN, 7, EMPTY_ROOT), NOW)
    assert held.text == f"{ORIGIN}\n7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    assert open_checkpoint(held.note, SIGNER.public_key) == held
    other = SIGNER.sign(held.text, "another/name")
    with pytest.raises(NoteError):
        open_checkpoint(other, SIGNER.public_key)


@pytest.mark.parametrize("size", ["07", "-1", "x", "", "1.0", "٣"])
def test_a_checkpoint_with_a_strange_size_is_refused(size):
    text = f"{ORIGIN}\n{size}\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    with pytest.raises(NoteError):
        parse_text(text)


def test_a_key_is_made_once_and_is_readable_by_its_owner_alone(tmp_path):
    first = load_or_create_signer(tmp_path / "keys", "pyeongtaek")
    assert load_or_create_signer(tmp_path / "keys", "pyeongtaek").public_key == first.public_key
    assert load_or_create_signer(tmp_path / "keys", "goyang").public_key != first.public_key
    mode = stat.S_IMODE(os.stat(tmp_path / "keys" / "pyeongtaek.pem").st_mode)
    assert mode == 0o600
    (tmp_path / "keys" / "pyeongtaek.pem").write_text("junk")
    with pytest.raises(OperationError, match="not a signing key"):
        load_or_create_signer(tmp_path / "keys", "pyeongtaek")


def test_tiles_lie_where_the_specification_puts_them():
    assert index_path(0) == "000"
    assert index_path(1_234_067) == "x001/x234/067"
    assert tile_path(0, 5) == "tile/0/005"
    assert tile_path("entries", 273, 112) == "tile/entries/273.p/112"
    widths = [
        (tile_width(0, 272, 70_000), tile_width(0, 273, 70_000), tile_width(0, 274, 70_000)),
        (tile_width(1, 0, 70_000), tile_width(1, 1, 70_000)),
        (tile_width(2, 0, 70_000), tile_width(3, 0, 70_000)),
    ]
    assert widths == [(256, 112, 0), (256, 17), (1, 0)]


@given(st.lists(st.binary(max_size=60), max_size=20))
@settings(max_examples=60)
def test_a_bundle_gives_its_entries_back_and_a_cut_one_is_noticed(entries):
    raw = bundle(entries)
    assert unbundle(raw) == entries
    if raw:
        with pytest.raises(OperationError):
            unbundle(raw[:-1])


@pytest.mark.parametrize("steps", [[1, 1, 254, 1], [255, 2], [700], [256, 256, 1], [66_000, 3]])
def test_a_folder_grows_as_the_tree_in_memory_does(tmp_path, steps):
    log, leaves, size = TiledLog(FolderStore(tmp_path)), [], 0
    for step in steps:
        entries = [(size + n).to_bytes(32, "big") for n in range(step)]
        old, size = size, log.grow(size, entries)
        log.tidy(old, size)
        leaves += [leaf_hash(e) for e in entries]
        assert root_hash(log.hashes(size), size) == root_hash(tree(leaves), size)
    assert size == sum(steps) == len(list(log.entries_from(0, size)))
    files = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    full = {tile_path("entries", n) for n in range(size // 256)}
    assert full <= files
    assert not any(f"{path}.p/" in name for path in full for name in files)
