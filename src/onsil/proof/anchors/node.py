"""The way to an EVM node: web3 loaded when first needed, and its errors in our words.

Loading web3 takes about two seconds, so nothing of it is imported until a node is asked.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from json import JSONDecodeError
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from onsil.core.refusal import OperationError
from onsil.proof.anchors.fees import GWEI

if TYPE_CHECKING:
    from web3 import Web3

TIMEOUT_S = 10.0
DEVELOPMENT_CHAINS = frozenset({1337, 31337})  # the numbers that development nodes go by
_DEVELOPMENT_CLIENTS = ("anvil", "hardhat", "ganache")
# How nodes say that they have a transaction, or one of its number, already.
_HAD = ("already known", "known transaction", "already imported", "already exists", "already_known")
_PASSED = ("nonce too low", "underpriced", "nonce_too_low")


def is_development(chain_id: int, client: str) -> bool:
    """Whether a chain is one for trying things out, which its operator can rewrite at will."""
    return chain_id in DEVELOPMENT_CHAINS or client.lower().startswith(_DEVELOPMENT_CLIENTS)


class Node:
    """One JSON-RPC node. Every call raises OperationError when it cannot be reached or answers no.

    The address may hold an access key, so only its host is ever shown.
    """

    def __init__(self, rpc_url: str) -> None:
        self._url = rpc_url
        self.host = urlsplit(rpc_url).netloc.rpartition("@")[2] or "?"

    def __repr__(self) -> str:
        return f"Node({self.host})"

    @cached_property
    def _web3(self) -> "Web3":
        from web3 import Web3
        from web3.middleware import ExtraDataToPOAMiddleware

        made = Web3(
            Web3.HTTPProvider(
                self._url, request_kwargs={"timeout": TIMEOUT_S}, exception_retry_configuration=None
            )
        )
        # Consortium chains (QBFT, Clique) put their seals where public ones keep 32 bytes.
        made.middleware_onion.inject(ExtraDataToPOAMiddleware, layer=0)
        return made

    @contextmanager
    def asked(self) -> Iterator["Web3"]:
        """The web3 to ask; whatever goes wrong in the block becomes an OperationError."""
        from requests import RequestException
        from web3.exceptions import ContractLogicError, Web3Exception

        try:
            yield self._web3
        except ContractLogicError:
            raise  # a contract's no is an answer
        except (RequestException, OSError, JSONDecodeError) as error:
            raise OperationError(
                f"the EVM node {self.host} does not answer ({type(error).__name__})", retry=True
            ) from None
        except Web3Exception as error:
            raise OperationError(
                f"the EVM node {self.host} answers: {self._cleared(error)}", retry=True
            ) from None

    def _cleared(self, error: Exception) -> str:
        return str(error).replace(self._url, self.host)[:300]

    @cached_property
    def chain_id(self) -> int:
        with self.asked() as web3:
            return web3.eth.chain_id

    @cached_property
    def development(self) -> bool:
        if self.chain_id in DEVELOPMENT_CHAINS:
            return True
        with self.asked() as web3:
            return is_development(self.chain_id, web3.client_version)

    def head_number(self) -> int:
        with self.asked() as web3:
            return web3.eth.block_number

    def code(self, address: str) -> bytes:
        """The contract's code at an address; empty where there is none."""
        with self.asked() as web3:
            return bytes(web3.eth.get_code(web3.to_checksum_address(address)))

    def balance(self, address: str) -> int:
        """What an account can spend on fees, in wei."""
        with self.asked() as web3:
            return web3.eth.get_balance(web3.to_checksum_address(address))

    def base_fee_and_tip(self) -> tuple[int, int]:
        """The newest block's base fee and a usual tip, in wei for a unit of gas."""
        with self.asked() as web3:
            base = web3.eth.get_block("latest").get("baseFeePerGas")
            if base is None:
                raise OperationError(
                    f"the chain at {self.host} has no EIP-1559 fees (London)", retry=False
                )
            try:
                tip = web3.eth.max_priority_fee
            except Exception:  # not every node has eth_maxPriorityFeePerGas
                tip = GWEI if base else 0
            return int(base), int(tip)

    def counts(self, address: str) -> tuple[int, int]:
        """An account's transactions that are in blocks, and the same with those that wait."""
        with self.asked() as web3:
            account = web3.to_checksum_address(address)
            mined = web3.eth.get_transaction_count(account, "latest")
            return mined, max(mined, web3.eth.get_transaction_count(account, "pending"))

    def receipt(self, transaction: str) -> dict[str, Any] | None:
        """A transaction's receipt, once it is in a block."""
        from web3.exceptions import TransactionNotFound

        with self.asked() as web3:
            try:
                return dict(web3.eth.get_transaction_receipt(transaction))  # pyright: ignore
            except TransactionNotFound:
                return None

    def block_hash(self, number: int) -> str:
        with self.asked() as web3:
            return web3.eth.get_block(number)["hash"].to_0x_hex()  # pyright: ignore

    def send(self, raw: bytes) -> str:
        """Hand a signed transaction over; what the node says against it, empty when nothing.

        A transaction that it has already, or whose number is taken, is nothing to complain of.
        """
        from web3.exceptions import Web3RPCError

        with self.asked() as web3:
            try:
                web3.eth.send_raw_transaction(raw)
            except Web3RPCError as error:
                words = self._cleared(error)
                return "" if any(m in words.lower() for m in (*_HAD, *_PASSED)) else words
        return ""
