"""The key that signs transactions. It is never printed: neither by us nor in an error's text."""

from pathlib import Path

from onsil.core.refusal import OperationError


class SigningKey:
    """A secp256k1 private key of 32 bytes that shows itself nowhere."""

    __slots__ = ("_raw",)

    def __init__(self, raw: bytes) -> None:
        if len(raw) != 32:
            raise OperationError("evm_key: a private key has 32 bytes", retry=False)
        self._raw = raw

    def __repr__(self) -> str:
        return "SigningKey(…)"

    def account(self):
        """The eth_account that signs with it. Raises OperationError for a value that is no key."""
        from eth_account import Account

        try:
            return Account.from_key(self._raw)
        except Exception:  # its text may quote the key
            raise OperationError("evm_key: not a private key", retry=False) from None


def load_key(key: str, key_file: str, password: str) -> SigningKey | None:
    """The key given in hexadecimal, or else in a file; None when neither is set.

    A file holds hexadecimal digits or is an encrypted keystore (Web3 Secret Storage, version 3)
    opened with `password`. Raises OperationError, which never quotes what was read.
    """
    if key:
        return _from_hex(key, "evm_key")
    if not key_file:
        return None
    path = Path(key_file).expanduser()
    try:
        text = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise OperationError(f"evm_key_file {path}: {type(error).__name__}", retry=False) from None
    if path.stat().st_mode & 0o077:
        raise OperationError(
            f"evm_key_file {path} can be read by others: chmod 600 {path}", retry=False
        )
    if not text.startswith("{"):
        return _from_hex(text, f"evm_key_file {path}")
    from eth_account import Account

    try:
        return SigningKey(bytes(Account.decrypt(text, password)))
    except Exception:  # its text may quote the file
        raise OperationError(
            f"evm_key_file {path}: evm_key_password does not open this keystore", retry=False
        ) from None


def _from_hex(text: str, what: str) -> SigningKey:
    try:
        return SigningKey(bytes.fromhex(text.strip().removeprefix("0x")))
    except ValueError:
        raise OperationError(f"{what}: not 64 hexadecimal digits", retry=False) from None
