# pragma version 0.4.3
# pragma evm-version london
# pragma optimize gas
"""
@title OnsilAnchor
@license Apache-2.0
@notice Holds tree heads of transparency logs: for each log (origin) a size and the root of the tree
        of that size. Only the owner adds one, and a log's size only ever grows, so neither a second
        root for a size nor an older head can be put in afterwards.
@dev An origin is the SHA-256 of the origin line of the log's checkpoints
     (https://c2sp.org/tlog-checkpoint). The contract takes no ether and keeps no balances.
"""

# What is returned of one tree head. `index` counts a log's heads from 0; `previous` is the size of
# the head before it, 0 for the first.
struct Head:
    size: uint64
    root: bytes32
    index: uint64
    previous: uint64
    block_number: uint64
    timestamp: uint64

event Anchored:
    origin: indexed(bytes32)
    size: indexed(uint64)
    root: bytes32
    index: uint64

event OwnershipTransferStarted:
    previous_owner: indexed(address)
    new_owner: indexed(address)

event OwnershipTransferred:
    previous_owner: indexed(address)
    new_owner: indexed(address)

PAGE: constant(uint256) = 64

owner: public(address)
pending_owner: public(address)

# origin -> size -> root, and beside it index | previous | block number | timestamp, 64 bits each.
# A timestamp is never 0, so a packed value of 0 says that there is no such head.
_roots: HashMap[bytes32, HashMap[uint64, bytes32]]
_facts: HashMap[bytes32, HashMap[uint64, uint256]]
# origin -> count | size of the newest head, 64 bits each.
_newest: HashMap[bytes32, uint256]


@deploy
def __init__():
    self.owner = msg.sender
    log OwnershipTransferred(previous_owner=empty(address), new_owner=msg.sender)


@external
def anchor(origin: bytes32, size: uint64, root: bytes32):
    """
    @notice Adds a tree head of a log; its size must be above that of the newest.
    """
    assert msg.sender == self.owner, "not the owner"
    newest: uint256 = self._newest[origin]
    previous: uint256 = newest & convert(max_value(uint64), uint256)
    index: uint256 = newest >> 64
    assert convert(size, uint256) > previous, "size must grow"
    self._roots[origin][size] = root
    self._facts[origin][size] = (
        (index << 192) | (previous << 128) | (block.number << 64) | block.timestamp
    )
    self._newest[origin] = ((index + 1) << 64) | convert(size, uint256)
    log Anchored(origin=origin, size=size, root=root, index=convert(index, uint64))


@external
def transfer_ownership(new_owner: address):
    """
    @notice Offers the ownership; it passes when the new owner accepts. The zero address withdraws
            an offer.
    """
    assert msg.sender == self.owner, "not the owner"
    self.pending_owner = new_owner
    log OwnershipTransferStarted(previous_owner=msg.sender, new_owner=new_owner)


@external
def accept_ownership():
    """
    @notice Takes the ownership that was offered to the caller.
    """
    assert msg.sender == self.pending_owner, "not offered to you"
    log OwnershipTransferred(previous_owner=self.owner, new_owner=msg.sender)
    self.owner = msg.sender
    self.pending_owner = empty(address)


@internal
@view
def _head(origin: bytes32, size: uint64) -> Head:
    facts: uint256 = self._facts[origin][size]
    mask: uint256 = convert(max_value(uint64), uint256)
    return Head(
        size=size,
        root=self._roots[origin][size],
        index=convert(facts >> 192, uint64),
        previous=convert((facts >> 128) & mask, uint64),
        block_number=convert((facts >> 64) & mask, uint64),
        timestamp=convert(facts & mask, uint64),
    )


@external
@view
def head(origin: bytes32, size: uint64) -> Head:
    """
    @notice The head of exactly this size; its timestamp is 0 when there is none.
    """
    return self._head(origin, size)


@external
@view
def latest(origin: bytes32) -> Head:
    """
    @notice The newest head of a log; its size and timestamp are 0 when there is none.
    """
    newest: uint256 = self._newest[origin] & convert(max_value(uint64), uint256)
    return self._head(origin, convert(newest, uint64))


@external
@view
def count(origin: bytes32) -> uint256:
    """
    @notice How many heads of a log there are.
    """
    return self._newest[origin] >> 64


@external
@view
def history(origin: bytes32, size: uint64, limit: uint256) -> DynArray[Head, PAGE]:
    """
    @notice Up to `limit` heads (64 at most) from the one of this size backwards; from the newest
            for size 0. Page on with the `previous` of the last one, which is 0 at the end.
    """
    found: DynArray[Head, PAGE] = []
    place: uint64 = size
    if place == 0:
        place = convert(self._newest[origin] & convert(max_value(uint64), uint256), uint64)
    for turn: uint256 in range(PAGE):
        if turn >= limit or place == 0:
            break
        one: Head = self._head(origin, place)
        if one.timestamp == 0:
            break
        found.append(one)
        place = one.previous
    return found
