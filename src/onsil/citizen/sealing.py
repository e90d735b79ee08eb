"""Sealing what must be kept for a while and read by few: a bank account, a pay-out file."""

import base64

from cryptography.fernet import Fernet

from onsil.citizen.keys import derived_key


def seal(text: str, purpose: str) -> str:
    """The text sealed (AES-128-CBC and HMAC-SHA-256, the Fernet form) under a key of its own."""
    return _box(purpose).encrypt(text.encode()).decode()


def opened(sealed: str, purpose: str) -> str:
    """The sealed text. Raises cryptography's InvalidToken when it was altered or is another's."""
    return _box(purpose).decrypt(sealed.encode()).decode()


def _box(purpose: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(derived_key(f"onsil.citizen.{purpose}")))
