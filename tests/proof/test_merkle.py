"""The tree against published vectors, a recursive definition, and forged proofs."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onsil.proof.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_hash,
    tree,
    verify_consistency,
    verify_inclusion,
)

# Leaves and roots that Certificate Transparency implementations test with (sizes 1 to 8).
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def hashes_of(leaves: list[bytes]):
    return tree([leaf_hash(leaf) for leaf in leaves])


def recursive_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 §2.1, word by word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(recursive_root(leaves[:split]), recursive_root(leaves[split:]))


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_the_published_ones(size):
    assert root_hash(hashes_of(LEAVES), size).hex() == ROOTS[size - 1]


def test_the_empty_tree_has_the_hash_of_nothing():
    assert root_hash(hashes_of([]), 0) == EMPTY_ROOT == sha256(b"").digest()


@pytest.mark.parametrize(
    ("index", "size", "path"),
    [
        (0, 1, []),
        (
            0, 8,
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            5, 8,
            [
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
        (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
        (
            1, 5,
            [
                "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ],
        ),
    ],
)  # fmt: skip
def test_inclusion_proofs_are_the_published_ones(index, size, path):
    made = inclusion_proof(hashes_of(LEAVES), index, size)
    assert [step.hex() for step in made] == path


@pytest.mark.parametrize(
    ("first", "second", "path"),
    [
        (1, 1, []),
        (
            1, 8,
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            6, 8,
            [
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
        (
            2, 5,
            [
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ],
        ),
    ],
)  # fmt: skip
def test_consistency_proofs_are_the_published_ones(first, second, path):
    made = consistency_proof(hashes_of(LEAVES), first, second)
    assert [step.hex() for step in made] == path


leaf_lists = st.integers(1, 70).map(lambda count: [bytes([n % 251, n // 7]) for n in range(count)])


@given(leaf_lists)
@settings(max_examples=60)
def test_root_and_frontier_follow_the_recursive_definition(leaves):
    frontier = Frontier()
    for leaf in leaves:
        frontier.add(leaf_hash(leaf))
    expected = recursive_root(leaves)
    assert root_hash(hashes_of(leaves), len(leaves)) == expected == frontier.root()


@given(leaf_lists, st.data())
@settings(max_examples=60)
def test_each_leaf_is_shown_to_be_there_and_nowhere_else(leaves, data):
    size = data.draw(st.integers(1, len(leaves)))
    index = data.draw(st.integers(0, size - 1))
    hashes, leaf = hashes_of(leaves), leaf_hash(leaves[index])
    root, path = root_hash(hashes, size), inclusion_proof(hashes, index, size)
    assert verify_inclusion(leaf, index, size, path, root)
    assert not verify_inclusion(leaf_hash(b"other"), index, size, path, root)
    assert not verify_inclusion(leaf, index, size, path, bytes(32))
    assert not verify_inclusion(leaf, size, size, path, root)
    assert not verify_inclusion(leaf, index, size, [*path, root], root)
    for place in range(len(path)):
        assert not verify_inclusion(leaf, index, size, path[:place], root)
        forged = [*path[:place], leaf_hash(b"forged"), *path[place + 1 :]]
        assert not verify_inclusion(leaf, index, size, forged, root)
    other = data.draw(st.integers(0, size - 1))
    if other != index:
        assert not verify_inclusion(leaf, other, size, path, root)


@given(leaf_lists, st.data())
@settings(max_examples=60)
def test_a_tree_is_shown_to_extend_its_past_and_no_other(leaves, data):
    second = data.draw(st.integers(1, len(leaves)))
    first = data.draw(st.integers(0, second))
    hashes = hashes_of(leaves)
    old, new = root_hash(hashes, first), root_hash(hashes, second)
    path = consistency_proof(hashes, first, second)
    assert verify_consistency(first, second, old, new, path)
    if 0 < first < second:
        rewritten = hashes_of([b"rewritten", *leaves[1:]])
        forged = root_hash(rewritten, second)
        assert not verify_consistency(first, second, old, forged, path)
        assert not verify_consistency(
            first, second, old, forged, consistency_proof(rewritten, first, second)
        )
        assert not verify_consistency(first, second, new, old, path)
        assert not verify_consistency(first, second, old, new, path[:-1])
        assert not verify_consistency(first, second, old, new, [*path, old])
    assert not verify_consistency(second + 1, second, old, new, path)


def test_impossible_proofs_are_not_made():
    hashes = hashes_of(LEAVES)
    with pytest.raises(ValueError, match="no leaf 3"):
        inclusion_proof(hashes, 3, 3)
    with pytest.raises(ValueError, match="no proof from 4 to 3"):
        consistency_proof(hashes, 4, 3)
